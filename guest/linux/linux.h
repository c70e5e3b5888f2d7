/*
 * linux.h: the upper floor: what a program of Linux/i386 expects to live in.
 *
 * As in guest.h, every room stands on those above it.  Addresses in a program are u32, addresses of ours are pointers.
 * While the kernel works for a program, interrupts are off (lguest_data.irq_enabled is 0): what it does is short, and where
 * it has to wait, another task runs, or the CPU halts.  So there are no locks.
 *
 * A function named sys_x is the system call x: it returns what the program finds in eax, an error as a negative number.
 */
#ifndef GUEST_LINUX_LINUX_H
#define GUEST_LINUX_LINUX_H

#include "../guest.h"
#include "abi.h"

struct task;
struct process;
struct memory;
struct node;
struct file;

/* ---- heap.c: memory for our own structures, in sizes that are powers of two up to a page ---- */

void *kalloc(u32 bytes);
void kfree(void *memory, u32 bytes);
void *frame_pair_alloc(void);
void frame_pair_free(void *pair);

/* ---- user-copy.c: memory of programs, which may be absent, forbidden or not yet there ---- */

/* 0 if all was copied.  Either side may be a program's: at a fault the page is fetched, or the copy ends. */
u32 copy_user(void *to, const void *from, u32 bytes);
bool user_range(u32 address, u32 bytes);
s32 copy_in(void *to, u32 from, u32 bytes);
s32 copy_out(u32 to, const void *from, u32 bytes);
s32 copy_string_in(char *to, u32 from, u32 size);

/* ---- task.c: who runs, who waits ---- */

enum task_state { TASK_READY, TASK_WAITING, TASK_STOPPED, TASK_DEAD };

struct queued_signal {
	struct queued_signal *next;
	s32 signal, code;
	u32 field[5];
};

struct task {
	struct task *next;               /* all of them, in a circle */
	struct process *process;         /* none: the prompt */
	u32 tid;
	enum task_state state;
	u8 *stack;                       /* two pages; where traps from ring 3 come in */
	u32 kernel_esp;
	struct trap_frame *frame;        /* the program's registers, at the top of the stack */
	void (*begin)(void);             /* what to do first, in the kernel */
	const void *channel;             /* what it waits for */
	struct timer timer;
	bool timed_out;
	u8 *fpu;
	struct descriptor tls[3];
	u64 blocked, blocked_before;     /* signals; the second while sigsuspend and its like wait */
	bool restore_blocked;
	struct queued_signal *signals;
	struct stack_t signal_stack;
	u32 clear_child_tid;
	u32 fault_address, fault_trap, fault_error;
	u64 ran_since;
	bool killed;                     /* another thread of its process has called execve */
};

extern struct task *current;
extern bool need_resched;

struct task *task_create(struct process *process, void (*begin)(void));
void task_exit(void) __attribute__((noreturn));
void schedule(void);
void preempt_if_shared(void);
void turns_end(void);
enum { WOKEN = 0 };
s32 wait_on(const void *channel, u64 deadline);
void wake(const void *channel);
void wake_task(struct task *task);
void fpu_reset(struct task *task);
void fpu_save(void);
void fpu_load(void);

#define NEVER (~0ull)

extern const u8 any_event;               /* the channel of those who wait for several things */

/* ---- vm.c, vm-map.c, vm-fault.c: the memory of a program ---- */

struct region {
	struct region *next;
	u32 start, end, protection, offset;      /* the offset in the file, in bytes */
	bool shared;
	struct node *node;                       /* none: anonymous */
};

struct memory {
	u32 users;
	struct address_space space;
	struct region *regions;
	u32 brk_start, brk, stack_start, arguments, arguments_end;
	struct node *program;
};

#define STACK_TOP 0xC0000000
#define STACK_BYTES 0x800000
#define MMAP_TOP 0xB7000000
#define MMAP_BOTTOM 0x00010000

extern struct memory *memory_in_use;

struct memory *memory_create(void);
struct memory *memory_fork(struct memory *memory);
void memory_release(struct memory *memory);
void memory_enter(struct memory *memory);
struct region *region_at(struct memory *memory, u32 address);
struct region *region_after(struct memory *memory, u32 address);
bool region_split(struct memory *memory, u32 address);
s32 memory_map(struct memory *memory, u32 start, u32 bytes, u32 protection, bool shared, struct node *node, u32 offset);
void memory_unmap(struct memory *memory, u32 start, u32 end);
void memory_forget(const struct node *node, u32 size);
u32 memory_gap(struct memory *memory, u32 bytes);
u32 memory_pages(struct memory *memory);
s32 memory_fault(struct memory *memory, u32 address, bool write);

/* ---- files.h: files, by name and open ---- */

#include "files.h"

/* ---- process.c, clone.c, exec.c, wait.c: programs, their families, their ends ---- */

struct handlers {
	u32 users;
	struct sigaction action[SIGNALS + 1];
};

struct process {
	struct process *next;
	u32 pid, group, session, tasks;
	struct process *parent;
	struct memory *memory;
	struct files *files;
	struct handlers *handlers;
	struct queued_signal *signals;
	struct task *vforked;            /* the child of vfork whose parent waits */
	struct task *leader;
	bool watched;                    /* by the prompt, which started it: it is everybody's last parent */
	bool ending, zombie, stopped, stop_reported, continued, has_tty, executed;
	u32 status, exit_signal;
	s32 nice;
	char name[16];
	u64 started, ran, children_ran;
	struct timer alarm;
	u64 alarm_interval;
};

extern struct process *processes;

struct process *process_find(u32 pid);
void process_exit(u32 status) __attribute__((noreturn));
void task_end(void) __attribute__((noreturn));
void process_stop(u32 signal);
void process_continue(struct process *process);
void notify_parent(struct process *process, s32 code, u32 status);
bool group_is_orphaned(u32 group);
void vfork_done(struct process *process);
void process_free(struct process *process);
struct process *process_create(struct process *parent);
struct handlers *handlers_fork(const struct handlers *handlers);
s32 set_tls(struct task *task, u32 description, bool choose);

/* The strings of a new program, while its memory is made. */
#define STRING_PAGES 32

struct strings {
	u8 *pages[STRING_PAGES];
	u32 bytes, count;
};

s32 exec(struct node *node, const char *path, struct strings *arguments, struct strings *environment);
s32 strings_add(struct strings *strings, const char *text);
s32 strings_add_user(struct strings *strings, u32 list);
void strings_free(struct strings *strings);
s32 elf_load(struct memory *memory, struct node *node, const u8 *start, struct elf_header *header, u32 *headers_at);
u32 stack_build(struct memory *memory, struct strings *arguments, struct strings *environment, const char *path,
		const struct elf_header *header, u32 headers_at);

/* ---- signal.c, signal-frame.c ---- */

#define SIGNAL_BIT(signal) (1ull << ((signal)-1))

s32 signal_send(struct process *process, struct task *task, const struct queued_signal *signal);
void signal_process(struct process *process, u32 signal);
s32 signal_group(u32 group, u32 signal);
void signal_fault(u32 signal, s32 code, u32 address);
bool signal_waiting(struct task *task);
bool signal_ignored(struct process *process, u32 signal);
struct queued_signal *signal_take(u64 wanted);
void signals_drop(struct queued_signal **list);
void signals_forget(struct process *process, u64 set);
void signals_deliver(struct trap_frame *frame);
s32 signal_frame_push(struct trap_frame *frame, const struct queued_signal *signal, const struct sigaction *action, u64 mask);

/* ---- time ---- */

u64 deadline_of(const struct timespec64 *time, bool absolute, bool monotonic);
s32 read_timespec(u32 address, bool wide, struct timespec64 *time);
s32 write_timespec(u32 address, bool wide, u64 nanoseconds);
u64 timespec_ns(const struct timespec64 *time);

/* ---- futex.c ---- */

s32 futex_wake(u32 address, u32 count, u32 mask);

/* ---- system-calls.c ---- */

void process_system_call(struct trap_frame *frame);

#endif
