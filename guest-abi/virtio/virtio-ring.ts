// The split virtqueue (linux/virtio_ring.h; virtio 1.0, section 2.4): a table of buffers, a ring of what the driver
// made available, a ring of what the device has used.

/** The buffer goes on in descriptor `next`. */
export const VRING_DESC_F_NEXT = 1;
/** The device writes into this buffer (otherwise it reads). */
export const VRING_DESC_F_WRITE = 2;
/** The buffer is itself a table of descriptors. */
export const VRING_DESC_F_INDIRECT = 4;

/** In used->flags: "do not kick me when you add a buffer". */
export const VRING_USED_F_NO_NOTIFY = 1;
/** In avail->flags: "do not interrupt me when you use a buffer". */
export const VRING_AVAIL_F_NO_INTERRUPT = 1;

export const vring_desc = { addr: 0, len: 8, flags: 12, next: 14 } as const;
export const sizeof_vring_desc = 16;

/** `ring` is an array of u16 descriptor numbers. */
export const vring_avail = { flags: 0, idx: 2, ring: 4 } as const;
/** `ring` is an array of vring_used_elem. */
export const vring_used = { flags: 0, idx: 2, ring: 4 } as const;
export const vring_used_elem = { id: 0, len: 4 } as const;
export const sizeof_vring_used_elem = 8;

/** Alignment of the three parts (virtio 1.0, 2.4). */
export const VRING_DESC_ALIGN_SIZE = 16;
export const VRING_AVAIL_ALIGN_SIZE = 2;
export const VRING_USED_ALIGN_SIZE = 4;
/** Bytes of each part of a queue of `num` descriptors, without VIRTIO_RING_F_EVENT_IDX's extra word. */
export const vringDescBytes = (num: number): number => sizeof_vring_desc * num;
export const vringAvailBytes = (num: number): number => vring_avail.ring + 2 * num;
export const vringUsedBytes = (num: number): number => vring_used.ring + sizeof_vring_used_elem * num;
