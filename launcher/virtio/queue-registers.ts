// The registers by which a driver sets up its queues: one window, through which `queue_select` shows each in turn.
import { hex } from '../../lib/bits.js';
import { sizeof_virtio_pci_common_cfg, virtio_pci_common_cfg as cfg } from '../../guest-abi/virtio/virtio-pci.js';
import {
  VRING_AVAIL_ALIGN_SIZE,
  VRING_DESC_ALIGN_SIZE,
  VRING_USED_ALIGN_SIZE,
  vringAvailBytes,
  vringDescBytes,
  vringUsedBytes,
  vring_used,
} from '../../guest-abi/virtio/virtio-ring.js';
import type { GuestMemory } from './guest-memory.js';
import { VIRTQUEUE_NUM } from './layout.js';
import type { BadDriver, VringPlace } from './virtqueue.js';

/** The per-queue part of the common configuration: queue_size to queue_used_hi. */
const FIRST = cfg.queue_size;
const LENGTH = sizeof_virtio_pci_common_cfg - FIRST;

const isPowerOfTwo = (value: number): boolean => value !== 0 && (value & (value - 1)) === 0;

export class QueueRegisters {
  readonly #window: DataView;
  readonly #memory: GuestMemory;
  readonly #names: readonly string[];
  readonly #badDriver: BadDriver;
  /** The registers of the queues that are not selected. */
  readonly #hidden: Uint8Array[];
  #selected = 0;

  /** `window` is all of the device's registers, which reads go to directly. */
  constructor(window: DataView, memory: GuestMemory, names: readonly string[], badDriver: BadDriver) {
    this.#window = window;
    this.#memory = memory;
    this.#names = names;
    this.#badDriver = badDriver;
    this.#hidden = names.map(() => new Uint8Array(LENGTH));
    this.reset();
  }

  reset(): void {
    for (const registers of this.#hidden) {
      registers.fill(0);
      new DataView(registers.buffer).setUint16(cfg.queue_size - FIRST, VIRTQUEUE_NUM, true);
    }
    this.#selected = 0;
    this.#window.setUint16(cfg.queue_select, 0, true);
    this.#show();
  }

  /** A queue that does not exist shows zeros: "if queue_size is 0, the queue is not available" (4.1.4.3). */
  select(index: number): void {
    this.#hidden[this.#selected]?.set(this.#shown());
    this.#selected = index;
    this.#window.setUint16(cfg.queue_select, index, true);
    this.#show();
  }

  writeSize(size: number): void {
    if (size !== 0 && !isPowerOfTwo(size)) this.#badDriver(`invalid queue size ${size}`);
    else if (this.#enabled()) this.#badDriver('changing queue size on live device');
    else this.#write16(cfg.queue_size, size);
  }

  /** One of the six address registers. Precondition: the handshake allows it. */
  writeAddress(offset: number, value: number): void {
    if (this.#enabled()) this.#badDriver('changing queue on live device');
    else if (this.#exists()) this.#window.setUint32(offset, value, true);
  }

  writeEnable(value: number, live: boolean): void {
    if (value !== 1) this.#badDriver(`setting queue_enable to ${value}`);
    else if (live) this.#badDriver('enabling vq after DRIVER_OK');
    else if (this.#exists() && this.#check()) this.#write16(cfg.queue_enable, 1);
  }

  /** Where the driver put queue `index`, or nothing when it did not enable it. */
  place(index: number): VringPlace | undefined {
    const registers = index === this.#selected ? this.#shown() : this.#hidden[index];
    if (registers === undefined) return undefined;
    const view = new DataView(registers.buffer, registers.byteOffset);
    if (view.getUint16(cfg.queue_enable - FIRST, true) === 0) return undefined;
    return {
      size: view.getUint16(cfg.queue_size - FIRST, true),
      desc: view.getUint32(cfg.queue_desc_lo - FIRST, true),
      avail: view.getUint32(cfg.queue_avail_lo - FIRST, true),
      used: view.getUint32(cfg.queue_used_lo - FIRST, true),
    };
  }

  /** Whether the selected queue can be enabled as it is. Reports the driver if not. */
  #check(): boolean {
    const size = this.#window.getUint16(cfg.queue_size, true);
    if (size === 0 || size > VIRTQUEUE_NUM) return this.#refuse(`invalid queue size ${size}`);
    const high = [cfg.queue_desc_hi, cfg.queue_avail_hi, cfg.queue_used_hi];
    if (high.some((offset) => this.#window.getUint32(offset, true) !== 0)) {
      return this.#refuseQueue('invalid 64-bit queue address');
    }
    const parts = [
      { address: this.#address(cfg.queue_desc_lo), align: VRING_DESC_ALIGN_SIZE, length: vringDescBytes(size) },
      { address: this.#address(cfg.queue_avail_lo), align: VRING_AVAIL_ALIGN_SIZE, length: vringAvailBytes(size) },
      { address: this.#address(cfg.queue_used_lo), align: VRING_USED_ALIGN_SIZE, length: vringUsedBytes(size) },
    ];
    if (parts.some(({ address, align }) => address % align !== 0)) {
      return this.#refuseQueue('invalid alignment in queue addresses');
    }
    const outside = parts.find(({ address, length }) => !this.#memory.contains(address, length));
    if (outside !== undefined) return this.#refuse(`Invalid address ${hex(outside.address)}`);
    const flags = this.#memory.u16(this.#address(cfg.queue_used_lo) + vring_used.flags);
    return flags === 0 || this.#refuseQueue(`invalid initial used.flags ${hex(flags)}`);
  }

  #refuse(text: string): false {
    this.#badDriver(text);
    return false;
  }

  #refuseQueue(text: string): false {
    this.#badDriver(text, this.#names[this.#selected]);
    return false;
  }

  #address(offset: number): number {
    return this.#window.getUint32(offset, true);
  }

  #exists(): boolean {
    return this.#selected < this.#names.length;
  }

  #enabled(): boolean {
    return this.#window.getUint16(cfg.queue_enable, true) !== 0;
  }

  #write16(offset: number, value: number): void {
    if (this.#exists()) this.#window.setUint16(offset, value, true);
  }

  #shown(): Uint8Array {
    return new Uint8Array(this.#window.buffer, this.#window.byteOffset + FIRST, LENGTH);
  }

  #show(): void {
    const registers = this.#hidden[this.#selected];
    if (registers === undefined) this.#shown().fill(0);
    else this.#shown().set(registers);
  }
}
