/*
 * entry.S: the way in and the way out of a trap, an interrupt and a system call.
 *
 * The Host does for us what a CPU would: it pushes eflags, cs and eip (and before them ss and esp if a program was
 * interrupted, and after them an error code for some), clears irq_enabled, and goes on at the gate we have registered.
 */
#include "lguest.h"

/* Vectors for which there is an error code on the stack: 8, 10 to 14 and 17.  The others push a 0 to look the same. */
#define HAS_ERROR_CODE 0x27D00
#define STUB_VECTORS 64

	.text

	.macro	stub
	.balign	16
	.ifeq	(HAS_ERROR_CODE >> (vector & 31)) & (vector < 32) & 1
	pushl	$0
	.endif
	pushl	$vector
	jmp	trap_common
	.endm

/* Vector n is at trap_stubs + 16 * n: 32 traps and 32 interrupts. */
	.balign	16
	.globl	trap_stubs, syscall_stub
trap_stubs:
vector = 0
	.rept	STUB_VECTORS
	stub
vector = vector + 1
	.endr

vector = SYSCALL_VECTOR
syscall_stub:
	stub

/* Completes struct trap_frame and calls trap(frame).  What happens to the frame there, happens to the interrupted code. */
trap_common:
	cld
	pushl	%ds
	pushl	%es
	pushl	%fs
	pushl	%gs
	pusha
	movl	$KERNEL_DS, %edx
	movl	%edx, %ds
	movl	%edx, %es
	pushl	%esp
	call	trap
	addl	$4, %esp

	.globl	trap_return, lguest_noirq_iret
trap_return:
	popa
	popl	%gs
	popl	%fs
	popl	%es
	popl	%ds
	addl	$8, %esp                  /* vector and error code */

/*
 * A real iret brings the interrupt flag back together with everything else, in one instruction.  Ours is a word in
 * memory, so it takes two, and in between an interrupt would be pushed on top of a frame that is about to be popped: a
 * storm of interrupts would eat the stack.  The Host knows the address of the second one (lguest_data.noirq_iret): an
 * interrupt that would come there takes over the frame which lies there already.
 *
 * ds may be a program's: only ss is certain to be ours.
 */
	pushl	8(%esp)
	popl	%ss:lguest_data           /* irq_enabled is its first word; the whole of eflags, of which IF matters */
lguest_noirq_iret:
	iret

/*
 * u32 enter_user(const struct trap_frame *frame): leave for ring 3 with these registers.  It returns when somebody calls
 * leave_user(), with the value given there: the registers that C wants kept wait on this stack, while system calls,
 * traps and interrupts of the program come in on the one that LHCALL_SET_STACK named.
 */
	.globl	enter_user, leave_user
enter_user:
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	movl	20(%esp), %esi
	movl	%esp, kernel_context
	subl	$TRAP_FRAME_SIZE, %esp
	movl	%esp, %edi
	movl	$(TRAP_FRAME_SIZE / 4), %ecx
	rep movsl
	jmp	trap_return

leave_user:
	movl	4(%esp), %eax
	movl	kernel_context, %esp
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	ret

	.bss
	.balign	4
kernel_context:	.skip 4
