/*
 * time.c: what time it is, and waking up at the right one.
 *
 * Two sources: lguest_data.time is the wall clock as it was when the last interrupt was delivered, and the time stamp
 * counter runs at lguest_data.tsc_khz.  One alarm: LHCALL_SET_CLOCKEVENT raises interrupt 0 once, some nanoseconds from now.
 * There is no regular tick: who has nothing to do is not woken.
 */
#include "guest.h"
#include "io.h"

#define CLOCK_IRQ 0
#define CLOCKEVENT_MIN_NS 100u
#define CLOCKEVENT_MAX_NS 0xFFFFFFFFu

static u64 tsc_at_start;
static u32 start_seconds, start_nanoseconds;
static struct timer *timers;     /* the next one first */

/* Wall clock and time since start, as both were at the same moment. */
static struct {
	u32 seconds, nanoseconds;
	u64 at;
} anchor;

/* Whole milliseconds first, or multiplying by a million would overflow after a few hours. */
static u64 tsc_to_ns(u64 ticks)
{
	u32 rest;
	u64 milliseconds = divide(ticks, lguest_data.tsc_khz, &rest);

	return milliseconds * NSEC_PER_MSEC + divide((u64)rest * NSEC_PER_MSEC, lguest_data.tsc_khz, NULL);
}

/* Nanoseconds since we started.  Without a usable counter it stands still between interrupts. */
u64 clock_ns(void)
{
	if (lguest_data.tsc_khz)
		return tsc_to_ns(read_tsc() - tsc_at_start);
	return (u64)(lguest_data.time.tv_sec - start_seconds) * NSEC_PER_SEC + lguest_data.time.tv_nsec - start_nanoseconds;
}

/* The Host has just written the time: our own reckoning starts from here again. */
void time_resync(void)
{
	anchor.seconds = lguest_data.time.tv_sec;
	anchor.nanoseconds = lguest_data.time.tv_nsec;
	anchor.at = clock_ns();
}

void wall_clock(u32 *seconds, u32 *nanoseconds)
{
	u32 flags = irq_save();
	u64 since = clock_ns() - anchor.at + anchor.nanoseconds;

	*seconds = anchor.seconds + (u32)divide(since, NSEC_PER_SEC, nanoseconds);
	irq_restore(flags);
}

/*
 * Seconds since 1970 to a date.  Years that begin in March have their odd day at the end, and 400 of them always have the
 * same number of days; 153 is the length of five months, 31+30+31+30+31.
 */
struct date date_of(u32 seconds)
{
	u32 days = seconds / 86400, rest = seconds % 86400;
	u32 shifted = days + 719468, era = shifted / 146097, day_of_era = shifted % 146097;
	u32 year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	u32 day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
	u32 month = (5 * day_of_year + 2) / 153;

	return (struct date){
		.year = era * 400 + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
		.weekday = (days + 4) % 7,       /* the first day was a Thursday */
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
	};
}

static void set_alarm(void)
{
	u64 now = clock_ns(), delta;

	if (!timers)
		return;
	delta = timers->deadline > now ? timers->deadline - now : 0;
	if (delta < CLOCKEVENT_MIN_NS)
		delta = CLOCKEVENT_MIN_NS;
	if (delta > CLOCKEVENT_MAX_NS)
		delta = CLOCKEVENT_MAX_NS;       /* we will be woken too early, and set it again */
	hcall(LHCALL_SET_CLOCKEVENT, (u32)delta, 0, 0, 0);
}

static void unlink(struct timer *timer)
{
	struct timer **link;

	for (link = &timers; *link; link = &(*link)->next)
		if (*link == timer) {
			*link = timer->next;
			break;
		}
	timer->armed = false;
}

void timer_arm(struct timer *timer, u64 deadline)
{
	u32 flags = irq_save();
	struct timer **link = &timers;

	unlink(timer);
	timer->deadline = deadline;
	timer->armed = true;
	while (*link && (*link)->deadline <= deadline)
		link = &(*link)->next;
	timer->next = *link;
	*link = timer;
	set_alarm();
	irq_restore(flags);
}

void timer_cancel(struct timer *timer)
{
	u32 flags = irq_save();

	unlink(timer);
	if (!timers)
		hcall(LHCALL_SET_CLOCKEVENT, 0, 0, 0, 0);
	irq_restore(flags);
}

static void clock_interrupt(u32 irq)
{
	(void)irq;
	while (timers && timers->deadline <= clock_ns()) {
		struct timer *due = timers;

		unlink(due);
		if (due->expired)
			due->expired(due);
	}
	set_alarm();
}

/* Waits without working; ^C ends it early. */
void sleep_ns(u64 nanoseconds)
{
	struct timer timer = {0};
	u32 flags = irq_save();

	timer_arm(&timer, clock_ns() + nanoseconds);
	while (timer.armed && !console_interrupted())
		wait_for_interrupt();
	timer_cancel(&timer);
	irq_restore(flags);
}

void time_init(void)
{
	tsc_at_start = read_tsc();
	start_seconds = lguest_data.time.tv_sec;
	start_nanoseconds = lguest_data.time.tv_nsec;
	time_resync();
}

void time_start(void)
{
	irq_install(CLOCK_IRQ, "clock", clock_interrupt);
}
