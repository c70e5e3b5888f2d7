/*
 * process.c: how programs come into the world, and how they leave it.
 *
 * A process is what its tasks (threads) share.  The first one is started by the prompt; all others are copies of one that
 * was there (clone.c).
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
		process->nice = parent->nice;
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

struct handlers *handlers_fork(const struct handlers *handlers)
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

/* ---- the end ---- */

/* The child has a program of its own now, or none: its parent may use their memory again. */
void vfork_done(struct process *process)
{
	process->vforked = NULL;
	wake(&process->vforked);
}

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
