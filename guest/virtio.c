/*
 * virtio.c: virtio 1.0 over PCI.
 *
 * A device is a few registers in its memory and some queues in ours.  A queue is three tables: descriptors (a buffer each,
 * chained by `next`), "available" (heads of chains, from us to the device), "used" (heads of chains that came back).  All
 * three of ours fit into one frame.
 */
#include "devices.h"
#include "io.h"
#include "virtio.h"

#define AVAIL_OFFSET (VIRTIO_QUEUE_SIZE * sizeof(struct virtq_desc))
#define USED_OFFSET ((AVAIL_OFFSET + sizeof(struct virtq_avail) + VIRTIO_QUEUE_SIZE * 2 + 7) & ~7u)

_Static_assert(USED_OFFSET + 4 + VIRTIO_QUEUE_SIZE * 8 <= PAGE_SIZE, "a queue is one frame");

static u8 read_status(struct virtio_device *device)
{
	return mmio_read8(device->common + VIRTIO_DEVICE_STATUS);
}

/* The specification wants one bit after the other; writing 0 resets the device. */
static void add_status(struct virtio_device *device, u8 bit)
{
	mmio_write8(device->common + VIRTIO_DEVICE_STATUS, read_status(device) | bit);
}

static void find_registers(struct virtio_device *device)
{
	u32 slot = device->pci->slot, at;

	for (at = pci_capability(slot, 0, VIRTIO_CAP_VENDOR); at; at = pci_capability(slot, at, VIRTIO_CAP_VENDOR)) {
		u32 type = pci_read(slot, at + VIRTIO_CAP_CFG_TYPE, 1);
		u32 offset = pci_read(slot, at + VIRTIO_CAP_OFFSET, 4), length = pci_read(slot, at + VIRTIO_CAP_LENGTH, 4);
		volatile u8 *mapped;

		if (type < VIRTIO_PCI_CAP_COMMON_CFG || type > VIRTIO_PCI_CAP_DEVICE_CFG ||
		    pci_read(slot, at + VIRTIO_CAP_BAR, 1) != 0)
			continue;
		mapped = map_device(device->pci->bar0 + offset, length);
		if (type == VIRTIO_PCI_CAP_COMMON_CFG)
			device->common = mapped;
		else if (type == VIRTIO_PCI_CAP_ISR_CFG)
			device->isr = mapped;
		else if (type == VIRTIO_PCI_CAP_DEVICE_CFG)
			device->config = mapped;
		else {
			device->notify = mapped;
			device->notify_multiplier = pci_read(slot, at + VIRTIO_CAP_NOTIFY_MULTIPLIER, 4);
		}
	}
}

static u32 feature_word(struct virtio_device *device, u32 select)
{
	mmio_write32(device->common + VIRTIO_DEVICE_FEATURE_SELECT, select);
	return mmio_read32(device->common + VIRTIO_DEVICE_FEATURE);
}

/* Takes what is both offered and wanted; the device has the last word. */
static bool negotiate(struct virtio_device *device, u64 wanted)
{
	u64 offered = feature_word(device, 0) | (u64)feature_word(device, 1) << 32;

	device->features = offered & (wanted | VIRTIO_F_VERSION_1);
	mmio_write32(device->common + VIRTIO_DRIVER_FEATURE_SELECT, 0);
	mmio_write32(device->common + VIRTIO_DRIVER_FEATURE, (u32)device->features);
	mmio_write32(device->common + VIRTIO_DRIVER_FEATURE_SELECT, 1);
	mmio_write32(device->common + VIRTIO_DRIVER_FEATURE, (u32)(device->features >> 32));
	add_status(device, VIRTIO_CONFIG_S_FEATURES_OK);
	return (read_status(device) & VIRTIO_CONFIG_S_FEATURES_OK) && (device->features & VIRTIO_F_VERSION_1);
}

static void write_address(struct virtio_device *device, u32 offset, const volatile void *table)
{
	mmio_write32(device->common + offset, phys(table));
	mmio_write32(device->common + offset + 4, 0);
}

static bool queue_create(struct virtio_device *device, u16 index)
{
	struct virtqueue *queue = &device->queues[index];
	u8 *frame;
	u16 at;

	mmio_write16(device->common + VIRTIO_QUEUE_SELECT, index);
	queue->index = index;
	queue->size = mmio_read16(device->common + VIRTIO_QUEUE_SIZE_REGISTER);
	if (!queue->size)
		return false;
	if (queue->size > VIRTIO_QUEUE_SIZE)
		queue->size = VIRTIO_QUEUE_SIZE;
	/* A device that is attached again, after a reset, finds its tables empty, as at the first time. */
	frame = queue->desc ? memset(queue->desc, 0, PAGE_SIZE) : virt(frame_alloc());
	queue->last_used = queue->free_head = 0;
	queue->desc = (struct virtq_desc *)frame;
	queue->avail = (struct virtq_avail *)(frame + AVAIL_OFFSET);
	queue->used = (volatile struct virtq_used *)(frame + USED_OFFSET);
	queue->free_count = queue->size;
	for (at = 0; at < queue->size; at++)
		queue->chain_next[at] = (u16)(at + 1);
	queue->doorbell = device->notify +
			  mmio_read16(device->common + VIRTIO_QUEUE_NOTIFY_OFF) * device->notify_multiplier;

	mmio_write16(device->common + VIRTIO_QUEUE_SIZE_REGISTER, queue->size);
	write_address(device, VIRTIO_QUEUE_DESC, queue->desc);
	write_address(device, VIRTIO_QUEUE_AVAIL, queue->avail);
	write_address(device, VIRTIO_QUEUE_USED, queue->used);
	mmio_write16(device->common + VIRTIO_QUEUE_ENABLE, 1);
	return true;
}

/* Everything up to, and not including, DRIVER_OK. */
bool virtio_attach(struct virtio_device *device, struct pci_device *pci, u64 wanted, u32 queues)
{
	u32 index;

	device->pci = pci;
	find_registers(device);
	if (!device->common || !device->notify || !device->isr)
		return false;
	mmio_write8(device->common + VIRTIO_DEVICE_STATUS, 0);
	add_status(device, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	add_status(device, VIRTIO_CONFIG_S_DRIVER);
	if (!negotiate(device, wanted))
		return false;
	for (index = 0; index < queues; index++)
		if (!queue_create(device, (u16)index))
			return false;
	return true;
}

void virtio_ready(struct virtio_device *device)
{
	add_status(device, VIRTIO_CONFIG_S_DRIVER_OK);
}

/* Offers a chain of buffers; returns its head, by which virtqueue_get() will call it, or -1 if there is no room. */
int virtqueue_add(struct virtqueue *queue, const struct buffer *buffers, u32 count)
{
	u16 head = queue->free_head, at = head;
	u32 index;

	if (count > queue->free_count)
		return -1;
	for (index = 0; index < count; index++) {
		struct virtq_desc *desc = &queue->desc[at];

		desc->address = buffers[index].physical;
		desc->length = buffers[index].bytes;
		desc->flags = buffers[index].device_writes ? VIRTQ_DESC_F_WRITE : 0;
		if (index + 1 < count)
			desc->flags |= VIRTQ_DESC_F_NEXT;
		desc->next = queue->chain_next[at];
		at = queue->chain_next[at];
	}
	queue->free_head = at;
	queue->free_count = (u16)(queue->free_count - count);
	queue->avail->ring[queue->avail->index % queue->size] = head;
	barrier();                   /* first the entry, then the index that shows it */
	queue->avail->index++;
	return head;
}

void virtqueue_kick(struct virtqueue *queue)
{
	barrier();
	if (!(queue->used->flags & VIRTQ_USED_F_NO_NOTIFY))
		mmio_write16(queue->doorbell, queue->index);
}

bool virtqueue_waiting(const struct virtqueue *queue)
{
	return queue->last_used != queue->used->index;
}

/* The head of a chain that came back, and how much the device wrote into it; -1 if there is none. */
int virtqueue_get(struct virtqueue *queue, u32 *bytes)
{
	u16 head, last;

	if (!virtqueue_waiting(queue))
		return -1;
	barrier();
	head = (u16)queue->used->ring[queue->last_used % queue->size].id;
	if (bytes)
		*bytes = queue->used->ring[queue->last_used % queue->size].length;
	queue->last_used++;

	for (last = head, queue->free_count++; queue->desc[last].flags & VIRTQ_DESC_F_NEXT; queue->free_count++)
		last = queue->desc[last].next;
	queue->chain_next[last] = queue->free_head;
	queue->free_head = head;
	return head;
}

void virtqueue_interrupts(struct virtqueue *queue, bool wanted)
{
	queue->avail->flags = wanted ? 0 : VIRTQ_AVAIL_F_NO_INTERRUPT;
	barrier();
}
