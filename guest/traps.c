/*
 * traps.c: where everything goes that interrupts the normal course of things.
 *
 * All our gates are interrupt gates: the Host clears irq_enabled on the way in, and lguest_iret brings it back.
 */
#include "guest.h"
#include "io.h"

extern const u8 trap_stubs[], syscall_stub[];

#define STUB_BYTES 16

static const char *const trap_names[] = {
	[TRAP_DIVIDE] = "divide error",
	[TRAP_DEBUG] = "debug",
	[TRAP_BREAKPOINT] = "breakpoint",
	[TRAP_OVERFLOW] = "overflow",
	[TRAP_BOUND] = "bound range exceeded",
	[TRAP_INVALID_OPCODE] = "invalid opcode",
	[TRAP_NOT_PRESENT] = "segment not present",
	[TRAP_STACK] = "stack fault",
	[TRAP_PROTECTION] = "general protection",
	[TRAP_PAGE_FAULT] = "page fault",
	[TRAP_FLOATING_POINT] = "x87 floating point",
	[TRAP_ALIGNMENT] = "alignment check",
	[TRAP_SIMD] = "SIMD floating point",
};

struct caught_trap caught = {.vector = NO_TRAP};
u32 catch_resume_at;

/* The code segment in a gate is what the architecture wants to see there: the Host has decided that it is KERNEL_CS. */
void idt_set(u32 vector, u32 handler, enum gate_type type, u32 ring)
{
	u32 low = KERNEL_CS << 16 | (handler & 0xFFFF);
	u32 high = (handler & 0xFFFF0000) | 0x8000 | ring << 13 | (u32)type << 8;

	hcall(LHCALL_LOAD_IDT_ENTRY, vector, low, high, 0);
}

void idt_clear(u32 vector)
{
	hcall(LHCALL_LOAD_IDT_ENTRY, vector, 0, 0, 0);
}

/* The gate of every day.  Programs may raise breakpoint and overflow, and ask for system calls: those are theirs. */
void idt_restore(u32 vector)
{
	if (vector == SYSCALL_VECTOR)
		idt_set(vector, (u32)syscall_stub, GATE_INTERRUPT, 3);
	else if (vector < FIRST_EXTERNAL_VECTOR + LGUEST_IRQS)
		idt_set(vector, (u32)trap_stubs + vector * STUB_BYTES, GATE_INTERRUPT,
			vector == TRAP_BREAKPOINT || vector == TRAP_OVERFLOW ? 3 : 0);
	else
		idt_clear(vector);
}

void traps_init(void)
{
	u32 vector;

	for (vector = 0; vector < 256; vector++)
		idt_restore(vector);
}

/* Somebody provoked this (ATTEMPT() in selftest.h), and wants to go on behind the instruction. */
static bool was_expected(struct trap_frame *frame, u32 irq_enabled)
{
	if (!catch_resume_at || from_user(frame))
		return false;
	caught.vector = frame->vector;
	caught.address = lguest_data.cr2;
	caught.irq_enabled = irq_enabled;
	caught.handler_eflags = read_eflags();
	caught.frame = *frame;
	frame->eip = catch_resume_at;
	frame->eflags &= ~(X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_AC);
	catch_resume_at = 0;
	return true;
}

static void fatal(const struct trap_frame *frame)
{
	const char *name = frame->vector < ARRAY_SIZE(trap_names) ? trap_names[frame->vector] : NULL;

	console_panic();
	print("\neax %08x ebx %08x ecx %08x edx %08x\nesi %08x edi %08x ebp %08x esp %08x\n", frame->eax, frame->ebx,
	      frame->ecx, frame->edx, frame->esi, frame->edi, frame->ebp, (u32)&frame->esp);
	print("eip %08x cs %04x eflags %08x error %x cr2 %08x\n", frame->eip, frame->cs, frame->eflags, frame->error,
	      lguest_data.cr2);
	crash("%s (trap %u) in the kernel at 0x%08x", name ? name : "unexpected trap", frame->vector, frame->eip);
}

void trap(struct trap_frame *frame)
{
	u32 irq_enabled = lguest_data.irq_enabled;

	if (frame->vector >= FIRST_EXTERNAL_VECTOR && frame->vector < FIRST_EXTERNAL_VECTOR + LGUEST_IRQS)
		irq_dispatch(frame);
	else if (was_expected(frame, irq_enabled))
		return;
	else if (from_user(frame) && program_running())
		process_trap(frame);
	else if (!from_user(frame) && fix_kernel_fault(frame))
		return;
	else if (frame->vector == SYSCALL_VECTOR && from_user(frame))
		system_call(frame);
	else if (from_user(frame))
		user_trap(frame);
	else
		fatal(frame);
	if (from_user(frame) && program_running())
		return_to_user(frame);
}
