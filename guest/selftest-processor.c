/*
 * selftest-processor.c: a short look at the CPU itself.  Those who want to know more have other tests; these are the parts
 * on which a kernel stands.
 */
#include "selftest.h"
#include "io.h"

#define CPUID_FPU (1u << 0)
#define CPUID_TSC (1u << 4)
#define CPUID_CX8 (1u << 8)
#define CPUID_CMOV (1u << 15)
#define CPUID_SSE (1u << 25)

#define RETURN_CONSTANT 0xB8     /* movl $imm32, %eax */
#define RETURN 0xC3

static void check_features(void)
{
	u32 wanted = CPUID_FPU | CPUID_TSC | CPUID_CX8 | CPUID_CMOV, edx = read_cpuid(1).edx, machine_status;

	check((edx & wanted) == wanted, "cpuid promises an FPU, a time stamp counter, cmpxchg8b and cmov");
	asm volatile("smsw %0" : "=r"(machine_status));
	check((machine_status & 0x2B) == 0x23, "smsw shows PE, MP and NE, and no task switch");
}

static void check_counter(void)
{
	u64 first = read_tsc(), second = read_tsc(), start = clock_ns(), ticks;

	check(second > first, "the time stamp counter counts");
	first = read_tsc();
	sleep_ns(20 * NSEC_PER_MSEC);
	ticks = read_tsc() - first;
	check(ticks >= (u64)lguest_data.tsc_khz * 20 && clock_ns() - start >= 20 * NSEC_PER_MSEC,
	      "and goes on counting while we sleep");
}

/* Code that changes under our feet: there is no flush instruction on x86, and there need not be one. */
static void check_changing_code(void)
{
	u32 frame = frame_alloc(), index;
	volatile u8 *code = virt(frame), *alias = (volatile u8 *)LABORATORY;
	u32 (*function)(void) = (u32 (*)(void))virt(frame);
	bool right = true;

	code[0] = RETURN_CONSTANT;
	code[5] = RETURN;
	for (index = 0; index < 50; index++) {
		*(volatile u32 *)(code + 1) = index;
		right &= function() == index;
	}
	check(right, "code that was just changed runs as changed");
	map_page(&kernel_space, LABORATORY, frame, PTE_KERNEL);
	for (index = 0, right = true; index < 50; index++) {
		*(volatile u32 *)(alias + 1) = 1000 + index;
		right &= function() == 1000 + index;
	}
	check(right, "also if it was changed through another address");
	unmap_page(&kernel_space, LABORATORY);
	frame_free(frame);
}

static void check_integers(void)
{
	u64 memory = 0x1122334455667788ull;
	u32 eax, edx, remainder;
	u8 equal;

	asm volatile("lock; cmpxchg8b %0; setz %1"
		     : "+m"(memory), "=q"(equal), "=a"(eax), "=d"(edx)
		     : "2"(0x55667788), "3"(0x11223344), "b"(0xBBBBBBBB), "c"(0xCCCCCCCC)
		     : "cc");
	check(equal && memory == 0xCCCCCCCCBBBBBBBBull, "cmpxchg8b exchanges what is equal");
	asm volatile("lock; cmpxchg8b %0; setz %1"
		     : "+m"(memory), "=q"(equal), "=a"(eax), "=d"(edx)
		     : "2"(1), "3"(2), "b"(3), "c"(4)
		     : "cc");
	check(!equal && eax == 0xBBBBBBBB && edx == 0xCCCCCCCC, "and fetches what is not");
	check(divide(0x123456789ABCDEF0ull, 1000000007, &remainder) == 1311768458ull && remainder == 281411114,
	      "64 bits can be divided by 32");
}

/* Unmask a floating point exception, and cause it: NE is set, so it is a trap and not an interrupt. */
static void check_floating_point(void)
{
	static const u16 all_masked = 0x37F, divide_unmasked = 0x37B;
	static const u32 three = 3, zero = 0;
	u32 flags = irq_save();
	u64 third;

	asm volatile("fninit; fld1; fidivl %1; fstpl %0" : "=m"(third) : "m"(three));
	check(third == 0x3FD5555555555555ull, "the x87 unit divides");
	ATTEMPT("fninit; fldcw %1; fld1; fidivl %2; fwait", "m"(divide_unmasked), "m"(zero));
	asm volatile("fninit; fldcw %0" : : "m"(all_masked));
	check(caught.vector == TRAP_FLOATING_POINT, "an unmasked x87 exception is trap 16");
	irq_restore(flags);
}

static void check_simd(void)
{
	static const u32 all_masked = 0x1F80, divide_unmasked = 0x1D80, one = 0x3F800000;
	u32 flags;

	if (!(read_cpuid(1).edx & CPUID_SSE)) {
		skip("an unmasked SSE exception is trap 19", " (skipped: no SSE)");
		return;
	}
	flags = irq_save();
	ATTEMPT("ldmxcsr %1; movss %2, %%xmm0; xorps %%xmm1, %%xmm1; divss %%xmm1, %%xmm0", "m"(divide_unmasked), "m"(one));
	asm volatile("ldmxcsr %0" : : "m"(all_masked));
	check(caught.vector == TRAP_SIMD, "an unmasked SSE exception is trap 19");
	irq_restore(flags);
}

void check_processor(void)
{
	check_features();
	check_counter();
	check_changing_code();
	check_integers();
	check_floating_point();
	check_simd();
}
