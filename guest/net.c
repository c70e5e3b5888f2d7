/*
 * net.c: the network card: frames in, frames out.  What is in them is the business of internet.c.
 *
 * In front of each frame stands a header for offloads; we ask for none, and so it is zero.
 */
#include "devices.h"
#include "io.h"
#include "virtio.h"

#define HEADER_BYTES 12
#define BUFFERS 16
#define BUFFER_BYTES (PAGE_SIZE / 2)
#define ALL_FREE ((1u << BUFFERS) - 1)

_Static_assert(HEADER_BYTES + ETHERNET_BYTES <= BUFFER_BYTES, "a frame fits into a buffer");

struct net_counts net_counts;

static struct virtio_device net;
static bool attached;
static u8 mac[6];
static u8 *in_memory, *out_memory;
static u32 out_free;             /* bit n: buffer n may be filled */
static u8 out_of_head[VIRTIO_QUEUE_SIZE], in_of_head[VIRTIO_QUEUE_SIZE];

bool net_present(void) { return attached; }
u32 net_irq(void) { return net.pci->irq; }
const u8 *net_mac(void) { return mac; }

static void offer(u32 index)
{
	int head = virtqueue_add(&net.queues[0], &(struct buffer){phys(in_memory + index * BUFFER_BYTES), BUFFER_BYTES, true}, 1);

	in_of_head[head] = (u8)index;
}

/* The first free buffer, with room for ETHERNET_BYTES, all of them zero; NULL if all are on their way. */
u8 *net_frame(void)
{
	u8 *memory;
	int head;

	while ((head = virtqueue_get(&net.queues[1], NULL)) >= 0)
		out_free |= 1u << out_of_head[head];
	if (!out_free) {
		net_counts.dropped++;
		return NULL;
	}
	memory = out_memory + (u32)__builtin_ctz(out_free) * BUFFER_BYTES;
	return memset(memory, 0, BUFFER_BYTES) + HEADER_BYTES;
}

/* Sends what net_frame() gave. */
void net_send(const u8 *frame, u32 bytes)
{
	u32 index = (u32)(frame - out_memory) / BUFFER_BYTES;
	struct buffer buffer = {phys(frame) - HEADER_BYTES, HEADER_BYTES + bytes, false};

	out_free &= ~(1u << index);
	out_of_head[virtqueue_add(&net.queues[1], &buffer, 1)] = (u8)index;
	virtqueue_kick(&net.queues[1]);
	net_counts.sent++;
}

static void net_interrupt(u32 irq)
{
	u32 bytes;
	int head;

	(void)irq;
	mmio_read8(net.isr);
	while ((head = virtqueue_get(&net.queues[0], &bytes)) >= 0) {
		u32 index = in_of_head[head];

		net_counts.received++;
		if (bytes > HEADER_BYTES && bytes <= BUFFER_BYTES)
			internet_receive(in_memory + index * BUFFER_BYTES + HEADER_BYTES, bytes - HEADER_BYTES);
		offer(index);
	}
	virtqueue_kick(&net.queues[0]);
}

static u8 *take_buffers(void)
{
	u32 frames = frames_take_fresh(BUFFERS * BUFFER_BYTES / PAGE_SIZE);

	return frames ? virt(frames) : NULL;
}

/* Without an address of its own the card gets one made of the IP address: nobody else on its cable has that. */
static void find_mac(void)
{
	u32 index, address = internet_address();

	mac[0] = 0x02;                   /* not given by anybody */
	for (index = 0; index < 4; index++)
		mac[2 + index] = (u8)(address >> (24 - index * 8));
	for (index = 0; net.features & VIRTIO_NET_F_MAC && index < 6; index++)
		mac[index] = mmio_read8(net.config + index);
}

void net_attach(struct pci_device *pci)
{
	u32 index;

	if (attached || !virtio_attach(&net, pci, VIRTIO_NET_F_MAC, 2))
		return;
	in_memory = take_buffers();
	out_memory = take_buffers();
	if (!in_memory || !out_memory)
		return;
	internet_init();
	find_mac();
	out_free = ALL_FREE;
	virtqueue_interrupts(&net.queues[1], false);
	irq_install(pci->irq, "virtio net", net_interrupt);
	virtio_ready(&net);
	for (index = 0; index < BUFFERS; index++)
		offer(index);
	virtqueue_kick(&net.queues[0]);
	attached = true;
}
