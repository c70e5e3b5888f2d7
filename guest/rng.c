/*
 * rng.c: random bytes from the Host.  The simplest device there is: give it a buffer, and it fills it.
 */
#include "devices.h"
#include "io.h"
#include "virtio.h"

static struct virtio_device rng;
static u8 *pool;                 /* one frame; NULL if there is no such device */

static void rng_interrupt(u32 irq)
{
	(void)irq;
	mmio_read8(rng.isr);
}

bool rng_present(void) { return pool != NULL; }
u32 rng_irq(void) { return rng.pci->irq; }
u32 rng_bar(void) { return rng.pci->bar0; }

void rng_start(u32 bytes)
{
	virtqueue_add(&rng.queues[0], &(struct buffer){phys(pool), bytes, true}, 1);
	virtqueue_kick(&rng.queues[0]);
}

bool rng_done(void)
{
	return virtqueue_waiting(&rng.queues[0]);
}

/* Returns how many bytes came. */
u32 rng_finish(void *to)
{
	u32 bytes = 0;

	virtqueue_get(&rng.queues[0], &bytes);
	if (bytes > PAGE_SIZE)
		bytes = PAGE_SIZE;
	memcpy(to, pool, bytes);
	return bytes;
}

u32 rng_read(void *to, u32 bytes)
{
	u32 flags = irq_save();

	rng_start(bytes < PAGE_SIZE ? bytes : PAGE_SIZE);
	while (!rng_done())
		irq_wait();
	irq_restore(flags);
	return rng_finish(to);
}

/* From the reset on, as if we had never met. */
bool rng_reattach(void)
{
	if (!virtio_attach(&rng, rng.pci, 0, 1))
		return false;
	virtio_ready(&rng);
	return true;
}

void rng_attach(struct pci_device *pci)
{
	if (pool || !virtio_attach(&rng, pci, 0, 1))
		return;
	irq_install(pci->irq, "virtio rng", rng_interrupt);
	pool = virt(frame_alloc());
	virtio_ready(&rng);
}
