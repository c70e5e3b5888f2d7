// MMX and SSE to SSE3: packed and scalar, in every mode of MXCSR, with every kind of NaN, and what they raise when they may.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <sys/ucontext.h>
#include "show.h"

typedef struct {
	uint32_t lanes[4];
} __attribute__((aligned(16))) vector;

/* Singles, and by twos doubles: zeros, ones, denormals, infinities, quiet and signaling NaNs, what rounds, what overflows. */
static const vector values[] = {
	{{0, 0x80000000, 0x3F800000, 0xBF800000}},
	{{0x00000001, 0x80000001, 0x007FFFFF, 0x00800000}},
	{{0x7F800000, 0xFF800000, 0x7FC12345, 0xFFC54321}},
	{{0x7F812345, 0xFF854321, 0x7F7FFFFF, 0xFF7FFFFF}},
	{{0x3EAAAAAB, 0x40490FDB, 0x4EFFFFFF, 0xCF000000}},
	{{0, 0x3FF00000, 0, 0xBFF00000}},
	{{1, 0, 1, 0x80000000}},
	{{0, 0x7FF00000, 0, 0xFFF00000}},
	{{0x12345678, 0x7FF81234, 0x9ABCDEF0, 0x7FF01234}},
	{{0xFFFFFFFF, 0x7FEFFFFF, 0xFFFFFFFF, 0x000FFFFF}},
	{{0x55555555, 0x3FD55555, 0x54442D18, 0x400921FB}},
	{{0x00010203, 0x7F80FF7F, 0x80018000, 0xFFFE7FFF}},
};

static void set_mxcsr(uint32_t value) { asm volatile("ldmxcsr %0" : : "m"(value)); }

static uint32_t get_mxcsr(void)
{
	uint32_t value;

	asm volatile("stmxcsr %0" : "=m"(value));
	return value;
}

static void see_vector(const vector *value) { see_bytes(value, sizeof(*value)), see(get_mxcsr()); }

/* Rounding, flush to zero, denormals are zero: 16 modes, all masked. */
#define PAIRS(code)                                                                                                    \
	for (uint32_t mode = 0; mode < 16; mode++)                                                                     \
		for (size_t i = 0; i < COUNT(values); i++)                                                             \
			for (size_t k = 0; k < COUNT(values); k++) {                                                   \
				vector result = values[i];                                                             \
				set_mxcsr(0x1F80 | (mode & 3) << 13 | (mode & 4) << 13 | (mode & 8) << 3);             \
				asm volatile("movaps %0, %%xmm1\n\t" code " %1, %%xmm1\n\tmovaps %%xmm1, %0"            \
					     : "+m"(result) : "m"(values[k]));                                         \
				see_vector(&result);                                                                   \
			}                                                                                              \
	show(code)
#define FLOATS(name) PAIRS(name "ps"); PAIRS(name "pd"); PAIRS(name "ss"); PAIRS(name "sd")

static void floats(void)
{
	FLOATS("add");
	FLOATS("sub");
	FLOATS("mul");
	FLOATS("div");
	FLOATS("min");
	FLOATS("max");
	FLOATS("sqrt");
	PAIRS("cmpltps");
	PAIRS("cmpnlepd");
	PAIRS("cmpunordss");
	PAIRS("cmpordsd");
	PAIRS("comiss");
	PAIRS("ucomisd");
	PAIRS("addsubps");
	PAIRS("addsubpd");
	PAIRS("haddps");
	PAIRS("hsubpd");
	PAIRS("cvtps2dq");
	PAIRS("cvttps2dq");
	PAIRS("cvtpd2dq");
	PAIRS("cvttpd2dq");
	PAIRS("cvtdq2ps");
	PAIRS("cvtdq2pd");
	PAIRS("cvtps2pd");
	PAIRS("cvtpd2ps");
	PAIRS("cvtss2sd");
	PAIRS("cvtsd2ss");
	PAIRS("movddup");
	PAIRS("movsldup");
	PAIRS("unpckhps");
	PAIRS("shufpd $1,");
	PAIRS("shufps $0x9C,");
}

#define TO_INTEGER(code)                                                                                               \
	for (uint32_t mode = 0; mode < 4; mode++)                                                                      \
		for (size_t i = 0; i < COUNT(values); i++) {                                                           \
			uint32_t result;                                                                               \
			set_mxcsr(0x1F80 | mode << 13);                                                                \
			asm volatile(code " %1, %0" : "=r"(result) : "m"(values[i]));                                   \
			see(result), see(get_mxcsr());                                                                 \
		}                                                                                                      \
	show(code)

/* The same instruction on eight bytes and on sixteen. */
#define BOTH(name)                                                                                                     \
	for (size_t i = 0; i < COUNT(values); i++)                                                                     \
		for (size_t k = 0; k < COUNT(values); k++) {                                                           \
			vector result = values[i];                                                                     \
			asm volatile("movdqa %0, %%xmm1\n\t" name " %1, %%xmm1\n\tmovdqa %%xmm1, %0"                    \
				     : "+m"(result) : "m"(values[k]));                                                 \
			see_bytes(&result, 16);                                                                        \
			asm volatile("movq %0, %%mm1\n\t" name " %1, %%mm1\n\tmovq %%mm1, %0\n\temms"                   \
				     : "+m"(result) : "m"(values[k]));                                                 \
			see_bytes(&result, 16);                                                                        \
		}                                                                                                      \
	show(name)

static void integers(void)
{
	TO_INTEGER("cvtss2si");
	TO_INTEGER("cvttss2si");
	TO_INTEGER("cvtsd2si");
	TO_INTEGER("cvttsd2si");
	BOTH("paddb"); BOTH("paddw"); BOTH("paddd"); BOTH("paddq"); BOTH("paddsb"); BOTH("paddsw"); BOTH("paddusb"); BOTH("paddusw");
	BOTH("psubb"); BOTH("psubw"); BOTH("psubd"); BOTH("psubq"); BOTH("psubsb"); BOTH("psubsw"); BOTH("psubusb"); BOTH("psubusw");
	BOTH("pmullw"); BOTH("pmulhw"); BOTH("pmulhuw"); BOTH("pmaddwd"); BOTH("pmuludq"); BOTH("psadbw"); BOTH("pavgb"); BOTH("pavgw");
	BOTH("pminub"); BOTH("pmaxub"); BOTH("pminsw"); BOTH("pmaxsw"); BOTH("pcmpeqb"); BOTH("pcmpgtw"); BOTH("pcmpgtd");
	BOTH("packsswb"); BOTH("packssdw"); BOTH("packuswb"); BOTH("punpcklbw"); BOTH("punpckhwd"); BOTH("punpckldq");
	BOTH("pand"); BOTH("pandn"); BOTH("por"); BOTH("pxor");
	BOTH("psllw"); BOTH("pslld"); BOTH("psllq"); BOTH("psrlw"); BOTH("psrld"); BOTH("psrlq"); BOTH("psraw"); BOTH("psrad");
	PAIRS("pshufd $0x4E,");
	PAIRS("pshufhw $0x1B,");
	PAIRS("pshuflw $0x93,");
	PAIRS("punpckhqdq");
}

static void images(void)
{
	uint8_t fx[512] __attribute__((aligned(16)));

	set_mxcsr(0x1F80);
	for (size_t i = 0; i + 1 < COUNT(values); i++) {
		memset(fx, 0xEE, sizeof(fx));
		asm volatile("movaps %1, %%xmm0\n\tmovaps %2, %%xmm7\n\tfninit\n\tmovq %1, %%mm3\n\tfxsave %0\n\temms"
			     : "=m"(fx) : "m"(values[i]), "m"(values[i + 1]));
		see_bytes(fx, 5), see_bytes(fx + 24, 4), see_bytes(fx + 160, 16), see_bytes(fx + 272, 16);
		for (size_t k = 0; k < 8; k++)
			see_bytes(fx + 32 + 16 * k, 10);
		memcpy(fx + 176, &values[COUNT(values) - 1 - i], 16);
		asm volatile("fxrstor %1\n\tmovups %%xmm1, %0\n\temms" : "=m"(fx[160]) : "m"(fx) : "memory");
		see_bytes(fx + 160, 16);
	}
	show("fxsave");
}

/* ---- what is not masked ---- */

static sigjmp_buf back;
static void *expected;

static void raised(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	printf("signal %d code %d trap %d at %s\n", signal, info->si_code, registers[REG_TRAPNO],
	       (void *)registers[REG_EIP] == expected ? "it" : "another place");
	siglongjmp(back, 1);
}

#define RAISE(mxcsr, code, first, second)                                                                              \
	do {                                                                                                           \
		if (!sigsetjmp(back, 1)) {                                                                             \
			set_mxcsr(mxcsr);                                                                              \
			asm volatile("movl $1f, %0\n\tmovups %1, %%xmm1\n1:\t" code                                     \
				                         : "=m"(expected) : "m"(values[first]), "r"(&values[second]));                      \
			printf("nothing raised, %x\n", get_mxcsr());                                                   \
		}                                                                                                      \
		set_mxcsr(0x1F80);                                                                                     \
	} while (0)

static void faults(void)
{
	struct sigaction action = {.sa_sigaction = raised, .sa_flags = SA_SIGINFO};

	sigaction(SIGFPE, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	RAISE(0x1F00, "addps (%2), %%xmm1", 3, 0);
	RAISE(0x1E80, "mulps (%2), %%xmm1", 1, 4);
	RAISE(0x1D80, "divss (%2), %%xmm1", 4, 0);
	RAISE(0x1B80, "mulpd (%2), %%xmm1", 9, 9);
	RAISE(0x1780, "mulps (%2), %%xmm1", 1, 4);
	RAISE(0x0F80, "divps (%2), %%xmm1", 4, 4);
	RAISE(0x0F80, "cvtps2dq (%2), %%xmm1", 4, 4);
	RAISE(0x1F00, "ucomiss (%2), %%xmm1", 3, 3);
	RAISE(0x1F00, "comiss 8(%2), %%xmm1", 0, 2);
	RAISE(0x1F80, "divps (%2), %%xmm1", 4, 0);
	RAISE(0x1F80, "movaps 4(%2), %%xmm1", 4, 1);     /* not aligned */
	RAISE(0x1F80, "movups 4(%2), %%xmm1", 4, 1);
	RAISE(0x1F80, "ldmxcsr 12(%2)", 4, 11);          /* bits that do not exist */
}

int main(void)
{
	floats();
	integers();
	images();
	faults();
	return 0;
}
