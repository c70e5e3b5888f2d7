/*
 * io.h: the instructions that C has no words for.
 *
 * Port and device accesses trap: the Launcher reads the instruction and does what it says.  It knows few of them, so
 * device memory is touched only by plain `mov`s through a register without an index.
 */
#ifndef GUEST_IO_H
#define GUEST_IO_H

#include "lguest.h"

static inline u8 in8(u16 port)
{
	u8 value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u16 in16(u16 port)
{
	u16 value;

	asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u32 in32(u16 port)
{
	u32 value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void out16(u16 port, u16 value) { asm volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
static inline void out32(u16 port, u32 value) { asm volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }

static inline u8 mmio_read8(volatile void *address)
{
	u8 value;

	asm volatile("movb (%1), %0" : "=q"(value) : "r"(address) : "memory");
	return value;
}

static inline u16 mmio_read16(volatile void *address)
{
	u16 value;

	asm volatile("movw (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline u32 mmio_read32(volatile void *address)
{
	u32 value;

	asm volatile("movl (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void mmio_write8(volatile void *address, u8 value)
{
	asm volatile("movb %0, (%1)" : : "q"(value), "r"(address) : "memory");
}

static inline void mmio_write16(volatile void *address, u16 value)
{
	asm volatile("movw %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static inline void mmio_write32(volatile void *address, u32 value)
{
	asm volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static inline u64 read_tsc(void)
{
	u64 value;

	asm volatile("rdtsc" : "=A"(value));
	return value;
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid read_cpuid(u32 leaf)
{
	struct cpuid id;

	asm volatile("cpuid" : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx) : "a"(leaf), "c"(0));
	return id;
}

/* The full eflags of the CPU.  Its interrupt flag is always set: ours is lguest_data.irq_enabled. */
static inline u32 read_eflags(void)
{
	u32 flags;

	asm volatile("pushfl; popl %0" : "=r"(flags));
	return flags;
}

#endif
