// Accesses that cross from one page into another: both there, one missing, one read-only; not aligned; and code that lies across,
// or changes itself.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ucontext.h>
#include "show.h"

#define PAGE 4096

static uint8_t *pages; /* four: writable, writable, read-only, missing */
static sigjmp_buf back;
void *expected;

static void faulted(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	printf("signal %d code %d error %x at %s, address %d, ecx %d\n", signal, info->si_code, registers[REG_ERR] & 7,
	       (void *)registers[REG_EIP] == expected ? "it" : "another place", (int)((uint8_t *)info->si_addr - pages), registers[REG_ECX]);
	siglongjmp(back, 1);
}

static void fill(void)
{
	mprotect(pages + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE);
	for (int i = 0; i < 3 * PAGE; i++)
		pages[i] = (uint8_t)(i * 11 + (i >> 8));
	mprotect(pages + 2 * PAGE, PAGE, PROT_READ);
}

/* At every offset around three borders. What has happened to memory by the time of a fault is seen, too. */
#define ACROSS(name, code, bytes)                                                                                      \
	do {                                                                                                           \
		for (volatile int border = 1; border < 4; border++)                                                    \
			for (volatile int before = 0; before <= (bytes); before += (bytes) > 4 ? (bytes) / 4 : 1) {    \
				uint8_t *at = pages + border * PAGE - before;                                          \
				fill();                                                                                \
				if (!sigsetjmp(back, 1)) {                                                             \
					uint32_t result = 0x11223344;                                                  \
					asm volatile("movl $1f, expected\n\tmovl $3, %%ecx\n1:\t" code                  \
						     : "+a"(result) : "r"(at) : "memory", "cc", "ecx", "edx", "esi", "edi"); \
					see(result);                                                                   \
				} else {                                                                               \
					printf("  " name ", %d before page %d\n", before, border);                     \
				}                                                                                      \
				see_bytes(pages, 3 * PAGE);                                                            \
			}                                                                                              \
		show(name);                                                                                            \
	} while (0)

static void accesses(void)
{
	ACROSS("load 2", "movw (%1), %%ax", 2);
	ACROSS("load 4", "movl (%1), %%eax", 4);
	ACROSS("store 2", "movw %%ax, (%1)", 2);
	ACROSS("store 4", "movl %%eax, (%1)", 4);
	ACROSS("add 4", "addl %%eax, (%1)", 4);
	ACROSS("not 2", "notw (%1)", 2);
	ACROSS("xchg 4", "xchgl %%eax, (%1)", 4);
	ACROSS("xadd 4", "lock xaddl %%eax, (%1)", 4);
	ACROSS("cmpxchg 4", "cmpxchgl %%ecx, (%1)", 4);
	ACROSS("bts", "btsl %%ecx, (%1)", 4);
	ACROSS("push", "movl %%esp, %%edx; leal 4(%1), %%esp; pushl %%ecx; movl %%edx, %%esp", 4);
	ACROSS("x87 8", "fldl (%1); fstpl (%1)", 8);
	ACROSS("x87 10", "fldt (%1); fstpt (%1)", 10);
	ACROSS("mmx", "movq (%1), %%mm0; paddb (%1), %%mm0; movq %%mm0, (%1); emms", 8);
	ACROSS("sse", "movups (%1), %%xmm0; movups %%xmm0, (%1)", 16);
	ACROSS("sse half", "movhps (%1), %%xmm0; movlps %%xmm0, (%1)", 8);
	ACROSS("movs", "movl %1, %%esi; leal 7(%1), %%edi; rep movsl", 4);
	ACROSS("stos down", "movl %1, %%edi; std; rep stosl; cld", 4);
}

/* add $1, %eax again and again, then ret: from before the border to behind it. */
static void code(void)
{
	uint8_t *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int before = 0; before < 9; before++) {
		uint8_t *start = at + PAGE - before;

		for (int i = 0; i < 6; i++)
			memcpy(start + 3 * i, "\x83\xC0\x01", 3);
		start[18] = 0xC3;
		for (int round = 0; round < 40; round++) {
			int result = 0;

			start[2 + 3 * (round % 6)] = (uint8_t)round;
			asm volatile("call *%1" : "+a"(result) : "r"(start) : "memory", "cc");
			see((uint32_t)result);
		}
	}
	show("across");
	/* Each instruction changes the next one's operand just before it runs. */
	for (int round = 0; round < 20; round++) {
		uint8_t *end = at + PAGE - 13;
		int result = round;

		for (int i = 0; i < 8; i++, end += 10) {
			uint32_t operand = (uint32_t)end + 9;

			memcpy(end, "\x00\x05\0\0\0\0\x90\x83\xC0\x01", 10); /* add %al, operand; nop; add $1, %eax */
			memcpy(end + 2, &operand, 4);
		}
		*end = 0xC3;
		asm volatile("call *%1" : "+a"(result) : "r"(at + PAGE - 13) : "memory", "cc");
		see((uint32_t)result);
	}
	show("changing");
	/* The same page at two addresses would need a file; the same code by another process needs none. */
	mprotect(at, PAGE, PROT_READ | PROT_EXEC);
	if (!sigsetjmp(back, 1)) {
		expected = NULL;
		pages = at;
		at[100] = 0;
	}
	mprotect(at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	at[PAGE - 1] = 0xC3;
	asm volatile("call *%0" : : "r"(at + PAGE - 1) : "memory", "cc");
	printf("came back\n");
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t own = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};

	sigaltstack(&own, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(pages + 3 * PAGE, PAGE);
	accesses();
	code();
	return 0;
}
