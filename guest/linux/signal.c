/*
 * signal.c: signals, from whoever sends them until they are delivered.
 *
 * A signal waits in the list of its task or of its process until a task that does not block it returns to ring 3.  What is
 * done then is here; how a handler is called is in signal-frame.c.
 */
#include "linux.h"

#define STOP_SIGNALS (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
#define IGNORED_SIGNALS (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGCONT))
#define MAX_QUEUED 64

bool signal_ignored(struct process *process, u32 signal)
{
	u32 handler = process->handlers->action[signal].handler;

	return handler == SIG_IGN || (handler == SIG_DFL && SIGNAL_BIT(signal) & IGNORED_SIGNALS);
}

static void drop_matching(struct queued_signal **list, u64 set)
{
	while (*list) {
		struct queued_signal *queued = *list;

		if (SIGNAL_BIT(queued->signal) & set) {
			*list = queued->next;
			kfree(queued, sizeof(*queued));
		} else {
			list = &queued->next;
		}
	}
}

void signals_drop(struct queued_signal **list) { drop_matching(list, ~0ull); }

void signals_forget(struct process *process, u64 set)
{
	struct task *task = current;

	drop_matching(&process->signals, set);
	do {
		if (task->process == process)
			drop_matching(&task->signals, set);
		task = task->next;
	} while (task != current);
}

static u64 waiting_set(const struct queued_signal *list)
{
	u64 set = 0;

	for (; list; list = list->next)
		set |= SIGNAL_BIT(list->signal);
	return set;
}

/* Is there a reason to stop waiting? */
bool signal_waiting(struct task *task)
{
	struct process *process = task->process;

	if (!process)
		return false;
	return task->killed || process->ending || ((waiting_set(task->signals) | waiting_set(process->signals)) & ~task->blocked);
}

static void append(struct queued_signal **list, const struct queued_signal *signal)
{
	struct queued_signal *copy;
	u32 count = 0;

	for (; *list; list = &(*list)->next, count++)
		if (signal->signal < SIGRTMIN && (*list)->signal == signal->signal)
			return;                  /* one of a kind is enough */
	if (count >= MAX_QUEUED)
		return;
	copy = kalloc(sizeof(*copy));
	*copy = *signal;
	copy->next = NULL;
	*list = copy;
}

static void kill_process(struct process *process)
{
	struct task *task = current;

	if (!process->ending) {
		process->ending = true;
		process->status = SIGKILL;
	}
	do {
		if (task->process == process && task->state == TASK_STOPPED)
			task->state = TASK_READY;
		task = task->next;
	} while (task != current);
}

/* Wakes one that can take it; those who wait for exactly this signal look for themselves. */
static void wake_taker(struct process *process, struct task *chosen, u32 signal)
{
	struct task *task = current;

	wake(&process->signals);
	do {
		if (task->process == process && (!chosen || task == chosen) &&
		    (process->ending || !(task->blocked & SIGNAL_BIT(signal)))) {
			wake_task(task);
			if (!process->ending)
				need_resched = true;
		}
		task = task->next;
	} while (task != current);
}

/* To one task, or to the process if there is none. */
s32 signal_send(struct process *process, struct task *task, const struct queued_signal *signal)
{
	u32 number = (u32)signal->signal;
	u64 blocked = task ? task->blocked : process->leader ? process->leader->blocked : 0;

	if (process->zombie || !number || !process->handlers)
		return 0;
	if (number == SIGKILL) {
		kill_process(process);
	} else {
		if (number == SIGCONT) {
			signals_forget(process, STOP_SIGNALS);
			process_continue(process);
		} else if (SIGNAL_BIT(number) & STOP_SIGNALS) {
			signals_forget(process, SIGNAL_BIT(SIGCONT));
		}
		if (signal_ignored(process, number) && !(blocked & SIGNAL_BIT(number)))
			return 0;
		append(task ? &task->signals : &process->signals, signal);
	}
	wake_taker(process, task, number);
	return 0;
}

/* From the kernel. */
void signal_process(struct process *process, u32 number)
{
	struct queued_signal signal = {.signal = (s32)number, .code = SI_KERNEL};

	signal_send(process, NULL, &signal);
}

s32 signal_group(u32 group, u32 number)
{
	struct process *process;
	s32 result = -ESRCH;

	for (process = processes; process && group; process = process->next)
		if (process->group == group && !process->zombie) {
			signal_process(process, number);
			result = 0;
		}
	return result;
}

/* The current task has done something that cannot be done.  Whoever blocks or ignores that does not live longer. */
void signal_fault(u32 number, s32 code, u32 address)
{
	struct queued_signal signal = {.signal = (s32)number, .code = code, .field = {address}};
	struct sigaction *action = &current->process->handlers->action[number];

	if (number == SIGKILL) {
		print("process %u (%s): out of memory\n", current->process->pid, current->process->name);
		kill_process(current->process);
		return;
	}
	if (action->handler == SIG_IGN || current->blocked & SIGNAL_BIT(number)) {
		action->handler = SIG_DFL;
		current->blocked &= ~SIGNAL_BIT(number);
	}
	append(&current->signals, &signal);
}

static struct queued_signal *take_from(struct queued_signal **list, u64 wanted)
{
	struct queued_signal **lowest = NULL, *taken;

	for (; *list; list = &(*list)->next)
		if (SIGNAL_BIT((*list)->signal) & wanted && (!lowest || (*list)->signal < (*lowest)->signal))
			lowest = list;
	if (!lowest)
		return NULL;
	taken = *lowest;
	*lowest = taken->next;
	return taken;
}

/* The caller frees it. */
struct queued_signal *signal_take(u64 wanted)
{
	struct queued_signal *signal = take_from(&current->signals, wanted);

	return signal ? signal : take_from(&current->process->signals, wanted);
}

/* ---- delivery ---- */

static void default_action(u32 signal)
{
	struct process *process = current->process;

	if (SIGNAL_BIT(signal) & IGNORED_SIGNALS)
		return;
	if (!(SIGNAL_BIT(signal) & STOP_SIGNALS))
		process_exit(signal);
	if (signal == SIGSTOP || !group_is_orphaned(process->group))
		process_stop(signal);
}

/* A system call that was interrupted goes on after the handler, or ends with EINTR.  Without a handler it always goes on. */
static void settle_interrupted_call(struct trap_frame *frame, const struct sigaction *action)
{
	s32 result = (s32)frame->eax;

	if (frame->vector != SYSCALL_VECTOR || (result != -ERESTART && result != -ERESTART_NO_HANDLER))
		return;
	frame->vector = 0;
	if (action && (result == -ERESTART_NO_HANDLER || !(action->flags & SA_RESTART))) {
		frame->eax = (u32)-EINTR;
		return;
	}
	frame->eax = frame->error;               /* the number of the call */
	frame->eip -= 2;                         /* int $0x80 */
}

static void call_handler(struct trap_frame *frame, const struct queued_signal *signal, struct sigaction *action)
{
	u64 mask = current->restore_blocked ? current->blocked_before : current->blocked;
	struct sigaction copy = *action;

	current->restore_blocked = false;
	settle_interrupted_call(frame, &copy);
	if (copy.flags & SA_RESETHAND)
		action->handler = SIG_DFL;
	if (signal_frame_push(frame, signal, &copy, mask) < 0) {
		action->handler = SIG_DFL;
		process_exit(SIGSEGV);
	}
	current->blocked |= copy.mask;
	if (!(copy.flags & SA_NODEFER))
		current->blocked |= SIGNAL_BIT(signal->signal);
	current->blocked &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
}

void signals_deliver(struct trap_frame *frame)
{
	struct process *process = current->process;
	struct queued_signal *taken, signal;

	while (!process->stopped && (taken = signal_take(~current->blocked))) {
		struct sigaction *action = &process->handlers->action[taken->signal];

		signal = *taken;
		kfree(taken, sizeof(*taken));
		if (action->handler == SIG_DFL)
			default_action((u32)signal.signal);
		else if (action->handler != SIG_IGN)
			call_handler(frame, &signal, action);
	}
	if (process->stopped)
		return;
	settle_interrupted_call(frame, NULL);
	if (current->restore_blocked) {
		current->restore_blocked = false;
		current->blocked = current->blocked_before;
	}
}
