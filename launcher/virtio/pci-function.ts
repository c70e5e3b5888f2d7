// A virtio device as a function on the PCI bus: a configuration space with five capabilities, which say where behind
// BAR0 the driver finds what, and through one of which it can reach those registers without any mapping at all.
import {
  PCI_BASE_ADDRESS_0,
  PCI_CAPABILITY_LIST,
  PCI_CAP_ID_VNDR,
  PCI_CLASS_DEVICE,
  PCI_DEVICE_ID,
  PCI_INTERRUPT_LINE,
  PCI_REVISION_ID,
  PCI_STATUS,
  PCI_STATUS_CAP_LIST,
  PCI_STD_HEADER_SIZEOF,
  PCI_SUBSYSTEM_ID,
  PCI_VENDOR_ID,
  PCI_VENDOR_ID_REDHAT_QUMRANET,
} from '../../guest-abi/pci/config-space.js';
import { VIRTIO_PCI_DEVICE_ID_BASE, VIRTIO_PCI_SUBSYSTEM_ID } from '../../guest-abi/virtio/virtio-ids.js';
import {
  VIRTIO_PCI_CAP_COMMON_CFG,
  VIRTIO_PCI_CAP_DEVICE_CFG,
  VIRTIO_PCI_CAP_ISR_CFG,
  VIRTIO_PCI_CAP_NOTIFY_CFG,
  VIRTIO_PCI_CAP_PCI_CFG,
  sizeof_virtio_pci_cap,
  sizeof_virtio_pci_cfg_cap,
  sizeof_virtio_pci_common_cfg,
  sizeof_virtio_pci_notify_cap,
  virtio_pci_cap,
  virtio_pci_cfg_cap,
} from '../../guest-abi/virtio/virtio-pci.js';
import { ConfigSpace } from '../pci/config-space.js';
import type { PciFunction, Width } from '../pci/function.js';
import { CONFIG_OFFSET, ISR_LENGTH, ISR_OFFSET, NOTIFY_LENGTH, NOTIFY_OFFSET } from './layout.js';
import type { VirtioDevice } from './device.js';
import type { VirtioTransport } from './transport.js';

/** Where the capabilities lie. Theirs is the order in the original's `struct pci_config`, the chain's is another. */
const COMMON_AT = PCI_STD_HEADER_SIZEOF;
const NOTIFY_AT = COMMON_AT + sizeof_virtio_pci_cap;
const ISR_AT = NOTIFY_AT + sizeof_virtio_pci_notify_cap;
const DEVICE_AT = ISR_AT + sizeof_virtio_pci_cap;
const WINDOW_AT = DEVICE_AT + sizeof_virtio_pci_cap;
export const VIRTIO_CONFIG_SPACE_SIZE = WINDOW_AT + sizeof_virtio_pci_cfg_cap;

const WINDOW_BAR = WINDOW_AT + virtio_pci_cap.bar;
const WINDOW_OFFSET = WINDOW_AT + virtio_pci_cap.offset;
const WINDOW_LENGTH = WINDOW_AT + virtio_pci_cap.length;
const WINDOW_DATA = WINDOW_AT + virtio_pci_cfg_cap.pci_cfg_data;

/** The smallest power of two that holds `size` bytes: what a BAR decodes. */
export const barSize = (size: number): number => 2 ** Math.ceil(Math.log2(size));

export class VirtioPciFunction implements PciFunction {
  readonly memory: VirtioTransport;
  readonly #space: ConfigSpace;

  /** `irq` is the interrupt line the transport raises. */
  constructor(device: VirtioDevice, transport: VirtioTransport, irq: number) {
    this.memory = transport;
    this.#space = new ConfigSpace(VIRTIO_CONFIG_SPACE_SIZE, barSize(transport.size));
    this.#identify(device, irq);
    this.#capability(
      COMMON_AT,
      VIRTIO_PCI_CAP_COMMON_CFG,
      sizeof_virtio_pci_cap,
      NOTIFY_AT,
      0,
      sizeof_virtio_pci_common_cfg,
    );
    this.#capability(
      NOTIFY_AT,
      VIRTIO_PCI_CAP_NOTIFY_CFG,
      sizeof_virtio_pci_notify_cap,
      ISR_AT,
      NOTIFY_OFFSET,
      NOTIFY_LENGTH,
    );
    this.#capability(ISR_AT, VIRTIO_PCI_CAP_ISR_CFG, sizeof_virtio_pci_cap, WINDOW_AT, ISR_OFFSET, ISR_LENGTH);
    const configured = device.config.length > 0;
    this.#capability(WINDOW_AT, VIRTIO_PCI_CAP_PCI_CFG, sizeof_virtio_pci_cfg_cap, configured ? DEVICE_AT : 0, 0, 0);
    if (configured) {
      this.#capability(
        DEVICE_AT,
        VIRTIO_PCI_CAP_DEVICE_CFG,
        sizeof_virtio_pci_cap,
        0,
        CONFIG_OFFSET,
        device.config.length,
      );
    }
  }

  readConfig(register: number): number {
    if (register === WINDOW_DATA) this.#readThroughWindow();
    return this.#space.word(register);
  }

  writeConfig(register: number, mask: number, value: number, width: Width): boolean {
    switch (register) {
      case WINDOW_BAR:
      case WINDOW_OFFSET:
      case WINDOW_LENGTH:
        this.#space.store(register, mask, value);
        return true;
      case WINDOW_DATA:
        return this.#writeThroughWindow(mask, value);
      default:
        return this.#space.writeHeader(register, mask, value, width);
    }
  }

  #identify(device: VirtioDevice, irq: number): void {
    const { view } = this.#space;
    view.setUint16(PCI_VENDOR_ID, PCI_VENDOR_ID_REDHAT_QUMRANET, true);
    view.setUint16(PCI_DEVICE_ID, VIRTIO_PCI_DEVICE_ID_BASE + device.id, true);
    view.setUint16(PCI_STATUS, PCI_STATUS_CAP_LIST, true);
    // "Non-transitional devices SHOULD have a PCI Revision ID of 1 or higher" (4.1.2.1).
    view.setUint8(PCI_REVISION_ID, 1);
    view.setUint16(PCI_CLASS_DEVICE, device.pciClass, true);
    view.setUint32(PCI_BASE_ADDRESS_0, this.memory.address, true);
    view.setUint16(PCI_SUBSYSTEM_ID, VIRTIO_PCI_SUBSYSTEM_ID, true);
    view.setUint8(PCI_CAPABILITY_LIST, COMMON_AT);
    // No interrupt pin: a Linux lguest Guest takes the line for the interrupt itself.
    view.setUint8(PCI_INTERRUPT_LINE, irq);
  }

  #capability(at: number, type: number, size: number, next: number, offset: number, length: number): void {
    const { view } = this.#space;
    view.setUint8(at + virtio_pci_cap.cap_vndr, PCI_CAP_ID_VNDR);
    view.setUint8(at + virtio_pci_cap.cap_next, next);
    view.setUint8(at + virtio_pci_cap.cap_len, size);
    view.setUint8(at + virtio_pci_cap.cfg_type, type);
    view.setUint32(at + virtio_pci_cap.offset, offset, true);
    view.setUint32(at + virtio_pci_cap.length, length, true);
  }

  /**
   * "The driver MUST NOT write a cap.length other than 1, 2 or 4, an offset that is not a multiple of it, or a range
   * outside the BAR" (4.1.4.7.2): then the window shows nothing.
   */
  #windowTarget(): { readonly offset: number; readonly width: Width } | undefined {
    const { view } = this.#space;
    const offset = view.getUint32(WINDOW_OFFSET, true);
    const length = view.getUint32(WINDOW_LENGTH, true);
    if (view.getUint8(WINDOW_BAR) !== 0 || offset + length > this.memory.size) return undefined;
    if (length !== 1 && length !== 2 && length !== 4) return undefined;
    if (offset % length !== 0) return undefined;
    return { offset, width: length === 1 ? 8 : length === 2 ? 16 : 32 };
  }

  /** An impossible window keeps the word it has. (The original ended: a Guest that dumped its bus killed itself.) */
  #readThroughWindow(): void {
    const target = this.#windowTarget();
    if (target === undefined) return;
    const mask = target.width === 32 ? 0xffff_ffff : (1 << target.width) - 1;
    this.#space.store(WINDOW_DATA, mask, this.memory.read(target.offset, target.width));
  }

  #writeThroughWindow(mask: number, value: number): boolean {
    const target = this.#windowTarget();
    if (target === undefined) return false;
    this.#space.store(WINDOW_DATA, mask, value);
    this.memory.write(target.offset, target.width, this.#space.word(WINDOW_DATA));
    return true;
  }
}
