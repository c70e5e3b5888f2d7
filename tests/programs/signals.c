// Signals: who gets which, with what, in which order, and where the program goes on.
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile sig_atomic_t count;
void *expected_eip;

static void faulted(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *regs = uc->uc_mcontext.gregs;

	printf("signal %d code %d trap %d eip %s addr %d\n", signal, info->si_code, regs[REG_TRAPNO],
	       (void *)regs[REG_EIP] == expected_eip ? "right" : "wrong", signal == SIGSEGV ? (int)(long)info->si_addr : -1);
	siglongjmp(back, 1);
}

#define PROVOKE(code, ...) \
	do { \
		if (!sigsetjmp(back, 1)) { \
			asm volatile("movl $1f, expected_eip\n1:\t" code : : __VA_ARGS__ : "memory", "cc"); \
			printf("nothing happened\n"); \
		} \
	} while (0)

static void faults(void)
{
	struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO};

	for (size_t i = 0; i < 5; i++)
		sigaction((int[]){SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGTRAP}[i], &action, NULL);
	PROVOKE("movl 16, %%eax", "a"(0));
	PROVOKE("movl $1, %0", "m"(*(int *)32));
	PROVOKE("divl %0", "r"(0), "a"(1), "d"(0));
	PROVOKE("ud2", "r"(0));
	PROVOKE("hlt", "r"(0));
	PROVOKE("int $0x20", "r"(0));
	PROVOKE("movw %w0, %%ds", "r"(0x7F));
}

static void add(int signal) { count = count * 10 + signal % 10; }

static void order(void)
{
	sigset_t set, old;

	signal(SIGUSR1, add);
	signal(SIGUSR2, add);
	signal(SIGRTMIN, add);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, &old);
	raise(SIGRTMIN);
	raise(SIGRTMIN);
	raise(SIGUSR2);
	raise(SIGUSR2);
	raise(SIGUSR1);
	sigpending(&set);
	printf("pending %d %d %d\n", sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2), sigismember(&set, SIGHUP));
	sigprocmask(SIG_SETMASK, &old, NULL);
	printf("%d\n", (int)count);
}

static void change(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)signal, (void)info;
	uc->uc_mcontext.gregs[REG_EAX] = 4711;
	uc->uc_mcontext.gregs[REG_EIP] += 2;
	*(volatile double *)&(double){0} = 1.0 / 3.0;
}

static void context(void)
{
	struct sigaction action = {.sa_sigaction = change, .sa_flags = SA_SIGINFO};
	int eax;
	double x = 2.5;

	sigaction(SIGILL, &action, NULL);
	asm volatile("fldl %2; ud2; fstpl %1" : "=&a"(eax), "+m"(x) : "m"(x));
	printf("changed %d, kept %g\n", eax, x);
}

static void on_stack(int signal)
{
	stack_t now;

	(void)signal;
	sigaltstack(NULL, &now);
	printf("on the other stack: %s\n", now.ss_flags == SS_ONSTACK ? "yes" : "no");
}

static void interrupted(int signal) { (void)signal; }

static void rest(void)
{
	static char memory[16384];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};
	struct sigaction action = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK};
	struct itimerval timer = {.it_value = {.tv_usec = 20000}};
	int ends[2], status;
	char c;
	pid_t child;

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);

	action = (struct sigaction){.sa_handler = interrupted};
	sigaction(SIGALRM, &action, NULL);
	if (pipe(ends) < 0)
		exit(1);
	setitimer(ITIMER_REAL, &timer, NULL);
	printf("read: %d", (int)read(ends[0], &c, 1));
	printf(" %s\n", errno == EINTR ? "EINTR" : "?");

	fflush(stdout);
	for (int signal = 1; signal < 32; signal++) {
		child = fork();
		if (!child) {
			sigset_t all;

			setpgid(0, 0);           /* who has nobody to continue him does not stop */
			for (int i = 1; i < 32; i++)
				sigaction(i, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
			sigfillset(&all);
			sigprocmask(SIG_UNBLOCK, &all, NULL);
			kill(getpid(), signal);
			_exit(0);
		}
		waitpid(child, &status, WUNTRACED);
		printf("%d:%s ", signal, WIFSTOPPED(status) ? "stopped" : WIFSIGNALED(status) ? "killed" : "ignored");
		if (WIFSTOPPED(status)) {
			kill(child, SIGCONT);
			waitpid(child, &status, 0);
		}
	}
	printf("\n");
}

int main(void)
{
	faults();
	order();
	context();
	rest();
	return 0;
}
