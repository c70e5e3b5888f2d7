// The driver's side of virtio 1.0 over PCI, in the order in which Linux's virtio_pci_modern does things: find the
// capabilities, shake hands, set up queues, post buffers, read what was used.
import type { Width } from '../../launcher/pci/function.js';
import type { FakeGuest } from './fake-guest.js';

export const READ = 0;
export const WRITE = 2;
export const NEXT = 1;
export const INDIRECT = 4;

/** Where things are behind BAR0. */
export interface Registers {
  readonly common: number;
  readonly notify: number;
  readonly isr: number;
  readonly device: number | undefined;
}

export interface Buffer {
  readonly at: number;
  readonly length: number;
  readonly flags?: number;
}

const ACKNOWLEDGE = 1;
const DRIVER = 2;
const DRIVER_OK = 4;
const FEATURES_OK = 8;
const QUEUE_AREA = 0x40000;
const QUEUE_STRIDE = 0x4000;

export class VirtioDriver {
  readonly guest: FakeGuest;
  readonly slot: number;
  readonly registers: Registers;
  readonly queues: DriverQueue[] = [];
  /** What the device offered when it was brought up. */
  offers = 0n;

  constructor(guest: FakeGuest, slot: number) {
    this.guest = guest;
    this.slot = slot;
    this.registers = this.#findCapabilities();
  }

  read(offset: number, width: Width): number {
    return this.guest.load(this.registers.common + offset, width);
  }

  write(offset: number, width: Width, value: number): void {
    this.guest.store(this.registers.common + offset, width, value);
  }

  get status(): number {
    return this.read(20, 8);
  }

  set status(value: number) {
    this.write(20, 8, value);
  }

  /** Accepts `features` (low word, high word) and stops before the queues. */
  negotiate(low: number, high = 1): void {
    this.status = 0;
    while (this.status !== 0);
    this.status = ACKNOWLEDGE;
    this.status = this.status | DRIVER;
    this.offers = this.offered();
    this.write(8, 32, 0);
    this.write(12, 32, low);
    this.write(8, 32, 1);
    this.write(12, 32, high);
    this.status = this.status | FEATURES_OK;
    if ((this.status & FEATURES_OK) === 0) throw new Error('features refused');
  }

  offered(): bigint {
    this.write(0, 32, 0);
    const low = this.read(4, 32);
    this.write(0, 32, 1);
    return (BigInt(this.read(4, 32)) << 32n) | BigInt(low);
  }

  setUpQueue(index: number, size?: number): DriverQueue {
    this.write(22, 16, index);
    const num = size ?? this.read(24, 16);
    if (this.read(28, 16) !== 0) throw new Error('queue in use');
    const queue = new DriverQueue(this, index, num, QUEUE_AREA + index * QUEUE_STRIDE);
    this.write(24, 16, num);
    for (const [lo, value] of [
      [32, queue.desc],
      [40, queue.avail],
      [48, queue.used],
    ] as const) {
      this.write(lo, 32, value);
      this.write(lo + 4, 32, 0);
    }
    this.write(28, 16, 1);
    this.queues[index] = queue;
    return queue;
  }

  /** Everything, with all queues. */
  start(low: number, queues: number, size?: number): DriverQueue[] {
    this.negotiate(low);
    for (let index = 0; index < queues; index++) this.setUpQueue(index, size);
    this.status = this.status | DRIVER_OK;
    return this.queues;
  }

  #findCapabilities(): Registers {
    const bar = this.guest.readConfig(this.slot, 0x10);
    const found = new Map<number, number>();
    for (
      let at = this.guest.readConfig(this.slot, 0x34, 8);
      at !== 0;
      at = this.guest.readConfig(this.slot, at + 1, 8)
    ) {
      found.set(this.guest.readConfig(this.slot, at + 3, 8), bar + this.guest.readConfig(this.slot, at + 8));
    }
    const need = (type: number): number => found.get(type) ?? -1;
    return { common: need(1), notify: need(2), isr: need(3), device: found.get(4) };
  }
}

export class DriverQueue {
  readonly index: number;
  readonly num: number;
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
  readonly #driver: VirtioDriver;
  #free = 0;
  #availIndex = 0;
  #seen = 0;

  constructor(driver: VirtioDriver, index: number, num: number, area: number) {
    this.#driver = driver;
    this.index = index;
    this.num = num;
    this.desc = area;
    this.avail = area + 16 * num;
    this.used = Math.ceil((this.avail + 6 + 2 * num) / 4096) * 4096;
    driver.guest.bytes.fill(0, area, area + QUEUE_STRIDE);
  }

  get #view(): DataView {
    return this.#driver.guest.view;
  }

  writeDescriptor(table: number, n: number, at: number | bigint, length: number, flags: number, next: number): void {
    const base = table + 16 * n;
    this.#view.setBigUint64(base, BigInt(at), true);
    this.#view.setUint32(base + 8, length, true);
    this.#view.setUint16(base + 12, flags, true);
    this.#view.setUint16(base + 14, next, true);
  }

  /** Writes a chain into the table, from the next free descriptor on. Answers its head. */
  chain(buffers: readonly Buffer[]): number {
    const head = this.#free;
    for (const [i, buffer] of buffers.entries()) {
      const n = (head + i) % this.num;
      const last = i === buffers.length - 1;
      this.writeDescriptor(
        this.desc,
        n,
        buffer.at,
        buffer.length,
        (buffer.flags ?? READ) | (last ? 0 : NEXT),
        (n + 1) % this.num,
      );
    }
    this.#free = (head + buffers.length) % this.num;
    return head;
  }

  makeAvailable(head: number): void {
    this.#view.setUint16(this.avail + 4 + 2 * (this.#availIndex % this.num), head, true);
    this.setAvailIndex(this.#availIndex + 1);
  }

  setAvailIndex(index: number): void {
    this.#availIndex = index & 0xffff;
    this.#view.setUint16(this.avail + 2, this.#availIndex, true);
  }

  setAvailFlags(flags: number): void {
    this.#view.setUint16(this.avail, flags, true);
  }

  get usedFlags(): number {
    return this.#view.getUint16(this.used, true);
  }

  kick(): void {
    this.#driver.guest.store(this.#driver.registers.notify, 16, this.index);
  }

  /** Posts a chain and rings. */
  post(...buffers: readonly Buffer[]): number {
    const head = this.chain(buffers);
    this.makeAvailable(head);
    this.kick();
    return head;
  }

  /** What the device gave back since the last time. */
  taken(): { readonly id: number; readonly length: number }[] {
    const list = [];
    for (; this.#seen !== this.#view.getUint16(this.used + 2, true); this.#seen = (this.#seen + 1) & 0xffff) {
      const at = this.used + 4 + 8 * (this.#seen % this.num);
      list.push({ id: this.#view.getUint32(at, true), length: this.#view.getUint32(at + 4, true) });
    }
    return list;
  }
}

/** The queue with this number, which the driver has started. */
export function queueOf(driver: VirtioDriver, index: number): DriverQueue {
  const queue = driver.queues[index];
  if (queue === undefined) throw new Error(`no queue ${index}`);
  return queue;
}
