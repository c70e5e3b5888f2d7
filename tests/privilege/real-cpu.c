/*
 * What a real CPU does in ring 3 where QEMU does otherwise: pieces of code at BASE, run one after the other in segments of an
 * LDT, and the trap that each ends with. A line for each: name, trap, error code, eip relative to BASE (and, for a page fault,
 * its address relative to DATA).
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define BASE 0x10000u
#define DATA 0x40000u
#define PAGE 4096
#define PAGE_FAULT 14
/* Selectors of the LDT. */
#define SHORT_CODE 0x07		/* up to BASE + 0x7ff */
#define ABSENT_DATA 0x0f
#define SHORT_DATA 0x17		/* up to DATA - 1 */

static sigjmp_buf back;
static const char *name;

static void ended(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	unsigned long cr2 = ((ucontext_t *)context)->uc_mcontext.cr2;
	int trap = registers[REG_TRAPNO];
	/* Whether the page was there is the kernel's affair. */
	unsigned error = registers[REG_ERR] & (trap == PAGE_FAULT ? ~1u : ~0u);

	(void)signal;
	(void)info;
	printf("%s: trap %d, error %x, eip %x", name, trap, error, (unsigned)registers[REG_EIP] - BASE);
	if (trap == PAGE_FAULT)
		printf(", cr2 %x", (unsigned)cr2 - DATA);
	printf("\n");
	siglongjmp(back, 1);
}

static int segment(unsigned index, unsigned last_byte, unsigned contents, unsigned absent)
{
	struct user_desc d = { .entry_number = index, .limit = last_byte, .seg_32bit = 1, .contents = contents,
			       .seg_not_present = absent, .useable = 1 };

	return syscall(SYS_modify_ldt, 1, &d, sizeof(d));
}

static void run(const char *what, unsigned char *code, unsigned length)
{
	unsigned char *at = (unsigned char *)BASE;

	name = what;
	memset(at, 0x90, PAGE);
	memcpy(at, code, length);
	/* The end of SHORT_CODE: an instruction of five bytes that has three. */
	at[0x7fd] = 0xb8;
	if (!sigsetjmp(back, 1))
		/* The flags of one piece are not to be those of the next. */
		asm volatile("push $0x202; popf; jmp *%0" : : "r"(BASE) : "memory");
}

#define RUN(what, ...) run(what, (unsigned char[]){ __VA_ARGS__ }, sizeof((unsigned char[]){ __VA_ARGS__ }))
#define WORD(value) (value) & 0xff, (value) >> 8 & 0xff, (value) >> 16 & 0xff, (value) >> 24 & 0xff
#define TO_SHORT_STACK(esp) 0x66, 0xb8, SHORT_DATA, 0, 0x8e, 0xd0, 0xbc, WORD(esp)

static void transfers(void)
{
	unsigned short cs;

	asm("mov %%cs, %0" : "=r"(cs));
	RUN("far jump beyond the limit", 0xea, WORD(BASE + 0x900), SHORT_CODE, 0);
	RUN("far call beyond the limit", 0x9a, WORD(BASE + 0x900), SHORT_CODE, 0);
	RUN("iret beyond the limit", 0x9c, 0x6a, SHORT_CODE, 0x68, WORD(BASE + 0x900), 0xcf);
	RUN("retf beyond the limit", 0x6a, SHORT_CODE, 0x68, WORD(BASE + 0x900), 0xcb);
	RUN("an instruction over the limit", 0xea, WORD(BASE + 0x7f0), SHORT_CODE, 0);
	RUN("far call with its stack beyond the limit", TO_SHORT_STACK(DATA + 4), 0x9a, WORD(BASE), cs & 0xff, 0);
	RUN("iret with its stack beyond the limit", TO_SHORT_STACK(DATA - 8), 0xcf);
	RUN("push beyond the limit", TO_SHORT_STACK(DATA + 4), 0x50);
	/* pushf; or [esp], VM; push cs; push BASE + 0x20; iret; and ud2 */
	RUN("iret with VM", 0x9c, 0x81, 0x0c, 0x24, 0, 0, 2, 0, 0x0e, 0x68, WORD(BASE + 0x20), 0xcf, 0x90, 0x90, 0x90, 0x90,
	    0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x0f, 0x0b);
}

static void others(void)
{
	RUN("a stack segment that is not present", 0x66, 0xb8, ABSENT_DATA, 0, 0x8e, 0xd0);
	RUN("int 1", 0xcd, 1);
	/* pushf; or [esp], TF; popf; and what is stepped over */
	RUN("a single step over lss", 0x8c, 0x15, WORD(DATA + 4), 0x89, 0x25, WORD(DATA), 0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0,
	    0x9d, 0x0f, 0xb2, 0x25, WORD(DATA), 0x90, 0x90);
	RUN("a single step over mov ss", 0x8c, 0xd0, 0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x8e, 0xd0, 0x90, 0x90);
	/* add [address], eax: DATA's pages can be written, only read, and are not there */
	RUN("add out of a read-only page", 0x01, 0x05, WORD(DATA + 2 * PAGE - 1));
	RUN("add into a read-only page", 0x01, 0x05, WORD(DATA + PAGE - 1));
	RUN("add on no page", 0x01, 0x05, WORD(DATA + 2 * PAGE));
	RUN("cs is not written to", 0x2e, 0xa3, WORD(DATA));
}

int main(void)
{
	static char stack[65536];
	stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = ended, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP };
	const int all = PROT_READ | PROT_WRITE | PROT_EXEC, how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	if (mmap((void *)BASE, PAGE, all, how, -1, 0) != (void *)BASE ||
	    mmap((void *)(DATA - PAGE), 3 * PAGE, all, how, -1, 0) == MAP_FAILED ||
	    mprotect((void *)(DATA + PAGE), PAGE, PROT_READ) || segment(0, BASE + 0x7ff, 2, 0) ||
	    segment(1, DATA - 1, 0, 1) || segment(2, DATA - 1, 0, 0)) {
		perror("real-cpu");
		return 77;
	}
	memset((void *)(DATA - PAGE), 0, 2 * PAGE);
	sigaltstack(&other, NULL);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	transfers();
	others();
	return 0;
}
