/* The product of two matrices of 600 by 600 doubles, row by row: two loads, a multiplication, an addition, a store. */
#include <stdlib.h>
#include "workload.h"

#define N 600

static double a[N][N], b[N][N], c[N][N];

uint32_t matmul(void)
{
	double sum = 0;

	for (int i = 0; i < N * N; i++) {
		a[i / N][i % N] = i % 7 + 0.5;
		b[i / N][i % N] = i % 5 - 1.25;
		c[i / N][i % N] = 0;
	}
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				c[i][j] += a[i][k] * b[k][j];
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			sum += c[i][j];
	return (uint32_t)(long long)sum;
}
