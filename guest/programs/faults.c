/*
 * faults.c: what becomes of children that misbehave: the signal that ends each of them; and of who asks for too much.
 */
#include "start.h"

static const struct {
	const char *what;
	u32 signal;
} deeds[] = {
	{"reads what is not there", 11}, {"divides by zero", 8}, {"runs into nonsense", 4}, {"meets int3", 5}, {"touches the kernel", 11},
};

static void misbehave(u32 deed)
{
	volatile u32 zero = 0, nowhere = 16, kernel = 0xC0100000;

	switch (deed) {
	case 0: (void)*(volatile u32 *)nowhere; break;
	case 1: asm volatile("divl %0" : : "rm"(zero), "a"(1), "d"(0)); break;
	case 2: asm volatile("ud2"); break;
	case 3: asm volatile("int3"); break;
	case 4: *(volatile u32 *)kernel = 0;
	}
}

int main(int count, char **words)
{
	u32 index, wrong = 0;
	int status;

	(void)count, (void)words;
	for (index = 0; index < sizeof(deeds) / sizeof(deeds[0]); index++) {
		if (system_call(SYS_FORK, 0, 0, 0) == 0) {
			misbehave(index);
			return 0;
		}
		system_call(SYS_WAITPID, (u32)-1, (u32)&status, 0);
		say("who ");
		say(deeds[index].what);
		say(" is ended by signal ");
		say_number((u32)status & 0x7F);
		say("\n");
		wrong += ((u32)status & 0x7F) != deeds[index].signal;
	}
	say("who asks for what there is not is told ");
	say_number((u32)-system_call(SYS_BREAK, 0, 0, 0));
	say("\n");
	return (int)wrong;
}
