/*
 * hello.c: a program in ring 3: it says who it is, and what it was given.
 */
#include "start.h"

int main(int count, char **words)
{
	int index;

	say("hello from ring 3: I am process ");
	say_number((u32)system_call(SYS_GETPID, 0, 0, 0));
	say("\n");
	for (index = 1; index < count; index++) {
		say(words[index]);
		say(index + 1 < count ? " " : "\n");
	}
	return 0;
}
