// What needs nothing but the CPU: integers, strings, x87 to the last bit, SSE2.
#include <emmintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252ull;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void integers(void)
{
	uint32_t sum = 0;
	int64_t wide = 1;

	for (int i = 0; i < 2000; i++) {
		uint32_t a = (uint32_t)next(), b = (uint32_t)next() | 1;

		sum = sum * 31 + a * b + a / b + (uint32_t)((int32_t)a % (int32_t)(b >> 3 | 1)) + (a << (b & 31)) + (a >> (a & 31));
		wide = (int64_t)((uint64_t)wide * b) / (int32_t)(a | 1) + (int64_t)(next() % b);
		sum ^= (uint32_t)__builtin_popcount(a) + (uint32_t)__builtin_clz(b) + __builtin_bswap32(a);
	}
	printf("integers %08x %016llx\n", sum, (long long)wide);
}

static void strings(void)
{
	static char from[5000], to[5000];
	uint32_t sum = 0;

	for (int i = 0; i < 12; i++) {
		size_t at = next() % 1000, length = next() % 3000, other = next() % 1000;

		for (size_t k = 0; k < sizeof(from); k++)
			from[k] = (char)(k * 7 + (size_t)i);
		memmove(from + at, from + other, length);
		memcpy(to + other, from + at, length);
		memset(to + at, i, length / 3);
		sum = sum * 33 + (uint32_t)memcmp(from, to, sizeof(from)) % 7 + (uint32_t)strlen(from + 1);
		for (size_t k = 0; k < sizeof(to); k++)
			sum = sum * 31 + (unsigned char)to[k];
	}
	printf("strings %08x\n", sum);
}

static void x87(void)
{
	static const long double values[] = {0.0L, 1.0L, -1.5L, 3.14159265358979323846L, 1e-4940L, 1e4932L, 0x1p-16445L, 123456789.125L};
	uint16_t before, control;

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		long double x = values[i];

		printf("%La %La %La %La %La\n", x + 1, x * x, 1 / x, sqrtl(fabsl(x)), fmodl(x, 0.7L));
		printf("%La %La %La %.20Lg %lld\n", floorl(x), rintl(x), ldexpl(x, 3), x, fabsl(x) < 1e18L ? (long long)x : 0);
	}
	asm volatile("fnstcw %0" : "=m"(before));
	for (int rounding = 0; rounding < 4; rounding++)
		for (int precision = 0; precision < 4; precision++) {
			long double x = 1, y = 3, z;

			if (precision == 1)
				continue;
			control = (uint16_t)((before & ~0xF00) | rounding << 10 | precision << 8);
			asm volatile("fldcw %1; fldt %2; fldt %3; fdivrp; fstpt %0" : "=m"(z) : "m"(control), "m"(x), "m"(y));
			asm volatile("fldcw %0" : : "m"(before));
			printf("1/3, rounding %d, precision %d: %La\n", rounding, precision, z);
		}
}

static void sse2(void)
{
	__m128d a = _mm_set_pd(1.5, -2.25), b = _mm_set_pd(3.0, 7.0), c;
	__m128i p = _mm_set_epi32(1, -2, 300000, -400000), q = _mm_set1_epi16(1234), r;
	double d[2];
	int32_t n[4];

	for (int i = 0; i < 1000; i++) {
		c = _mm_sub_pd(_mm_mul_pd(a, b), _mm_div_pd(a, b));
		a = _mm_sqrt_pd(_mm_add_pd(_mm_mul_pd(c, c), b));
		r = _mm_add_epi32(_mm_madd_epi16(p, q), _mm_shuffle_epi32(p, 0x1B));
		p = _mm_xor_si128(_mm_slli_epi32(r, 3), _mm_srai_epi16(_mm_packs_epi32(r, p), 2));
	}
	_mm_storeu_pd(d, a);
	_mm_storeu_si128((__m128i *)n, p);
	printf("sse2 %a %a %08x %08x %08x %08x\n", d[0], d[1], n[0], n[1], n[2], n[3]);
}

int main(void)
{
	integers();
	strings();
	x87();
	sse2();
	return 0;
}
