/*
 * clone.c: fork, vfork and clone: the same thing, with more or less that the copy shares with the original.
 */
#include "linux.h"

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
