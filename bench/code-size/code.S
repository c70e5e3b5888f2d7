/*
 * code N...: runs N kilobytes of code that is nowhere the same: functions of 64 bytes, each called as often as makes 4 M calls in
 * all, and says so on the lines that the harness reads, with a sum that depends on every one of them.
 */
#define FUNCTIONS 0x40000
	.text
	.p2align 6
functions:
	.set i, 0
	.rept FUNCTIONS
	xor $i, %eax
	imul $0x01000193, %eax, %eax
	rol $5, %eax
	lea i(%eax, %ecx, 2), %edx
	test $1, %al
	jz 1f
	add %edx, %eax
	xor $(i * 5), %eax
1:	ret
	.p2align 6
	.set i, i + 1
	.endr
	.globl run_functions
/* unsigned run_functions(unsigned count, unsigned times) */
run_functions:
	push %ebx
	push %esi
	push %edi
	mov 20(%esp), %esi
	mov $1, %eax
1:	mov $functions, %ebx
	mov 16(%esp), %ecx
2:	call *%ebx
	add $64, %ebx
	dec %ecx
	jnz 2b
	dec %esi
	jnz 1b
	pop %edi
	pop %esi
	pop %ebx
	ret
	.section .note.GNU-stack, "", @progbits
