/* 16 million rounds of xorshift64*: 64-bit shifts and a multiplication, each in several 32-bit instructions. */
#include "workload.h"

#define ROUNDS 16000000
#define MULTIPLIER 2685821657736338717ull

uint32_t xorshift(void)
{
	uint64_t state = FIRST_RANDOM, sum = 0;

	for (int i = 0; i < ROUNDS; i++) {
		state ^= state >> 12;
		state ^= state << 25;
		state ^= state >> 27;
		sum += state * MULTIPLIER;
	}
	return (uint32_t)(sum ^ sum >> 32);
}
