/*
 * selftest.h: how to write a check.
 *
 * A check is a sentence and whether it is true.  Many of them are about traps, so there is ATTEMPT: run an instruction of
 * which we expect that it does not succeed, and find in `caught` what became of it.
 */
#ifndef GUEST_SELFTEST_H
#define GUEST_SELFTEST_H

#include "guest.h"

void check(bool passed, const char *name);
void skip(const char *name, const char *why);

/* Where the attempted instruction is, and where the stack was. */
extern u32 attempt_at, attempt_stack;

/*
 * Inputs as in inline assembly, %1 and so on; eax (%0) begins with `eax` and may be spoiled, and the stack may be left in
 * any state.  All other registers must stay.
 */
#define ATTEMPT_WITH(eax, code, ...) \
	do { \
		u32 spoiled = eax; \
		caught.vector = NO_TRAP; \
		asm volatile("movl $98f, attempt_at\n\t" \
			     "movl %%esp, attempt_stack\n\t" \
			     "movl $99f, catch_resume_at\n" \
			     "98:\t" code "\n" \
			     "99:\tmovl $0, catch_resume_at\n\t" \
			     "movl attempt_stack, %%esp" \
			     : "+a"(spoiled) \
			     : __VA_ARGS__ \
			     : "memory", "cc"); \
	} while (0)

#define ATTEMPT(code, ...) ATTEMPT_WITH(0, code, __VA_ARGS__)

/* A fault leaves eip at the instruction: what it wanted to do can be tried again. */
static inline bool faulted(u32 vector, u32 error)
{
	return caught.vector == vector && caught.frame.error == error && caught.frame.eip == attempt_at;
}

/*
 * For waiting while working: nanoseconds, roughly.  A counter that the Host calls useless for telling the time still counts,
 * and clock_ns() then stands still between interrupts.
 */
u64 rough_clock(void);

/* Wait until it is true, working all the while; false after ten seconds, which only a Guest that fails ever waits. */
#define SPIN_UNTIL(condition) \
	({ \
		u64 end_of_patience = rough_clock() + 10 * (u64)NSEC_PER_SEC; \
		while (!(condition) && rough_clock() < end_of_patience) \
			asm volatile("pause" : : : "memory"); \
		(condition); \
	})

#define SPIN_FOR(nanoseconds) \
	do { \
		u64 end_of_spin = rough_clock() + (nanoseconds); \
		while (rough_clock() < end_of_spin) \
			asm volatile("pause" : : : "memory"); \
	} while (0)

/* Three pages of kernel address space for experiments. */
#define LABORATORY (DEVICE_WINDOW + DEVICE_WINDOW_SIZE / 2)

void check_hypercalls(void);
void check_segments(void);
void check_traps(void);
void check_paging(void);
void check_interrupts(void);
void check_devices(void);
void check_processor(void);
void check_user(void);
void check_programs(void);

#endif
