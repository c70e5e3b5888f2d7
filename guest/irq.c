/*
 * irq.c: interrupts.
 *
 * The CPU's own interrupt flag is always on while we run.  Whether *we* want to be interrupted stands in
 * lguest_data.irq_enabled, where the Host looks before it delivers one; if it has to keep one back, it says so in
 * irq_pending, and who turns interrupts on again must then ask for it (LHCALL_SEND_INTERRUPTS).
 */
#include "guest.h"

static struct {
	const char *name;
	irq_handler handler;
	u32 count;
} lines[LGUEST_IRQS];

static u32 unexpected;
static irq_handler watcher;

const struct trap_frame *interrupted;
void (*wait_for_interrupt)(void) = irq_wait;

void irq_restore(u32 flags)
{
	barrier();
	lguest_data.irq_enabled = flags;
	barrier();
	/* Both have the interrupt flag at the same bit: was it turned on, and does something wait for that? */
	if (flags & lguest_data.irq_pending)
		hcall(LHCALL_SEND_INTERRUPTS, 0, 0, 0, 0);
}

void irq_enable(void)
{
	irq_restore(X86_EFLAGS_IF);
}

/*
 * Sleep until an interrupt has been served.  To be called, and coming back, with interrupts off: one that arrives between
 * the caller's last look and the hypercall is not lost, because a pending interrupt ends the halt at once.
 */
void irq_wait(void)
{
	hcall(LHCALL_HALT, 0, 0, 0, 0);
	lguest_data.irq_enabled = 0;
	barrier();
}

void irq_mask(u32 irq)
{
	asm volatile("orl %1, %0" : "+m"(lguest_data.blocked_interrupts) : "r"(1u << irq));
}

/* Nobody is told: the Host looks at the mask before it enters us. */
void irq_unmask(u32 irq)
{
	asm volatile("andl %1, %0" : "+m"(lguest_data.blocked_interrupts) : "r"(~(1u << irq)));
}

void irq_install(u32 irq, const char *name, irq_handler handler)
{
	lines[irq].name = name;
	lines[irq].handler = handler;
	irq_unmask(irq);
}

irq_handler irq_replace(u32 irq, irq_handler handler)
{
	irq_handler before = lines[irq].handler;

	lines[irq].handler = handler;
	return before;
}

/* Somebody who wants to see all interrupts go by; NULL for nobody. */
void irq_watch(irq_handler handler)
{
	watcher = handler;
}

void irq_dispatch(const struct trap_frame *frame)
{
	u32 irq = frame->vector - FIRST_EXTERNAL_VECTOR;

	interrupted = frame;
	if (watcher)
		watcher(irq);
	time_resync();
	lines[irq].count++;
	if (lines[irq].handler)
		lines[irq].handler(irq);
	else
		unexpected++;
}

u32 irq_count(u32 irq)
{
	return lines[irq].count;
}

const char *irq_name(u32 irq)
{
	return lines[irq].name ? lines[irq].name : "";
}

void irq_list(void)
{
	u32 irq;

	print("irq      count  state    for\n");
	for (irq = 0; irq < LGUEST_IRQS; irq++)
		if (lines[irq].name || lines[irq].count)
			print("%3u %10u  %-8s %s\n", irq, lines[irq].count,
			      lguest_data.blocked_interrupts >> irq & 1 ? "blocked" : "open",
			      lines[irq].name ? lines[irq].name : "nobody");
	print("unexpected: %u; blocked_interrupts 0x%08x, irq_pending 0x%x\n", unexpected,
	      lguest_data.blocked_interrupts, lguest_data.irq_pending);
}
