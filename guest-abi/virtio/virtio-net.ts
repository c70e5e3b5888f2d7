// A network card (linux/virtio_net.h; virtio 1.0, section 5.1).

/** Feature bits: the device completes checksums; the driver accepts frames without; the device has an address. */
export const VIRTIO_NET_F_CSUM = 0;
export const VIRTIO_NET_F_GUEST_CSUM = 1;
export const VIRTIO_NET_F_MAC = 5;
/** Segmentation offloads: the driver takes (GUEST) or the device takes (HOST) frames longer than a packet. */
export const VIRTIO_NET_F_GUEST_TSO4 = 7;
export const VIRTIO_NET_F_GUEST_TSO6 = 8;
export const VIRTIO_NET_F_GUEST_ECN = 9;
export const VIRTIO_NET_F_HOST_TSO4 = 11;
export const VIRTIO_NET_F_HOST_TSO6 = 12;
export const VIRTIO_NET_F_HOST_ECN = 13;

export const virtio_net_config = { mac: 0, status: 6, max_virtqueue_pairs: 8, mtu: 10 } as const;
export const sizeof_virtio_net_config = 12;

/** What precedes every frame in both directions. */
export const virtio_net_hdr_v1 = {
  flags: 0,
  gso_type: 1,
  hdr_len: 2,
  gso_size: 4,
  csum_start: 6,
  csum_offset: 8,
  num_buffers: 10,
} as const;
export const sizeof_virtio_net_hdr_v1 = 12;

export const VIRTIO_NET_HDR_F_NEEDS_CSUM = 1;
export const VIRTIO_NET_HDR_GSO_NONE = 0;

/** Bytes of a hardware address. */
export const ETH_ALEN = 6;
