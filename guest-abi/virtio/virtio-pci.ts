// How a virtio device shows itself on a PCI bus (linux/virtio_pci.h; virtio 1.0, section 4.1).

/** `cfg_type` of a capability: which register block it points at. */
export const VIRTIO_PCI_CAP_COMMON_CFG = 1;
export const VIRTIO_PCI_CAP_NOTIFY_CFG = 2;
export const VIRTIO_PCI_CAP_ISR_CFG = 3;
export const VIRTIO_PCI_CAP_DEVICE_CFG = 4;
export const VIRTIO_PCI_CAP_PCI_CFG = 5;

/** A capability in configuration space: block `cfg_type` lies at `offset` of base address register `bar`. */
export const virtio_pci_cap = {
  cap_vndr: 0,
  cap_next: 1,
  cap_len: 2,
  cfg_type: 3,
  bar: 4,
  padding: 5,
  offset: 8,
  length: 12,
} as const;
export const sizeof_virtio_pci_cap = 16;

/** VIRTIO_PCI_CAP_NOTIFY_CFG has one word more: queue n's doorbell is at queue_notify_off(n) · multiplier. */
export const virtio_pci_notify_cap = { ...virtio_pci_cap, notify_off_multiplier: 16 } as const;
export const sizeof_virtio_pci_notify_cap = 20;

/** VIRTIO_PCI_CAP_PCI_CFG: a window through which configuration accesses reach a BAR. */
export const virtio_pci_cfg_cap = { ...virtio_pci_cap, pci_cfg_data: 16 } as const;
export const sizeof_virtio_pci_cfg_cap = 20;

/** The common configuration registers. */
export const virtio_pci_common_cfg = {
  device_feature_select: 0,
  device_feature: 4,
  guest_feature_select: 8,
  guest_feature: 12,
  msix_config: 16,
  num_queues: 18,
  device_status: 20,
  config_generation: 21,
  queue_select: 22,
  queue_size: 24,
  queue_msix_vector: 26,
  queue_enable: 28,
  queue_notify_off: 30,
  queue_desc_lo: 32,
  queue_desc_hi: 36,
  queue_avail_lo: 40,
  queue_avail_hi: 44,
  queue_used_lo: 48,
  queue_used_hi: 52,
} as const;
export const sizeof_virtio_pci_common_cfg = 56;

/** Bits of the ISR status byte (virtio 1.0, 4.1.4.5). Reading it clears it. */
export const VIRTIO_PCI_ISR_QUEUE = 1;
export const VIRTIO_PCI_ISR_CONFIG = 2;
