/* The C library's qsort() of 1.6 million numbers: an indirect call and a return for each comparison. */
#include <stdlib.h>
#include "workload.h"

#define NUMBERS 1600000
#define SAMPLE 1000

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

uint32_t quicksort(void)
{
	int *numbers = allocate(NUMBERS * sizeof(int));
	uint64_t random = FIRST_RANDOM;
	uint32_t hash = 0;

	for (int i = 0; i < NUMBERS; i++)
		numbers[i] = (int)next_random(&random);
	qsort(numbers, NUMBERS, sizeof(int), compare);
	for (int i = 0; i < NUMBERS; i += SAMPLE)
		hash = hash * 31 + (uint32_t)numbers[i];
	free(numbers);
	return hash;
}
