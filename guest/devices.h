/*
 * devices.h: the lower rooms, for those who deal with devices: the bus, virtio, and what hangs on it.
 */
#ifndef GUEST_DEVICES_H
#define GUEST_DEVICES_H

#include "guest.h"

/* ---- pci.c: the bus, by configuration mechanism 1 ---- */

struct pci_device {
	u8 slot, irq;
	u16 vendor, device;
	u32 class_code;          /* class, subclass, interface */
	u32 bar0;
};

#define PCI_MAX_DEVICES 32

extern struct pci_device pci_devices[PCI_MAX_DEVICES];
extern u32 pci_device_count;

void pci_scan(void);
u32 pci_read(u32 slot, u32 offset, u32 width);
void pci_write(u32 slot, u32 offset, u32 width, u32 value);
u32 pci_capability(u32 slot, u32 after, u32 id);

/* ---- virtio.c: virtio 1.0 devices on that bus ---- */

#define VIRTIO_QUEUE_SIZE 64
#define VIRTIO_MAX_QUEUES 2

struct virtqueue {
	u16 index, size, last_used, free_count, free_head;
	volatile void *doorbell;
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	volatile struct virtq_used *used;
	u16 chain_next[VIRTIO_QUEUE_SIZE];
};

struct virtio_device {
	struct pci_device *pci;
	volatile u8 *common, *notify, *isr, *config;
	u32 notify_multiplier;
	u64 features;
	struct virtqueue queues[VIRTIO_MAX_QUEUES];
};

struct buffer {
	u32 physical, bytes;
	bool device_writes;
};

bool virtio_attach(struct virtio_device *device, struct pci_device *pci, u64 wanted, u32 queues);
void virtio_ready(struct virtio_device *device);
int virtqueue_add(struct virtqueue *queue, const struct buffer *buffers, u32 count);
void virtqueue_kick(struct virtqueue *queue);
bool virtqueue_waiting(const struct virtqueue *queue);
int virtqueue_get(struct virtqueue *queue, u32 *bytes);
void virtqueue_interrupts(struct virtqueue *queue, bool wanted);

/* ---- console.c, block.c, rng.c, net.c: the devices; what everybody needs of the console is in guest.h ---- */

void console_attach(struct pci_device *pci);

#define SECTOR_SIZE 512
#define MAX_DISKS 8

enum disk_request { DISK_READ = 0, DISK_WRITE = 1, DISK_FLUSH = 4, DISK_GET_ID = 8 };

struct disk;
void disk_attach(struct pci_device *pci);
struct disk *disk_find(const char *name);
u32 disk_count(void);
u64 disk_sectors(const struct disk *disk);
bool disk_read_only(const struct disk *disk);
bool disk_can_flush(const struct disk *disk);
const char *disk_name(const struct disk *disk);
int disk_do(struct disk *disk, enum disk_request request, u64 sector, void *data, u32 bytes);
u32 disk_irq(const struct disk *disk);
struct virtqueue *disk_queue(struct disk *disk);

void rng_attach(struct pci_device *pci);
bool rng_present(void);
u32 rng_irq(void);
u32 rng_bar(void);
bool rng_reattach(void);
void rng_start(u32 bytes);
bool rng_done(void);
u32 rng_finish(void *to);
u32 rng_read(void *to, u32 bytes);

#define ETHERNET_BYTES 1514

extern struct net_counts {
	u32 received, sent, dropped, arp_answered, echo_answered, ignored;
} net_counts;

void net_attach(struct pci_device *pci);
bool net_present(void);
u32 net_irq(void);
const u8 *net_mac(void);
u8 *net_frame(void);
void net_send(const u8 *frame, u32 bytes);

/* ---- internet.c: what is in the frames ---- */

enum ping_result { PING_ANSWERED, PING_NO_ANSWER, PING_UNREACHABLE };

void internet_init(void);
void internet_receive(const u8 *frame, u32 bytes);
void internet_describe(void);
u32 internet_address(void);
const char *parse_address(const char *text, u32 *value);
void print_address(u32 value);
enum ping_result internet_ping(u32 to, u16 sequence, u32 *nanoseconds);

#endif
