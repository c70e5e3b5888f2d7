/*
 * signal-frame.c: calling a handler, and returning from it.
 *
 * All that the program was doing is put on its own stack, in the layout that Linux/i386 has promised: there are programs that
 * read it and change it.  The handler returns into a few bytes of code that call sigreturn, which takes it all back.
 */
#include "linux.h"

#define FXSAVE_XMM 416           /* control part, eight x87 registers, eight SSE registers */
#define USER_EFLAGS 0x00050DD5   /* what a program may set: AC, RF, OF, DF, TF, SF, ZF, AF, PF, CF */

struct plain_frame {
	u32 return_to, signal;
	struct sigcontext context;
	u8 unused_fpstate[624];
	u32 extra_mask;
	u8 code[8];
};

struct rt_frame {
	u32 return_to, signal, info_at, context_at;
	struct siginfo info;
	struct ucontext context;
	u8 code[8];
};

_Static_assert(sizeof(struct fpstate) == 624, "struct _fpstate is 624 bytes");
_Static_assert(sizeof(struct sigcontext) == 88, "struct sigcontext is 88 bytes");

/* ---- the x87, in the two forms that a program may look at ---- */

/* fxsave keeps one bit for each register: in use or not.  fsave has two: valid, zero, special, empty. */
static u32 full_tags(const u8 *image)
{
	u32 top = *(u16 *)(image + 2) >> 11 & 7, tags = 0xFFFF0000, index;

	for (index = 0; index < 8; index++) {
		const u8 *value = image + 32 + ((index - top) & 7) * 16;
		u32 exponent = *(u16 *)(value + 8) & 0x7FFF, tag;
		u64 mantissa = *(u64 *)value;

		if (!(image[4] >> index & 1))
			tag = 3;
		else if (exponent == 0x7FFF)
			tag = 2;
		else if (exponent == 0)
			tag = mantissa ? 2 : 1;
		else
			tag = mantissa >> 63 ? 0 : 2;
		tags |= tag << index * 2;
	}
	return tags;
}

static void fpstate_from(struct fpstate *out, const u8 *image)
{
	u32 index;

	memset(out, 0, sizeof(*out));
	out->control = *(u16 *)image | 0xFFFF0000;
	out->status = *(u16 *)(image + 2) | 0xFFFF0000;
	out->tag = full_tags(image);
	out->instruction = *(u32 *)(image + 8);
	out->code_segment = *(u16 *)(image + 12) | (u32) * (u16 *)(image + 6) << 16;
	out->operand = *(u32 *)(image + 16);
	out->data_segment = *(u32 *)(image + 20);
	for (index = 0; index < 8; index++)
		memcpy(out->registers[index], image + 32 + index * 16, 10);
	out->status_copy = *(u16 *)(image + 2);
	out->magic = 0;                  /* the second part is there */
	memcpy(out->fxsave, image, FXSAVE_XMM);
}

/* The x87 from the old part, SSE from the new one. */
static void fpstate_to(const struct fpstate *in, u8 *image)
{
	u32 index, tags = 0;

	for (index = 0; index < 8; index++)
		tags |= (u32)((in->tag >> index * 2 & 3) != 3) << index;
	memcpy(image, in->fxsave, FXSAVE_XMM);
	*(u16 *)image = (u16)in->control;
	*(u16 *)(image + 2) = (u16)in->status;
	*(u16 *)(image + 4) = (u16)tags;
	*(u16 *)(image + 6) = (u16)(in->code_segment >> 16);
	*(u32 *)(image + 8) = in->instruction;
	*(u32 *)(image + 12) = in->code_segment & 0xFFFF;
	*(u32 *)(image + 16) = in->operand;
	*(u32 *)(image + 20) = in->data_segment;
	*(u32 *)(image + 24) &= 0xFFBF;  /* the bits that mxcsr has */
	for (index = 0; index < 8; index++)
		memcpy(image + 32 + index * 16, in->registers[index], 10);
}

/* Puts it on the stack and returns where, or 0. */
static u32 push_fpstate(u32 sp)
{
	struct fpstate *state = kalloc(sizeof(*state));
	u32 at = (sp - sizeof(*state)) & ~15u;

	fpu_save();
	fpstate_from(state, current->fpu);
	if (copy_out(at, state, sizeof(*state)) < 0)
		at = 0;
	kfree(state, sizeof(*state));
	return at;
}

static s32 pop_fpstate(u32 at)
{
	struct fpstate *state = kalloc(sizeof(*state));
	s32 error = at ? copy_in(state, at, sizeof(*state)) : 0;

	if (!at)
		fpu_reset(current);
	else if (error >= 0)
		fpstate_to(state, current->fpu);
	if (error >= 0)
		fpu_load();
	kfree(state, sizeof(*state));
	return error;
}

/* ---- the registers ---- */

static struct sigcontext context_of(const struct trap_frame *frame, u32 fpstate, u64 mask)
{
	return (struct sigcontext){
		.gs = frame->gs & 0xFFFF, .fs = frame->fs & 0xFFFF, .es = frame->es & 0xFFFF, .ds = frame->ds & 0xFFFF,
		.edi = frame->edi, .esi = frame->esi, .ebp = frame->ebp, .esp = frame->esp, .ebx = frame->ebx, .edx = frame->edx,
		.ecx = frame->ecx, .eax = frame->eax, .trap = current->fault_trap, .error = current->fault_error,
		.eip = frame->eip, .cs = frame->cs & 0xFFFF, .eflags = frame->eflags, .esp_at_signal = frame->esp,
		.ss = frame->ss & 0xFFFF, .fpstate = fpstate, .old_mask = (u32)mask, .cr2 = current->fault_address,
	};
}

/* Segments in ring 3 or none: anything else would be our fault when we load it. */
static u32 segment(u32 selector) { return selector & 0xFFFC ? selector | 3 : 0; }

static s32 take_context(struct trap_frame *frame, const struct sigcontext *context)
{
	*frame = (struct trap_frame){
		.edi = context->edi, .esi = context->esi, .ebp = context->ebp, .ebx = context->ebx, .edx = context->edx,
		.ecx = context->ecx, .eax = context->eax, .gs = segment(context->gs), .fs = segment(context->fs),
		.es = segment(context->es), .ds = segment(context->ds), .eip = context->eip, .cs = USER_CS,
		.eflags = (frame->eflags & ~USER_EFLAGS) | (context->eflags & USER_EFLAGS), .esp = context->esp, .ss = USER_DS,
	};
	return pop_fpstate(context->fpstate);
}

/* ---- there ---- */

static bool on_signal_stack(u32 sp)
{
	return sp - current->signal_stack.sp - 1 < current->signal_stack.size;
}

static u32 stack_for(const struct trap_frame *frame, const struct sigaction *action)
{
	const struct stack_t *own = &current->signal_stack;

	if (action->flags & SA_ONSTACK && !(own->flags & SS_DISABLE) && own->size && !on_signal_stack(frame->esp))
		return own->sp + own->size;
	return frame->esp;
}

/* mov $number, %eax; int $0x80: for programs that have not brought their own. */
static void return_code(u8 *code, u8 number)
{
	memcpy(code, "\xB8\0\0\0\0\xCD\x80", 8);
	code[1] = number;
}

static void fill_info(struct siginfo *info, const struct queued_signal *signal)
{
	*info = (struct siginfo){.signal = signal->signal, .code = signal->code};
	memcpy(info->field, signal->field, sizeof(signal->field));
}

static s32 push_plain(u32 at, struct trap_frame *frame, const struct queued_signal *signal, const struct sigaction *action, u64 mask, u32 fpstate)
{
	struct plain_frame *out = kalloc(sizeof(*out));
	s32 error;

	out->return_to = action->flags & SA_RESTORER ? action->restorer : at + (u32)__builtin_offsetof(struct plain_frame, code);
	out->signal = (u32)signal->signal;
	out->context = context_of(frame, fpstate, mask);
	out->extra_mask = (u32)(mask >> 32);
	memcpy(out->code, "\x58\xB8\x77\0\0\0\xCD\x80", 8);      /* pop %eax; mov $119, %eax; int $0x80 */
	error = copy_out(at, out, sizeof(*out));
	kfree(out, sizeof(*out));
	frame->eax = (u32)signal->signal;
	frame->edx = frame->ecx = 0;
	return error;
}

static s32 push_rt(u32 at, struct trap_frame *frame, const struct queued_signal *signal, const struct sigaction *action, u64 mask, u32 fpstate)
{
	struct rt_frame *out = kalloc(sizeof(*out));
	s32 error;

	out->return_to = action->flags & SA_RESTORER ? action->restorer : at + (u32)__builtin_offsetof(struct rt_frame, code);
	out->signal = (u32)signal->signal;
	out->info_at = at + (u32)__builtin_offsetof(struct rt_frame, info);
	out->context_at = at + (u32)__builtin_offsetof(struct rt_frame, context);
	fill_info(&out->info, signal);
	out->context.stack = current->signal_stack;
	if (!(out->context.stack.flags & SS_DISABLE))
		out->context.stack.flags = on_signal_stack(frame->esp) ? SS_ONSTACK : 0;
	out->context.context = context_of(frame, fpstate, mask);
	out->context.mask = mask;
	return_code(out->code, 173);
	error = copy_out(at, out, sizeof(*out));
	frame->eax = (u32)signal->signal;
	frame->edx = out->info_at;
	frame->ecx = out->context_at;
	kfree(out, sizeof(*out));
	return error;
}

/* Changes the frame so that the program goes on in the handler. */
s32 signal_frame_push(struct trap_frame *frame, const struct queued_signal *signal, const struct sigaction *action, u64 mask)
{
	bool rt = action->flags & SA_SIGINFO;
	u32 fpstate = push_fpstate(stack_for(frame, action));
	u32 at = fpstate - (rt ? sizeof(struct rt_frame) : sizeof(struct plain_frame));
	s32 error;

	at = ((at + 4) & ~15u) - 4;              /* as if the handler had been called */
	if (!fpstate)
		return -EFAULT;
	error = (rt ? push_rt : push_plain)(at, frame, signal, action, mask, fpstate);
	if (error < 0)
		return error;
	frame->esp = at;
	frame->eip = action->handler;
	frame->cs = USER_CS;
	frame->ss = frame->ds = frame->es = USER_DS;
	frame->eflags &= ~(X86_EFLAGS_DF | X86_EFLAGS_TF | X86_EFLAGS_RF);
	frame->vector = 0;
	fpu_reset(current);
	fpu_load();
	return 0;
}

/* ---- and back ---- */

static s32 returned(struct trap_frame *frame, s32 error, const struct sigcontext *context, u64 mask)
{
	if (error >= 0)
		error = take_context(frame, context);
	if (error < 0) {
		signal_fault(SIGSEGV, SI_KERNEL, 0);
		return (s32)frame->eax;
	}
	current->blocked = mask & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
	frame->vector = 0;
	return (s32)frame->eax;
}

s32 sys_sigreturn(void)
{
	struct trap_frame *frame = current->frame;
	struct sigcontext context;
	u32 at = frame->esp - 8, high = 0;
	s32 error = copy_in(&context, at + (u32)__builtin_offsetof(struct plain_frame, context), sizeof(context));

	if (error >= 0)
		error = copy_in(&high, at + (u32)__builtin_offsetof(struct plain_frame, extra_mask), sizeof(high));
	return returned(frame, error, &context, (u64)high << 32 | context.old_mask);
}

s32 sys_rt_sigreturn(void)
{
	struct trap_frame *frame = current->frame;
	struct ucontext context;
	u32 at = frame->esp - 4;
	s32 error = copy_in(&context, at + (u32)__builtin_offsetof(struct rt_frame, context), sizeof(context));

	if (error >= 0 && !on_signal_stack(context.context.esp))
		current->signal_stack = context.stack;
	current->signal_stack.flags &= SS_DISABLE;
	return returned(frame, error, &context.context, context.mask);
}
