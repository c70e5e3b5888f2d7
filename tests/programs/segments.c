// Segments as a program can have them: thread-local ones with bases and limits, what can be loaded, and what is a fault.
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <unistd.h>
#include "show.h"

static uint8_t data[0x3000] __attribute__((aligned(4096)));
static sigjmp_buf back;
void *expected;

static void faulted(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	uint32_t error = (uint32_t)registers[REG_ERR], own = (uint32_t)registers[REG_CS] & ~3u;

	/* Which selector code has is the kernel's choice. */
	printf("signal %d code %d trap %d error %x at %s\n", signal, info->si_code, registers[REG_TRAPNO], error == own ? 0xC0DE : error,
	       (void *)registers[REG_EIP] == expected ? "it" : "another place");
	siglongjmp(back, 1);
}

/* With fs or es loaded, and eax at an offset. The handler gets flat segments; the program's come back with the jump. */
#define TRY(what, selector, offset, code)                                                                              \
	do {                                                                                                           \
		uint32_t result = 0, saved;                                                                            \
		printf("%s %x: ", what, (uint32_t)(offset));                                                           \
		fflush(stdout);                                                                                        \
		asm volatile("movl %%es, %0" : "=r"(saved));                                                           \
		if (!sigsetjmp(back, 1)) {                                                                             \
			asm volatile("movl $1f, expected\n\tmovw %w1, %%fs\n1:\t" code                             \
				     : "=a"(result) : "r"(selector), "a"(offset) : "memory", "cc", "ecx", "edi");      \
			printf("%x\n", result);                                                                        \
		}                                                                                                      \
		asm volatile("movw %w0, %%es\n\tmovw %w1, %%fs\n\tcld" : : "r"(saved), "r"(0));                        \
	} while (0)



/* All such segments are made in the same entry, one after the other. */
static uint32_t segment(uint32_t base, uint32_t limit, uint32_t contents, int pages, int read_only)
{
	static int entry = -1;
	struct user_desc wanted = {.entry_number = (uint32_t)entry, .base_addr = base, .limit = limit, .seg_32bit = 1,
				   .contents = contents, .read_exec_only = (unsigned)read_only, .limit_in_pages = (unsigned)pages,
				   .useable = 1};

	if (syscall(SYS_set_thread_area, &wanted) < 0) {
		printf("no segment\n");
		_exit(1);
	}
	entry = (int)wanted.entry_number;
	return wanted.entry_number << 3 | 3;
}

static void limits(void)
{
	uint32_t own = segment((uint32_t)data, 0xFF, 0, 0, 0);

	TRY("a byte at", own, 0xFF, "movzbl %%fs:(%%eax), %%eax");
	TRY("a byte at", own, 0x100, "movzbl %%fs:(%%eax), %%eax");
	TRY("a word at", own, 0xFE, "movzwl %%fs:(%%eax), %%eax");
	TRY("a word at", own, 0xFF, "movzwl %%fs:(%%eax), %%eax");
	TRY("a double at", own, 0xF8, "fldl %%fs:(%%eax); fstp %%st");
	TRY("a double at", own, 0xF9, "fldl %%fs:(%%eax); fstp %%st");
	TRY("a vector at", own, 0xF0, "movdqu %%fs:(%%eax), %%xmm0");
	TRY("a vector at", own, 0xF1, "movdqu %%fs:(%%eax), %%xmm0");
	TRY("written at", own, 0xFD, "movl $7, %%fs:(%%eax)");
	TRY("far below", own, -4, "movl %%fs:(%%eax), %%eax");
	TRY("lea beyond", own, 0x200, "leal %%fs:4(%%eax), %%eax");
	TRY("a bit at", own, 0x7FF, "xorl %%ecx, %%ecx; btl %%eax, %%fs:(%%ecx); sbbl %%eax, %%eax");
	TRY("a bit at", own, 0x800, "xorl %%ecx, %%ecx; btl %%eax, %%fs:(%%ecx); sbbl %%eax, %%eax");
	own = segment((uint32_t)data, 1, 0, 1, 0);
	TRY("in pages", own, 0x1FFC, "movl %%fs:(%%eax), %%eax");
	TRY("in pages", own, 0x1FFD, "movl %%fs:(%%eax), %%eax");
	own = segment((uint32_t)data + 0x2000, 0xFFFFF, 0, 1, 0);
	TRY("below its base", own, -0x1000, "movl %%fs:(%%eax), %%eax");
	own = segment((uint32_t)data, 0xFF, 1, 0, 0);
	TRY("down from", own, 0x100, "movl %%fs:(%%eax), %%eax");
	TRY("down from", own, 0xFF, "movl %%fs:(%%eax), %%eax");
	TRY("down from", own, 0xFC, "movl %%fs:(%%eax), %%eax");
	own = segment((uint32_t)data, 0xFF, 0, 0, 1);
	TRY("read", own, 4, "movl %%fs:(%%eax), %%eax");
	TRY("not written", own, 4, "movl %%eax, %%fs:(%%eax)");
	TRY("not changed", own, 4, "incl %%fs:(%%eax)");
	TRY("not stored", own, 4, "pushl %%fs; popl %%es; movl %%eax, %%edi; stosl");
}

static void loading(void)
{
	uint32_t own = segment((uint32_t)data, 0xFF, 0, 0, 0);

	TRY("null", 0, 0, "movl %%fs, %%eax");
	TRY("null of ring 3", 3, 0, "movl %%fs, %%eax; andl $~3, %%eax");
	TRY("through null", 0, 16, "movl %%fs:(%%eax), %%eax");
	TRY("the kernel's", own, 0x60 & ~7, "movw $0x19, %%ax; movw %%ax, %%fs");
	TRY("not there", own, 0, "movw $0x7FFB, %%ax; movw %%ax, %%fs");
	TRY("of the LDT", own, 0, "movw $0x0F, %%ax; movw %%ax, %%fs");
	TRY("a null stack", own, 0, "xorl %%eax, %%eax; movw %%ax, %%ss");
	TRY("code as a stack", own, 0, "movl %%cs, %%eax; movw %%ax, %%ss");
	TRY("code as data", own, 0, "movl %%cs, %%eax; movw %%ax, %%es; movw %%es, %%cx; subw %%cx, %%ax");
	TRY("pushed", own, 0, "pushl %%fs; popl %%eax; movl %%fs, %%ecx; subl %%ecx, %%eax");
	TRY("with a pointer", own, 0, "pushl %%fs; pushl $0x1234; lfs (%%esp), %%eax; addl $8, %%esp");
	TRY("limit", own, 0, "movl %%fs, %%ecx; lsl %%ecx, %%eax");
	TRY("rights", own, 0, "movl %%fs, %%ecx; lar %%ecx, %%eax; andl $0xFEFF00, %%eax");
	TRY("readable", own, 0, "movl %%fs, %%ecx; verr %%cx; sete %%al");
	TRY("writable", own, 0, "movl %%fs, %%ecx; verw %%cx; sete %%al");
	TRY("no limit", own, 7, "xorl %%ecx, %%ecx; lsl %%ecx, %%eax; setne %%cl; movzbl %%cl, %%ecx; addl %%ecx, %%eax");
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO};

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8));
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	limits();
	loading();
	return 0;
}
