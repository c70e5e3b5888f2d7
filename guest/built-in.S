/*
 * built-in.S: the programs of programs/, as files in the image, so that there is something to run where no initrd is.
 */
	.macro	program name
	.section .rodata
	.balign	16
begin_\name:
	.incbin	"\name\().program"
end_\name:
name_\name:
	.asciz	"/bin/\name"
	.section .data
	.long	name_\name, begin_\name, end_\name
	.endm

	.section .data
	.balign	4
	.globl	built_in_programs
built_in_programs:
	program	hello
	program	family
	program	faults
	.section .data
	.long	0, 0, 0
