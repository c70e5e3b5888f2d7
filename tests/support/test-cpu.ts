// The emulated CPU as a TestCpu: at ring 3, with the pages, segments and gates that the real one had when the vectors were
// recorded, and every trap leading out.
import { LGUEST_CS, PRESENT_INTERRUPT_GATE, DESC_DPL_MASK, GDT_ENTRIES } from '../../guest-abi/x86/descriptors.js';
import { IDT_ENTRIES, X86_TRAP_BP, X86_TRAP_OF, X86_TRAP_PF } from '../../guest-abi/x86/traps.js';
import { Cpu, type EngineName } from '../../switcher/cpu/cpu.js';
import { setStatusWord, statusWord } from '../../switcher/cpu/fpu.js';
import * as State from '../../switcher/cpu/state.js';
import { atOnce } from '../../switcher/translator/workshop.js';
import type { TestCpu } from './cpu-vectors.js';
import {
  DESCRIPTORS,
  FX,
  FX_BYTES,
  PAGES,
  PAGE_BYTES,
  TIMEOUT,
  initialPage,
  type MachineState,
  type Outcome,
  type Patch,
} from './machine-state.js';

export const ENGINES: readonly EngineName[] = ['evaluate', 'interpret', 'translate'];

const USER_RING = 3;
/** More jumps than any case needs, however an engine counts them. */
const BUDGET = 200_000;
const X87_REGISTERS = 8;
const SIGNIFICAND_BYTES = 8;
const X87_IMAGE_SIZE = 16;
const TOP_MASK = 7;

/** The gates of a Linux program's IDT, all to the Host: int3 and into may be asked for by name. */
function gates(): Uint32Array {
  const idt = new Uint32Array(IDT_ENTRIES * 2);
  for (let vector = 0; vector < IDT_ENTRIES; vector++) {
    const dpl = vector === X86_TRAP_BP || vector === X86_TRAP_OF ? DESC_DPL_MASK : 0;
    idt.set([LGUEST_CS << 16, PRESENT_INTERRUPT_GATE | dpl], vector * 2);
  }
  return idt;
}

function descriptors(): Uint32Array {
  const gdt = new Uint32Array(GDT_ENTRIES * 2);
  for (const [index, low, high] of DESCRIPTORS) gdt.set([low, high], index * 2);
  return gdt;
}

/** One of PAGES, where it is in the Guest's memory, and what was there before the case. */
interface Page {
  readonly address: number;
  readonly physical: number;
  readonly initial: Uint8Array;
  readonly before: Uint8Array;
  isDirty: boolean;
}

export class EmulatedCpu implements TestCpu {
  readonly #cpu: Cpu;
  readonly #pages: readonly Page[];
  /** What the clock says. */
  nanoseconds = 0;

  /** @param counts whether it counts instructions */
  constructor(engine: EngineName, counts = false) {
    const tables = { gdt: descriptors(), idt: gates(), tss: { ss1: 0, esp1: 0 } };
    const clock = { now: () => this.nanoseconds, wall: () => ({ seconds: 0, nanoseconds: 0 }) };
    // Everything that runs is translated first: what is never hot would not be seen otherwise.
    this.#cpu = new Cpu(PAGES.length * PAGE_BYTES, tables, clock, engine, atOnce(0), counts);
    this.#pages = PAGES.map((page, i) => {
      this.#cpu.maps.set(page.address / PAGE_BYTES, i, page.writable, true);
      const initial = initialPage(page);
      return { address: page.address, physical: i * PAGE_BYTES, initial, before: initial.slice(), isDirty: true };
    });
  }

  /** As CR0.TS: the x87's and SSE's registers are another task's. */
  set taskSwitched(value: boolean) {
    this.#cpu.memory.set(State.TASK_SWITCHED, value ? 1 : 0);
  }

  /** Instructions completed since it was made. */
  get retired(): number {
    return this.#cpu.retired?.instructions ?? NaN;
  }

  reset(state: MachineState): void {
    const touched = this.#pages.filter((page) => page.isDirty);
    for (const page of touched) {
      page.before.set(page.initial);
      page.isDirty = false;
    }
    for (const patch of state.patches) this.#patch(patch);
    for (const page of this.#pages) if (page.isDirty || touched.includes(page)) this.#write(page);
    this.#loadSegments(state);
    const { memory } = this.#cpu;
    state.registers.forEach((value, i) => memory.set(State.REGISTERS + 4 * i, value));
    memory.set(State.EIP, state.eip);
    this.#cpu.eflags = state.eflags;
    this.#loadFpu(state.fx);
  }

  run(budget = BUDGET): Outcome {
    this.#cpu.run(budget);
    const { memory, segments, trap, cr2, counters } = this.#cpu;
    const [mistake] = counters.translator?.mistakes ?? [];
    if (mistake !== undefined) throw new Error(`what was translated is not valid: ${mistake}`);
    const vector = trap.vector ?? TIMEOUT;
    return {
      registers: Uint32Array.from({ length: 8 }, (_, i) => memory.get(State.REGISTERS + 4 * i)),
      segments: Uint16Array.from({ length: 6 }, (_, i) => segments.selector(i)),
      eip: memory.get(State.EIP) >>> 0,
      eflags: this.#cpu.eflags >>> 0,
      fx: this.#storeFpu(),
      patches: this.#pages.flatMap((page) => this.#changes(page)),
      trap: { vector, error: trap.errorCode, cr2: vector === X86_TRAP_PF ? cr2 : 0 },
    };
  }

  // ---------------------------------------------------------------- memory

  #bytes(page: Page): Uint8Array {
    return this.#cpu.memory.bytes.subarray(page.physical, page.physical + PAGE_BYTES);
  }

  /** What the case is to find; code that is there already stays as the engine has prepared it. */
  #patch({ address, bytes }: Patch): void {
    bytes.forEach((byte, i) => {
      const page = this.#pages.find((one) => (address + i - one.address) >>> 0 < PAGE_BYTES);
      if (page === undefined) throw new RangeError(`no page at ${(address + i).toString(16)}`);
      if (!page.isDirty) page.before.set(page.initial);
      page.isDirty = true;
      page.before[(address + i) % PAGE_BYTES] = byte;
    });
  }

  #write(page: Page): void {
    const now = this.#bytes(page);
    if (Buffer.compare(now, page.before) === 0) return;
    now.set(page.before);
    this.#cpu.memory.wrote(page.physical, PAGE_BYTES);
  }

  #changes(page: Page): Patch[] {
    const [now, { before }] = [this.#bytes(page), page];
    if (Buffer.compare(now, before) === 0) return [];
    page.isDirty = true;
    const patches: Patch[] = [];
    for (let i = 0; i < PAGE_BYTES; i++) {
      if (now[i] !== before[i]) patches.push({ address: page.address + i, bytes: now.slice(i, i + 1) });
    }
    return patches;
  }

  // ---------------------------------------------------------------- registers

  #loadSegments(state: MachineState): void {
    const { segments } = this.#cpu;
    state.segments.forEach((selector, i) => segments.install(i, selector, segments.descriptor(selector)));
    this.#cpu.setPrivilege(USER_RING);
    this.#cpu.segmentsChanged();
  }

  #loadFpu(fx: Uint8Array): void {
    const { memory } = this.#cpu;
    const image = new DataView(fx.buffer, fx.byteOffset, fx.byteLength);
    memory.set(State.FPU_CONTROL, image.getUint16(FX.fcw, true));
    setStatusWord(memory, image.getUint16(FX.fsw, true));
    const top = memory.get(State.FPU_TOP);
    memory.set(State.FPU_EMPTY, ~image.getUint8(FX.ftw) & 0xff);
    memory.set(State.MXCSR, image.getUint32(FX.mxcsr, true));
    for (let i = 0; i < X87_REGISTERS; i++) {
      const from = FX.st + i * X87_IMAGE_SIZE;
      const to = State.FPU_REGISTERS + ((top + i) & TOP_MASK) * State.FPU_REGISTER_SIZE;
      memory.all.set(fx.subarray(from, from + SIGNIFICAND_BYTES), to);
      memory.set(to + State.FPU_SIGN_EXPONENT, image.getUint16(from + SIGNIFICAND_BYTES, true));
    }
    memory.all.set(fx.subarray(FX.xmm, FX_BYTES), State.XMM);
  }

  #storeFpu(): Uint8Array {
    const { memory } = this.#cpu;
    const fx = new Uint8Array(FX_BYTES);
    const image = new DataView(fx.buffer);
    const top = memory.get(State.FPU_TOP);
    image.setUint16(FX.fcw, memory.get(State.FPU_CONTROL), true);
    image.setUint16(FX.fsw, statusWord(memory), true);
    image.setUint8(FX.ftw, ~memory.get(State.FPU_EMPTY));
    image.setUint32(FX.mxcsr, memory.get(State.MXCSR), true);
    for (let i = 0; i < X87_REGISTERS; i++) {
      const to = FX.st + i * X87_IMAGE_SIZE;
      const from = State.FPU_REGISTERS + ((top + i) & TOP_MASK) * State.FPU_REGISTER_SIZE;
      fx.set(memory.all.subarray(from, from + SIGNIFICAND_BYTES), to);
      image.setUint16(to + SIGNIFICAND_BYTES, memory.get(from + State.FPU_SIGN_EXPONENT), true);
    }
    fx.set(memory.all.subarray(State.XMM, State.XMM + FX_BYTES - FX.xmm), FX.xmm);
    return fx;
  }
}
