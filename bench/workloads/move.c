/* The C library's memmove() of 256 megabytes, four at a time, to and fro between overlapping places. */
#include <string.h>
#include "workload.h"

#define BLOCK (4 << 20)
#define ROUNDS 64
#define SLACK 64
#define SAMPLE 4099

static unsigned char buffer[BLOCK + SLACK];

uint32_t move(void)
{
	uint32_t hash = 0;

	for (uint32_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = (unsigned char)(i * 13);
	for (int round = 0; round < ROUNDS; round++) {
		memmove(buffer + (round & 31) + 1, buffer + (round & 7), BLOCK);
		__asm__ volatile("" ::: "memory");
	}
	for (uint32_t i = 0; i < sizeof(buffer); i += SAMPLE)
		hash = hash * 31 + buffer[i];
	return hash;
}
