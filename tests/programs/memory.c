// Memory: mapped, shared, protected, copied when written, and code that changes itself.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static sigjmp_buf back;

static void faulted(int signal, siginfo_t *info, void *context)
{
	(void)context;
	printf("signal %d code %d\n", signal, info->si_code);
	siglongjmp(back, 1);
}

static void protection(void)
{
	struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO};
	char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	memset(memory, 7, 4 * PAGE);
	mprotect(memory + PAGE, PAGE, PROT_READ);
	if (!sigsetjmp(back, 1))
		memory[PAGE] = 1;
	mprotect(memory + PAGE, PAGE, PROT_NONE);
	if (!sigsetjmp(back, 1))
		printf("%d\n", *(volatile char *)(memory + PAGE));
	mprotect(memory + PAGE, PAGE, PROT_READ | PROT_WRITE);
	printf("still %d\n", memory[PAGE]);
	munmap(memory + 2 * PAGE, PAGE);
	if (!sigsetjmp(back, 1))
		printf("%d\n", *(volatile char *)(memory + 2 * PAGE));
	printf("around it %d %d\n", memory[2 * PAGE - 1], memory[3 * PAGE]);
	madvise(memory, PAGE, MADV_DONTNEED);
	printf("zero again %d\n", memory[5]);
}

static void files(void)
{
	int file = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *shared, *private, text[16] = {0};

	if (ftruncate(file, PAGE + 100) < 0)
		exit(1);
	shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	strcpy(shared + 10, "shared");
	printf("seen by the other mapping: %s\n", private + 10);
	strcpy(private + 10, "private");
	pread(file, text, 6, 10);
	printf("in the file: %s\n", text);
	strcpy(shared + PAGE + 90, "at the end");
	printf("%d\n", (int)pread(file, text, 16, PAGE + 90));
	if (ftruncate(file, 0) == 0 && !sigsetjmp(back, 1))
		printf("%d\n", *(volatile char *)shared);
	unlink("mapped");
	close(file);
}

static void copies(void)
{
	char *private = malloc(100000), *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;

	memset(private, 1, 100000);
	for (int i = 0; i < 3; i++) {
		if (!fork()) {
			private[50000] += (char)i;
			shared[i] = (char)(private[50000] * 2);
			_exit(private[99999]);
		}
		wait(&status);
		printf("child %d: %d, status %d, mine %d\n", i, shared[i], WEXITSTATUS(status), private[50000]);
	}
	private = realloc(private, 3000000);
	memset(private + 100000, 2, 2900000);
	private = realloc(private, 5000000);
	printf("moved: %d %d\n", private[99999], private[2999999]);
	free(private);
}

static void code(void)
{
	unsigned char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*function)(void) = (int (*)(void))memory, sum = 0;
	/* mov $0, %eax; next: movb $0, (here + 1); add $1, %eax; ret: the add changes while we run towards it */
	static const unsigned char self[] = {0x31, 0xC0, 0xC6, 0x05, 0, 0, 0, 0, 0x2A, 0x83, 0xC0, 0x01, 0xC3};
	unsigned operand = (unsigned)memory + 11;

	for (int i = 0; i < 1000; i++) {
		memory[0] = 0xB8;
		memcpy(memory + 1, &i, 4);
		memory[5] = 0xC3;
		sum += function();
	}
	memcpy(memory, self, sizeof(self));
	memcpy(memory + 4, &operand, 4);
	printf("code %d %d\n", sum, function());
}

int main(void)
{
	char *heap = sbrk(0);

	protection();
	files();
	copies();
	code();
	printf("heap %s\n", sbrk(20000) >= (void *)heap ? "grows" : "shrinks");
	if (mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		printf("%s\n", strerror(errno));
	return 0;
}
