// Processes: families, pipes, waiting, and the small questions to the kernel.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void waiting(void)
{
	int status, found = 0;
	pid_t child = fork();

	if (!child)
		_exit(42);
	printf("%d", waitpid(child, &status, 0) == child);
	printf(" %d %d\n", WIFEXITED(status), WEXITSTATUS(status));
	for (int i = 0; i < 10; i++)
		if (!fork())
			_exit(i);
	while (wait(&status) > 0)
		found |= 1 << WEXITSTATUS(status);
	printf("%x %s\n", found, strerror(errno));
	child = fork();
	if (!child)
		for (;;)
			pause();
	printf("%d\n", waitpid(child, &status, WNOHANG));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	printf("%d\n", WTERMSIG(status));
}

static void pipes(void)
{
	int ends[2], other[2];
	char text[100] = {0};
	struct pollfd polled[2];
	fd_set set;

	if (pipe(ends) < 0 || pipe2(other, O_NONBLOCK | O_CLOEXEC) < 0)
		exit(1);
	printf("%d %s\n", (int)read(other[0], text, 1), strerror(errno));
	polled[0] = (struct pollfd){ends[0], POLLIN, 0};
	polled[1] = (struct pollfd){ends[1], POLLOUT, 0};
	printf("poll %d", poll(polled, 2, 0));
	printf(" %x %x\n", polled[0].revents, polled[1].revents);
	if (!fork()) {
		struct iovec parts[3] = {{"one ", 4}, {"two ", 4}, {"three", 5}};

		usleep(10000);
		_exit(writev(ends[1], parts, 3) != 13);
	}
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	printf("select %d\n", select(ends[0] + 1, &set, NULL, NULL, NULL));
	printf("%d %s\n", (int)read(ends[0], text, sizeof(text)), text);
	wait(NULL);
	close(ends[1]);
	printf("poll %d", poll(polled, 1, -1));
	printf(" %x read %d\n", polled[0].revents, (int)read(ends[0], text, 1));
	for (int i = 0; write(other[1], text, 100) == 100; i++)
		text[0] = (char)i;
	printf("full: %s\n", strerror(errno));
	close(other[0]);
	signal(SIGPIPE, SIG_IGN);
	printf("%d %s\n", (int)write(other[1], text, 1), strerror(errno));
}

static void files(void)
{
	struct stat stat;
	struct dirent *entry;
	DIR *directory;
	int file, count = 0;
	char text[32] = {0};

	mkdir("folder", 0755);
	for (int i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "folder/file-%d", i);
		close(open(text, O_CREAT | O_WRONLY, 0644));
	}
	directory = opendir("folder");
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.' && unlinkat(dirfd(directory), entry->d_name, 0) == 0;
	closedir(directory);
	printf("%d files, rmdir %d\n", count, rmdir("folder"));
	file = open("one", O_RDWR | O_CREAT | O_EXCL, 0640);
	printf("%d %s\n", open("one", O_RDWR | O_CREAT | O_EXCL, 0640), strerror(errno));
	lseek(file, 10000, SEEK_SET);
	write(file, "end", 3);
	fstat(file, &stat);
	printf("%ld %o %d\n", (long)stat.st_size, stat.st_mode, (int)stat.st_nlink);
	lseek(file, -5, SEEK_END);
	printf("%d", (int)read(file, text, 10));
	printf(" %d%d%s\n", text[0], text[1], text + 2);
	unlink("one");
	fstat(file, &stat);
	printf("%d links, still %ld bytes\n", (int)stat.st_nlink, (long)stat.st_size);
	printf("%d %s\n", fcntl(file, F_GETFL) & O_ACCMODE, strerror(close(99) ? errno : 0));
}

static void spawning(char *self)
{
	char *words[] = {self, "again", "and again", NULL};
	pid_t child;
	int status, error;

	error = posix_spawn(&child, self, NULL, NULL, words, environ);
	waitpid(child, &status, 0);
	printf("spawned %d %d\n", error, WEXITSTATUS(status));
	printf("%s\n", strerror(posix_spawn(&child, "/no/such/program", NULL, NULL, words, environ)));
}

int main(int count, char **words)
{
	struct timespec before, after;

	if (count > 1) {
		printf("%d %s %s %s\n", count, words[1], words[2], getenv("LGUEST_TEST") ? "with" : "without");
		return 5;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("LGUEST_TEST", "1", 1);
	waiting();
	pipes();
	files();
	spawning(words[0]);
	clock_gettime(CLOCK_MONOTONIC, &before);
	nanosleep(&(struct timespec){0, 20000000}, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	printf("slept %s\n", (after.tv_sec - before.tv_sec) * 1000000000ll + after.tv_nsec - before.tv_nsec >= 20000000 ? "enough" : "too little");
	printf("%d %d\n", getpid() == getpgid(0) || getpgrp() > 0, getppid() >= 0);
	return 0;
}
