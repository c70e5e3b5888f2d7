/*
 * wait.c: parents and children: what a parent is told, and how it asks.
 */
#include "linux.h"

#define P_ALL 0
#define P_PID 1
#define P_PGID 2
#define WEXITED 4
#define WNOWAIT 0x01000000

/* status as wait4 reports it. */
void notify_parent(struct process *process, s32 code, u32 status)
{
	struct process *parent = process->parent;
	struct queued_signal signal = {.signal = (s32)process->exit_signal, .code = code, .field = {process->pid}};

	if (!parent)
		return;
	signal.field[2] = code == CLD_EXITED ? status >> 8 & 0xFF : code == CLD_KILLED ? status & 0x7F : status >> 8;
	if (process->exit_signal && !(code >= CLD_STOPPED && parent->handlers && parent->handlers->action[SIGCHLD].flags & SA_NOCLDSTOP))
		signal_send(parent, NULL, &signal);
	wake(parent);
}

static bool matches(const struct process *child, s32 which)
{
	if (which > 0)
		return child->pid == (u32)which;
	if (which == -1)
		return true;
	return child->group == (which ? (u32)-which : current->process->group);
}

/* Something to report about this child?  Its status is in *status then. */
static bool reportable(struct process *child, u32 options, u32 *status)
{
	if (child->zombie && options & WEXITED)
		*status = child->status;
	else if (child->stopped && !child->stop_reported && options & WUNTRACED)
		*status = child->status << 8 | 0x7F;
	else if (child->continued && options & WCONTINUED)
		*status = 0xFFFF;
	else
		return false;
	return true;
}

static void report_taken(struct process *child)
{
	if (child->zombie) {
		current->process->children_ran += child->ran + child->children_ran;
		process_free(child);
		return;
	}
	child->continued = false;
	child->stop_reported = true;
}

/* The child (0: none has anything to say, and the caller does not want to wait). */
static s32 wait_for(s32 which, u32 options, u32 *status, u32 *user)
{
	for (;;) {
		struct process *child;
		bool any = false;

		for (child = processes; child; child = child->next) {
			if (child->parent != current->process || !matches(child, which))
				continue;
			any = true;
			if (!reportable(child, options, status))
				continue;
			*user = child->pid;
			if (!(options & WNOWAIT))
				report_taken(child);
			return (s32)*user;
		}
		if (!any)
			return -ECHILD;
		if (options & WNOHANG)
			return 0;
		if (wait_on(current->process, NEVER) < 0)
			return -ERESTART;
	}
}

s32 sys_wait4(s32 which, u32 status_at, u32 options, u32 usage_at)
{
	static const u32 no_usage[18];
	u32 status = 0, pid;
	s32 result = wait_for(which, options | WEXITED, &status, &pid);

	if (result > 0 && ((status_at && copy_out(status_at, &status, sizeof(status)) < 0) ||
			   (usage_at && copy_out(usage_at, no_usage, sizeof(no_usage)) < 0)))
		return -EFAULT;
	return result;
}

s32 sys_waitpid(s32 which, u32 status_at, u32 options) { return sys_wait4(which, status_at, options, 0); }

s32 sys_waitid(u32 type, u32 id, u32 info_at, u32 options, u32 usage_at)
{
	struct siginfo info = {0};
	u32 status = 0, pid;
	s32 result;

	(void)usage_at;
	if (type > P_PGID)
		return -EINVAL;
	result = wait_for(type == P_ALL ? -1 : type == P_PID ? (s32)id : -(s32)id, options, &status, &pid);
	if (result < 0)
		return result;
	if (result > 0) {
		info.signal = SIGCHLD;
		info.code = status == 0xFFFF ? CLD_CONTINUED : (status & 0xFF) == 0x7F ? CLD_STOPPED : status & 0x7F ? CLD_KILLED : CLD_EXITED;
		info.field[0] = pid;
		info.field[2] = info.code == CLD_KILLED ? status & 0x7F : info.code == CLD_CONTINUED ? SIGCONT : status >> 8 & 0xFF;
	}
	return info_at && copy_out(info_at, &info, sizeof(info)) < 0 ? -EFAULT : 0;
}

/* ---- stopping and going on ---- */

/* The tasks notice on their way back to the program (return_to_user). */
void process_stop(u32 signal)
{
	struct process *process = current->process;

	process->stopped = true;
	process->stop_reported = process->continued = false;
	process->status = signal;
	notify_parent(process, CLD_STOPPED, signal << 8);
}

void process_continue(struct process *process)
{
	struct task *task = current;

	if (!process->stopped)
		return;
	process->stopped = false;
	process->continued = true;
	do {
		if (task->process == process && task->state == TASK_STOPPED)
			task->state = TASK_READY;
		task = task->next;
	} while (task != current);
	notify_parent(process, CLD_CONTINUED, SIGCONT << 8);
}

/* A group in which nobody has a parent in another group of the session: nobody could continue it. */
bool group_is_orphaned(u32 group)
{
	struct process *process;

	for (process = processes; process; process = process->next)
		if (process->group == group && !process->zombie && process->parent && process->parent->group != group &&
		    process->parent->session == process->session)
			return false;
	return true;
}

/* ---- who belongs to whom ---- */

static struct process *named(u32 pid)
{
	return pid ? process_find(pid) : current->process;
}

s32 sys_setpgid(u32 pid, u32 group)
{
	struct process *process = named(pid), *other;

	if (!process || (process != current->process && process->parent != current->process))
		return -ESRCH;
	if (!group)
		group = process->pid;
	if ((s32)group < 0)
		return -EINVAL;
	if (process->session == process->pid || process->session != current->process->session)
		return -EPERM;
	if (process != current->process && process->executed)
		return -EACCES;
	for (other = processes; group != process->pid && other; other = other->next)
		if (other->group == group && other->session == process->session)
			break;
	if (!other && group != process->pid)
		return -EPERM;
	process->group = group;
	return 0;
}

s32 sys_getpgid(u32 pid) { return named(pid) ? (s32)named(pid)->group : -ESRCH; }
s32 sys_getpgrp(void) { return (s32)current->process->group; }
s32 sys_getsid(u32 pid) { return named(pid) ? (s32)named(pid)->session : -ESRCH; }

s32 sys_setsid(void)
{
	struct process *mine = current->process, *process;

	for (process = processes; process; process = process->next)
		if (process->group == mine->pid)
			return -EPERM;
	mine->session = mine->group = mine->pid;
	mine->has_tty = false;
	return (s32)mine->pid;
}
