/*
 * misc-calls.c: the system calls that need little: who am I, what machine is this, thread-local segments.
 */
#include "linux.h"

#define REBOOT_RESTART 0x01234567
#define REBOOT_HALT 0xCDEF0123
#define REBOOT_POWER_OFF 0x4321FEDC
#define RLIMIT_STACK 3
#define RLIMIT_CORE 4
#define RLIMIT_NOFILE 7
#define RLIM_INFINITY 0xFFFFFFFF

static char host_name[65] = "lguest";

s32 sys_getpid(void) { return (s32)current->process->pid; }
s32 sys_gettid(void) { return (s32)current->tid; }
s32 sys_getppid(void) { return current->process->parent ? (s32)current->process->parent->pid : 0; }

/* Everybody is root, whoever he wants to be. */
s32 sys_root(void) { return 0; }

/* What we can promise because nothing depends on it. */
s32 sys_accepted(void) { return 0; }

s32 sys_getresuid32(u32 real, u32 effective, u32 saved)
{
	u32 zero = 0;

	return copy_out(real, &zero, 4) < 0 || copy_out(effective, &zero, 4) < 0 || copy_out(saved, &zero, 4) < 0 ? -EFAULT : 0;
}

s32 sys_getgroups32(u32 count, u32 to)
{
	return count && copy_out(to, &(u32){0}, 4) < 0 ? -EFAULT : 1;
}

s32 sys_uname(u32 to)
{
	struct {
		char system[65], node[65], release[65], version[65], machine[65], domain[65];
	} name = {"Linux", "", "4.12.0-guest", "#1 the reference Guest of lguest", "i686", "(none)"};

	memcpy(name.node, host_name, sizeof(host_name));
	return copy_out(to, &name, sizeof(name));
}

s32 sys_sethostname(u32 name, u32 bytes)
{
	char text[65] = {0};

	if (bytes > 64)
		return -EINVAL;
	if (copy_in(text, name, bytes) < 0)
		return -EFAULT;
	memcpy(host_name, text, sizeof(host_name));
	return 0;
}

s32 sys_sysinfo(u32 to)
{
	struct {
		u32 uptime, loads[3], total, free, shared, buffers, swap, swap_free;
		u16 processes, pad;
		u32 high, high_free, unit;
		u8 padding[8];
	} info = {.total = frames_total() * PAGE_SIZE, .unit = 1};
	struct process *process;

	info.uptime = (u32)divide(clock_ns(), NSEC_PER_SEC, NULL);
	info.free = (frames_total() - frames_used()) * PAGE_SIZE;
	for (process = processes; process; process = process->next)
		info.processes++;
	return copy_out(to, &info, sizeof(info));
}

s32 sys_reboot(u32 magic, u32 magic2, u32 command)
{
	if (magic != 0xFEE1DEAD || magic2 < 0x05121996)
		return -EINVAL;
	if (command == REBOOT_RESTART)
		restart();
	if (command == REBOOT_HALT || command == REBOOT_POWER_OFF)
		power_off();
	return command == 0 || command == 0x89ABCDEF ? 0 : -EINVAL;      /* what ^Alt-Del does: nothing, either way */
}

s32 sys_sched_yield(void)
{
	need_resched = true;
	return 0;
}

s32 sys_sched_getaffinity(u32 pid, u32 bytes, u32 to)
{
	(void)pid;
	return bytes < 4 ? -EINVAL : copy_out(to, &(u32){1}, 4) < 0 ? -EFAULT : 4;
}

/* ---- thread-local segments ---- */

/* No segment at all, in both of the ways in which Linux is told so. */
static bool is_empty(const struct user_desc *description)
{
	return !description->base && !description->limit &&
	       (!description->flags || description->flags == (USER_DESC_READ_ONLY | USER_DESC_NOT_PRESENT));
}

/* Data of 32 bits that is there: Linux makes no others. */
static bool is_allowed(u32 flags)
{
	return flags & USER_DESC_32BIT && !(flags & (USER_DESC_CODE | USER_DESC_NOT_PRESENT));
}

static struct descriptor descriptor_of(const struct user_desc *description)
{
	u32 flags = description->flags;
	u32 access = DESCRIPTOR_DATA | DESCRIPTOR_DPL(3) | DESCRIPTOR_ACCESSED;
	struct descriptor entry;

	if (flags & USER_DESC_READ_ONLY)
		access &= ~DESCRIPTOR_WRITABLE;
	if (flags & USER_DESC_EXPAND_DOWN)
		access |= DESCRIPTOR_EXPAND_DOWN;
	entry = make_descriptor(description->base, description->limit & 0xFFFFF, access);
	if (flags & USER_DESC_PAGES)
		entry.high |= DESCRIPTOR_PAGES;
	if (flags & USER_DESC_USEABLE)
		entry.high |= DESCRIPTOR_AVAILABLE;
	return entry;
}

/* With `choose`, entry -1 means any that is free, and the program is told which. */
s32 set_tls(struct task *task, u32 at, bool choose)
{
	struct user_desc description;
	struct descriptor entry = {0};
	u32 index;

	if (copy_in(&description, at, sizeof(description)) < 0)
		return -EFAULT;
	index = description.entry - GDT_ENTRY_TLS_MIN;
	if (description.entry == ~0u && choose) {
		for (index = 0; index < 3 && (task->tls[index].low | task->tls[index].high);)
			index++;
		if (index == 3)
			return -ESRCH;
		description.entry = index + GDT_ENTRY_TLS_MIN;
		if (copy_out(at, &description.entry, sizeof(description.entry)) < 0)
			return -EFAULT;
	}
	if (index > 2)
		return -EINVAL;
	if (!is_empty(&description)) {
		if (!is_allowed(description.flags))
			return -EINVAL;
		entry = descriptor_of(&description);
	}
	task->tls[index] = entry;
	if (task == current)
		tls_load(task->tls);
	return 0;
}

s32 sys_set_thread_area(u32 description) { return set_tls(current, description, true); }

s32 sys_get_thread_area(u32 at)
{
	struct user_desc description;
	const struct descriptor *entry;

	if (copy_in(&description, at, sizeof(description)) < 0)
		return -EFAULT;
	if (description.entry - GDT_ENTRY_TLS_MIN > 2)
		return -EINVAL;
	entry = &current->tls[description.entry - GDT_ENTRY_TLS_MIN];
	description.base = entry->low >> 16 | (entry->high & 0xFF) << 16 | (entry->high & 0xFF000000);
	description.limit = (entry->low & 0xFFFF) | (entry->high & 0xF0000);
	description.flags = entry->high ? USER_DESC_32BIT : USER_DESC_NOT_PRESENT;
	if (entry->high & DESCRIPTOR_EXPAND_DOWN << 8)
		description.flags |= USER_DESC_EXPAND_DOWN;
	if (!(entry->high & DESCRIPTOR_WRITABLE << 8))
		description.flags |= USER_DESC_READ_ONLY;
	if (entry->high & DESCRIPTOR_PAGES)
		description.flags |= USER_DESC_PAGES;
	if (entry->high & DESCRIPTOR_AVAILABLE)
		description.flags |= USER_DESC_USEABLE;
	return copy_out(at, &description, sizeof(description));
}

s32 sys_set_tid_address(u32 address)
{
	current->clear_child_tid = address;
	return (s32)current->tid;
}

/* ---- limits: there are none that a program could change ---- */

static u32 limit_of(u32 which)
{
	return which == RLIMIT_STACK ? STACK_BYTES : which == RLIMIT_NOFILE ? OPEN_FILES : which == RLIMIT_CORE ? 0 : RLIM_INFINITY;
}

s32 sys_ugetrlimit(u32 which, u32 to)
{
	u32 limit = limit_of(which);

	return which > 15 ? -EINVAL : copy_out(to, &(u32[2]){limit, which == RLIMIT_STACK ? RLIM_INFINITY : limit}, 8);
}

s32 sys_prlimit64(u32 pid, u32 which, u32 new, u32 old)
{
	u64 limit = limit_of(which) == RLIM_INFINITY ? ~0ull : limit_of(which);

	(void)pid, (void)new;
	if (which > 15)
		return -EINVAL;
	return old ? copy_out(old, &(u64[2]){limit, which == RLIMIT_STACK ? ~0ull : limit}, 16) : 0;
}

/* ---- niceness: remembered, and of no consequence ---- */

static struct process *nice_one(u32 which, u32 who)
{
	return which ? current->process : process_find(who ? who : current->process->pid);
}

/* The kernel counts from 20 down, so that no answer looks like an error. */
s32 sys_getpriority(u32 which, u32 who)
{
	struct process *process = nice_one(which, who);

	return process ? 20 - process->nice : -ESRCH;
}

s32 sys_setpriority(u32 which, u32 who, s32 value)
{
	struct process *process = nice_one(which, who);

	if (!process)
		return -ESRCH;
	process->nice = value < -20 ? -20 : value > 19 ? 19 : value;
	return 0;
}

s32 sys_nice(s32 more) { return sys_setpriority(0, 0, current->process->nice + more); }

#define PR_SET_NAME 15
#define PR_GET_NAME 16

s32 sys_prctl(u32 option, u32 argument)
{
	char name[16] = {0};

	if (option == PR_GET_NAME)
		return copy_out(argument, current->process->name, sizeof(name));
	if (option != PR_SET_NAME)
		return -EINVAL;
	if (copy_in(name, argument, sizeof(name) - 1) < 0)
		return -EFAULT;
	memcpy(current->process->name, name, sizeof(name));
	return 0;
}
