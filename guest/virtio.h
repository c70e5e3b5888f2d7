/*
 * virtio.h: numbers of the virtio 1.0 specification, as far as we use them.
 */
#ifndef GUEST_VIRTIO_H
#define GUEST_VIRTIO_H

#include "lguest.h"

#define VIRTIO_VENDOR 0x1AF4
#define VIRTIO_DEVICE_NET 0x1041
#define VIRTIO_DEVICE_BLOCK 0x1042
#define VIRTIO_DEVICE_CONSOLE 0x1043
#define VIRTIO_DEVICE_RNG 0x1044

/* struct virtio_pci_cap, in configuration space. */
#define VIRTIO_CAP_VENDOR 0x09
#define VIRTIO_CAP_CFG_TYPE 3
#define VIRTIO_CAP_BAR 4
#define VIRTIO_CAP_OFFSET 8
#define VIRTIO_CAP_LENGTH 12
#define VIRTIO_CAP_NOTIFY_MULTIPLIER 16
#define VIRTIO_CAP_CFG_DATA 16

#define VIRTIO_PCI_CAP_COMMON_CFG 1
#define VIRTIO_PCI_CAP_NOTIFY_CFG 2
#define VIRTIO_PCI_CAP_ISR_CFG 3
#define VIRTIO_PCI_CAP_DEVICE_CFG 4
#define VIRTIO_PCI_CAP_PCI_CFG 5

/* The common configuration, in device memory. */
#define VIRTIO_DEVICE_FEATURE_SELECT 0
#define VIRTIO_DEVICE_FEATURE 4
#define VIRTIO_DRIVER_FEATURE_SELECT 8
#define VIRTIO_DRIVER_FEATURE 12
#define VIRTIO_NUM_QUEUES 18
#define VIRTIO_DEVICE_STATUS 20
#define VIRTIO_CONFIG_GENERATION 21
#define VIRTIO_QUEUE_SELECT 22
#define VIRTIO_QUEUE_SIZE_REGISTER 24
#define VIRTIO_QUEUE_ENABLE 28
#define VIRTIO_QUEUE_NOTIFY_OFF 30
#define VIRTIO_QUEUE_DESC 32
#define VIRTIO_QUEUE_AVAIL 40
#define VIRTIO_QUEUE_USED 48

#define VIRTIO_CONFIG_S_ACKNOWLEDGE 1
#define VIRTIO_CONFIG_S_DRIVER 2
#define VIRTIO_CONFIG_S_DRIVER_OK 4
#define VIRTIO_CONFIG_S_FEATURES_OK 8

#define VIRTIO_ISR_CONFIG 2

#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_CONSOLE_F_SIZE (1ull << 0)
#define VIRTIO_CONSOLE_F_EMERG_WRITE (1ull << 2)
#define VIRTIO_NET_F_MAC (1ull << 5)
#define VIRTIO_BLK_F_RO (1ull << 5)
#define VIRTIO_BLK_F_FLUSH (1ull << 9)

#define VIRTIO_CONSOLE_COLS 0
#define VIRTIO_CONSOLE_ROWS 2
#define VIRTIO_CONSOLE_EMERG_WRITE 8

#define VIRTQ_DESC_F_NEXT 1
#define VIRTQ_DESC_F_WRITE 2
#define VIRTQ_AVAIL_F_NO_INTERRUPT 1
#define VIRTQ_USED_F_NO_NOTIFY 1

struct virtq_desc {
	u64 address;
	u32 length;
	u16 flags, next;
};

struct virtq_avail {
	u16 flags, index;
	u16 ring[];
};

struct virtq_used {
	u16 flags, index;
	struct {
		u32 id, length;
	} ring[];
};

#endif
