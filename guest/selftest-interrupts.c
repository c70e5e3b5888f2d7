/*
 * selftest-interrupts.c: the alarm, and interrupts in every state of irq_enabled, pending, blocked and halted.
 */
#include "devices.h"
#include "selftest.h"

#define CLOCK 0
#define AT_ONCE 1000u            /* ns: shorter than the time to look */
#define MSEC NSEC_PER_MSEC
#define LATE (400 * MSEC)
#define TRIES 20
#define STORM 200
#define ORDER_LENGTH 4

static volatile u32 ticks, order_length;
static volatile u64 tick_at;
static u8 order[ORDER_LENGTH];
static u32 frame_cs, frame_eflags, storm_low, storm_high;

static void note(u32 irq)
{
	if (order_length < ORDER_LENGTH)
		order[order_length++] = (u8)irq;
}

static void tick(u32 irq)
{
	ticks++;
	tick_at = clock_ns();
	frame_cs = interrupted->cs;
	frame_eflags = interrupted->eflags;
	(void)irq;
}

/* Sets the next alarm while this one is being served: it is due before we are back. */
static void storm(u32 irq)
{
	u32 here = (u32)__builtin_frame_address(0);

	(void)irq;
	if (here < storm_low)
		storm_low = here;
	if (here > storm_high)
		storm_high = here;
	if (++ticks < STORM)
		hcall(LHCALL_SET_CLOCKEVENT, 100, 0, 0, 0);
}

static void alarm(u32 nanoseconds)
{
	ticks = order_length = 0;
	hcall(LHCALL_SET_CLOCKEVENT, nanoseconds, 0, 0, 0);
}

/* Where other programs run beside us, anything may be late.  What is late every time is wrong. */
static bool in_time(u64 (*how_long)(void))
{
	u32 tries = TRIES;

	while (how_long() >= LATE && --tries)
		;
	return tries > 0;
}

static u64 alarm_takes(void)
{
	u64 start = clock_ns();

	alarm(MSEC);
	SPIN_UNTIL(ticks);
	return tick_at - start;
}

static u64 new_alarm_takes(void)
{
	u64 start = clock_ns();

	alarm(10 * LATE);
	alarm(MSEC);
	SPIN_UNTIL(ticks);
	return ticks ? tick_at - start : ~0ull;
}

/* With an interrupt that waits already. */
static u64 halt_takes(void)
{
	u64 start;

	irq_save();
	alarm(AT_ONCE);
	SPIN_UNTIL(*(volatile u32 *)&lguest_data.irq_pending);
	start = clock_ns();
	hcall(LHCALL_HALT, 0, 0, 0, 0);
	return ticks == 1 ? clock_ns() - start : ~0ull;
}

static void check_alarm(void)
{
	u64 start = clock_ns();

	irq_enable();
	alarm(MSEC);
	check(SPIN_UNTIL(ticks), "SET_CLOCKEVENT raises interrupt 0");
	check(tick_at - start >= MSEC, "and not too early");
	check(in_time(alarm_takes), "nor late");
	SPIN_FOR(3 * MSEC);
	check(ticks == 1, "it comes once");
	check(frame_cs == KERNEL_CS && frame_eflags & X86_EFLAGS_IF, "its frame says ring 1, interrupts on");
	alarm(40 * MSEC);
	hcall(LHCALL_SET_CLOCKEVENT, 0, 0, 0, 0);
	SPIN_FOR(60 * MSEC);
	check(ticks == 0, "SET_CLOCKEVENT(0) cancels it");
	check(in_time(new_alarm_takes), "a new alarm replaces the old one");
}

/*
 * Both clocks at two ticks: they must have gone on by the same.  The one is read by the Host and the other by us, and who is
 * interrupted between the two tries again: clocks that really disagree do so every time.
 */
static bool clocks_agree(void)
{
	u64 counter[2], wall[2];
	u32 index;

	for (index = 0; index < 2; index++) {
		alarm(20 * MSEC);
		SPIN_UNTIL(ticks);
		counter[index] = tick_at;
		wall[index] = (u64)lguest_data.time.tv_sec * NSEC_PER_SEC + lguest_data.time.tv_nsec;
	}
	return (wall[1] - wall[0]) - (counter[1] - counter[0]) + 5 * MSEC < 10 * MSEC;
}

static void check_clocks_agree(void)
{
	u32 patience = 20;

	if (!lguest_data.tsc_khz) {
		skip("the wall clock and the time stamp counter agree", " (skipped: the counter is unusable)");
		return;
	}
	while (!clocks_agree() && --patience > 0)
		;
	check(patience > 0, "the wall clock and the time stamp counter agree");
}

static void check_disabled(void)
{
	u32 seconds, nanoseconds;

	irq_save();
	seconds = lguest_data.time.tv_sec;
	nanoseconds = lguest_data.time.tv_nsec;
	alarm(AT_ONCE);
	check(SPIN_UNTIL(*(volatile u32 *)&lguest_data.irq_pending == X86_EFLAGS_IF),
	      "with irq_enabled 0, a waiting interrupt shows in irq_pending");
	check(ticks == 0, "and is not delivered");
	check(lguest_data.time.tv_sec == seconds && lguest_data.time.tv_nsec == nanoseconds, "and the time is not written");
	irq_enable();
	check(ticks == 1, "SEND_INTERRUPTS delivers it");
	check(lguest_data.time.tv_sec != seconds || lguest_data.time.tv_nsec != nanoseconds, "and the time is written");
}

static void check_blocked(void)
{
	irq_enable();
	irq_mask(CLOCK);
	alarm(AT_ONCE);
	SPIN_FOR(5 * MSEC);
	check(ticks == 0, "a blocked interrupt is not delivered");
	irq_unmask(CLOCK);
	check(SPIN_UNTIL(ticks == 1), "nor lost: it comes when it is unblocked, by a mere store");

	idt_clear(FIRST_EXTERNAL_VECTOR + CLOCK);
	alarm(AT_ONCE);
	SPIN_FOR(5 * MSEC);
	check(ticks == 0, "without a gate an interrupt waits");
	idt_restore(FIRST_EXTERNAL_VECTOR + CLOCK);
	check(SPIN_UNTIL(ticks == 1), "until there is one");
}

static void check_halt(void)
{
	u64 start;

	irq_save();
	start = clock_ns();
	alarm(3 * MSEC);
	hcall(LHCALL_HALT, 0, 0, 0, 0);
	check(ticks == 1 && clock_ns() - start >= 3 * MSEC, "HALT sleeps until the alarm");
	check(lguest_data.irq_enabled & X86_EFLAGS_IF, "and wakes with interrupts on, though they were off");

	check(in_time(halt_takes), "HALT with an interrupt waiting ends at once");
	irq_enable();
}

/* A second source: the random number device answers by interrupt. */
static void check_two_sources(void)
{
	u8 byte;

	if (!rng_present()) {
		skip("HALT does not wake for a blocked interrupt", " (skipped: no --rng)");
		skip("of two waiting interrupts the lower comes first", " (skipped: no --rng)");
		return;
	}
	irq_save();
	irq_mask(CLOCK);
	alarm(AT_ONCE);
	SPIN_FOR(2 * MSEC);
	rng_start(1);
	while (!rng_done())
		irq_wait();
	check(ticks == 0, "HALT does not wake for a blocked interrupt");
	rng_finish(&byte);
	irq_unmask(CLOCK);
	irq_enable();
	SPIN_UNTIL(ticks);

	irq_save();
	irq_watch(note);
	alarm(AT_ONCE);
	SPIN_UNTIL(*(volatile u32 *)&lguest_data.irq_pending);
	rng_start(1);
	SPIN_UNTIL(rng_done());
	SPIN_FOR(5 * MSEC);          /* the answer is there first, the interrupt comes after it */
	irq_enable();
	SPIN_UNTIL(order_length >= 2);
	irq_watch(NULL);
	check(order_length >= 2 && order[0] == CLOCK && order[1] == rng_irq(), "of two waiting interrupts the lower comes first");
	rng_finish(&byte);
}

static void check_storm(void)
{
	irq_handler before = irq_replace(CLOCK, storm);
	u32 patience;

	storm_low = ~0u;
	storm_high = 0;
	alarm(100);
	for (patience = 0; patience < 5 && !SPIN_UNTIL(ticks == STORM); patience++)
		;
	check(ticks == STORM, "two hundred alarms, each set while the last is served, all come");
	check(storm_high - storm_low < 1024, "and do not pile up on the stack");
	irq_replace(CLOCK, before);
}

void check_interrupts(void)
{
	irq_handler before = irq_replace(CLOCK, tick);

	check_alarm();
	check_clocks_agree();
	check_disabled();
	check_blocked();
	check_halt();
	check_two_sources();
	check_storm();
	irq_replace(CLOCK, before);
	irq_enable();
}
