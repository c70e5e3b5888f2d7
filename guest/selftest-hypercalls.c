/*
 * selftest-hypercalls.c: the hypercall itself, the ring, and what LHCALL_LGUEST_INIT wrote.
 */
#include "selftest.h"

/* A GDT entry that nobody uses: its limit tells which of several calls came last. */
#define SPARE_ENTRY 24
#define SPARE_SELECTOR (SPARE_ENTRY * 8 + 1)

/* Every flag a program can set without further consequences: CF PF AF ZF SF DF OF, and IF, which is always on. */
#define ALL_FLAGS 0xED7

static struct registers {
	u32 eax, ebx, ecx, edx, esi, edi, ebp, eflags;
} before, after;

/* Makes the hypercall in `before`, with all registers as given there; what they are then goes to `after`. */
static bool registers_survive(u32 number, u32 arg1, u32 arg2, u32 arg3, u32 arg4)
{
	u32 flags = irq_save();

	before = (struct registers){number, arg1, arg2, arg3, arg4, 0xED1ED1ED, 0xEB0EB0EB, ALL_FLAGS};
	asm volatile("pushal\n\t"
		     "pushl %c0+28\n\t"
		     "movl %c0, %%eax\n\t"
		     "movl %c0+4, %%ebx\n\t"
		     "movl %c0+8, %%ecx\n\t"
		     "movl %c0+12, %%edx\n\t"
		     "movl %c0+16, %%esi\n\t"
		     "movl %c0+20, %%edi\n\t"
		     "movl %c0+24, %%ebp\n\t"
		     "popfl\n\t"
		     "int %2\n\t"
		     "movl %%eax, %c1\n\t"
		     "movl %%ebx, %c1+4\n\t"
		     "movl %%ecx, %c1+8\n\t"
		     "movl %%edx, %c1+12\n\t"
		     "movl %%esi, %c1+16\n\t"
		     "movl %%edi, %c1+20\n\t"
		     "movl %%ebp, %c1+24\n\t"
		     "pushfl\n\t"
		     "popl %c1+28\n\t"
		     "popal\n\t"
		     "cld"
		     :
		     : "i"(&before), "i"(&after), "i"(LGUEST_TRAP_ENTRY)
		     : "memory", "cc");
	irq_restore(flags);
	return memcmp(&before, &after, sizeof(before)) == 0;
}

static void queue_limit(u32 limit)
{
	struct descriptor entry = make_descriptor(0, limit, DESCRIPTOR_DATA | DESCRIPTOR_DPL(1));

	async_hcall(LHCALL_LOAD_GDT_ENTRY, SPARE_ENTRY, entry.low, entry.high, 0);
}

static u32 limit_now(void)
{
	u32 limit = 0;

	asm volatile("lsl %1, %0" : "+r"(limit) : "r"(SPARE_SELECTOR) : "cc");
	return limit;
}

static u32 ring_count(u8 status)
{
	u32 index, count = 0;

	for (index = 0; index < LHCALL_RING_SIZE; index++)
		count += *(volatile u8 *)&lguest_data.hcall_status[index] == status;
	return count;
}

static void flush(void)
{
	hcall(LHCALL_FLUSH_ASYNC, 0, 0, 0, 0);
}

static void check_registers(void)
{
	struct descriptor spare = make_descriptor(0, 1, DESCRIPTOR_DATA | DESCRIPTOR_DPL(1));
	static struct descriptor tls[3];
	bool pte, tlb;

	check(registers_survive(LHCALL_FLUSH_ASYNC, 1, 2, 3, 4), "FLUSH_ASYNC changes no register and no flag");
	check(registers_survive(LHCALL_SEND_INTERRUPTS, 5, 6, 7, 8), "SEND_INTERRUPTS changes no register and no flag");
	check(registers_survive(LHCALL_LOAD_GDT_ENTRY, SPARE_ENTRY, spare.low, spare.high, 9),
	      "LOAD_GDT_ENTRY changes no register and no flag");
	check(registers_survive(LHCALL_LOAD_TLS, phys(tls), 0, 1, 2), "LOAD_TLS changes no register and no flag");
	check(registers_survive(LHCALL_LOAD_IDT_ENTRY, 255, 0, 0, 3), "LOAD_IDT_ENTRY changes no register and no flag");
	check(registers_survive(LHCALL_SET_CLOCKEVENT, 0, 1, 2, 3), "SET_CLOCKEVENT changes no register and no flag");
	pte = registers_survive(LHCALL_SET_PTE, kernel_space.top, LABORATORY, 0, 0);
	tlb = registers_survive(LHCALL_FLUSH_TLB, 0, 1, 2, 3) && registers_survive(LHCALL_FLUSH_TLB, 1, 2, 3, 4);
	check(pte && tlb, "SET_PTE and FLUSH_TLB change no register and no flag");
	check(registers_survive(LHCALL_NEW_PGTABLE, kernel_space.top, 7, 8, 9), "NEW_PGTABLE changes no register and no flag");
}

static void check_ring(void)
{
	u32 flags = irq_save(), index, limit = 0;
	bool in_order = true;

	flush();
	check(ring_count(HCALL_DONE) == LHCALL_RING_SIZE, "every entry of the ring is done after a hypercall");
	queue_limit(0x111);
	queue_limit(0x222);
	check(ring_count(HCALL_READY) == 2, "queued calls wait for a direct one");
	flush();
	check(limit_now() == 0x222 && ring_count(HCALL_DONE) == LHCALL_RING_SIZE, "queued calls are made in the order of the ring");

	queue_limit(0x333);
	gdt_set(SPARE_ENTRY, make_descriptor(0, 0x444, DESCRIPTOR_DATA | DESCRIPTOR_DPL(1)));
	check(limit_now() == 0x444, "queued calls are made before the direct one");

	/* 40 at a time: the beginning of each batch is elsewhere in the ring, and most go over its end. */
	for (index = 0; index < 400; index++) {
		queue_limit(limit = 0x1000 + index);
		if (index % 40 == 39) {
			flush();
			in_order &= limit_now() == limit;
		}
	}
	check(in_order && ring_count(HCALL_DONE) == LHCALL_RING_SIZE, "the ring goes round, and the Host remembers where it was");

	for (index = 0; index < LHCALL_RING_SIZE; index++)
		queue_limit(0x2000 + index);
	check(ring_count(HCALL_READY) == LHCALL_RING_SIZE, "64 calls fit into the ring");
	queue_limit(0x3000);
	check(limit_now() == 0x3000 && ring_count(HCALL_DONE) == LHCALL_RING_SIZE, "the 65th is made directly, after the other 64");

	queue_limit(0x555);
	ATTEMPT("movl 0, %%eax");
	check(caught.vector == TRAP_PAGE_FAULT && ring_count(HCALL_READY) == 1, "a page fault leaves the ring alone");
	ATTEMPT("int3");
	check(caught.vector == TRAP_BREAKPOINT && ring_count(HCALL_READY) == 1, "so does a trap");
	flush();
	irq_restore(flags);
}

void check_hypercalls(void)
{
	if (lguest_data.tsc_khz)
		check(lguest_data.tsc_khz >= 1000, "LGUEST_INIT told us the speed of the time stamp counter");
	else
		skip("LGUEST_INIT told us the speed of the time stamp counter", " (skipped: the Host calls it unusable)");
	check(lguest_data.reserve_mem >= PAGE_SIZE && lguest_data.reserve_mem <= 0x4000000,
	      "LGUEST_INIT told us what the Host reserves at the top of the address space");
	check(lguest_data.time.tv_sec > 1000000000 && lguest_data.time.tv_nsec < NSEC_PER_SEC, "LGUEST_INIT told us the time");
	check(lguest_data.kernel_address == PAGE_OFFSET && lguest_data.syscall_vec == SYSCALL_VECTOR,
	      "LGUEST_INIT left our own fields alone");
	check_registers();
	check_ring();
}
