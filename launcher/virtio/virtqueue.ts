// A split virtqueue, the device's end of it: takes buffers that the driver made available, gives them back used.
//
// The driver is not trusted. The first wrong index or descriptor is reported (`bad driver`) and the queue takes nothing
// more, so that a malformed head is not looked at again. The work per kick is bounded by what the ring can hold.
import {
  VRING_AVAIL_F_NO_INTERRUPT,
  VRING_USED_F_NO_NOTIFY,
  sizeof_vring_used_elem,
  vring_avail,
  vring_used,
  vring_used_elem,
} from '../../guest-abi/virtio/virtio-ring.js';
import { readChain } from './descriptor-chain.js';
import type { Chain, ChainRules } from './descriptor-chain.js';
import type { GuestMemory } from './guest-memory.js';

export type { Chain } from './descriptor-chain.js';

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

export class Virtqueue {
  readonly name: string;
  readonly memory: GuestMemory;
  readonly #place: VringPlace;
  readonly #owner: QueueOwner;
  readonly #rules: ChainRules;
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
    this.#rules = { size: place.size, desc: place.desc, indirectAccepted: owner.indirectAccepted };
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
    const chain = readChain(this.memory, this.#rules, head);
    if (!('of' in chain)) return chain;
    if (chain.of === 'queue') return this.badDriver(chain.text);
    this.#state = 'broken';
    this.#owner.badDriver(chain.text);
    return undefined;
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
}
