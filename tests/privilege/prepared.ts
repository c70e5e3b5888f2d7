// What is the same whoever runs a case on the emulated CPU: pages, gates, memory before, and what has changed in it after.
import { PAGE_SHIFT } from '../../guest-abi/addresses.js';
import { LGUEST_CS } from '../../guest-abi/x86/descriptors.js';
import { IDT_ENTRIES, PF_PROT, X86_TRAP_PF } from '../../guest-abi/x86/traps.js';
import type { ShadowMap } from '../../switcher/cpu/shadow-map.js';
import type { PhysicalMemory } from '../../switcher/physical-memory.js';
import { type RingCase, UD2, gateWords, memoryOf } from './case.js';
import {
  DATA,
  HANDLER,
  KERNEL_STACK,
  PAGE,
  PRESENT,
  RAM_BYTES,
  RAM_PAGES,
  SELECTOR,
  USER,
  WRITABLE,
  pageFlags,
} from './world.js';

/** The parts of a machine that a case is laid out in. */
export interface Machine {
  readonly memory: PhysicalMemory;
  readonly maps: ShadowMap;
  readonly idt: Uint32Array;
  readonly tss: { ss1: number; esp1: number };
}

export class Prepared {
  readonly #machine: Machine;
  readonly #before = new Uint8Array(RAM_BYTES);

  constructor(machine: Machine) {
    this.#machine = machine;
    for (let page = 0; page < RAM_PAGES; page++) this.#map(page, undefined);
  }

  #map(page: number, dataPage: number | undefined): void {
    const { maps } = this.#machine;
    const flags = pageFlags(page, dataPage);
    if ((flags & PRESENT) === 0) maps.clear(page);
    else maps.set(page, page, (flags & WRITABLE) !== 0, (flags & USER) !== 0);
  }

  /** Lays the case out, but for its registers. */
  begin(one: RingCase): void {
    const { memory, idt, tss } = this.#machine;
    for (let vector = 0; vector < IDT_ENTRIES; vector++)
      idt.set(gateWords({ vector, selector: LGUEST_CS, dpl: 0, type: 'interrupt', offset: 0 }), vector * 2);
    for (const gate of one.gates ?? []) idt.set(gateWords(gate), gate.vector * 2);
    const { ss, esp } = one.stack1 ?? { ss: SELECTOR.data1 | 1, esp: KERNEL_STACK };
    Object.assign(tss, { ss1: ss, esp1: esp });
    this.#before.fill(0);
    this.#before.set(UD2, HANDLER);
    for (const [address, bytes] of memoryOf(one)) this.#before.set(bytes, address);
    memory.bytes.set(this.#before);
    memory.wrote(0, RAM_BYTES);
    this.#map(DATA / PAGE, one.dataPage);
  }

  /** Words of memory that are not as they were. */
  changes(): [address: number, value: number][] {
    const { bytes } = this.#machine.memory;
    const now = new Uint32Array(bytes.buffer, bytes.byteOffset, RAM_BYTES / 4);
    const before = new Uint32Array(this.#before.buffer);
    const changes: [number, number][] = [];
    now.forEach((value, i) => {
      if (value !== before[i]) changes.push([4 * i, value]);
    });
    return changes;
  }
}

/** The error code with what the Host knows and the CPU does not: whether a page is there at all. */
export function exactError(one: RingCase, vector: number | undefined, error: number, cr2: number): number {
  const isThere = (pageFlags(cr2 >>> PAGE_SHIFT, one.dataPage) & PRESENT) !== 0;
  return vector === X86_TRAP_PF && isThere ? error | PF_PROT : error;
}
