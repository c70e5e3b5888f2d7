/*
 * process.c: how programs come into the world, and how they leave it.
 *
 * A process is what its tasks (threads) share.  The first one is started by the prompt; all others are copies of one that
 * was there: fork, vfork and clone are one thing, and differ in what the copy shares with the original.
 */
#include "linux.h"

struct process *processes;

struct process *process_find(u32 pid)
{
	struct process *process;

	for (process = processes; process && process->pid != pid;)
		process = process->next;
	return process;
}

struct process *process_create(struct process *parent)
{
	struct process *process = kalloc(sizeof(*process)), **link = &processes;

	process->parent = parent;
	process->exit_signal = SIGCHLD;
	process->started = clock_ns();
	while (*link)
		link = &(*link)->next;
	*link = process;
	if (parent) {
		process->group = parent->group;
		process->session = parent->session;
		process->has_tty = parent->has_tty;
		memcpy(process->name, parent->name, sizeof(process->name));
	}
	return process;
}

/* When nobody will ask for it any more. */
void process_free(struct process *process)
{
	struct process **link = &processes;

	while (*link != process)
		link = &(*link)->next;
	*link = process->next;
	signals_drop(&process->signals);
	kfree(process, sizeof(*process));
}

static struct handlers *handlers_fork(const struct handlers *handlers)
{
	struct handlers *copy = kalloc(sizeof(*copy));

	if (handlers)
		*copy = *handlers;
	copy->users = 1;
	return copy;
}

static void handlers_release(struct handlers *handlers)
{
	if (handlers && --handlers->users == 0)
		kfree(handlers, sizeof(*handlers));
}

/* ---- the first one ---- */

static struct {
	const char *path;
	char *const *words;
	s32 error;
} first;

static void begin_first(void)
{
	struct strings *arguments = kalloc(sizeof(*arguments)), *environment = kalloc(sizeof(*environment));
	static const char *const variables[] = {
		"HOME=/", "PATH=/sbin:/usr/sbin:/bin:/usr/bin", "TERM=linux", NULL,
	};
	struct node *node;
	u32 index;

	for (index = 0; first.words[index]; index++)
		strings_add(arguments, first.words[index]);
	for (index = 0; variables[index]; index++)
		strings_add(environment, variables[index]);
	first.error = path_node(first.path, &node);
	if (first.error >= 0) {
		first.error = exec(node, first.path, arguments, environment);
		node_release(node);
	}
	strings_free(arguments);
	strings_free(environment);
	kfree(arguments, sizeof(*arguments));
	kfree(environment, sizeof(*environment));
	if (first.error < 0)
		process_exit(127 << 8);
}

static void open_console(struct process *process)
{
	struct node *node;
	struct file *file;
	u32 number;

	if (path_node("/dev/console", &node) < 0)
		return;
	if (file_open(node, O_RDWR, &file) >= 0) {
		file->users = 3;
		for (number = 0; number < 3; number++)
			process->files->file[number] = file;
	}
	node_release(node);
}

/* For the prompt: runs a program and waits for its end.  It leads a session of its own, with the terminal. */
s32 process_run(const char *path, char *const *words, u32 *status)
{
	u32 flags = irq_save();
	struct process *process = process_create(NULL);
	struct task *task = task_create(process, begin_first);

	if (!task) {
		process_free(process);
		irq_restore(flags);
		return -ENOMEM;
	}
	first.path = path;
	first.words = words;
	process->pid = process->group = process->session = task->tid;
	process->tasks = 1;
	process->leader = task;
	process->watched = process->has_tty = true;
	process->files = files_create();
	process->handlers = handlers_fork(NULL);
	tty_reset(process->session, process->group);
	open_console(process);
	while (!process->zombie)
		wait_on(process, NEVER);
	*status = process->status;
	process_free(process);
	turns_end();
	tty_reset(0, 0);
	irq_restore(flags);
	return first.error;
}

/* ---- copies ---- */

s32 sys_clone(u32 flags, u32 stack, u32 parent_tid, u32 tls, u32 child_tid);
s32 sys_fork(void);
s32 sys_vfork(void);
s32 set_tls(struct task *task, u32 description, bool choose);

static void share_or_copy(struct process *child, struct process *parent, u32 flags)
{
	if (flags & CLONE_FILES) {
		child->files = parent->files;
		child->files->users++;
	} else {
		child->files = files_fork(parent->files);
	}
	if (flags & CLONE_SIGHAND) {
		child->handlers = parent->handlers;
		child->handlers->users++;
	} else {
		child->handlers = handlers_fork(parent->handlers);
	}
	child->exit_signal = flags & 0xFF;
}

/* The new task returns from the same system call, with 0. */
static struct task *copy_task(struct process *process, u32 stack)
{
	struct task *task = task_create(process, NULL);

	if (!task)
		return NULL;
	*task->frame = *current->frame;
	task->frame->eax = 0;
	task->frame->vector = 0;
	if (stack)
		task->frame->esp = stack;
	fpu_save();
	memcpy(task->fpu, current->fpu, 512);
	memcpy(task->tls, current->tls, sizeof(task->tls));
	task->blocked = current->blocked;
	task->state = TASK_STOPPED;              /* until it is complete */
	return task;
}

static s32 new_process(u32 flags, u32 stack, struct task **task)
{
	struct process *parent = current->process, *child = process_create(parent);

	child->memory = flags & CLONE_VM ? parent->memory : memory_fork(parent->memory);
	if (flags & CLONE_VM)
		child->memory->users++;
	*task = child->memory ? copy_task(child, stack) : NULL;
	if (!*task) {
		memory_release(child->memory);
		process_free(child);
		return -ENOMEM;
	}
	share_or_copy(child, parent, flags);
	if (!(flags & CLONE_VM))
		(*task)->signal_stack = current->signal_stack;
	child->pid = (*task)->tid;
	child->tasks = 1;
	child->leader = *task;
	return 0;
}

/* Whoever has lent his memory waits until it is given back, and not even a signal changes that. */
static void wait_for_vforked(u32 pid)
{
	struct process *child;

	while ((child = process_find(pid)) && child->vforked == current) {
		current->channel = &child->vforked;
		current->state = TASK_WAITING;
		schedule();
		current->channel = NULL;
	}
}

s32 sys_clone(u32 flags, u32 stack, u32 parent_tid, u32 tls, u32 child_tid)
{
	struct task *task;
	s32 error = 0, tid;

	if (flags & CLONE_THREAD) {
		if (!(flags & CLONE_VM) || !(flags & CLONE_SIGHAND))
			return -EINVAL;
		task = copy_task(current->process, stack);
		if (!task)
			return -EAGAIN;
		current->process->tasks++;
	} else {
		error = new_process(flags, stack, &task);
		if (error < 0)
			return error;
	}
	tid = (s32)task->tid;
	if (flags & CLONE_SETTLS)
		set_tls(task, tls, false);
	if (flags & CLONE_PARENT_SETTID)
		copy_out(parent_tid, &tid, sizeof(tid));
	if (flags & CLONE_CHILD_CLEARTID)
		task->clear_child_tid = child_tid;
	if (flags & CLONE_CHILD_SETTID) {
		struct memory *mine = memory_in_use;

		memory_enter(task->process->memory);     /* the child's copy of that page, not ours */
		copy_out(child_tid, &tid, sizeof(tid));
		memory_enter(mine);
	}
	if (flags & CLONE_VFORK)
		task->process->vforked = current;
	task->state = TASK_READY;
	need_resched = true;
	if (flags & CLONE_VFORK)
		wait_for_vforked((u32)tid);
	return tid;
}

s32 sys_fork(void) { return sys_clone(SIGCHLD, 0, 0, 0, 0); }
s32 sys_vfork(void) { return sys_clone(CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0); }

/* The child has a program of its own now, or none: its parent may use their memory again. */
void vfork_done(struct process *process)
{
	process->vforked = NULL;
	wake(&process->vforked);
}

/* ---- the end ---- */

static void adopt_children(struct process *process)
{
	struct process *child, *next, *last_parent = processes;

	while (last_parent && (!last_parent->watched || last_parent == process))
		last_parent = last_parent->next;
	for (child = processes; child; child = next) {
		next = child->next;
		if (child->parent != process)
			continue;
		child->parent = last_parent;
		if (child->zombie && !last_parent)
			process_free(child);
		else if (child->zombie)
			notify_parent(child, CLD_EXITED, child->status);
	}
}

static void end_process(struct process *process)
{
	struct process *parent = process->parent;
	const struct sigaction *action = parent ? &parent->handlers->action[SIGCHLD] : NULL;
	bool nobody_asks = !parent || action->handler == SIG_IGN || action->flags & SA_NOCLDWAIT;

	if (process->alarm.armed)
		timer_cancel(&process->alarm);
	files_release(process->files);
	memory_release(process->memory);
	handlers_release(process->handlers);
	process->files = NULL;
	process->memory = NULL;
	process->handlers = NULL;
	process->leader = NULL;
	process->zombie = true;
	if (process->session == process->pid)
		tty_session_ended(process->session);
	adopt_children(process);
	process->ran += clock_ns() - current->ran_since;
	if (process->watched)
		wake(process);
	else if (!nobody_asks || process->exit_signal != SIGCHLD)
		notify_parent(process, process->status & 0x7F ? CLD_KILLED : CLD_EXITED, process->status);
	if (!process->watched && nobody_asks) {
		if (parent)
			wake(parent);
		process_free(process);
	}
}

void task_end(void)
{
	struct process *process = current->process;
	u32 zero = 0;

	if (process->vforked && process->leader == current)
		vfork_done(process);
	if (current->clear_child_tid && process->memory && process->memory->users + process->tasks > 2) {
		copy_out(current->clear_child_tid, &zero, sizeof(zero));
		futex_wake(current->clear_child_tid, 1, ~0u);
	}
	if (process->leader == current)
		process->leader = NULL;
	if (--process->tasks == 0)
		end_process(process);
	else
		wake(process);
	task_exit();
}

/* All its tasks end, this one now. */
void process_exit(u32 status)
{
	struct process *process = current->process;
	struct task *task;

	if (!process->ending) {
		process->ending = true;
		process->status = status;
	}
	for (task = current->next; task != current; task = task->next)
		if (task->process == process) {
			if (task->state == TASK_STOPPED)
				task->state = TASK_READY;
			wake_task(task);
		}
	task_end();
}

s32 sys_exit(u32 status);
s32 sys_exit_group(u32 status);

s32 sys_exit(u32 status)
{
	if (current->process->tasks == 1)
		process_exit((status & 0xFF) << 8);
	task_end();
}

s32 sys_exit_group(u32 status)
{
	process_exit((status & 0xFF) << 8);
}
