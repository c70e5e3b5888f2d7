/*
 * poll.c: waiting for several files at once.  Everything that happens wakes those who wait for anything (wake()): they look
 * at all their files again.
 */
#include "linux.h"

#define MAX_POLLED OPEN_FILES
#define IN_SET (POLLIN | POLLRDNORM | POLLHUP | POLLERR)
#define OUT_SET (POLLOUT | POLLWRNORM | POLLERR)

static s32 look(struct pollfd *polled, u32 count)
{
	u32 index;
	s32 found = 0;

	for (index = 0; index < count; index++) {
		struct pollfd *one = &polled[index];
		struct file *file = one->file < 0 ? NULL : file_get((u32)one->file);

		one->happened = 0;
		if (one->file >= 0)
			one->happened = file ? (u16)(file_poll(file) & (one->events | POLLERR | POLLHUP)) : POLLNVAL;
		found += one->happened != 0;
	}
	return found;
}

static s32 wait_for_files(struct pollfd *polled, u32 count, u64 deadline)
{
	s32 found, error;

	for (;;) {
		found = look(polled, count);
		if (found)
			return found;
		error = wait_on(&any_event, deadline);
		if (error == -ETIMEDOUT)
			return look(polled, count);
		if (error < 0)
			return -EINTR;
	}
}

/* With other signals blocked while it waits; a handler that ends it returns to the mask of before. */
static s32 wait_with_mask(struct pollfd *polled, u32 count, u64 deadline, u32 mask_at)
{
	s32 found;
	u64 mask;

	if (mask_at) {
		if (copy_in(&mask, mask_at, sizeof(mask)) < 0)
			return -EFAULT;
		current->blocked_before = current->blocked;
		current->blocked = mask & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
	}
	found = wait_for_files(polled, count, deadline);
	if (mask_at && found != -EINTR)
		current->blocked = current->blocked_before;
	else if (mask_at)
		current->restore_blocked = true;
	return found;
}

static s32 poll_files(u32 files, u32 count, u64 deadline, u32 mask)
{
	struct pollfd *polled;
	s32 found;

	if (count > MAX_POLLED)
		return -EINVAL;
	polled = kalloc(MAX_POLLED * sizeof(*polled));
	found = copy_in(polled, files, count * sizeof(*polled));
	if (found >= 0)
		found = wait_with_mask(polled, count, deadline, mask);
	if (found >= 0 && copy_out(files, polled, count * sizeof(*polled)) < 0)
		found = -EFAULT;
	kfree(polled, MAX_POLLED * sizeof(*polled));
	return found;
}

s32 sys_poll(u32 files, u32 count, s32 milliseconds)
{
	return poll_files(files, count, milliseconds < 0 ? NEVER : clock_ns() + (u32)milliseconds * (u64)NSEC_PER_MSEC, 0);
}

static s32 deadline_at(u32 at, bool wide, u64 *deadline)
{
	struct timespec64 time;

	*deadline = NEVER;
	if (!at)
		return 0;
	if (read_timespec(at, wide, &time) < 0)
		return -EFAULT;
	*deadline = deadline_of(&time, false, true);
	return 0;
}

static s32 ppoll(u32 files, u32 count, u32 time, u32 mask, bool wide)
{
	u64 deadline;

	return deadline_at(time, wide, &deadline) < 0 ? -EFAULT : poll_files(files, count, deadline, mask);
}

s32 sys_ppoll(u32 files, u32 count, u32 time, u32 mask) { return ppoll(files, count, time, mask, false); }
s32 sys_ppoll_time64(u32 files, u32 count, u32 time, u32 mask) { return ppoll(files, count, time, mask, true); }

/* ---- select: the same with sets of bits ---- */

struct sets {
	u32 in[OPEN_FILES / 32], out[OPEN_FILES / 32], except[OPEN_FILES / 32];
};

static bool has(const u32 *set, u32 number) { return set[number / 32] >> number % 32 & 1; }
static void add(u32 *set, u32 number) { set[number / 32] |= 1u << number % 32; }

static u32 to_polled(const struct sets *wanted, u32 count, struct pollfd *polled)
{
	u32 number, used = 0;

	for (number = 0; number < count; number++) {
		u16 events = (u16)((has(wanted->in, number) ? IN_SET & ~(POLLHUP | POLLERR) : 0) |
				   (has(wanted->out, number) ? OUT_SET & ~POLLERR : 0));

		if (events || has(wanted->except, number))
			polled[used++] = (struct pollfd){(s32)number, events, 0};
	}
	return used;
}

static s32 from_polled(const struct pollfd *polled, u32 used, const struct sets *wanted, struct sets *found)
{
	u32 index;
	s32 total = 0;

	for (index = 0; index < used; index++) {
		u32 number = (u32)polled[index].file;

		if (polled[index].happened & POLLNVAL)
			return -EBADF;
		if (has(wanted->in, number) && polled[index].happened & IN_SET)
			add(found->in, number), total++;
		if (has(wanted->out, number) && polled[index].happened & OUT_SET)
			add(found->out, number), total++;
	}
	return total;
}

static s32 select_files(u32 count, u32 in, u32 out, u32 except, u64 deadline, u32 mask)
{
	struct sets wanted = {{0}, {0}, {0}}, found = {{0}, {0}, {0}};
	struct pollfd *polled;
	u32 bytes, used;
	s32 result;

	if (count > OPEN_FILES)
		count = OPEN_FILES;
	bytes = (count + 31) / 32 * 4;
	if ((in && copy_in(wanted.in, in, bytes) < 0) || (out && copy_in(wanted.out, out, bytes) < 0) ||
	    (except && copy_in(wanted.except, except, bytes) < 0))
		return -EFAULT;
	polled = kalloc(MAX_POLLED * sizeof(*polled));
	used = to_polled(&wanted, count, polled);
	result = wait_with_mask(polled, used, deadline, mask);
	if (result >= 0)
		result = from_polled(polled, used, &wanted, &found);
	kfree(polled, MAX_POLLED * sizeof(*polled));
	if (result >= 0 && ((in && copy_out(in, found.in, bytes) < 0) || (out && copy_out(out, found.out, bytes) < 0) ||
			    (except && copy_out(except, found.except, bytes) < 0)))
		return -EFAULT;
	return result;
}

s32 sys__newselect(u32 count, u32 in, u32 out, u32 except, u32 time)
{
	struct timeval value;
	u64 deadline = NEVER;

	if (time) {
		if (copy_in(&value, time, sizeof(value)) < 0)
			return -EFAULT;
		deadline = clock_ns() + (u64)(u32)value.seconds * NSEC_PER_SEC + (u32)value.microseconds * 1000ull;
	}
	return select_files(count, in, out, except, deadline, 0);
}

s32 sys_select(u32 arguments)
{
	u32 argument[5];

	if (copy_in(argument, arguments, sizeof(argument)) < 0)
		return -EFAULT;
	return sys__newselect(argument[0], argument[1], argument[2], argument[3], argument[4]);
}

static s32 pselect(u32 count, u32 in, u32 out, u32 except, u32 time, u32 mask, bool wide)
{
	u32 mask_and_size[2] = {0};
	u64 deadline;

	if ((mask && copy_in(mask_and_size, mask, sizeof(mask_and_size)) < 0) || deadline_at(time, wide, &deadline) < 0)
		return -EFAULT;
	return select_files(count, in, out, except, deadline, mask_and_size[0]);
}

s32 sys_pselect6(u32 count, u32 in, u32 out, u32 except, u32 time, u32 mask)
{
	return pselect(count, in, out, except, time, mask, false);
}

s32 sys_pselect6_time64(u32 count, u32 in, u32 out, u32 except, u32 time, u32 mask)
{
	return pselect(count, in, out, except, time, mask, true);
}
