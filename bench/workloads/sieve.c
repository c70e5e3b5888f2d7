/* The sieve of Eratosthenes over 12 million bytes: one store per step, with strides from 2 to millions. */
#include <stdlib.h>
#include "workload.h"

#define NUMBERS 12000000

uint32_t sieve(void)
{
	unsigned char *composite = allocate(NUMBERS);
	uint32_t primes = 0;

	for (uint32_t i = 2; i < NUMBERS; i++) {
		if (composite[i])
			continue;
		primes++;
		for (uint32_t multiple = 2 * i; multiple < NUMBERS; multiple += i)
			composite[multiple] = 1;
	}
	free(composite);
	return primes;
}
