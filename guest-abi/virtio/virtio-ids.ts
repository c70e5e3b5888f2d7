// Which kind of device it is (linux/virtio_ids.h; virtio 1.0, section 5).

export const VIRTIO_ID_NET = 1;
export const VIRTIO_ID_BLOCK = 2;
export const VIRTIO_ID_CONSOLE = 3;
export const VIRTIO_ID_RNG = 4;

/** A virtio 1.0 device's PCI device identifier is its VIRTIO_ID plus this (virtio 1.0, 4.1.2.1). */
export const VIRTIO_PCI_DEVICE_ID_BASE = 0x1040;
/** The subsystem identifier of every device here: 0x40 or above means "not transitional" (4.1.2.1). */
export const VIRTIO_PCI_SUBSYSTEM_ID = 0x40;
