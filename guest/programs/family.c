/*
 * family.c: a parent and four children that compute at the same time, and tell the result through a pipe: pages copied when
 * they are written, and a CPU that is shared by the alarm.
 */
#include "start.h"

#define CHILDREN 4
#define LIMIT 8000

static char sieve[LIMIT];        /* every child crosses out in a copy of its own */

static u32 primes_below(u32 limit)
{
	u32 number, multiple, count = 0;

	for (number = 2; number < limit; number++) {
		if (sieve[number])
			continue;
		count++;
		for (multiple = number * number; number < 90 && multiple < limit; multiple += number)
			sieve[multiple] = 1;
	}
	return count;
}

int main(int count, char **words)
{
	int ends[2], status, ended, index;
	u32 result[2];

	(void)count, (void)words;
	if (system_call(SYS_PIPE, (u32)ends, 0, 0) < 0)
		return 1;
	for (index = 1; index <= CHILDREN; index++)
		if (system_call(SYS_FORK, 0, 0, 0) == 0) {
			result[0] = (u32)index * (LIMIT / CHILDREN);
			result[1] = primes_below(result[0]);
			system_call(SYS_WRITE, (u32)ends[1], (u32)result, sizeof(result));
			return index;
		}
	for (index = 0; index < CHILDREN; index++) {
		system_call(SYS_READ, (u32)ends[0], (u32)result, sizeof(result));
		say_number(result[1]);
		say(" primes below ");
		say_number(result[0]);
		say("\n");
	}
	for (index = 0; (ended = system_call(SYS_WAITPID, (u32)-1, (u32)&status, 0)) > 0;)
		index += status >> 8;
	say(index == 1 + 2 + 3 + 4 && sieve[4] == 0 ? "all children have come home\n" : "something is wrong with the family\n");
	return 0;
}
