/*
 * boot.S: the first instructions.
 *
 * The Launcher jumps to `startup` at its physical address, in ring 1, with the zero page at esi (0) and no page tables:
 * the Host calls that "linear mode", and every address means itself.  We are linked at PAGE_OFFSET though, so until the
 * jump at the end every symbol has to be brought down by PA().
 *
 * Three jobs: keep what the Launcher told us, build page tables that show the first 8 MB both where we are and where we
 * want to be, and introduce ourselves to the Host.
 */
#include "lguest.h"

#define PA(symbol) (symbol - PAGE_OFFSET)

#define PTE_FLAGS 0x003        /* present, writable */
#define TABLE_FLAGS 0x063      /* the same, and accessed and dirty: a directory entry may have these */
#define PAE_TOP_FLAGS 0x001    /* a PAE top entry may have no flag but present */
#define BOOT_MAPPED 0x800000   /* 8 MB, enough for us and for the page tables of all memory */

	.section .head.text, "ax"
	.globl startup
startup:
	cld
	movl	%esi, %ebp

	/* C expects the unset part of its data to be zero. */
	xorl	%eax, %eax
	movl	$PA(__bss_start), %edi
	movl	$PA(__bss_end), %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	rep stosl

	/* A kernel that finds no Host under it has nobody to complain to. */
	cmpl	$X86_SUBARCH_LGUEST, BOOT_HARDWARE_SUBARCH(%ebp)
	jne	no_host
	cmpw	$0x207, BOOT_PROTOCOL_VERSION(%ebp)
	jb	no_host

	/* The zero page and the command line lie in memory which we will hand out: keep copies. */
	movl	%ebp, %esi
	movl	$PA(boot_params), %edi
	movl	$(PAGE_SIZE / 4), %ecx
	rep movsl
	movl	BOOT_CMD_LINE_PTR(%ebp), %esi
	movl	$PA(boot_command_line), %edi
	movl	$(COMMAND_LINE_SIZE / 4), %ecx
	rep movsl
	movb	$0, -1(%edi)

	/*
	 * One image for both kinds of page tables.  Linux decides it when it is compiled; we look for the word "pae" on the
	 * command line; with a blank before the first byte every word has one before it.
	 */
	movb	$' ', PA(boot_command_line) - 1
	movl	$PA(boot_command_line), %esi
look_for_pae:
	cmpl	$(' ' | 'p' << 8 | 'a' << 16 | 'e' << 24), -1(%esi)
	jne	not_here
	cmpb	$' ', 3(%esi)             /* a blank, or the NUL at the end */
	jbe	build_pae
not_here:
	incl	%esi
	cmpb	$0, (%esi)
	jne	look_for_pae

/* Two levels: 1024 entries of 4 bytes; a top entry is 4 MB, entry 768 is PAGE_OFFSET. */
	movl	$PA(initial_ptes), %edi
	movl	$PTE_FLAGS, %eax
1:	stosl
	addl	$PAGE_SIZE, %eax
	cmpl	$(BOOT_MAPPED | PTE_FLAGS), %eax
	jb	1b
	movl	$(PA(initial_ptes) + TABLE_FLAGS), %eax
	movl	$PA(initial_page_table), %edi
	movl	%eax, (%edi)
	movl	%eax, (PAGE_OFFSET >> 22) * 4(%edi)
	addl	$PAGE_SIZE, %eax
	movl	%eax, 4(%edi)
	movl	%eax, (PAGE_OFFSET >> 22) * 4 + 4(%edi)
	jmp	lguest_entry

/* Three levels: 4, 512 and 512 entries of 8 bytes.  A top entry is 1 GB: both can share one middle table of 2 MB entries. */
build_pae:
	movb	$1, PA(pae)
	movl	$PA(initial_ptes), %edi
	movl	$PTE_FLAGS, %eax
	xorl	%edx, %edx
1:	movl	%eax, (%edi)
	movl	%edx, 4(%edi)
	addl	$8, %edi
	addl	$PAGE_SIZE, %eax
	cmpl	$(BOOT_MAPPED | PTE_FLAGS), %eax
	jb	1b
	movl	$PA(initial_pmd), %edi
	movl	$(PA(initial_ptes) + TABLE_FLAGS), %eax
	movl	$(BOOT_MAPPED >> 21), %ecx
1:	movl	%eax, (%edi)
	movl	%edx, 4(%edi)
	addl	$8, %edi
	addl	$PAGE_SIZE, %eax
	loop	1b
	movl	$(PA(initial_pmd) + PAE_TOP_FLAGS), %eax
	movl	%eax, PA(initial_page_table)
	movl	%eax, PA(initial_page_table) + (PAGE_OFFSET >> 30) * 8

/*
 * These are the bytes by which an image is known as an lguest kernel: INIT, then NEW_PGTABLE, which ends linear mode.
 * From the second hypercall on we run through our own page tables; the jump takes us up to where we were linked.
 */
	.globl lguest_entry
lguest_entry:
	movl	$LHCALL_LGUEST_INIT, %eax
	movl	$PA(lguest_data), %ebx
	int	$LGUEST_TRAP_ENTRY
	movl	$LHCALL_NEW_PGTABLE, %eax
	movl	$PA(initial_page_table), %ebx
	int	$LGUEST_TRAP_ENTRY
	movl	$boot_stack_top, %esp
	jmp	lguest_init + PAGE_OFFSET

no_host:
	hlt
	jmp	no_host

	.bss
	.balign	PAGE_SIZE
	.globl	boot_params, initial_page_table, boot_stack, boot_stack_top
boot_params:		.skip PAGE_SIZE
initial_page_table:	.skip PAGE_SIZE
initial_pmd:		.skip PAGE_SIZE
initial_ptes:		.skip 4 * PAGE_SIZE      /* 2048 entries of 8 bytes, or half of that */
boot_stack:		.skip 2 * PAGE_SIZE
boot_stack_top:
	.globl	boot_command_line
	.skip	4                         /* the last of these is the blank */
boot_command_line:	.skip COMMAND_LINE_SIZE
