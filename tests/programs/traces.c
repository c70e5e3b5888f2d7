// The trap flag: after which instructions there is a trap, and after which there is none. And faults: each at its instruction,
// with all registers as before it.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <sys/ucontext.h>
#include "show.h"

#define TF 0x100

static sigjmp_buf back;
static char *volatile origin;
static volatile int steps;
static int places[200];
static uint32_t flags_seen;

/* A step: where, from the beginning of what is traced. */
static void stepped(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal;
	if (steps < (int)COUNT(places))
		places[steps] = (int)((char *)registers[REG_EIP] - origin) | (info->si_code != 2) << 16 | (registers[REG_TRAPNO] != 1) << 17;
	steps++;
	flags_seen |= (uint32_t)registers[REG_EFL];
	see((uint32_t)registers[REG_EAX]), see((uint32_t)registers[REG_ECX]), see((uint32_t)registers[REG_EFL] & (STATUS & ~AF | DF | TF));
}

/* Turns the flag on, runs the code, turns it off. */
#define TRACE(name, code)                                                                                              \
	do {                                                                                                           \
		int count = 0;                                                                                         \
		steps = 0, flags_seen = 0;                                                                             \
		asm volatile("movl $1f, %0\n\txorl %%ebx, %%ebx\n\tpushfl\n\torl $0x100, (%%esp)\n\tpopfl\n"         \
			     "1:\t" code "\n\tpushfl\n\tandl $~0x100, (%%esp)\n\tpopfl"                                 \
			              : "=m"(origin), "+c"(count) : "a"(0), "d"(area), "S"(area), "D"(area + 64)                \
			     : "memory", "cc", "ebx");                                                                 \
		printf("%s:", name);                                                                                   \
		for (int i = 0; i < steps; i++)                                                                        \
			printf(" %x", places[i]);                                                                      \
		printf("%s\n", flags_seen & TF ? "" : ", TF never seen");                                              \
		show("  registers");                                                                                   \
	} while (0)

static uint8_t area[256] __attribute__((aligned(16)));

static void traces(void)
{
	TRACE("plain", "nop\n\taddl $3, %%eax\n\tmovl %%eax, %%ecx\n\tleal 5(%%ecx), %%ecx");
	TRACE("jumps", "movl $3, %%ecx\n2:\tdecl %%ecx\n\tjnz 2b\n\tjmp 3f\n\tnop\n3:\tnop");
	TRACE("loop", "movl $4, %%ecx\n2:\tloop 2b\n\txorl %%ecx, %%ecx\n\tjecxz 3f\n\tnop\n3:\tnop");
	TRACE("calls", "call 2f\n\tjmp 3f\n2:\tnop\n\tret\n3:\tnop");
	TRACE("rep movs", "movl $5, %%ecx\n\trep movsb\n\tnop");
	TRACE("rep none", "xorl %%ecx, %%ecx\n\trep movsl\n\tnop");
	TRACE("repne scas", "movl $9, %%ecx\n\tmovb $4, 67(%%edx)\n\tmovb $4, %%al\n\trepne scasb\n\tnop");
	TRACE("std", "std\n\tmovl $2, %%ecx\n\trep stosb\n\tcld");
	TRACE("pushes", "pushal\n\tpopal\n\tpushl $7\n\tpopl %%ecx\n\tpushfl\n\tpopl %%ecx\n\tandl $0x100, %%ecx");
	TRACE("popf again", "pushfl\n\tpopfl\n\tnop");
	TRACE("mov ss", "movw %%ss, (%%edx)\n\tmovw (%%edx), %%ss\n\tnop\n\tnop");
	TRACE("pop ss", "pushl %%ss\n\tpopl %%ss\n\tnop\n\tnop");
	TRACE("mov ds", "movw %%ds, (%%edx)\n\tmovw (%%edx), %%ds\n\tnop");
	TRACE("a system call", "movl $20, %%eax\n\tint $0x80\n\txorl %%eax, %%eax\n\tnop");
	TRACE("x87", "fninit\n\tfld1\n\tfldpi\n\tfaddp\n\tfistpl (%%edx)\n\tmovl (%%edx), %%eax");
	TRACE("sse", "movups (%%edx), %%xmm0\n\taddps %%xmm0, %%xmm0\n\tmovups %%xmm0, (%%edx)");
	TRACE("prefixes", ".byte 0x66, 0x90, 0x3E, 0x90, 0x66, 0x66, 0x90\n\tnop");
	TRACE("iret", "pushfl\n\tpushl %%cs\n\tpushl $2f\n\tiret\n\tnop\n2:\tnop");
	TRACE("its own code", "movl $2f, %%ecx\n\tnop\n2:\tmovl $1, %%eax\n\tcmpxchgl %%ecx, (%%edx)");
}

/* ---- faults ---- */

static uint32_t wanted[8];
void *expected;

static void faulted(int signal, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint32_t found[] = {(uint32_t)r[REG_EAX], (uint32_t)r[REG_ECX], (uint32_t)r[REG_EDX], (uint32_t)r[REG_EBX],
				  (uint32_t)r[REG_ESI], (uint32_t)r[REG_EDI]};
	int distance = (int)((char *)r[REG_EIP] - (char *)expected);

	/* Of the error of a page fault only what a CPU without a no-execute bit knows, too. */
	printf("signal %d code %d trap %d error %x eip %+d address %x%s%s\n", signal, info->si_code, r[REG_TRAPNO], r[REG_TRAPNO] == 14 ? r[REG_ERR] & 7 : r[REG_ERR], distance,
	       signal == SIGSEGV ? (uint32_t)info->si_addr : 0, memcmp(found, wanted, sizeof(found)) ? ", registers changed" : "",
	       r[REG_EFL] & 0x10000 ? ", RF" : "");
	siglongjmp(back, 1);
}

#define FAULT(code)                                                                                                    \
	do {                                                                                                           \
		printf("%s: ", code);                                                                                  \
		fflush(stdout);                                                                                        \
		if (!sigsetjmp(back, 1)) {                                                                             \
			asm volatile("movl $0x11111111, %%eax\n\tmovl $7, %%ecx\n\tmovl $0x100, %%edx\n\t"              \
				     "movl $0x2000, %%ebx\n\tmovl $0x3000, %%esi\n\tmovl $0x4000, %%edi\n\t"            \
				     "movl $1f, expected\n1:\t" code "\n\tnop"                                          \
				     : : : "memory", "cc", "eax", "ecx", "edx", "ebx", "esi", "edi");                   \
			printf("nothing\n");                                                                           \
		}                                                                                                      \
	} while (0)

static void faults(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO};
	static const uint32_t before[] = {0x11111111, 7, 0x100, 0x2000, 0x3000, 0x4000};

	memcpy(wanted, before, sizeof(before));
	for (size_t i = 0; i < COUNT(signals); i++)
		sigaction(signals[i], &action, NULL);
	FAULT("movl (%%ebx), %%eax");
	FAULT("movl %%eax, (%%ebx)");
	FAULT("addl %%eax, 3(%%ebx)");
	FAULT("cmpxchg8b (%%ebx)");
	FAULT("rep movsl");
	FAULT("rep stosb");
	FAULT("lodsw");
	FAULT("fldl (%%ebx)");
	FAULT("movaps (%%ebx), %%xmm0");
	FAULT("pushl (%%ebx)");
	FAULT("call *(%%ebx)");
	FAULT("jmp *%%ebx");
	FAULT("divb %%ah; divl %%ecx");
	FAULT("idivl %%ecx");
	FAULT("aam $0");
	FAULT("int3");
	FAULT("int $3");
	FAULT("int $4");
	FAULT("int $5");
	FAULT("int $14");
	FAULT("int $0x21");
	FAULT("movb $0x7F, %%al; addb $1, %%al; into");
	FAULT("ud2");
	FAULT(".byte 0x0F, 0xB9, 0xC0");
	FAULT(".byte 0xF0; movl %%eax, %%ecx");
	FAULT(".byte 0x8D, 0xC0");
	FAULT(".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66; nop");
	FAULT("hlt");
	FAULT("cli");
	FAULT("sti");
	FAULT("clts");
	FAULT("invd");
	FAULT("movl %%cr0, %%eax");
	FAULT("movl %%eax, %%cr3");
	FAULT("movl %%db7, %%eax");
	FAULT("inb $0x80, %%al");
	FAULT("outl %%eax, %%dx");
	FAULT("rep insb");
	FAULT("lgdt (%%esp)");
	FAULT("lldt %%ax");
	FAULT("ltr %%ax");
	FAULT("invlpg (%%eax)");
	FAULT("rdmsr");
	FAULT("wrmsr");
	FAULT("movw %%ax, %%ds");
	FAULT("pushl $0x8003; popl %%es");
	FAULT("ljmp $0x1234, $0");
	FAULT("lcall $0, $0");
	FAULT("subl $8, %%esp; movl $9, (%%esp); movl $10, 4(%%esp); boundl %%ecx, (%%esp)");
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = stepped, .sa_flags = SA_SIGINFO};

	sigaction(SIGTRAP, &action, NULL);
	traces();
	faults();
	return 0;
}
