// The CPU with a kernel's view: rings 1 and 3, a GDT with segments of every kind, direct gates. For what user mode cannot show.
import { DESC_DPL_SHIFT, DESC_PRESENT, GDT_ENTRIES, LGUEST_CS } from '../../guest-abi/x86/descriptors.js';
import { IDT_ENTRIES } from '../../guest-abi/x86/traps.js';
import { Cpu, type EngineName } from '../../switcher/cpu/cpu.js';
import * as State from '../../switcher/cpu/state.js';

const PAGE = 4096;
/** Linear addresses, each one page: the same place in RAM. */
export const CODE = 0x1000;
export const HANDLER = 0x2000;
export const KERNEL_STACK = 0x4000;
export const STACK = 0x6000;
export const DATA = 0x7000;
/** Mapped for ring 1 only, read-only, and not at all. */
export const KERNEL_PAGE = 0x8000;
export const READ_ONLY_PAGE = 0x9000;
export const NO_PAGE = 0xa000;
const RAM_PAGES = 16;
const BUDGET = 1000;

/** Selectors without RPL. */
export const SELECTOR = {
  code1: 0x10,
  data1: 0x18,
  code3: 0x20,
  data3: 0x28,
  /** Conforming code of DPL 1: runs in ring 1 and 3. */
  conforming: 0x30,
  /** Not present. */
  absentCode3: 0x38,
  absentData3: 0x40,
  readOnly3: 0x48,
  executeOnly3: 0x50,
  absentCode1: 0x58,
  small3: 0x60,
  absentData1: 0x68,
} as const;
export type SegmentName = keyof typeof SELECTOR;

const flat = (access: number): readonly [number, number] => [0xffff, 0x00cf0000 | (access << 8)];
const DESCRIPTORS: Record<SegmentName, readonly [low: number, high: number]> = {
  code1: flat(0xbb),
  data1: flat(0xb3),
  code3: flat(0xfb),
  data3: flat(0xf3),
  conforming: flat(0xbf),
  absentCode3: flat(0x7b),
  absentData3: flat(0x73),
  readOnly3: flat(0xf1),
  executeOnly3: flat(0xf9),
  absentCode1: flat(0x3b),
  small3: [0x00ff, 0x0040f300],
  absentData1: flat(0x33),
};

export interface Registers {
  readonly eax?: number;
  readonly ecx?: number;
  readonly esp?: number;
  readonly eflags?: number;
}

export interface Ended {
  readonly vector: number | undefined;
  readonly error: number;
  readonly cr2: number;
  readonly eip: number;
  readonly esp: number;
  readonly eax: number;
  readonly eflags: number;
  readonly cpl: number;
  /** es, cs, ss, ds, fs, gs. */
  readonly segments: readonly number[];
}

export const word = (value: number): number[] => [value, value >>> 8, value >>> 16, value >>> 24].map((b) => b & 0xff);
export const push = (value: number): number[] => [0x68, ...word(value)];

export class RingCpu {
  readonly #cpu: Cpu;
  readonly #idt = new Uint32Array(IDT_ENTRIES * 2);
  readonly #gdt = new Uint32Array(GDT_ENTRIES * 2);
  readonly #tss = { ss1: SELECTOR.data1 | 1, esp1: KERNEL_STACK };

  constructor(engine: EngineName) {
    for (const name of Object.keys(SELECTOR) as SegmentName[]) this.#gdt.set(DESCRIPTORS[name], SELECTOR[name] / 4);
    const clock = { now: () => 0, wall: () => ({ seconds: 0, nanoseconds: 0 }) };
    const tables = { gdt: this.#gdt, idt: this.#idt, tss: this.#tss };
    this.#cpu = new Cpu(RAM_PAGES * PAGE, tables, clock, engine, 0);
    for (let page = 0; page < RAM_PAGES; page++) {
      const address = page * PAGE;
      if (address === NO_PAGE) continue;
      this.#cpu.maps.set(
        page,
        page,
        address !== READ_ONLY_PAGE,
        address !== KERNEL_PAGE && address !== KERNEL_STACK - PAGE,
      );
    }
    for (let vector = 0; vector < IDT_ENTRIES; vector++) this.gate(vector, LGUEST_CS, 0, 'interrupt');
  }

  /** Where an inner ring's stack is. */
  set esp1(value: number) {
    this.#tss.esp1 = value;
  }

  set ss1(value: number) {
    this.#tss.ss1 = value;
  }

  gate(vector: number, selector: number, dpl: number, type: 'interrupt' | 'trap', offset = HANDLER): void {
    const rights = DESC_PRESENT | (dpl << DESC_DPL_SHIFT) | (type === 'trap' ? 0xf00 : 0xe00);
    this.#idt.set([(selector << 16) | (offset & 0xffff), (offset & 0xffff0000) | rights], vector * 2);
  }

  put(address: number, bytes: readonly number[]): void {
    this.#cpu.memory.bytes.set(bytes, address);
    this.#cpu.memory.wrote(address, bytes.length);
  }

  /** A word of memory. */
  peek(address: number): number {
    return new DataView(this.#cpu.memory.bytes.buffer, this.#cpu.memory.bytes.byteOffset).getUint32(address, true);
  }

  /** Runs `code` in that ring, behind it an `ud2`, until a trap leads out. */
  run(ring: 1 | 3, code: readonly number[], registers: Registers = {}): Ended {
    const { memory, segments } = this.#cpu;
    this.put(CODE, [...code, 0x0f, 0x0b]);
    const [cs, ds] = ring === 1 ? [SELECTOR.code1, SELECTOR.data1] : [SELECTOR.code3, SELECTOR.data3];
    [ds, cs, ds, ds, ds, ds].forEach((selector, i) =>
      segments.install(i, selector | ring, segments.descriptor(selector)),
    );
    this.#cpu.setPrivilege(ring);
    this.#cpu.segmentsChanged();
    const { eax = 0, ecx = 0, esp = STACK, eflags = 0x202 } = registers;
    [eax, ecx, 0, 0, esp, 0, 0, 0].forEach((value, i) => memory.set(State.REGISTERS + 4 * i, value));
    memory.set(State.EIP, CODE);
    this.#cpu.eflags = eflags;
    this.#cpu.run(BUDGET);
    const { vector, errorCode } = this.#cpu.trap;
    return {
      vector,
      error: errorCode,
      cr2: vector === 14 ? this.#cpu.cr2 : 0,
      eip: memory.get(State.EIP) >>> 0,
      esp: memory.get(State.REGISTERS + 16) >>> 0,
      eax: memory.get(State.REGISTERS) >>> 0,
      eflags: this.#cpu.eflags >>> 0,
      cpl: segments.cpl,
      segments: Array.from({ length: 6 }, (_, i) => segments.selector(i)),
    };
  }
}
