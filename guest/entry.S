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
	xorl	%edx, %edx                /* a program's thread-local segment may vanish while we work */
	movl	%edx, %fs
	movl	%edx, %gs
	pushl	%esp
	call	trap
	addl	$4, %esp

	.globl	trap_return, lguest_noirq_iret, pop_gs, pop_fs, pop_es, pop_ds
trap_return:
	popa
pop_gs:	popl	%gs
pop_fs:	popl	%fs
pop_es:	popl	%es
pop_ds:	popl	%ds
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

/*
 * void switch_stacks(u32 *save_esp, u32 esp): go on where the task that owns the other stack was switched away from.  A new
 * task was never switched away from: task_create() has made its stack look as if it had been, here in task_entry.
 */
	.globl	switch_stacks, task_entry
switch_stacks:
	movl	4(%esp), %eax
	movl	8(%esp), %edx
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	movl	%esp, (%eax)
	movl	%edx, %esp
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	ret

task_entry:
	pushl	%esp                      /* the frame lies right above */
	call	task_started
	addl	$4, %esp
	jmp	trap_return

/* u32 copy_user(void *to, const void *from, u32 bytes): 0 if all was copied (linux/user-copy.c).  Words, then the rest. */
	.globl	copy_user, copy_user_begin, copy_user_end, copy_user_failed
copy_user:
	pushl	%esi
	pushl	%edi
	movl	12(%esp), %edi
	movl	16(%esp), %esi
	movl	20(%esp), %ecx
	movl	%ecx, %eax
	andl	$3, %eax                  /* what the words leave over */
	shrl	$2, %ecx
copy_user_begin:
	rep movsl
	movl	%eax, %ecx
	xorl	%eax, %eax
	rep movsb
copy_user_end:
copy_user_failed:
	addl	%ecx, %eax
	popl	%edi
	popl	%esi
	ret

	.bss
	.balign	4
kernel_context:	.skip 4
