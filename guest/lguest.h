/*
 * lguest.h: what the Host promised, in the Guest's words.
 *
 * Everything here is an agreement with somebody outside this folder: the numbers of the hypercalls, the one structure
 * that Guest and Host share, the segment selectors, the zero page that the Launcher fills.  No opinion of ours is in it.
 * The assembler reads the first half as well, the C compiler all of it.
 */
#ifndef GUEST_LGUEST_H
#define GUEST_LGUEST_H

/* The kernel lives at 3 GB, and physical memory is visible from there. */
#define PAGE_OFFSET 0xC0000000
#define PAGE_SIZE 4096

/* `int $0x1f` leaves the Guest: the number in eax, the arguments in ebx, ecx, edx, esi.  Nothing ever comes back. */
#define LGUEST_TRAP_ENTRY 0x1F

#define LHCALL_FLUSH_ASYNC 0
#define LHCALL_LGUEST_INIT 1
#define LHCALL_SHUTDOWN 2
#define LHCALL_NEW_PGTABLE 4
#define LHCALL_FLUSH_TLB 5
#define LHCALL_LOAD_IDT_ENTRY 6
#define LHCALL_SET_STACK 7
#define LHCALL_SET_CLOCKEVENT 9
#define LHCALL_HALT 10
#define LHCALL_SET_PMD 13
#define LHCALL_SET_PTE 14
#define LHCALL_SET_PGD 15
#define LHCALL_LOAD_TLS 16
#define LHCALL_LOAD_GDT_ENTRY 18
#define LHCALL_SEND_INTERRUPTS 19

#define LGUEST_SHUTDOWN_POWEROFF 1
#define LGUEST_SHUTDOWN_RESTART 2

/* Segment selectors.  We are in ring 1 and know it; programs are in ring 3 as everywhere. */
#define GDT_ENTRIES 32
#define GDT_ENTRY_TLS_MIN 6
#define GDT_ENTRY_KERNEL_CS 12
#define GDT_ENTRY_KERNEL_DS 13
#define GDT_ENTRY_USER_CS 14
#define GDT_ENTRY_USER_DS 15
#define KERNEL_CS (GDT_ENTRY_KERNEL_CS * 8 + 1)
#define KERNEL_DS (GDT_ENTRY_KERNEL_DS * 8 + 1)
#define USER_CS (GDT_ENTRY_USER_CS * 8 + 3)
#define USER_DS (GDT_ENTRY_USER_DS * 8 + 3)

/* An interrupt line n arrives as vector 32 + n; a program asks for a system call by vector 0x80. */
#define LGUEST_IRQS 32
#define FIRST_EXTERNAL_VECTOR 32
#define SYSCALL_VECTOR 0x80

/* Offsets in the zero page (struct boot_params of Linux/x86), which the Launcher puts at physical address 0. */
#define BOOT_E820_ENTRIES 0x1E8
#define BOOT_PROTOCOL_VERSION 0x206
#define BOOT_RAMDISK_IMAGE 0x218
#define BOOT_RAMDISK_SIZE 0x21C
#define BOOT_CMD_LINE_PTR 0x228
#define BOOT_HARDWARE_SUBARCH 0x23C
#define BOOT_E820_TABLE 0x2D0

#define X86_SUBARCH_LGUEST 1
#define COMMAND_LINE_SIZE 2048

/* What entry.S leaves on the stack when a program was interrupted (struct trap_frame). */
#define TRAP_FRAME_SIZE 76

#ifndef __ASSEMBLER__

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#define LHCALL_RING_SIZE 64

/* hcall_status: the Host may look (0), or we may write (0xFF). */
#define HCALL_READY 0x00
#define HCALL_DONE 0xFF

#define X86_EFLAGS_CF 0x00000001
#define X86_EFLAGS_TF 0x00000100
#define X86_EFLAGS_IF 0x00000200
#define X86_EFLAGS_DF 0x00000400
#define X86_EFLAGS_IOPL 0x00003000
#define X86_EFLAGS_NT 0x00004000
#define X86_EFLAGS_RF 0x00010000
#define X86_EFLAGS_AC 0x00040000

struct hcall_args {
	u32 arg0, arg1, arg2, arg3, arg4;
};

/*
 * The page that Guest and Host share.  Its physical address goes with LHCALL_LGUEST_INIT; after that both sides simply
 * read and write it, and that is what makes it quick: to turn interrupts off is one store.
 */
struct lguest_data {
	u32 irq_enabled;          /* our interrupt flag: X86_EFLAGS_IF or 0 */
	u32 blocked_interrupts;   /* bit n: interrupt n is masked */
	u32 cr2;                  /* the Host: the address of the last page fault it gave us */
	struct {
		u32 tv_sec;
		u32 tv_nsec;
	} time;                   /* the Host: the wall clock, written whenever it delivers an interrupt */
	u32 irq_pending;          /* the Host: X86_EFLAGS_IF when an interrupt waits for irq_enabled */
	u8 hcall_status[LHCALL_RING_SIZE];
	struct hcall_args hcalls[LHCALL_RING_SIZE];
	u32 reserve_mem;          /* the Host: bytes at the top of the address space which are not ours */
	u32 tsc_khz;              /* the Host: speed of the time stamp counter, 0 if it is of no use */
	u32 noirq_iret;           /* us: where an interrupt must not be pushed but folded */
	u32 kernel_address;       /* us: where the part of memory begins that all address spaces share */
	u32 syscall_vec;          /* us */
};

_Static_assert(sizeof(struct lguest_data) == 1388, "struct lguest_data is 1388 bytes to the Host");

extern struct lguest_data lguest_data;

#endif
#endif
