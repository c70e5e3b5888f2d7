/*
 * selftest-programs.c: whole programs: what all the promises are for.
 */
#include "selftest.h"

static bool runs(const char *path, u32 wanted)
{
	char *words[] = {(char *)path, NULL};
	u32 status = ~0u;

	return process_run(path, words, &status) >= 0 && status == wanted << 8;
}

void check_programs(void)
{
	u32 frames;

	check(runs("/bin/family", 0), "five processes share the CPU, copy their memory when they write, and talk through a pipe");
	check(runs("/bin/faults", 0), "each fault in ring 3 ends its process with the right signal, and no other");
	frames = frames_used();
	runs("/bin/faults", 0);
	check(frames_used() == frames, "processes that have ended have given back all their memory");
}
