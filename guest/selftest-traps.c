/*
 * selftest-traps.c: traps that we cause ourselves, in ring 1.
 */
#include "selftest.h"

extern const u8 trap_stubs[];

#define STUB_OF(vector) ((u32)trap_stubs + (vector) * 16)

static void check_faults(void)
{
	static const s32 bounds[2] = {1, 10};

	ATTEMPT_WITH(1, "divl %1", "r"(0), "d"(0));
	check(faulted(TRAP_DIVIDE, 0), "dividing by zero is trap 0");
	ATTEMPT("divl %1", "r"(1), "d"(1));
	check(faulted(TRAP_DIVIDE, 0), "so is a quotient that does not fit");
	ATTEMPT("ud2");
	check(faulted(TRAP_INVALID_OPCODE, 0), "an instruction that is none is trap 6");
	ATTEMPT("boundl %1, %2", "r"(11), "m"(bounds));
	check(faulted(TRAP_BOUND, 0), "bound, out of bounds, is trap 5");
	ATTEMPT("boundl %1, %2", "r"(10), "m"(bounds));
	check(caught.vector == NO_TRAP, "bound, within bounds, is nothing");
	ATTEMPT("lock; movl %%eax, %%eax");
	check(caught.vector == TRAP_INVALID_OPCODE, "lock before an instruction that cannot be locked is trap 6");
}

static void check_software_interrupts(void)
{
	ATTEMPT("int3");
	check(caught.vector == TRAP_BREAKPOINT && caught.frame.eip == attempt_at + 1, "int3 is trap 3, and eip is behind it");
	ATTEMPT("movb $0x7F, %%al; addb $1, %%al; into");
	check(caught.vector == TRAP_OVERFLOW, "into after an overflow is trap 4");
	ATTEMPT("xorb %%al, %%al; into");
	check(caught.vector == NO_TRAP, "into without one is nothing");
	ATTEMPT("int $0x21");
	check(faulted(TRAP_PROTECTION, 0x10A), "int $0x21 is a protection fault, error code 0x10a: interrupts are not for calling");
	ATTEMPT("int $0x80");
	check(caught.vector == SYSCALL_VECTOR && caught.frame.cs == KERNEL_CS, "int $0x80 is open to us as well");
}

/* The Launcher is asked for each of these, and gives it back to us. */
static void check_privileged(void)
{
	static const u8 six_bytes[6];
	u32 passed = 0, before;

#define REFUSED(code, ...) \
	do { \
		ATTEMPT(code, __VA_ARGS__); \
		passed += faulted(TRAP_PROTECTION, 0); \
	} while (0)
	REFUSED("hlt");
	REFUSED("sti");
	REFUSED("clts");
	REFUSED("invd");
	REFUSED("wbinvd");
	REFUSED("lgdt %1", "m"(six_bytes));
	REFUSED("lidt %1", "m"(six_bytes));
	REFUSED("lldt %%ax");
	REFUSED("ltr %%ax");
	REFUSED("lmsw %%ax");
	REFUSED("movl %%cr0, %%eax");
	REFUSED("movl %%cr3, %%eax");
	REFUSED("movl %%eax, %%cr3");
	REFUSED("movl %%dr7, %%eax");
	REFUSED("invlpg (%1)", "r"(0));
	REFUSED("rdmsr", "c"(0x10));
	REFUSED("wrmsr", "c"(0x10), "d"(0));
#undef REFUSED
	check(passed == 17, "17 privileged instructions are protection faults with error code 0");

	irq_restore(X86_EFLAGS_IF);
	before = lguest_data.irq_enabled;
	ATTEMPT("cli");
	check(caught.vector == NO_TRAP && lguest_data.irq_enabled == before, "cli is stepped over, and means nothing");
}

static void check_flags(void)
{
	u32 after;

	asm volatile("pushfl; popl %%eax; pushl %1; popfl; pushfl; popl %0; pushl %%eax; popfl"
		     : "=&r"(after)
		     : "r"(X86_EFLAGS_CF | 2)
		     : "eax", "cc");
	check(after & X86_EFLAGS_IF && after & X86_EFLAGS_CF, "popf cannot turn the CPU's interrupt flag off");
	asm volatile("pushfl; popl %%eax; pushl %1; popfl; pushfl; popl %0; pushl %%eax; popfl"
		     : "=&r"(after)
		     : "r"(X86_EFLAGS_IOPL | 2)
		     : "eax", "cc");
	check(!(after & X86_EFLAGS_IOPL), "popf cannot raise the I/O privilege level");
	ATTEMPT("pushfl; orl $0x100, (%%esp); popfl; nop; nop");
	check(caught.vector == TRAP_DEBUG && caught.frame.eip == attempt_at + 10 && caught.frame.eflags & X86_EFLAGS_TF,
	      "with the trap flag, trap 1 comes after one instruction");
	check(!(caught.handler_eflags & X86_EFLAGS_TF), "and its handler runs without the flag");
	ATTEMPT("pushfl; orl $0x4000, (%%esp); popfl; ud2");
	check(caught.frame.eflags & X86_EFLAGS_NT && !(caught.handler_eflags & X86_EFLAGS_NT),
	      "the nested task flag is in the frame, and off in the handler");
}

/* What a gate does to irq_enabled, and what the frame remembers of it. */
static void check_gates(void)
{
	irq_enable();
	ATTEMPT("int3");
	check(caught.irq_enabled == 0 && caught.frame.eflags & X86_EFLAGS_IF,
	      "an interrupt gate turns interrupts off, and the frame says that they were on");
	check(lguest_data.irq_enabled & X86_EFLAGS_IF, "returning turns them on again");
	idt_set(TRAP_BREAKPOINT, STUB_OF(TRAP_BREAKPOINT), GATE_TRAP, 3);
	ATTEMPT("int3");
	check(caught.vector == TRAP_BREAKPOINT && caught.irq_enabled & X86_EFLAGS_IF, "a trap gate leaves them on");
	idt_restore(TRAP_BREAKPOINT);
	irq_save();
	ATTEMPT("ud2");
	check(!(caught.frame.eflags & X86_EFLAGS_IF), "the frame also says that they were off");
	check(!(lguest_data.irq_enabled & X86_EFLAGS_IF), "and returning leaves them off");
	irq_enable();
	check(caught.frame.cs == KERNEL_CS, "the frame has our code segment");

	idt_clear(TRAP_BREAKPOINT);
	ATTEMPT("int3");
	check(faulted(TRAP_PROTECTION, TRAP_BREAKPOINT * 8 + 2), "without a gate, int3 is a protection fault that names vector 3");
	idt_restore(TRAP_BREAKPOINT);
}

/* These vectors belong to the Host: whatever we set there, it goes on as before. */
static void check_host_vectors(void)
{
	static const u8 vectors[] = {2, 8, 15, LGUEST_TRAP_ENTRY};
	u32 index;

	for (index = 0; index < sizeof(vectors); index++) {
		idt_set(vectors[index], 0, 0x5, 3);        /* a task gate: elsewhere that would be our end */
		idt_clear(vectors[index]);
	}
	hcall(LHCALL_FLUSH_ASYNC, 0, 0, 0, 0);
	check(true, "LOAD_IDT_ENTRY for vectors 2, 8, 15 and 31 is ignored");
}

/* iret checks what it is told to return to. */
static void check_iret(void)
{
	ATTEMPT("pushfl; pushl $0; pushl $0; iret");
	check(caught.vector == TRAP_PROTECTION && caught.frame.error == 0, "iret to an empty code segment is a protection fault");
	ATTEMPT("pushfl; pushl %1; pushl $0; iret", "i"(KERNEL_DS));
	check(caught.vector == TRAP_PROTECTION && caught.frame.error == (KERNEL_DS & ~3u), "iret to a data segment too, and it is named");
}

void check_traps(void)
{
	check_faults();
	check_software_interrupts();
	check_privileged();
	check_flags();
	check_gates();
	check_host_vectors();
	check_iret();
}
