// What the driver finds behind BAR0, in the order of `struct virtio_pci_mmio` of the original.
//
//   0                        56        58    59    60
//   +------------------------+---------+-----+-----+------------------------+
//   | virtio_pci_common_cfg  | notify  | isr | pad | device configuration … |
//   +------------------------+---------+-----+-----+------------------------+
import { sizeof_virtio_pci_common_cfg } from '../../guest-abi/virtio/virtio-pci.js';

/** One doorbell for all queues: the driver writes the number of the queue. */
export const NOTIFY_OFFSET = sizeof_virtio_pci_common_cfg;
export const NOTIFY_LENGTH = 2;
export const ISR_OFFSET = NOTIFY_OFFSET + NOTIFY_LENGTH;
export const ISR_LENGTH = 1;
export const PADDING_OFFSET = ISR_OFFSET + ISR_LENGTH;
export const CONFIG_OFFSET = PADDING_OFFSET + 1;

/** How many buffers every queue can hold, unless the driver asks for fewer. */
export const VIRTQUEUE_NUM = 256;
