/*
 * selftest.c: does the Host keep its promises?  One line for each, `ok` or `not ok`, and a sum.
 */
#include "selftest.h"
#include "io.h"

static u32 passed_count, failed_count;

u32 attempt_at, attempt_stack;

static void line(bool passed, const char *name, const char *remark)
{
	print("%s %02u %s%s\n", passed ? "ok" : "not ok", passed_count + failed_count + 1, name, remark);
	if (passed)
		passed_count++;
	else
		failed_count++;
}

void check(bool passed, const char *name)
{
	line(passed, name, "");
}

/* What cannot be checked here has not failed. */
void skip(const char *name, const char *why)
{
	line(true, name, why);
}

u64 rough_clock(void)
{
	return lguest_data.tsc_khz ? clock_ns() : read_tsc();
}

/* Returns how many failed. */
u32 selftest(void)
{
	u32 frames;

	passed_count = failed_count = 0;
	check_programs();
	frames = frames_used();
	check_hypercalls();
	check_segments();
	check_traps();
	check_paging();
	check_interrupts();
	check_devices();
	check_processor();
	check_user();
	check(frames_used() == frames, "all memory borrowed for this was given back");
	print("%u passed, %u failed\n", passed_count, failed_count);
	return failed_count;
}
