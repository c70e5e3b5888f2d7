/*
 * start.h: all that our own programs have for a library: the way in, system calls, a little text.
 */
#ifndef GUEST_PROGRAMS_START_H
#define GUEST_PROGRAMS_START_H

typedef unsigned int u32;

#define SYS_EXIT 1
#define SYS_FORK 2
#define SYS_READ 3
#define SYS_WRITE 4
#define SYS_WAITPID 7
#define SYS_TIME 13
#define SYS_BREAK 17             /* a number that Linux has given to nobody since 1.0 */
#define SYS_GETPID 20
#define SYS_KILL 37
#define SYS_PIPE 42
#define SYS_SCHED_YIELD 158
#define SYS_NANOSLEEP 162

int main(int count, char **words);

static inline int system_call(int number, u32 a, u32 b, u32 c)
{
	int result;

	asm volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

/* The stack holds the number of arguments, and then their addresses. */
asm(".globl _start\n_start:\n\tmovl %esp, %eax\n\tleal 4(%eax), %edx\n\tpushl %edx\n\tpushl (%eax)\n\tcall main\n"
    "\tmovl %eax, %ebx\n\tmovl $1, %eax\n\tint $0x80\n");

static inline void say(const char *text)
{
	u32 length = 0;

	while (text[length])
		length++;
	system_call(SYS_WRITE, 1, (u32)text, length);
}

static inline void say_number(u32 value)
{
	char digits[11], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	say(at);
}

#endif
