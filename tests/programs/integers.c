// Integer instructions of every width with the flags they leave: edges against edges, shifts by every count.
#include "show.h"

#define LOAD_FLAGS "pushl %[flags]\n\tpopfl\n\t"
#define KEEP_FLAGS "\n\tpushfl\n\tpopl %[flags]"

/* Two operands in every width, without carry and with all flags set; `left` are the flags that the manual defines. */
#define BINARY(name, left)                                                                                             \
	static void name(void)                                                                                         \
	{                                                                                                              \
		for (size_t i = 0; i < COUNT(edges); i++)                                                              \
			for (size_t k = 0; k < COUNT(edges); k++)                                                      \
				for (uint32_t before = 0; before <= STATUS; before += STATUS) {                        \
					uint32_t a = edges[i], b = edges[k], flags = before;                           \
					asm volatile(LOAD_FLAGS #name "l %[b], %[a]" KEEP_FLAGS                        \
						     : [a] "+r"(a), [flags] "+r"(flags) : [b] "r"(b) : "cc");          \
					see(a), see(flags & (left));                                                   \
					flags = before;                                                                \
					asm volatile(LOAD_FLAGS #name "w %w[b], %w[a]" KEEP_FLAGS                      \
						     : [a] "+r"(a), [flags] "+r"(flags) : [b] "r"(b) : "cc");          \
					see(a), see(flags & (left));                                                   \
					flags = before;                                                                \
					asm volatile(LOAD_FLAGS #name "b %b[b], %h[a]" KEEP_FLAGS                      \
						     : [a] "+Q"(a), [flags] "+r"(flags) : [b] "q"(b) : "cc");          \
					see(a), see(flags & (left));                                                   \
					flags = before;                                                                \
					asm volatile(LOAD_FLAGS #name "l %[b], %[a]" KEEP_FLAGS                        \
						     : [a] "+m"(a), [flags] "+r"(flags) : [b] "ri"(b) : "cc");         \
					see(a), see(flags & (left));                                                   \
				}                                                                                      \
		show(#name);                                                                                           \
	}

#define LOGIC (STATUS & ~AF)
BINARY(add, STATUS) BINARY(adc, STATUS) BINARY(sub, STATUS) BINARY(sbb, STATUS) BINARY(cmp, STATUS)
BINARY(and, LOGIC) BINARY(or, LOGIC) BINARY(xor, LOGIC) BINARY(test, LOGIC)

#define UNARY(name, left)                                                                                              \
	static void name(void)                                                                                         \
	{                                                                                                              \
		for (size_t i = 0; i < COUNT(edges); i++)                                                              \
			for (uint32_t before = 0; before <= STATUS; before += STATUS) {                                \
				uint32_t a = edges[i], flags = before;                                                 \
				asm volatile(LOAD_FLAGS #name "l %[a]" KEEP_FLAGS                                      \
					     : [a] "+r"(a), [flags] "+r"(flags) : : "cc");                             \
				see(a), see(flags & (left));                                                           \
				asm volatile(LOAD_FLAGS #name "w %[a]" KEEP_FLAGS                                      \
					     : [a] "+m"(a), [flags] "+r"(flags) : : "cc");                             \
				see(a), see(flags & (left));                                                           \
				asm volatile(LOAD_FLAGS #name "b %h[a]" KEEP_FLAGS                                     \
					     : [a] "+Q"(a), [flags] "+r"(flags) : : "cc");                             \
				see(a), see(flags & (left));                                                           \
			}                                                                                              \
		show(#name);                                                                                           \
	}

UNARY(inc, STATUS) UNARY(dec, STATUS) UNARY(neg, STATUS) UNARY(not, STATUS)

/* Every count. The overflow flag is defined for one place only, and none is touched by a count of 0. */
#define SHIFT(name, rest)                                                                                              \
	static void name(void)                                                                                         \
	{                                                                                                              \
		for (size_t i = 0; i < COUNT(edges); i++)                                                              \
			for (uint32_t count = 0; count < 40; count++)                                                  \
				for (uint32_t before = 0; before <= STATUS; before += STATUS) {                        \
					uint32_t places = count & 31, keep = places ? (rest) : STATUS;                 \
					uint32_t a = edges[i], flags = before;                                         \
					if (places == 1)                                                               \
						keep |= OF;                                                            \
					asm volatile(LOAD_FLAGS #name "l %%cl, %[a]" KEEP_FLAGS                        \
						     : [a] "+r"(a), [flags] "+r"(flags) : "c"(count) : "cc");          \
					see(a), see(flags & keep);                                                     \
					flags = before;                                                                \
					asm volatile(LOAD_FLAGS #name "w %%cl, %[a]" KEEP_FLAGS                        \
						     : [a] "+m"(a), [flags] "+r"(flags) : "c"(count) : "cc");          \
					see(a), see(flags & (places < 16 ? keep : keep & ~CF));                        \
					flags = before;                                                                \
					asm volatile(LOAD_FLAGS #name "b %%cl, %h[a]" KEEP_FLAGS                       \
						     : [a] "+Q"(a), [flags] "+r"(flags) : "c"(count) : "cc");          \
					see(a), see(flags & (places < 8 ? keep : keep & ~CF));                         \
				}                                                                                      \
		show(#name);                                                                                           \
	}

SHIFT(shl, CF | PF | ZF | SF) SHIFT(shr, CF | PF | ZF | SF) SHIFT(sar, CF | PF | ZF | SF)
SHIFT(rol, STATUS & ~OF) SHIFT(ror, STATUS & ~OF) SHIFT(rcl, STATUS & ~OF) SHIFT(rcr, STATUS & ~OF)

#define DOUBLE_SHIFT(name)                                                                                             \
	static void name(void)                                                                                         \
	{                                                                                                              \
		for (size_t i = 0; i < COUNT(edges); i++)                                                              \
			for (uint32_t count = 0; count < 40; count++) {                                                \
				uint32_t places = count & 31, keep = places ? CF | PF | ZF | SF : STATUS;              \
				uint32_t a = edges[i], b = edges[COUNT(edges) - 1 - i], flags = STATUS;                \
				asm volatile(LOAD_FLAGS #name "l %%cl, %[b], %[a]" KEEP_FLAGS                          \
					     : [a] "+r"(a), [flags] "+r"(flags) : [b] "r"(b), "c"(count) : "cc");      \
				see(a), see(flags & keep);                                                             \
				if (places > 15)                                                                       \
					continue;                                                                      \
				flags = STATUS;                                                                        \
				asm volatile(LOAD_FLAGS #name "w %%cl, %w[b], %[a]" KEEP_FLAGS                         \
					     : [a] "+m"(a), [flags] "+r"(flags) : [b] "r"(b), "c"(count) : "cc");      \
				see(a), see(flags & keep);                                                             \
			}                                                                                              \
		show(#name);                                                                                           \
	}

DOUBLE_SHIFT(shld) DOUBLE_SHIFT(shrd)

static void products(void)
{
	for (size_t i = 0; i < COUNT(edges); i++)
		for (size_t k = 0; k < COUNT(edges); k++) {
			uint32_t low = edges[i], high = 7, b = edges[k], flags = 0;

			asm("mull %3\n\tpushfl\n\tpopl %2" : "+a"(low), "=d"(high), "=r"(flags) : "r"(b) : "cc");
			see(low), see(high), see(flags & (CF | OF));
			asm("imull %3\n\tpushfl\n\tpopl %2" : "+a"(low), "=d"(high), "=r"(flags) : "r"(b) : "cc");
			see(low), see(high), see(flags & (CF | OF));
			asm("mulw %w3\n\tpushfl\n\tpopl %2" : "+a"(low), "+d"(high), "=r"(flags) : "r"(b) : "cc");
			see(low), see(high), see(flags & (CF | OF));
			asm("imulb %b2\n\tpushfl\n\tpopl %1" : "+a"(low), "=r"(flags) : "q"(b) : "cc");
			see(low), see(flags & (CF | OF));
			asm("imull %2, %0\n\tpushfl\n\tpopl %1" : "+r"(low), "=r"(flags) : "r"(b) : "cc");
			see(low), see(flags & (CF | OF));
			asm("imulw $-77, %w2, %w0\n\tpushfl\n\tpopl %1" : "+r"(low), "=r"(flags) : "r"(b) : "cc");
			see(low), see(flags & (CF | OF));
		}
	show("products");
}

/* Only what fits: the rest is a fault, and the business of another program. */
static void quotients(void)
{
	for (size_t i = 0; i < COUNT(edges); i++)
		for (size_t k = 1; k < COUNT(edges); k++) {
			uint32_t b = edges[k], low = edges[i], high = b - 1;
			int32_t divisor = (int32_t)b, sign = (int32_t)low >> 31;

			asm("divl %2" : "+a"(low), "+d"(high) : "r"(b) : "cc");
			see(low), see(high);
			low = edges[i];
			if (divisor != -1 || low != 0x80000000) {
				asm("idivl %2" : "+a"(low), "+d"(sign) : "r"(b) : "cc");
				see(low), see((uint32_t)sign);
			}
			if ((b & 0xFF) > 0x10) {
				low = edges[i] & 0xFFF;
				asm("divb %b1" : "+a"(low) : "q"(b) : "cc");
				see(low);
			}
		}
	show("quotients");
}

#define DECIMAL(name, keep)                                                                                            \
	for (uint32_t a = 0; a < 0x10000; a += 0x31)                                                                   \
		for (uint32_t before = 0; before < 4; before++) {                                                      \
			uint32_t result = a, flags = (before & 1 ? CF : 0) | (before & 2 ? AF : 0);                    \
			asm volatile(LOAD_FLAGS name KEEP_FLAGS : "+a"(result), [flags] "+r"(flags) : : "cc");          \
			see(result), see(flags & (keep));                                                              \
		}                                                                                                      \
	show(name)

static void decimals(void)
{
	DECIMAL("daa", STATUS & ~OF);
	DECIMAL("das", STATUS & ~OF);
	DECIMAL("aaa", CF | AF);
	DECIMAL("aas", CF | AF);
	DECIMAL("aam", PF | ZF | SF);
	DECIMAL("aad", PF | ZF | SF);
	DECIMAL("aam $7", PF | ZF | SF);
	DECIMAL("cbw", STATUS);
	DECIMAL("cwde", STATUS);
	DECIMAL("lahf", STATUS);
	DECIMAL("sahf", STATUS);
	DECIMAL("bswap %%eax", STATUS);
}

/* A bit number in a register reaches any distance from the operand, to both sides. */
#define FAR_BITS(name)                                                                                                 \
	for (int32_t bit = -4096; bit < 4096; bit += 37) {                                                             \
		uint32_t flags = 0;                                                                                    \
		asm volatile(LOAD_FLAGS name "l %[bit], (%[at])" KEEP_FLAGS                                            \
			     : [flags] "+r"(flags) : [bit] "r"(bit), [at] "r"(field + 128) : "cc", "memory");           \
		see(flags & CF);                                                                                       \
		flags = 0;                                                                                             \
		asm volatile(LOAD_FLAGS name "w %w[bit], (%[at])" KEEP_FLAGS                                           \
			     : [flags] "+r"(flags) : [bit] "r"(bit * 3), [at] "r"(field + 600) : "cc", "memory");       \
		see(flags & CF);                                                                                       \
	}                                                                                                              \
	see_bytes(field, sizeof(field)), show(name)

static void bits(void)
{
	static uint32_t field[1024];

	for (size_t i = 0; i < COUNT(field); i++)
		field[i] = (uint32_t)i * 0x9E3779B9u;
	FAR_BITS("bt");
	FAR_BITS("bts");
	FAR_BITS("btr");
	FAR_BITS("btc");
	for (size_t i = 1; i < COUNT(edges); i++) {
		uint32_t first, last;

		asm("bsfl %2, %0\n\tbsrl %2, %1" : "=&r"(first), "=&r"(last) : "rm"(edges[i]) : "cc");
		see(first), see(last);
	}
	show("bsf, bsr");
}

static void exchanges(void)
{
	for (size_t i = 0; i < COUNT(edges); i++)
		for (size_t k = 0; k < COUNT(edges); k++) {
			uint32_t a = edges[i], b = edges[k], c = edges[(i + k) % COUNT(edges)], flags;
			uint64_t wide = (uint64_t)a << 32 | b;
			uint32_t low = i % 2 ? b : c, high = a;

			asm volatile("lock xaddl %1, %0\n\tpushfl\n\tpopl %2" : "+m"(a), "+r"(b), "=r"(flags) : : "cc");
			see(a), see(b), see(flags & STATUS);
			asm volatile("lock cmpxchgl %3, %0\n\tpushfl\n\tpopl %2" : "+m"(a), "+a"(c), "=r"(flags) : "r"(b) : "cc");
			see(a), see(c), see(flags & STATUS);
			asm volatile("xchgb %h1, %b0" : "+q"(a), "+Q"(b));
			see(a), see(b);
			asm volatile("lock cmpxchg8b %0" : "+m"(wide), "+a"(low), "+d"(high) : "b"(k), "c"(i) : "cc");
			see(low), see(high), see_bytes(&wide, sizeof(wide));
		}
	show("exchanges");
}

int main(void)
{
	add(), adc(), sub(), sbb(), cmp(), and(), or(), xor(), test();
	inc(), dec(), neg(), not();
	shl(), shr(), sar(), rol(), ror(), rcl(), rcr(), shld(), shrd();
	products(), quotients(), decimals(), bits(), exchanges();
	return 0;
}
