/*
 * workloads [name...]: runs each and says so on lines that the harness reads:
 *
 *	@begin sieve
 *	@end sieve 000c065c 0.041234 0.040912
 *
 * with the result, the seconds that passed and the seconds of processor time that it took, children included, both as the
 * kernel counts them. Without a name: all of them, in the order of the table. BUILD is the end of all names: it tells what
 * this build is of.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "workload.h"

#ifndef BUILD
#define BUILD ""
#endif

static const struct {
	const char *name;
	workload *run;
} workloads[] = {
	{ "sieve" BUILD, sieve },
	{ "qsort" BUILD, quicksort },
	{ "crc32" BUILD, crc32 },
	{ "xorshift" BUILD, xorshift },
	{ "tree" BUILD, tree },
	{ "memmove" BUILD, move },
	{ "mandelbrot" BUILD, mandelbrot },
	{ "matmul" BUILD, matmul },
	{ "processes" BUILD, processes },
};

void fail(const char *what)
{
	perror(what);
	exit(1);
}

void *allocate(unsigned long bytes)
{
	void *memory = calloc(bytes, 1);

	if (!memory)
		fail("calloc");
	return memory;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static double processor_time_of(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static double processor_time(void)
{
	return processor_time_of(RUSAGE_SELF) + processor_time_of(RUSAGE_CHILDREN);
}

static void run(unsigned int index)
{
	double began, used;
	uint32_t result;

	printf("@begin %s\n", workloads[index].name);
	fflush(stdout);
	began = now();
	used = processor_time();
	result = workloads[index].run();
	used = processor_time() - used;
	began = now() - began;
	printf("@end %s %08x %.6f %.6f\n", workloads[index].name, result, began, used);
	fflush(stdout);
}

static int is_wanted(const char *name, int count, char *names[])
{
	if (count == 0)
		return 1;
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return 1;
	return 0;
}

int main(int argc, char *argv[])
{
	for (unsigned int i = 0; i < sizeof(workloads) / sizeof(*workloads); i++)
		if (is_wanted(workloads[i].name, argc - 1, argv + 1))
			run(i);
	return 0;
}
