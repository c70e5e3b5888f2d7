/* The Mandelbrot set, 600 by 400 points of 256 steps in double: arithmetic on a few registers, and a comparison. */
#include "workload.h"

#define WIDTH 600
#define HEIGHT 400
#define STEPS 256

static int steps_at(double cr, double ci)
{
	double zr = 0, zi = 0;
	int steps = 0;

	for (; steps < STEPS; steps++) {
		double rr = zr * zr, ii = zi * zi;

		if (rr + ii > 4)
			break;
		zi = 2 * zr * zi + ci;
		zr = rr - ii + cr;
	}
	return steps;
}

uint32_t mandelbrot(void)
{
	uint32_t sum = 0;

	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			sum += (uint32_t)steps_at(x / 200.0 - 2.2, y / 200.0 - 1);
	return sum;
}
