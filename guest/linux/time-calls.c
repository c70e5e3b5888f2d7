/*
 * time-calls.c: the system calls about time.  Those with 64 in their names count seconds in 64 bits.
 */
#include "linux.h"

#define CLOCK_REALTIME 0
#define CLOCK_PROCESS_CPUTIME 2
#define CLOCK_THREAD_CPUTIME 3
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_LAST 11
#define TIMER_ABSTIME 1
#define CLOCK_TICKS 100
#define ITIMER_REAL 0

u64 timespec_ns(const struct timespec64 *time)
{
	return (u64)time->seconds * NSEC_PER_SEC + time->nanoseconds;
}

s32 read_timespec(u32 address, bool wide, struct timespec64 *time)
{
	struct timespec narrow;

	if (wide)
		return copy_in(time, address, sizeof(*time));
	if (copy_in(&narrow, address, sizeof(narrow)) < 0)
		return -EFAULT;
	*time = (struct timespec64){.seconds = narrow.seconds, .nanoseconds = (u32)narrow.nanoseconds};
	return 0;
}

s32 write_timespec(u32 address, bool wide, u64 nanoseconds)
{
	struct timespec64 time = {0};

	time.seconds = (s64)divide(nanoseconds, NSEC_PER_SEC, &time.nanoseconds);
	if (wide)
		return copy_out(address, &time, sizeof(time));
	return copy_out(address, &(struct timespec){(s32)time.seconds, (s32)time.nanoseconds}, sizeof(struct timespec));
}

static u64 wall_ns(void)
{
	u32 seconds, nanoseconds;

	wall_clock(&seconds, &nanoseconds);
	return (u64)seconds * NSEC_PER_SEC + nanoseconds;
}

static u64 cpu_ns(void)
{
	return current->process->ran + clock_ns() - current->ran_since;
}

/* When, on clock_ns()'s scale. */
u64 deadline_of(const struct timespec64 *time, bool absolute, bool monotonic)
{
	u64 now = clock_ns(), wanted = timespec_ns(time), wall;

	if (time->seconds < 0)
		return now;
	if (time->seconds > 0x7FFFFFFF)
		return NEVER - 1;
	if (!absolute)
		return now + wanted;
	wall = monotonic ? now : wall_ns();
	return wanted > wall ? now + (wanted - wall) : now;
}

static s32 gettime(u32 clock, u32 to, bool wide)
{
	if (clock > CLOCK_LAST)
		return -EINVAL;
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		return write_timespec(to, wide, wall_ns());
	if (clock == CLOCK_PROCESS_CPUTIME || clock == CLOCK_THREAD_CPUTIME)
		return write_timespec(to, wide, cpu_ns());
	return write_timespec(to, wide, clock_ns());
}

s32 sys_clock_gettime(u32 clock, u32 to) { return gettime(clock, to, false); }
s32 sys_clock_gettime64(u32 clock, u32 to) { return gettime(clock, to, true); }

static s32 getres(u32 clock, u32 to, bool wide)
{
	return clock > CLOCK_LAST ? -EINVAL : to ? write_timespec(to, wide, 1) : 0;
}

s32 sys_clock_getres(u32 clock, u32 to) { return getres(clock, to, false); }
s32 sys_clock_getres_time64(u32 clock, u32 to) { return getres(clock, to, true); }

s32 sys_time(u32 to)
{
	u32 seconds, nanoseconds;

	wall_clock(&seconds, &nanoseconds);
	return to && copy_out(to, &seconds, sizeof(seconds)) < 0 ? -EFAULT : (s32)seconds;
}

s32 sys_gettimeofday(u32 to, u32 zone)
{
	u32 seconds, nanoseconds;

	wall_clock(&seconds, &nanoseconds);
	if (to && copy_out(to, &(struct timeval){(s32)seconds, (s32)(nanoseconds / 1000)}, sizeof(struct timeval)) < 0)
		return -EFAULT;
	return zone ? copy_out(zone, &(u32[2]){0}, 8) : 0;
}

/* The clock on the wall is the Host's. */
s32 sys_settimeofday(void)
{
	return -EPERM;
}

static s32 sleep_until(u32 clock, u32 flags, u32 wanted, u32 left, bool wide)
{
	struct timespec64 time;
	u64 deadline, now;
	s32 result;

	if (read_timespec(wanted, wide, &time) < 0)
		return -EFAULT;
	if (time.seconds < 0 || time.nanoseconds >= NSEC_PER_SEC || clock > CLOCK_LAST)
		return -EINVAL;
	deadline = deadline_of(&time, flags & TIMER_ABSTIME, clock != CLOCK_REALTIME);
	while ((result = wait_on(&time, deadline)) == 0)
		;
	if (result == -ETIMEDOUT)
		return 0;
	now = clock_ns();
	if (left && !(flags & TIMER_ABSTIME) && write_timespec(left, wide, deadline > now ? deadline - now : 0) < 0)
		return -EFAULT;
	return flags & TIMER_ABSTIME ? -ERESTART_NO_HANDLER : -EINTR;
}

s32 sys_nanosleep(u32 wanted, u32 left) { return sleep_until(1, 0, wanted, left, false); }

s32 sys_clock_nanosleep(u32 clock, u32 flags, u32 wanted, u32 left)
{
	return sleep_until(clock, flags, wanted, left, false);
}

s32 sys_clock_nanosleep_time64(u32 clock, u32 flags, u32 wanted, u32 left)
{
	return sleep_until(clock, flags, wanted, left, true);
}

static u32 ticks(u64 nanoseconds)
{
	return (u32)divide(nanoseconds, NSEC_PER_SEC / CLOCK_TICKS, NULL);
}

s32 sys_times(u32 to)
{
	u32 times[4] = {ticks(cpu_ns()), 0, ticks(current->process->children_ran), 0};

	if (to && copy_out(to, times, sizeof(times)) < 0)
		return -EFAULT;
	return (s32)ticks(clock_ns());
}

/* The time in the CPU is all counted as the program's own. */
s32 sys_getrusage(u32 who, u32 to)
{
	u32 usage[18] = {0}, rest;

	usage[0] = (u32)divide(who == 0 || who == 1 ? cpu_ns() : current->process->children_ran, NSEC_PER_SEC, &rest);
	usage[1] = rest / 1000;
	return copy_out(to, usage, sizeof(usage));
}

/* ---- the alarm clock of a process ---- */

static void alarm_rings(struct timer *timer)
{
	struct process *process = (struct process *)((u8 *)timer - __builtin_offsetof(struct process, alarm));

	signal_process(process, SIGALRM);
	if (process->alarm_interval)
		timer_arm(timer, timer->deadline + process->alarm_interval);
}

/* Nanoseconds until it rings, or 0. */
static u64 set_alarm(struct process *process, u64 after, u64 interval)
{
	u64 now = clock_ns(), left = 0;

	if (process->alarm.armed)
		left = process->alarm.deadline > now ? process->alarm.deadline - now : 1;
	if (process->alarm.armed)
		timer_cancel(&process->alarm);
	process->alarm.expired = alarm_rings;
	process->alarm_interval = interval;
	if (after)
		timer_arm(&process->alarm, now + after);
	return left;
}

static s32 write_itimer(u32 to, u64 interval, u64 left)
{
	u32 values[4];

	values[0] = (u32)divide(interval, NSEC_PER_SEC, &values[1]);
	values[2] = (u32)divide(left, NSEC_PER_SEC, &values[3]);
	values[1] /= 1000;
	values[3] /= 1000;
	return copy_out(to, values, sizeof(values));
}

s32 sys_setitimer(u32 which, u32 new, u32 old)
{
	struct process *process = current->process;
	u64 interval = process->alarm_interval, left;
	u32 values[4] = {0};

	if (which != ITIMER_REAL)
		return -EINVAL;
	if (new && copy_in(values, new, sizeof(values)) < 0)
		return -EFAULT;
	left = set_alarm(process, (u64)values[2] * NSEC_PER_SEC + values[3] * 1000ull,
			 (u64)values[0] * NSEC_PER_SEC + values[1] * 1000ull);
	return old ? write_itimer(old, interval, left) : 0;
}

s32 sys_getitimer(u32 which, u32 to)
{
	struct process *process = current->process;
	u64 now = clock_ns(), left = 0;

	if (which != ITIMER_REAL)
		return -EINVAL;
	if (process->alarm.armed && process->alarm.deadline > now)
		left = process->alarm.deadline - now;
	return write_itimer(to, process->alarm_interval, left);
}

s32 sys_alarm(u32 seconds)
{
	u64 left = set_alarm(current->process, (u64)seconds * NSEC_PER_SEC, 0);

	return (s32)divide(left + NSEC_PER_SEC / 2, NSEC_PER_SEC, NULL) + (left && left < NSEC_PER_SEC / 2);
}
