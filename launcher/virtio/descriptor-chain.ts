// Follows a chain of descriptors, in the queue's own table and in an indirect one, and checks every number in it.
//
// Each descriptor is read once; what was read is what is checked and what the device gets. A chain ends after as many
// descriptors as its tables have, so that no loop is followed for long.
import {
  VRING_DESC_F_INDIRECT,
  VRING_DESC_F_NEXT,
  VRING_DESC_F_WRITE,
  sizeof_vring_desc,
  vring_desc,
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

/**
 * What is wrong with a chain. Numbers that point nowhere have always been reported in the name of the device, the rest in
 * that of the queue.
 */
export interface BadChain {
  readonly text: string;
  readonly of: 'queue' | 'device';
}

/** The queue a chain comes from. */
export interface ChainRules {
  /** Descriptors in the queue's table, and the most that an indirect one may have. */
  readonly size: number;
  /** Where the table is: checked, like `size`, when the queue was enabled. */
  readonly desc: number;
  readonly indirectAccepted: boolean;
}

interface Descriptor {
  readonly addressLow: number;
  readonly addressHigh: number;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
}

interface Table {
  readonly at: number;
  readonly max: number;
  readonly indirect: boolean;
}

const hex64 = (high: number, low: number): string => `0x${((BigInt(high) << 32n) | BigInt(low)).toString(16)}`;
const badQueue = (text: string): BadChain => ({ text, of: 'queue' });
const badDevice = (text: string): BadChain => ({ text, of: 'device' });
const isBad = (result: object): result is BadChain => 'of' in result;

/** Precondition: `head` < `rules.size`. */
export function readChain(memory: GuestMemory, rules: ChainRules, head: number): Chain | BadChain {
  const readable: Segment[] = [];
  const writable: Segment[] = [];
  let table: Table = { at: rules.desc, max: rules.size, indirect: false };
  let index = head;
  // Who has seen as many descriptors as the table has, and still is told to go on, is in a loop.
  for (let seen = 1; ; seen++) {
    let descriptor = readDescriptor(memory, table, index);
    if ((descriptor.flags & VRING_DESC_F_INDIRECT) !== 0) {
      const inner = indirectTable(memory, rules, table, descriptor);
      if (isBad(inner)) return inner;
      table = inner;
      seen = 1;
      descriptor = readDescriptor(memory, table, 0);
      if ((descriptor.flags & VRING_DESC_F_INDIRECT) !== 0) return badQueue('Indirect within indirect');
    }
    const segment = segmentOf(memory, descriptor);
    if (isBad(segment)) return segment;
    if ((descriptor.flags & VRING_DESC_F_WRITE) !== 0) writable.push(segment);
    else if (writable.length > 0) return badQueue('Descriptor has out after in');
    else readable.push(segment);
    if (seen > table.max) return badQueue('Looped descriptor');
    if ((descriptor.flags & VRING_DESC_F_NEXT) === 0) return { head, readable, writable };
    if (descriptor.next >= table.max) return badDevice(`Desc next is ${descriptor.next}`);
    index = descriptor.next;
  }
}

/** Precondition: `index` < `table.max`, and the table is RAM. */
function readDescriptor(memory: GuestMemory, table: Table, index: number): Descriptor {
  const at = table.at + sizeof_vring_desc * index;
  return {
    addressLow: memory.u32(at + vring_desc.addr),
    addressHigh: memory.u32(at + vring_desc.addr + 4),
    length: memory.u32(at + vring_desc.len),
    flags: memory.u16(at + vring_desc.flags),
    next: memory.u16(at + vring_desc.next),
  };
}

function segmentOf(memory: GuestMemory, { addressLow, addressHigh, length }: Descriptor): Segment | BadChain {
  if (addressHigh !== 0 || !memory.contains(addressLow, length)) {
    return badDevice(`Invalid address ${hex64(addressHigh, addressLow)}`);
  }
  return { address: addressLow, length };
}

/** "The driver MUST NOT set the VIRTQ_DESC_F_INDIRECT flag within an indirect descriptor", and more (2.4.5.3.1). */
function indirectTable(memory: GuestMemory, rules: ChainRules, outer: Table, descriptor: Descriptor): Table | BadChain {
  if (!rules.indirectAccepted) return badQueue('vq indirect not negotiated');
  if (outer.indirect) return badQueue('Indirect within indirect');
  if ((descriptor.flags & VRING_DESC_F_NEXT) !== 0) return badQueue('indirect and next together');
  if (descriptor.length === 0 || descriptor.length % sizeof_vring_desc !== 0) {
    return badQueue('Invalid size for indirect table');
  }
  const max = descriptor.length / sizeof_vring_desc;
  if (max > rules.size) return badQueue('indirect has too many entries');
  const place = segmentOf(memory, descriptor);
  return isBad(place) ? place : { at: place.address, max, indirect: true };
}
