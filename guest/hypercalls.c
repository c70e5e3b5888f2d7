/*
 * hypercalls.c: asking the Host, now or later.
 *
 * A hypercall is a trap, and a trap costs more than anything else we do.  For those that may wait there is a ring of 64
 * in lguest_data: the Host works through it before the next direct call, whatever that one asks.
 */
#include "guest.h"

extern const u8 lguest_noirq_iret[];

/* Not zero at the beginning: the ring is empty (every status "done"), and interrupt 0, the clock, is masked. */
struct lguest_data lguest_data = {
	.blocked_interrupts = 1,
	.hcall_status = {[0 ... LHCALL_RING_SIZE - 1] = HCALL_DONE},
	.noirq_iret = (u32)lguest_noirq_iret,
	.kernel_address = PAGE_OFFSET,
	.syscall_vec = SYSCALL_VECTOR,
};

static u32 ring_next, lazy_depth;

/* The Host changes no register; memory is another matter, hence the clobber. */
void hcall(u32 number, u32 arg1, u32 arg2, u32 arg3, u32 arg4)
{
	asm volatile("int %0"
		     :
		     : "i"(LGUEST_TRAP_ENTRY), "a"(number), "b"(arg1), "c"(arg2), "d"(arg3), "S"(arg4)
		     : "memory");
}

/* An interrupt handler may queue calls as well: it must not find us between the arguments and the cursor. */
void async_hcall(u32 number, u32 arg1, u32 arg2, u32 arg3, u32 arg4)
{
	u32 flags = irq_save();

	if (lguest_data.hcall_status[ring_next] != HCALL_DONE) {
		/* Full.  A direct call empties the ring first, so the order is kept. */
		hcall(number, arg1, arg2, arg3, arg4);
	} else {
		lguest_data.hcalls[ring_next] = (struct hcall_args){number, arg1, arg2, arg3, arg4};
		barrier();           /* the Host must not see "ready" before the arguments */
		lguest_data.hcall_status[ring_next] = HCALL_READY;
		ring_next = (ring_next + 1) % LHCALL_RING_SIZE;
	}
	irq_restore(flags);
}

/* Between lazy_begin() and lazy_end(), what may wait waits. */
void lazy_begin(void)
{
	lazy_depth++;
}

void lazy_end(void)
{
	if (--lazy_depth == 0)
		hcall(LHCALL_FLUSH_ASYNC, 0, 0, 0, 0);
}

void lazy_hcall(u32 number, u32 arg1, u32 arg2, u32 arg3, u32 arg4)
{
	if (lazy_depth)
		async_hcall(number, arg1, arg2, arg3, arg4);
	else
		hcall(number, arg1, arg2, arg3, arg4);
}
