// A split virtqueue, the device's end of it: takes buffers that the driver made available, gives them back used.
//
// The driver is not trusted. Ring indices and descriptors are each read once and what was read is what is checked and
// used; the first wrong one is reported (`bad driver`) and the queue takes nothing more, so that a malformed head is not
// looked at again. The work per buffer is bounded by the queue size, the work per kick by what the ring can hold.
import {
  VRING_AVAIL_F_NO_INTERRUPT,
  VRING_DESC_F_INDIRECT,
  VRING_DESC_F_NEXT,
  VRING_DESC_F_WRITE,
  VRING_USED_F_NO_NOTIFY,
  sizeof_vring_desc,
  sizeof_vring_used_elem,
  vring_avail,
  vring_desc,
  vring_used,
  vring_used_elem,
} from '../../guest-abi/virtio/virtio-ring.js';
import type { GuestMemory } from './guest-memory.js';
import type { Segment } from './segments.js';

/** A buffer: what the driver wants read, and where it wants something written. */
export interface Chain {
  /** The number by which the driver knows it. */
  readonly head: number;
  readonly readable: readonly Segment[];
  readonly writable: readonly Segment[];
}

/** Where the driver put the three parts. All of it is RAM and aligned: queue_enable was refused otherwise. */
export interface VringPlace {
  readonly size: number;
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
}

/** Tells of a driver that broke a rule, in a queue if one is named. The first to tell is heard. */
export type BadDriver = (text: string, queue?: string) => void;

/** The device a queue belongs to. */
export interface QueueOwner {
  /** Whether the driver accepted VIRTIO_RING_F_INDIRECT_DESC. */
  readonly indirectAccepted: boolean;
  badDriver: BadDriver;
  /** Sets the queue bit of ISR and raises the device's interrupt. */
  interrupt(): void;
}

interface Descriptor {
  readonly addressLow: number;
  readonly addressHigh: number;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
}

/** Where a chain is being read from: the queue's own table, or an indirect one. */
interface Table {
  readonly at: number;
  readonly max: number;
  readonly indirect: boolean;
}

const hex64 = (high: number, low: number): string => `0x${((BigInt(high) << 32n) | BigInt(low)).toString(16)}`;

export class Virtqueue {
  readonly name: string;
  readonly memory: GuestMemory;
  readonly #place: VringPlace;
  readonly #owner: QueueOwner;
  #lastAvail = 0;
  #usedIndex: number;
  /** Whether anything was used since the driver last heard of it. */
  #unannounced = false;
  #state: 'working' | 'broken' = 'working';

  constructor(name: string, memory: GuestMemory, place: VringPlace, owner: QueueOwner) {
    this.name = name;
    this.memory = memory;
    this.#place = place;
    this.#owner = owner;
    this.#usedIndex = memory.u16(place.used + vring_used.idx);
  }

  /** Reports what the driver did wrong with this queue, and takes nothing more from it. */
  badDriver(text: string): undefined {
    this.#state = 'broken';
    this.#owner.badDriver(text, this.name);
    return undefined;
  }

  /** The next buffer, or nothing when there is none, or none that can be used. */
  pop(): Chain | undefined {
    if (this.#state === 'broken') return undefined;
    const { avail, size } = this.#place;
    const index = this.memory.u16(avail + vring_avail.idx);
    const waiting = (index - this.#lastAvail) & 0xffff;
    if (waiting === 0) return undefined;
    if (waiting > size) return this.badDriver(`Guest moved used index from ${this.#lastAvail} to ${index}`);
    const head = this.memory.u16(avail + vring_avail.ring + 2 * (this.#lastAvail % size));
    this.#lastAvail = (this.#lastAvail + 1) & 0xffff;
    if (head >= size) return this.badDriver(`Guest says index ${head} is available`);
    return this.#readChain(head);
  }

  /** Gives a buffer back. `written` is how many bytes of its writable part now hold something, counted from its start. */
  push(chain: Chain, written: number): void {
    if (this.#state === 'broken') return;
    const { used, size } = this.#place;
    const element = used + vring_used.ring + sizeof_vring_used_elem * (this.#usedIndex % size);
    this.memory.setU32(element + vring_used_elem.id, chain.head);
    this.memory.setU32(element + vring_used_elem.len, written);
    this.#usedIndex = (this.#usedIndex + 1) & 0xffff;
    this.memory.setU16(used + vring_used.idx, this.#usedIndex);
    this.#unannounced = true;
  }

  /** Tells the driver of what was used, unless there is nothing to tell or it does not want to hear. */
  interrupt(): void {
    if (this.#state === 'broken' || !this.#unannounced) return;
    this.#unannounced = false;
    const flags = this.memory.u16(this.#place.avail + vring_avail.flags);
    if (flags > VRING_AVAIL_F_NO_INTERRUPT) {
      this.badDriver(`avail->flags = ${flags}`);
      return;
    }
    if (flags !== VRING_AVAIL_F_NO_INTERRUPT) this.#owner.interrupt();
  }

  /**
   * Whether the driver shall ring the doorbell for new buffers. A device that has buffers but nothing to put into them
   * says no and spares the Guest an exit for each.
   */
  wantKicks(wanted: boolean): void {
    if (this.#state === 'broken') return;
    this.memory.setU16(this.#place.used + vring_used.flags, wanted ? 0 : VRING_USED_F_NO_NOTIFY);
  }

  #readChain(head: number): Chain | undefined {
    const readable: Segment[] = [];
    const writable: Segment[] = [];
    let table: Table = { at: this.#place.desc, max: this.#place.size, indirect: false };
    let index = head;
    // A table has no more descriptors than it has: who has seen that many and still is told to go on is in a loop.
    for (let seen = 1; ; seen++) {
      let descriptor = this.#descriptor(table, index);
      if ((descriptor.flags & VRING_DESC_F_INDIRECT) !== 0) {
        const inner = this.#indirectTable(table, descriptor);
        if (inner === undefined) return undefined;
        table = inner;
        seen = 1;
        descriptor = this.#descriptor(table, 0);
        if ((descriptor.flags & VRING_DESC_F_INDIRECT) !== 0) return this.badDriver('Indirect within indirect');
      }
      const segment = this.#segment(descriptor);
      if (segment === undefined) return undefined;
      if ((descriptor.flags & VRING_DESC_F_WRITE) !== 0) writable.push(segment);
      else if (writable.length > 0) return this.badDriver('Descriptor has out after in');
      else readable.push(segment);
      if (seen > table.max) return this.badDriver('Looped descriptor');
      if ((descriptor.flags & VRING_DESC_F_NEXT) === 0) return { head, readable, writable };
      if (descriptor.next >= table.max) return this.#badAddress(`Desc next is ${descriptor.next}`);
      index = descriptor.next;
    }
  }

  /** Precondition: `index` < `table.max`, and the table is RAM. */
  #descriptor(table: Table, index: number): Descriptor {
    const at = table.at + sizeof_vring_desc * index;
    return {
      addressLow: this.memory.u32(at + vring_desc.addr),
      addressHigh: this.memory.u32(at + vring_desc.addr + 4),
      length: this.memory.u32(at + vring_desc.len),
      flags: this.memory.u16(at + vring_desc.flags),
      next: this.memory.u16(at + vring_desc.next),
    };
  }

  #segment({ addressLow, addressHigh, length }: Descriptor): Segment | undefined {
    if (addressHigh !== 0 || !this.memory.contains(addressLow, length)) {
      return this.#badAddress(`Invalid address ${hex64(addressHigh, addressLow)}`);
    }
    return { address: addressLow, length };
  }

  /** "The driver MUST NOT set the VIRTQ_DESC_F_INDIRECT flag within an indirect descriptor" and more (2.4.5.3.1). */
  #indirectTable(outer: Table, descriptor: Descriptor): Table | undefined {
    if (!this.#owner.indirectAccepted) return this.badDriver('vq indirect not negotiated');
    if (outer.indirect) return this.badDriver('Indirect within indirect');
    if ((descriptor.flags & VRING_DESC_F_NEXT) !== 0) return this.badDriver('indirect and next together');
    if (descriptor.length === 0 || descriptor.length % sizeof_vring_desc !== 0) {
      return this.badDriver('Invalid size for indirect table');
    }
    const max = descriptor.length / sizeof_vring_desc;
    if (max > this.#place.size) return this.badDriver('indirect has too many entries');
    const place = this.#segment(descriptor);
    return place && { at: place.address, max, indirect: true };
  }

  /** Wrong numbers in descriptors were always reported in the name of the device, not of the queue. */
  #badAddress(text: string): undefined {
    this.#state = 'broken';
    this.#owner.badDriver(text);
    return undefined;
  }
}
