/*
 * block.c: disks.  A request is a header, the data, and one byte in which the device says how it went; we make one at a
 * time and sleep until it is done.
 */
#include "devices.h"
#include "io.h"
#include "virtio.h"

#define BLOCK_S_NONE 0xFF        /* our own: the device has not answered */

struct request {
	u32 type, reserved;
	u64 sector;
	u8 status;
};

struct disk {
	struct virtio_device device;
	char name[4];
	u64 sectors;
	struct request *request;
};

static struct disk disks[MAX_DISKS];
static u32 count;

static void disk_interrupt(u32 irq)
{
	u32 index;

	for (index = 0; index < count; index++)
		if (disks[index].device.pci->irq == irq)
			mmio_read8(disks[index].device.isr);
}

/* Returns the device's status: 0 is well, 1 an error, 2 "I do not know how". */
int disk_do(struct disk *disk, enum disk_request request, u64 sector, void *data, u32 bytes)
{
	struct virtqueue *queue = &disk->device.queues[0];
	struct buffer chain[3] = {{phys(disk->request), 16, false}};
	u32 length = 1, flags = irq_save();

	*disk->request = (struct request){.type = request, .sector = sector, .status = BLOCK_S_NONE};
	if (bytes)
		chain[length++] = (struct buffer){phys(data), bytes, request == DISK_READ || request == DISK_GET_ID};
	chain[length++] = (struct buffer){phys(&disk->request->status), 1, true};
	virtqueue_add(queue, chain, length);
	virtqueue_kick(queue);
	while (virtqueue_get(queue, NULL) < 0)
		irq_wait();
	irq_restore(flags);
	barrier();
	return disk->request->status;
}

struct disk *disk_find(const char *name)
{
	u32 index;

	for (index = 0; index < count; index++)
		if (strcmp(name, disks[index].name) == 0)
			return &disks[index];
	return NULL;
}

u32 disk_count(void) { return count; }
u64 disk_sectors(const struct disk *disk) { return disk->sectors; }
const char *disk_name(const struct disk *disk) { return disk->name; }
u32 disk_irq(const struct disk *disk) { return disk->device.pci->irq; }
struct virtqueue *disk_queue(struct disk *disk) { return &disk->device.queues[0]; }
bool disk_read_only(const struct disk *disk) { return (disk->device.features & VIRTIO_BLK_F_RO) != 0; }
bool disk_can_flush(const struct disk *disk) { return (disk->device.features & VIRTIO_BLK_F_FLUSH) != 0; }

void disk_attach(struct pci_device *pci)
{
	struct disk *disk = &disks[count];

	if (count == MAX_DISKS || !virtio_attach(&disk->device, pci, VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_RO, 1))
		return;
	memcpy(disk->name, "vda", 4);
	disk->name[2] = (char)('a' + count);
	disk->sectors = mmio_read32(disk->device.config) | (u64)mmio_read32(disk->device.config + 4) << 32;
	disk->request = virt(frame_alloc());
	count++;
	irq_install(pci->irq, "virtio disk", disk_interrupt);
	virtio_ready(&disk->device);
}
