/*
 * futex.c: waiting for a word of memory to change.
 *
 * A futex is known by its place: the memory and the address in it, or, where memory is shared between processes, the frame.
 */
#include "linux.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_COMMAND 0x7F
#define FUTEX_CLOCK_REALTIME 0x100

struct waiter {
	struct waiter *next;
	struct task *task;
	u32 key, mask;
	bool woken;
};

static struct waiter *waiters;

/* The physical address of the word: the page is made our own first, so that it stays where it is. */
static s32 key_of(u32 address, u32 *key)
{
	u32 value;

	if (address & 3)
		return -EINVAL;
	if (copy_in(&value, address, sizeof(value)) < 0)
		return -EFAULT;
	if (memory_fault(memory_in_use, address, true) != 0 && memory_fault(memory_in_use, address, false) != 0)
		return -EFAULT;
	*key = (read_pte(&memory_in_use->space, address) & ~(PAGE_SIZE - 1u)) | (address & (PAGE_SIZE - 1));
	return 0;
}

static void leave(struct waiter *waiter)
{
	struct waiter **link = &waiters;

	while (*link && *link != waiter)
		link = &(*link)->next;
	if (*link)
		*link = waiter->next;
}

static s32 futex_wait(u32 address, u32 expected, u32 mask, u64 deadline)
{
	struct waiter waiter = {.task = current, .mask = mask}, **link = &waiters;
	u32 value;
	s32 error = key_of(address, &waiter.key);

	if (error < 0)
		return error;
	if (copy_in(&value, address, sizeof(value)) < 0)
		return -EFAULT;
	if (value != expected)
		return -EAGAIN;
	while (*link)
		link = &(*link)->next;
	*link = &waiter;
	while (!waiter.woken && error == 0)
		error = wait_on(&waiter, deadline);
	leave(&waiter);
	if (waiter.woken)
		return 0;
	return error == -ETIMEDOUT ? error : deadline == NEVER ? -ERESTART : -EINTR;
}

static s32 wake_key(u32 key, u32 count, u32 mask)
{
	struct waiter *waiter;
	u32 woken = 0;

	for (waiter = waiters; waiter && woken < count; waiter = waiter->next)
		if (waiter->key == key && waiter->mask & mask && !waiter->woken) {
			waiter->woken = true;
			wake_task(waiter->task);
			woken++;
		}
	return (s32)woken;
}

s32 futex_wake(u32 address, u32 count, u32 mask)
{
	u32 key;
	s32 error = key_of(address, &key);

	return error < 0 ? error : wake_key(key, count, mask);
}

/* Wakes some, and lets others wait for another word. */
static s32 requeue(u32 address, u32 count, u32 limit, u32 other)
{
	struct waiter *waiter;
	u32 from, to, moved = 0;
	s32 woken, error = key_of(address, &from);

	if (error >= 0)
		error = key_of(other, &to);
	if (error < 0)
		return error;
	woken = wake_key(from, count, ~0u);
	for (waiter = waiters; waiter && moved < limit; waiter = waiter->next)
		if (waiter->key == from && !waiter->woken) {
			waiter->key = to;
			moved++;
		}
	return woken + (s32)moved;
}

static s32 futex(u32 address, u32 operation, u32 value, u32 time_at, u32 second, u32 third, bool wide)
{
	u32 command = operation & FUTEX_COMMAND, now;
	struct timespec64 time;
	u64 deadline = NEVER;

	if ((command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET) && time_at) {
		if (read_timespec(time_at, wide, &time) < 0)
			return -EFAULT;
		deadline = deadline_of(&time, command == FUTEX_WAIT_BITSET, !(operation & FUTEX_CLOCK_REALTIME));
	}
	switch (command) {
	case FUTEX_WAIT: return futex_wait(address, value, ~0u, deadline);
	case FUTEX_WAIT_BITSET: return third ? futex_wait(address, value, third, deadline) : -EINVAL;
	case FUTEX_WAKE: return futex_wake(address, value, ~0u);
	case FUTEX_WAKE_BITSET: return third ? futex_wake(address, value, third) : -EINVAL;
	case FUTEX_CMP_REQUEUE:
		if (copy_in(&now, address, sizeof(now)) < 0)
			return -EFAULT;
		if (now != third)
			return -EAGAIN;
		return requeue(address, value, time_at, second);
	case FUTEX_REQUEUE: return requeue(address, value, time_at, second);
	}
	return -ENOSYS;
}

s32 sys_futex(u32 address, u32 operation, u32 value, u32 time, u32 second, u32 third)
{
	return futex(address, operation, value, time, second, third, false);
}

s32 sys_futex_time64(u32 address, u32 operation, u32 value, u32 time, u32 second, u32 third)
{
	return futex(address, operation, value, time, second, third, true);
}
