// The emulated CPU in the world of the privilege tests: a kernel's view, with every trap that no gate of the case catches
// leading out.
import { PAGE_SHIFT } from '../../guest-abi/addresses.js';
import { LGUEST_CS } from '../../guest-abi/x86/descriptors.js';
import { IDT_ENTRIES, PF_PROT, X86_TRAP_PF } from '../../guest-abi/x86/traps.js';
import { Cpu, type EngineName } from '../../switcher/cpu/cpu.js';
import * as State from '../../switcher/cpu/state.js';
import { type Outcome, type RingCase, UD2, gateWords, memoryOf, startOf } from './case.js';
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
  globalDescriptorTable,
  pageFlags,
} from './world.js';

const BUDGET = 5000;

export class RingCpu {
  readonly #cpu: Cpu;
  readonly #idt = new Uint32Array(IDT_ENTRIES * 2);
  readonly #tss = { ss1: 0, esp1: 0 };
  readonly #before = new Uint8Array(RAM_BYTES);

  constructor(engine: EngineName) {
    const clock = { now: () => 0, wall: () => ({ seconds: 0, nanoseconds: 0 }) };
    const tables = { gdt: globalDescriptorTable(), idt: this.#idt, tss: this.#tss };
    // Everything that runs is translated first: what is never hot would not be seen otherwise.
    this.#cpu = new Cpu(RAM_BYTES, tables, clock, engine, 0);
    for (let page = 0; page < RAM_PAGES; page++) this.#map(page, undefined);
  }

  #map(page: number, dataPage: number | undefined): void {
    const flags = pageFlags(page, dataPage);
    if ((flags & PRESENT) === 0) this.#cpu.maps.clear(page);
    else this.#cpu.maps.set(page, page, (flags & WRITABLE) !== 0, (flags & USER) !== 0);
  }

  run(one: RingCase): Outcome {
    const { memory, segments } = this.#cpu;
    this.#prepare(one);
    this.#cpu.run(BUDGET);
    const { vector, errorCode } = this.#cpu.trap;
    return {
      vector,
      error: errorCode | (vector === X86_TRAP_PF && this.#isPresent(this.#cpu.cr2, one) ? PF_PROT : 0),
      cr2: vector === X86_TRAP_PF ? this.#cpu.cr2 : 0,
      eip: memory.get(State.EIP) >>> 0,
      eflags: this.#cpu.eflags >>> 0,
      registers: Array.from({ length: 8 }, (_, i) => memory.get(State.REGISTERS + 4 * i) >>> 0),
      segments: Array.from({ length: 6 }, (_, i) => segments.selector(i)),
      memory: this.#changes(),
    };
  }

  #prepare(one: RingCase): void {
    const { memory, segments } = this.#cpu;
    for (let vector = 0; vector < IDT_ENTRIES; vector++)
      this.#idt.set(gateWords({ vector, selector: LGUEST_CS, dpl: 0, type: 'interrupt', offset: 0 }), vector * 2);
    for (const gate of one.gates ?? []) this.#idt.set(gateWords(gate), gate.vector * 2);
    const { ss, esp } = one.stack1 ?? { ss: SELECTOR.data1 | 1, esp: KERNEL_STACK };
    Object.assign(this.#tss, { ss1: ss, esp1: esp });
    this.#before.fill(0);
    this.#before.set(UD2, HANDLER);
    for (const [address, bytes] of memoryOf(one)) this.#before.set(bytes, address);
    memory.bytes.set(this.#before);
    memory.wrote(0, RAM_BYTES);
    this.#map(DATA / PAGE, one.dataPage);
    const start = startOf(one);
    start.segments.forEach((selector, i) => segments.install(i, selector, segments.descriptor(selector)));
    this.#cpu.setPrivilege(one.ring);
    this.#cpu.segmentsChanged();
    start.registers.forEach((value, i) => memory.set(State.REGISTERS + 4 * i, value));
    memory.set(State.EIP, start.eip);
    this.#cpu.eflags = start.eflags;
  }

  /** Whether the page is there at all: what the Host knows, and the CPU does not. */
  #isPresent(address: number, { dataPage }: RingCase): boolean {
    return (pageFlags(address >>> PAGE_SHIFT, dataPage) & PRESENT) !== 0;
  }

  #changes(): [number, number][] {
    const { bytes } = this.#cpu.memory;
    const now = new Uint32Array(bytes.buffer, bytes.byteOffset, RAM_BYTES / 4);
    const before = new Uint32Array(this.#before.buffer);
    const changes: [number, number][] = [];
    now.forEach((value, i) => {
      if (value !== before[i]) changes.push([4 * i, value]);
    });
    return changes;
  }
}
