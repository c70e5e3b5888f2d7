/*
 * The programs that speed is measured by. Each does one thing for a fraction of a second and gives a number that must come
 * out the same on every machine: a fast wrong answer is none.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdint.h>

typedef uint32_t workload(void);

workload sieve, quicksort, crc32, xorshift, tree, move, mandelbrot, matmul, processes;

/* A sequence that is the same everywhere: Marsaglia's xorshift64. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
#define FIRST_RANDOM 0x139408dcbbf7a44ull

/* Ends a workload that cannot go on. */
void fail(const char *what) __attribute__((noreturn));
void *allocate(unsigned long bytes);

#endif
