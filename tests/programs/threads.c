// Threads: they run, share, wait for each other, and have memory of their own.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 6
#define ROUNDS 500

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int total, turn, firsts, atomic;
static _Thread_local int own;

static void first(void) { firsts++; }

static void *work(void *argument)
{
	int me = (int)(long)argument;

	pthread_once(&once, first);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		total += me;
		pthread_mutex_unlock(&mutex);
		__sync_fetch_and_add(&atomic, 1);
		own += me;
	}
	pthread_barrier_wait(&barrier);
	pthread_mutex_lock(&mutex);
	while (turn != me)
		pthread_cond_wait(&changed, &mutex);
	printf("thread %d: own %d\n", me, own);
	turn++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	return (void *)(long)(me * me);
}

static void *brief(void *argument) { return argument; }

static void *endless(void *argument)
{
	for (;;)
		sleep(1000);
	return argument;
}

int main(void)
{
	pthread_t threads[THREADS], other;
	void *result;
	long sum = 0;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		sum += (long)result;
	}
	printf("joined: %ld\n", sum);
	printf("total %d, atomic %d, once %d, own %d\n", total, atomic, firsts, own);
	pthread_create(&other, NULL, endless, NULL);
	pthread_cancel(other);
	pthread_join(other, &result);
	printf("cancelled: %s\n", result == PTHREAD_CANCELED ? "yes" : "no");
	pthread_create(&other, NULL, brief, NULL);
	usleep(20000);           /* it ends while nobody else has anything to do */
	pthread_join(other, &result);
	printf("slept: %s\n", result ? "no" : "yes");
	pthread_create(&other, NULL, endless, NULL);
	return 0;                /* the other thread ends with us */
}
