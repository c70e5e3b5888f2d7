/*
 * entry.c: out of a program and back into it.
 */
#include "../io.h"
#include "linux.h"

#define INT1 0xF1

#define MXCSR_EXCEPTIONS 0x3F

/* What an exception's flags mean, lowest first, as a signal's code. */
static s32 floating_point_code(u32 raised)
{
	if (raised & 0x01)
		return FPE_FLTINV;
	if (raised & 0x04)
		return FPE_FLTDIV;
	if (raised & 0x08)
		return FPE_FLTOVF;
	if (raised & 0x12)               /* a denormal operand counts as an underflow */
		return FPE_FLTUND;
	return raised & 0x20 ? FPE_FLTRES : SI_KERNEL;
}

/* The flags that are raised and not masked: of the x87, or of SSE. */
static u32 raised_exceptions(bool sse)
{
	u32 mxcsr;

	fpu_save();
	if (!sse)
		return *(u16 *)(current->fpu + 2) & ~*(u16 *)current->fpu & 0x3F;
	mxcsr = *(u32 *)(current->fpu + 24);
	return ~(mxcsr >> 7) & mxcsr & MXCSR_EXCEPTIONS;
}

static void page_fault(const struct trap_frame *frame)
{
	u32 address = lguest_data.cr2;
	s32 fault = address < PAGE_OFFSET ? memory_fault(current->process->memory, address, (frame->error & 2) != 0)
					  : SIGSEGV << 8 | SEGV_MAPERR;

	if (!fault)
		return;
	current->fault_address = address;
	current->fault_trap = TRAP_PAGE_FAULT;
	current->fault_error = frame->error | (address >= PAGE_OFFSET ? 1 : 0);
	signal_fault((u32)fault >> 8, fault & 0xFF, address);
}

/* A step, or the instruction that raises this trap?  DR6 would know: but a Guest has none.  The popf that clears TF is a step. */
static bool is_int1(const struct trap_frame *frame)
{
	u8 before;

	return !(frame->eflags & X86_EFLAGS_TF) && copy_in(&before, frame->eip - 1, 1) == 0 && before == INT1;
}

/* A program has done what it should not, or what it wants to hear about. */
static void fault(struct trap_frame *frame)
{
	if (frame->vector == TRAP_PAGE_FAULT) {
		page_fault(frame);
		return;
	}
	current->fault_trap = frame->vector;
	current->fault_error = frame->error;
	switch (frame->vector) {
	case TRAP_DIVIDE: signal_fault(SIGFPE, FPE_INTDIV, frame->eip); break;
	case TRAP_DEBUG: signal_fault(SIGTRAP, is_int1(frame) ? TRAP_BRKPT : TRAP_TRACE, frame->eip); break;
	case TRAP_BREAKPOINT: signal_fault(SIGTRAP, SI_KERNEL, 0); break;
	case TRAP_INVALID_OPCODE: signal_fault(SIGILL, ILL_ILLOPN, frame->eip); break;
	case TRAP_FLOATING_POINT:
	case TRAP_SIMD: signal_fault(SIGFPE, floating_point_code(raised_exceptions(frame->vector == TRAP_SIMD)), frame->eip); break;
	case TRAP_ALIGNMENT: signal_fault(SIGBUS, BUS_ADRALN, 0); break;
	case TRAP_NOT_PRESENT:
	case TRAP_STACK: signal_fault(SIGBUS, SI_KERNEL, 0); break;
	default: signal_fault(SIGSEGV, SI_KERNEL, 0);
	}
}

/* Every way from the kernel into a program ends here. */
void return_to_user(struct trap_frame *frame)
{
	struct process *process = current->process;

	current->frame = frame;
	for (;;) {
		if (process->ending || current->killed) {
			if (process->ending)
				process_exit(process->status);
			task_end();
		}
		if (process->stopped) {
			current->state = TASK_STOPPED;
			schedule();
		} else if (need_resched) {
			schedule();
		} else if (signal_waiting(current) || frame->vector == SYSCALL_VECTOR) {
			signals_deliver(frame);
			frame->vector = 0;
		} else {
			break;
		}
	}
	preempt_if_shared();
}

/* A trap from ring 3 while a process runs. */
void process_trap(struct trap_frame *frame)
{
	current->frame = frame;
	if (frame->vector == SYSCALL_VECTOR) {
		process_system_call(frame);
	} else {
		fault(frame);
		frame->vector = 0;
	}
}
