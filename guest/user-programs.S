/*
 * user-programs.S: what runs in ring 3 during the self-test.
 *
 * These few programs are copied together to one page at USER_TEXT; each begins at its own name, with its argument in eax, a
 * page of data at USER_DATA and a stack below USER_STACK, and ends with exit, or earlier.
 */
#include "user-programs.h"

#define SYS_EXIT 1
#define SYS_WRITE 4
#define SYS_UNKNOWN 999
#define ENOSYS 38

#define AT(symbol) (USER_TEXT + (symbol - user_programs))

	.macro	program name
	.globl	\name
\name:
	.endm

	.macro	exit
	movl	$SYS_EXIT, %eax
	int	$SYSCALL_VECTOR
	.endm

	.section .rodata
	.balign	4
	.globl	user_programs, user_programs_end
user_programs:

program user_hello
	movl	$SYS_WRITE, %eax
	movl	$1, %ebx
	movl	$AT(hello), %ecx
	movl	$(hello_end - hello), %edx
	int	$SYSCALL_VECTOR
	movl	%eax, %ebx
	exit
hello:
	.ascii	"# hello from ring 3\n"
hello_end:

/* What cannot be read must not be printed. */
program user_write_kernel
	movl	$SYS_WRITE, %eax
	movl	$1, %ebx
	movl	$PAGE_OFFSET, %ecx
	movl	$16, %edx
	int	$SYSCALL_VECTOR
	movl	%eax, %ebx
	exit

/* Exits with 0 if a system call left everything but eax as it was, and said that it does not exist. */
program user_registers
	movl	$SYS_UNKNOWN, %eax
	movl	$0xB0B0B0B0, %ebx
	movl	$0xC0C0C0C0, %ecx
	movl	$0xD0D0D0D0, %edx
	movl	$0x51515151, %esi
	movl	$0xD1D1D1D1, %edi
	movl	$0xEBEBEBEB, %ebp
	pushl	$0xED7                        /* all arithmetic flags and the direction */
	popfl
	int	$SYSCALL_VECTOR
	pushfl
	cld
	cmpl	$0xED7, (%esp)
	jne	1f
	cmpl	$-ENOSYS, %eax
	jne	1f
	cmpl	$0xB0B0B0B0, %ebx
	jne	1f
	cmpl	$0xC0C0C0C0, %ecx
	jne	1f
	cmpl	$0xD0D0D0D0, %edx
	jne	1f
	cmpl	$0x51515151, %esi
	jne	1f
	cmpl	$0xD1D1D1D1, %edi
	jne	1f
	cmpl	$0xEBEBEBEB, %ebp
	jne	1f
	cmpl	$(USER_STACK - 4), %esp
	jne	1f
	xorl	%ebx, %ebx
	exit
1:	movl	$1, %ebx
	exit

/* Works until somebody writes into its data: only an interrupt can do that. */
program user_loop
1:	incl	USER_DATA + 4
	cmpl	$0, USER_DATA
	je	1b
	movl	USER_DATA, %ebx
	exit

program user_read
	movl	(%eax), %ebx
	exit

program user_write
	movl	%eax, (%eax)
	xorl	%ebx, %ebx
	exit

/* The argument is a selector for gs. */
program user_segment
	movl	%eax, %gs
	movl	%gs:0, %ebx
	exit

program user_data_segment
	movl	%eax, %ds
	xorl	%ebx, %ebx
	exit

program user_privileges
	movl	%cs, %ebx
	movl	%ss, %eax
	shll	$16, %eax
	orl	%eax, %ebx
	exit

program user_hypercall
	int	$LGUEST_TRAP_ENTRY
	exit

program user_interrupt
	int	$0x21
	exit

program user_breakpoint
	int3
	exit

program user_hlt
	hlt
	exit

program user_cli
	cli
	exit

program user_in
	inb	$0x64, %al
	exit

program user_out
	outb	%al, $0x80
	exit

program user_divide
	xorl	%ecx, %ecx
	divl	%ecx
	exit

/* With AC set, what is not aligned is trap 17, but only in ring 3. */
program user_alignment
	pushfl
	orl	$0x40000, (%esp)
	popfl
	movl	USER_DATA + 1, %ebx
	exit

program user_step
	pushfl
	orl	$0x100, (%esp)
	popfl
	nop
	.globl	user_step_end
user_step_end:
	exit

/* The kernel's selectors are not for us. */
program user_iret
	pushfl
	pushl	$KERNEL_CS
	pushl	$AT(user_hello)
	iret

user_programs_end:
