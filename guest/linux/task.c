/*
 * task.c: who runs, who waits.
 *
 * A task is a stack in the kernel, and usually a program above it.  One of them is the prompt, which was there first and has
 * no program.  A task gives the CPU away when it waits in the kernel, or on its way back to its program; in between nobody
 * takes it.  There is no tick: only when several want to run, an alarm ends the turn of the one that does.
 */
#include "linux.h"

#define STACK_BYTES_OF_TASK (2 * PAGE_SIZE)
#define STACK_MARK 0x57ACC057
#define TURN_NS (10ull * NSEC_PER_MSEC)
#define FXSAVE_BYTES 512
#define FXSAVE_CONTROL 0x037F
#define FXSAVE_MXCSR 0x1F80

void switch_stacks(u32 *save_esp, u32 esp);
void task_entry(void);
void task_started(struct trap_frame *frame);

static u8 prompt_fpu[FXSAVE_BYTES] __attribute__((aligned(16)));
static struct task prompt = {.next = &prompt, .state = TASK_READY, .fpu = prompt_fpu};
static struct task *dead;
static u32 next_tid = 1;

struct task *current = &prompt;
bool need_resched;
const u8 any_event;

static void end_turn(struct timer *timer)
{
	(void)timer;
	need_resched = true;
}

static struct timer turn = {.expired = end_turn};

void fpu_reset(struct task *task)
{
	memset(task->fpu, 0, FXSAVE_BYTES);
	*(u16 *)task->fpu = FXSAVE_CONTROL;
	*(u32 *)(task->fpu + 24) = FXSAVE_MXCSR;
}

/* Between what is in the CPU now and what is kept of the current task. */
void fpu_save(void)
{
	asm volatile("fxsave (%0)" : : "r"(current->fpu) : "memory");
}

void fpu_load(void)
{
	asm volatile("fxrstor (%0)" : : "r"(current->fpu) : "memory");
}

/* The stack begins as if the task had been switched away from in task_entry (entry.S), with registers still to be set. */
struct task *task_create(struct process *process, void (*begin)(void))
{
	struct task *task = kalloc(sizeof(*task));
	u32 *esp;

	task->stack = frame_pair_alloc();
	if (!task->stack) {
		kfree(task, sizeof(*task));
		return NULL;
	}
	*(u32 *)task->stack = STACK_MARK;
	task->frame = (struct trap_frame *)(task->stack + STACK_BYTES_OF_TASK) - 1;
	esp = (u32 *)task->frame;
	*--esp = (u32)task_entry;
	esp -= 4;                        /* ebp, ebx, esi, edi */
	task->kernel_esp = (u32)esp;
	task->fpu = kalloc(FXSAVE_BYTES);
	fpu_reset(task);
	task->process = process;
	task->begin = begin;
	task->tid = next_tid++;
	task->signal_stack.flags = SS_DISABLE;
	task->next = current->next;
	current->next = task;
	return task;
}

/* Nobody can take away the stack on which he stands: the next one does it. */
static void bury(void)
{
	if (!dead)
		return;
	frame_pair_free(dead->stack);
	kfree(dead->fpu, FXSAVE_BYTES);
	kfree(dead, sizeof(*dead));
	dead = NULL;
}

static void switch_to(struct task *next)
{
	struct task *before = current;

	before->kernel_esp = 0;
	if (before->process)
		before->process->ran += clock_ns() - before->ran_since;
	current = next;
	next->ran_since = clock_ns();
	lazy_begin();
	memory_enter(next->process ? next->process->memory : NULL);
	if (next->stack)
		set_entry_stack((u32)next->stack + STACK_BYTES_OF_TASK, 2);
	tls_load(next->tls);
	lazy_end();
	asm volatile("fxsave (%0)" : : "r"(before->fpu) : "memory");
	fpu_load();
	switch_stacks(&before->kernel_esp, next->kernel_esp);
	bury();
}

static struct task *next_ready(void)
{
	struct task *task = current;

	do {
		task = task->next;
		if (task->state == TASK_READY)
			return task;
	} while (task != current);
	return NULL;
}

bool program_running(void)
{
	return current->process != NULL;
}

void schedule(void)
{
	struct task *next;

	if (current->stack && *(u32 *)current->stack != STACK_MARK)
		crash("task %u has used up its stack", current->tid);
	while (!(next = next_ready()))
		irq_wait();
	need_resched = false;
	if (next != current)
		switch_to(next);
}

/* On the way back to a program: is there anybody to share the CPU with? */
void preempt_if_shared(void)
{
	if (turn.armed || next_ready() == current)
		return;
	timer_arm(&turn, clock_ns() + TURN_NS);
}

/* The prompt is alone again: no alarm is to ring for a turn that is over. */
void turns_end(void)
{
	timer_cancel(&turn);
	need_resched = false;
}

/* The first that happens on a new task's stack, called from task_entry. */
void task_started(struct trap_frame *frame)
{
	bury();
	if (current->begin)
		current->begin();
	return_to_user(frame);
}

void task_exit(void)
{
	struct task *next, *before = current;

	signals_drop(&current->signals);
	timer_cancel(&current->timer);
	current->state = TASK_DEAD;
	current->process = NULL;
	while (!(next = next_ready()))
		irq_wait();
	while (before->next != current)
		before = before->next;
	before->next = current->next;
	dead = current;
	switch_to(next);
	crash("a dead task runs");
}

static void time_out(struct timer *timer)
{
	struct task *task = (struct task *)((u8 *)timer - __builtin_offsetof(struct task, timer));

	task->timed_out = true;
	wake_task(task);
}

/*
 * Until somebody calls wake() for this channel, or it is time, or there is a signal.  0, -ETIMEDOUT or -EINTR; who was woken
 * looks again whether what he waits for has happened.
 */
s32 wait_on(const void *channel, u64 deadline)
{
	if (signal_waiting(current))
		return -EINTR;
	current->timed_out = false;
	if (deadline != NEVER) {
		if (deadline <= clock_ns())
			return -ETIMEDOUT;
		current->timer.expired = time_out;
		timer_arm(&current->timer, deadline);
	}
	current->channel = channel;
	current->state = TASK_WAITING;
	schedule();
	current->channel = NULL;
	if (deadline != NEVER)
		timer_cancel(&current->timer);
	if (current->timed_out)
		return -ETIMEDOUT;
	return signal_waiting(current) ? -EINTR : 0;
}

void wake_task(struct task *task)
{
	if (task->state != TASK_WAITING)
		return;
	task->state = TASK_READY;
	need_resched = true;
}

/* Those who wait for this, and those who wait for several things at once. */
void wake(const void *channel)
{
	struct task *task = current;

	do {
		if (task->channel && (task->channel == channel || task->channel == &any_event))
			wake_task(task);
		task = task->next;
	} while (task != current);
}
