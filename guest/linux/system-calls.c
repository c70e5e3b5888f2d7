/*
 * system-calls.c: the table of system calls, and a count of each.
 *
 * A C function takes from the stack what it wants of the six arguments, and does not care about the others.  The names are
 * those of Linux: the old calls with 16-bit users or 32-bit offsets are there where programs still use them.
 */
#include "linux.h"

#define CALLS 452

typedef s32 (*system_call_function)(u32, u32, u32, u32, u32, u32);

/* Each is declared where it is written; here only its address is wanted. */
#define CALL(number, name) AS(number, name, name)
#define AS(number, name, function) void sys_##function(void);
#define NOT_HERE(number, name)
#include "system-call-list.h"
#undef AS
#undef NOT_HERE

static const struct {
	const char *name;
	void (*function)(void);
} calls[CALLS] = {
#define AS(number, name, function) [number] = {#name, sys_##function},
#define NOT_HERE(number, name) [number] = {#name, NULL},
#include "system-call-list.h"
};

static u32 counts[CALLS], others;

/* Programs ask for their system calls here: number in eax, arguments in ebx, ecx, edx, esi, edi, ebp. */
void process_system_call(struct trap_frame *frame)
{
	u32 number = frame->eax;
	void (*function)(void);

	frame->error = number;           /* for those that have to be made again */
	if (number >= CALLS) {
		others++;
		frame->eax = (u32)-ENOSYS;
		return;
	}
	counts[number]++;
	function = calls[number].function;
	frame->eax = function ? (u32)((system_call_function)(void *)function)(frame->ebx, frame->ecx, frame->edx, frame->esi,
									       frame->edi, frame->ebp)
			      : (u32)-ENOSYS;
}

static void list(bool here, const char *title)
{
	u32 number, shown = 0;

	for (number = 0; number < CALLS; number++) {
		if (!counts[number] || (calls[number].function != NULL) != here)
			continue;
		if (!shown)
			print("%s\n", title);
		print("%5u %-22s %8u%s", number, calls[number].name ? calls[number].name : "?", counts[number], shown % 2 ? "\n" : "");
		shown++;
	}
	print("%s", shown % 2 ? "\n" : "");
}

/* The command "syscalls". */
void system_calls_list(u32 argument_count, char **words)
{
	(void)argument_count, (void)words;
	list(true, "Programs have made these system calls:");
	list(false, "and these, which there are not (they were told ENOSYS):");
	if (others)
		print("beyond the table: %u\n", others);
}
