/*
 * signal-calls.c: the system calls about signals.
 */
#include "linux.h"

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
#define MIN_SIGNAL_STACK 2048

s32 sys_rt_sigaction(u32 signal, u32 new, u32 old, u32 bytes)
{
	struct process *process = current->process;
	struct sigaction *action, before;

	if (bytes != 8 || !signal || signal > SIGNALS || (new && SIGNAL_BIT(signal) & UNBLOCKABLE))
		return -EINVAL;
	action = &process->handlers->action[signal];
	before = *action;
	if (new) {
		if (copy_in(action, new, sizeof(*action)) < 0)
			return -EFAULT;
		if (signal_ignored(process, signal))
			signals_forget(process, SIGNAL_BIT(signal));
	}
	return old ? copy_out(old, &before, sizeof(before)) : 0;
}

s32 sys_signal(u32 signal, u32 handler)
{
	struct sigaction *action;
	u32 before;

	if (!signal || signal > SIGNALS || SIGNAL_BIT(signal) & UNBLOCKABLE)
		return -EINVAL;
	action = &current->process->handlers->action[signal];
	before = action->handler;
	*action = (struct sigaction){.handler = handler, .flags = SA_RESETHAND | SA_NODEFER};
	return (s32)before;
}

s32 sys_rt_sigprocmask(u32 how, u32 new, u32 old, u32 bytes)
{
	u64 before = current->blocked, set;

	if (bytes != 8)
		return -EINVAL;
	if (new) {
		if (copy_in(&set, new, sizeof(set)) < 0)
			return -EFAULT;
		if (how > SIG_SETMASK)
			return -EINVAL;
		set = how == SIG_BLOCK ? before | set : how == SIG_UNBLOCK ? before & ~set : set;
		current->blocked = set & ~UNBLOCKABLE;
	}
	return old ? copy_out(old, &before, sizeof(before)) : 0;
}

s32 sys_rt_sigpending(u32 to, u32 bytes)
{
	const struct queued_signal *queued;
	u64 set = 0;

	if (bytes > 8)
		return -EINVAL;
	for (queued = current->signals; queued; queued = queued->next)
		set |= SIGNAL_BIT(queued->signal);
	for (queued = current->process->signals; queued; queued = queued->next)
		set |= SIGNAL_BIT(queued->signal);
	set &= current->blocked;
	return copy_out(to, &set, bytes);
}

s32 sys_rt_sigsuspend(u32 mask, u32 bytes)
{
	u64 set;

	if (bytes != 8)
		return -EINVAL;
	if (copy_in(&set, mask, sizeof(set)) < 0)
		return -EFAULT;
	current->blocked_before = current->blocked;
	current->blocked = set & ~UNBLOCKABLE;
	while (wait_on(&current->signals, NEVER) == 0)
		;
	current->restore_blocked = true;
	return -ERESTART_NO_HANDLER;
}

s32 sys_pause(void)
{
	while (wait_on(&current->signals, NEVER) == 0)
		;
	return -ERESTART_NO_HANDLER;
}

/* Takes one of these signals, which the caller has blocked; waits for it if need be. */
static s32 timed_wait(u32 set_at, u32 info_at, u32 time_at, bool wide)
{
	struct timespec64 time;
	struct queued_signal *taken;
	struct siginfo info = {0};
	u64 set, deadline = NEVER;
	s32 number, error = 0;

	if (copy_in(&set, set_at, sizeof(set)) < 0 || (time_at && read_timespec(time_at, wide, &time) < 0))
		return -EFAULT;
	set &= ~UNBLOCKABLE;
	if (time_at)
		deadline = deadline_of(&time, false, true);
	while (!(taken = signal_take(set))) {
		if (error == -ETIMEDOUT)
			return -EAGAIN;
		if (error < 0)
			return -EINTR;
		error = wait_on(&current->process->signals, deadline);
	}
	info.signal = number = taken->signal;
	info.code = taken->code;
	memcpy(info.field, taken->field, sizeof(taken->field));
	kfree(taken, sizeof(*taken));
	return info_at && copy_out(info_at, &info, sizeof(info)) < 0 ? -EFAULT : number;
}

s32 sys_rt_sigtimedwait(u32 set, u32 info, u32 time, u32 bytes)
{
	return bytes == 8 ? timed_wait(set, info, time, false) : -EINVAL;
}

s32 sys_rt_sigtimedwait_time64(u32 set, u32 info, u32 time, u32 bytes)
{
	return bytes == 8 ? timed_wait(set, info, time, true) : -EINVAL;
}

s32 sys_sigaltstack(u32 new, u32 old)
{
	struct stack_t before = current->signal_stack, wanted;
	bool in_use = current->frame->esp - before.sp - 1 < before.size;

	if (!(before.flags & SS_DISABLE))
		before.flags = in_use ? SS_ONSTACK : 0;
	if (new) {
		if (copy_in(&wanted, new, sizeof(wanted)) < 0)
			return -EFAULT;
		if (in_use)
			return -EPERM;
		if (wanted.flags & ~(u32)(SS_DISABLE | SS_ONSTACK))
			return -EINVAL;
		if (!(wanted.flags & SS_DISABLE) && wanted.size < MIN_SIGNAL_STACK)
			return -ENOMEM;
		wanted.flags &= SS_DISABLE;
		current->signal_stack = wanted.flags ? (struct stack_t){.flags = SS_DISABLE} : wanted;
	}
	return old ? copy_out(old, &before, sizeof(before)) : 0;
}

/* ---- sending ---- */

static struct queued_signal from_me(u32 signal, s32 code)
{
	return (struct queued_signal){.signal = (s32)signal, .code = code, .field = {current->process->pid, 0}};
}

static bool meant(const struct process *process, s32 pid)
{
	if (pid > 0)
		return process->pid == (u32)pid;
	if (pid == -1)
		return process != current->process && !process->watched;
	return process->group == (pid ? (u32)-pid : current->process->group);
}

s32 sys_kill(s32 pid, u32 number)
{
	struct queued_signal signal = from_me(number, SI_USER);
	struct process *process, *next;
	s32 result = -ESRCH;

	if (number > SIGNALS)
		return -EINVAL;
	for (process = processes; process; process = next) {
		next = process->next;
		if (!meant(process, pid))
			continue;
		result = 0;
		signal_send(process, NULL, &signal);
	}
	return result;
}

s32 sys_rt_sigqueueinfo(u32 pid, u32 number, u32 info_at)
{
	struct queued_signal signal = from_me(number, SI_QUEUE);
	struct process *process = process_find(pid);
	struct siginfo info;

	if (copy_in(&info, info_at, sizeof(info)) < 0)
		return -EFAULT;
	if (number > SIGNALS)
		return -EINVAL;
	if (!process)
		return -ESRCH;
	signal.code = info.code;
	memcpy(signal.field, info.field, sizeof(signal.field));
	return signal_send(process, NULL, &signal);
}

s32 sys_tgkill(u32 pid, u32 tid, u32 number)
{
	struct queued_signal signal = from_me(number, SI_TKILL);
	struct task *task = current;

	if (number > SIGNALS)
		return -EINVAL;
	do {
		if (task->process && task->tid == tid && (!pid || task->process->pid == pid))
			return signal_send(task->process, task, &signal);
		task = task->next;
	} while (task != current);
	return -ESRCH;
}

s32 sys_tkill(u32 tid, u32 number) { return sys_tgkill(0, tid, number); }
