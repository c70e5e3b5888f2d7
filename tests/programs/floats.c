// The x87 in every rounding and precision mode; what it flags, tags, saves and raises; transcendental instructions to the
// precision of a double, since the manual promises no last bit.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <sys/ucontext.h>
#include "show.h"

typedef struct {
	uint8_t bytes[10];
} extended;

static const uint64_t patterns[][2] = {
	{0x0000, 0}, {0x8000, 0}, {0x3FFF, 1ull << 63}, {0xBFFF, 3ull << 62}, {0x4000, 0xC90FDAA22168C235ull},
	{0x3FFD, 0xAAAAAAAAAAAAAAABull}, {0x401E, 0xFFFFFFFE00000000ull}, {0x403E, ~0ull}, {0x7FFE, ~0ull}, {0x0001, 1ull << 63},
	{0x0000, 1}, {0x0000, 1ull << 63}, {0x7FFF, 1ull << 63}, {0xFFFF, 1ull << 63}, {0x7FFF, 0xC000000000000000ull},
	{0x7FFF, 0xA000000000000123ull}, {0xC001, 0x8000000000000001ull}, {0x4012, 0x123456789ABCDEFull},
};
static extended values[COUNT(patterns)];

static void load(uint16_t control) { asm volatile("fninit\n\tfldcw %0" : : "m"(control)); }

static void see_result(void)
{
	extended result;
	uint16_t status;

	asm volatile("fnstsw %0\n\tfstpt %1\n\tfnclex" : "=m"(status), "=m"(result));
	see_bytes(&result, sizeof(result)), see(status & ~0x4000u);
}

/* All pairs, all modes, everything masked. */
#define DYADIC(code)                                                                                                   \
	for (uint32_t mode = 0; mode < 16; mode++)                                                                     \
		for (size_t i = 0; i < COUNT(values); i++)                                                             \
			for (size_t k = 0; k < COUNT(values) && mode % 4 != 1; k++) {                                  \
				load((uint16_t)(0x7F | mode << 8));                                                    \
				asm volatile("fldt %0\n\tfldt %1\n\t" code : : "m"(values[i]), "m"(values[k]));         \
				see_result();                                                                          \
			}                                                                                              \
	show(code)

#define MONADIC(code)                                                                                                  \
	for (uint32_t mode = 0; mode < 16; mode++)                                                                     \
		for (size_t i = 0; i < COUNT(values) && mode % 4 != 1; i++) {                                          \
			load((uint16_t)(0x7F | mode << 8));                                                            \
			asm volatile("fldt %0\n\t" code : : "m"(values[i]));                                            \
			see_result();                                                                                  \
		}                                                                                                      \
	show(code)

/* What is stored in another format, by the width in bytes. */
#define STORE(code, width)                                                                                             \
	for (uint32_t mode = 0; mode < 16; mode += 4)                                                                  \
		for (size_t i = 0; i < COUNT(values); i++) {                                                           \
			uint8_t stored[10] = {0};                                                                      \
			uint16_t status;                                                                               \
			load((uint16_t)(0x37F | mode << 8));                                                           \
			asm volatile("fldt %2\n\t" code " %0\n\tfnstsw %1"                                              \
				     : "=m"(stored), "=m"(status) : "m"(values[i]));                                   \
			see_bytes(stored, width), see(status & ~0x4500u);                                              \
		}                                                                                                      \
	show(code)

static void arithmetic(void)
{
	DYADIC("faddp");
	DYADIC("fsubp");
	DYADIC("fsubrp");
	DYADIC("fmulp");
	DYADIC("fdivp");
	DYADIC("fdivrp");
	DYADIC("fprem");
	DYADIC("fprem1");
	DYADIC("fscale");
	DYADIC("fcomp %%st(1)");
	DYADIC("fucomp %%st(1)");
	MONADIC("fsqrt");
	MONADIC("frndint");
	MONADIC("fxtract");
	MONADIC("fchs");
	MONADIC("fabs");
	MONADIC("fxam");
	MONADIC("ftst");
	STORE("fstps", 4);
	STORE("fstpl", 8);
	STORE("fistps", 2);
	STORE("fistpl", 4);
	STORE("fistpll", 8);
	STORE("fisttpll", 8);
	STORE("fbstp", 10);
}

static void comparisons(void)
{
	for (size_t i = 0; i < COUNT(values); i++)
		for (size_t k = 0; k < COUNT(values); k++) {
			uint32_t flags;

			load(0x37F);
			asm volatile("fldt %1\n\tfldt %2\n\tfcomi %%st(1)\n\tpushfl\n\tpopl %0" : "=r"(flags) : "m"(values[i]), "m"(values[k]) : "cc");
			see(flags & (ZF | PF | CF));
			asm volatile("fcmovbe %%st(1), %%st\n\tfcmovnu %%st(1), %%st" : : : "cc");
			see_result();
		}
	show("fcomi, fcmov");
}

/* A double's worth of each. */
#define CURVE(code, from, to, other)                                                                                   \
	for (volatile double x = (from); x <= (to); x += ((to) - (from)) / 64.) {                                                \
		volatile double y = (other), result;                                                                          \
		load(0x37F);                                                                                           \
		asm volatile("fldl %2\n\tfldl %1\n\t" code "\n\tfstpl %0" : "=m"(result) : "m"(x), "m"(y));             \
		see_bytes(&result, sizeof(result));                                                                    \
	}                                                                                                              \
	show(code)

static void curves(void)
{
	CURVE("fsin", -40.25, 40.5, 0);
	CURVE("fcos", -40.25, 40.5, 0);
	CURVE("fptan; fstp %%st", -40.25, 40.5, 0);
	CURVE("fsincos; faddp", -3.5, 3.25, 0);
	CURVE("f2xm1", -0.999, 0.998, 0);
	CURVE("fyl2x", 0.0625, 77.5, 3.75);
	CURVE("fyl2xp1", -0.25, 0.25, -1.5);
	CURVE("fpatan", -9.25, 9.5, 2.125);
	CURVE("fldpi; fmulp", -9.25, 9.5, 2.125);
	CURVE("fldl2e; fmulp; fldl2t; faddp; fldlg2; fmulp; fldln2; fmulp", 0., 1., 0);
}

/* Tags, TOP and registers as the images have them. Pointers aside: makes keep them in their own ways. */
static void images(void)
{
	uint16_t environment[14], image[54];
	uint8_t fx[512] __attribute__((aligned(16)));

	for (size_t i = 0; i < COUNT(values); i++) {
		load(0x37F);
		for (size_t k = 0; k <= i % 9; k++)
			asm volatile("fldt %0" : : "m"(values[(i + k) % COUNT(values)]));
		asm volatile("ffree %st(3)\n\tfincstp");
		asm volatile("fnstenv %0" : "=m"(environment));
		see(environment[0]), see(environment[2]), see(environment[4]);
		asm volatile("fxsave %0" : "=m"(fx));
		see_bytes(fx, 6), see_bytes(fx + 32, 128);
		asm volatile("fnsave %0\n\tfrstor %0" : "=m"(image));
		see(image[0]), see(image[2]), see(image[4]), see_bytes(image + 14, 80);
		environment[4] ^= 0x0F0F;
		asm volatile("fldenv %0\n\tdata16 fnsave %1" : : "m"(environment), "m"(image) : "memory");
		see(image[0]), see(image[1]), see(image[2]), see_bytes(image + 7, 80);
		fx[4] ^= 0x5A;
		asm volatile("fxrstor %0\n\tfnstenv %1" : : "m"(fx), "m"(environment) : "memory");
		see(environment[0]), see(environment[2]), see(environment[4]);
	}
	show("images");
}

/* ---- unmasked: the fault is raised by the next instruction of the x87, and says what it was ---- */

static sigjmp_buf back;
static void *expected;

static void raised(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct _libc_fpstate *state = uc->uc_mcontext.fpregs;
	int here = (void *)uc->uc_mcontext.gregs[REG_EIP] == expected;

	printf("signal %d code %d trap %d at %s, status %04lx control %04lx\n", signal, info->si_code, uc->uc_mcontext.gregs[REG_TRAPNO],
	       here ? "the next" : "another place", state->sw & 0xBFFF, state->cw & 0xFFFF);
	siglongjmp(back, 1);
}

#define RAISE(control, code, first, second)                                                                            \
	do {                                                                                                           \
		load(control);                                                                                         \
		if (!sigsetjmp(back, 1)) {                                                                             \
			asm volatile("movl $1f, %0\n\tfldt %1\n\tfldt %2\n\t" code "\n\tnop\n1:\tfwait"                \
				     : "=m"(expected) : "m"(values[first]), "m"(values[second]));                      \
			printf("nothing raised\n");                                                                    \
		}                                                                                                      \
	} while (0)

static void faults(void)
{
	struct sigaction action = {.sa_sigaction = raised, .sa_flags = SA_SIGINFO};

	sigaction(SIGFPE, &action, NULL);
	RAISE(0x37E, "faddp", 12, 13);       /* infinity - infinity */
	RAISE(0x37E, "faddp", 15, 2);        /* a signaling NaN */
	RAISE(0x37E, "fsqrt", 0, 3);
	RAISE(0x37D, "faddp", 10, 2);        /* a denormal */
	RAISE(0x37B, "fdivrp", 0, 2);        /* by zero */
	RAISE(0x377, "fmulp", 8, 8);
	RAISE(0x36F, "fmulp", 9, 9);
	RAISE(0x35F, "fdivrp", 2, 4);
	RAISE(0x37E, "fstp %%st; fstp %%st; fstp %%st", 2, 2);
	RAISE(0x37F, "fdivrp", 0, 2);
	RAISE(0x300, "faddp", 2, 2);
}

int main(void)
{
	for (size_t i = 0; i < COUNT(values); i++) {
		memcpy(values[i].bytes, &patterns[i][1], 8);
		memcpy(values[i].bytes + 8, &patterns[i][0], 2);
	}
	arithmetic();
	comparisons();
	curves();
	images();
	faults();
	return 0;
}
