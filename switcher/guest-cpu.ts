// The Switcher itself: registers in, run, registers out.
//
// The original loads gs, fs, ds and es one by one and enters by iret; if a segment does not load, it is back in the Host with
// the trap number that the Host put there, which is no real one. So it is here: what a Guest has in its registers is checked
// at each entry against its GDT as it is now, and a segment that does not load is the end of that Guest only.
import type { Clock } from '../lib/clock.js';
import { PAGE_SIZE, SWITCHER_ADDRESS } from '../guest-abi/addresses.js';
import { LGUEST_REGS, LGUEST_REGS_WORDS } from '../guest-abi/lguest-regs.js';
import { GDT_ENTRIES, SELECTOR_RPL_MASK } from '../guest-abi/x86/descriptors.js';
import { X86_EFLAGS_IF } from '../guest-abi/x86/eflags.js';
import { IDT_ENTRIES } from '../guest-abi/x86/traps.js';
import { Cpu } from './cpu/cpu.js';
import { Lateness } from './cpu/lateness.js';
import type { SegmentFault } from './cpu/segments.js';
import { prepareInterpreter } from './interpreter/load.js';
import * as State from './cpu/state.js';
import type { CpuCounters } from './counters.js';
import {
  type Doorkeeper,
  type EngineName,
  type LguestPages,
  type Switcher,
  TRAP_BAD_ENTRY,
  TRAP_HOST_INTERRUPT,
} from './switch.js';
import type { PhysicalMemory } from './physical-memory.js';
import type { ShadowMap } from './cpu/shadow-map.js';
import { atOnce, workshop } from './translator/workshop.js';

export type { EngineName } from './switch.js';

export interface SwitcherOptions {
  /** How the CPU runs code. */
  readonly engine?: EngineName | undefined;
  /** How often the translator meets a place in the code before it translates it; 0: everything at once. */
  readonly translateAfter?: number | undefined;
  /** Instructions are counted, which takes time. */
  readonly counts?: boolean | undefined;
  /** Nothing depends on the time of the machine below: a run ends where its budget does, however late it is. */
  readonly isRepeatable?: boolean | undefined;
}

/** The general registers, as words of the state: eax, ecx, edx, ebx, esp, ebp, esi, edi. */
const EAX = State.REGISTERS / 4;
const EIP = State.EIP / 4;
const SELECTORS = (State.SEGMENTS + State.SEGMENT_SELECTOR) / 4;
const SEGMENT_WORDS = State.SEGMENT_SIZE / 4;
/** The data segments, in the order in which the original loads them. */
const DATA_SEGMENTS = [
  [State.GS, LGUEST_REGS.gs],
  [State.FS, LGUEST_REGS.fs],
  [State.DS, LGUEST_REGS.ds],
  [State.ES, LGUEST_REGS.es],
] as const;
/** The Switcher runs in ring 0, which may load any data segment. */
const SWITCHER_RING = 0;
/** What sgdt and sidt show: `guest_gdt` and `guest_idt` where the original maps them, behind a page of code and one of registers. */
const RO_STATE = SWITCHER_ADDRESS + 2 * PAGE_SIZE;
const SWITCHER_GDT = RO_STATE + 2184;
const SWITCHER_IDT = RO_STATE + 136;

class GuestCpu implements Switcher {
  readonly pages: LguestPages;
  readonly #cpu: Cpu;
  readonly #late: Lateness | undefined;

  constructor(
    ramBytes: number,
    clock: Clock,
    { engine = 'translate', translateAfter, counts, isRepeatable }: SwitcherOptions,
  ) {
    if (isRepeatable !== true) this.#late = new Lateness();
    this.pages = {
      regs: new Uint32Array(LGUEST_REGS_WORDS),
      guestIdt: new Uint32Array(IDT_ENTRIES * 2),
      guestGdt: new Uint32Array(GDT_ENTRIES * 2),
      guestTss: { ss1: 0, esp1: 0 },
    };
    const tables = { gdt: this.pages.guestGdt, idt: this.pages.guestIdt, tss: this.pages.guestTss };
    // What another thread makes comes when it comes.
    const isPunctual = isRepeatable === true || translateAfter !== undefined;
    this.#cpu = new Cpu(ramBytes, tables, clock, engine, isPunctual ? atOnce(translateAfter) : workshop(), counts);
    this.#cpu.memory.set(State.GDT_BASE, SWITCHER_GDT);
    this.#cpu.memory.set(State.IDT_BASE, SWITCHER_IDT);
  }

  get memory(): PhysicalMemory {
    return this.#cpu.memory;
  }

  get shadowMap(): ShadowMap {
    return this.#cpu.maps;
  }

  get cr2(): number {
    return this.#cpu.cr2;
  }

  get taskSwitched(): boolean {
    return this.#cpu.memory.get(State.TASK_SWITCHED) !== 0;
  }

  set taskSwitched(value: boolean) {
    this.#cpu.memory.set(State.TASK_SWITCHED, value ? 1 : 0);
  }

  get doorkeeper(): Doorkeeper | undefined {
    return this.#cpu.doorkeeper;
  }

  set doorkeeper(doorkeeper: Doorkeeper | undefined) {
    this.#cpu.doorkeeper = doorkeeper;
  }

  get counters(): CpuCounters {
    return this.#cpu.counters;
  }

  runGuest(budget: number, until?: number): void {
    const { regs } = this.pages;
    const problem = this.#enter();
    if (problem) {
      regs[LGUEST_REGS.trapnum] = TRAP_BAD_ENTRY;
      regs[LGUEST_REGS.errcode] = problem.errorCode;
      return;
    }
    this.#run(budget, until);
    this.#leave();
    const { vector, errorCode } = this.#cpu.trap;
    regs[LGUEST_REGS.trapnum] = vector ?? TRAP_HOST_INTERRUPT;
    regs[LGUEST_REGS.errcode] = errorCode;
  }

  #run(budget: number, until: number | undefined): void {
    const { retired } = this.#cpu;
    if (retired === undefined) {
      this.#cpu.run(budget, this.#late);
      return;
    }
    retired.limit = until;
    const began = performance.now();
    this.#cpu.run(budget, this.#late);
    retired.milliseconds += performance.now() - began;
  }

  #enter(): SegmentFault {
    const { regs } = this.pages;
    const problem = this.#segmentsAreCurrent() || this.#enterHandler() ? undefined : this.#loadSegments();
    if (problem) return problem;
    // In so many words, here and on the way out: a loop over a table costs three times as much.
    const { state } = this.#cpu.memory;
    state[EAX] = regs[LGUEST_REGS.eax] ?? 0;
    state[EAX + 1] = regs[LGUEST_REGS.ecx] ?? 0;
    state[EAX + 2] = regs[LGUEST_REGS.edx] ?? 0;
    state[EAX + 3] = regs[LGUEST_REGS.ebx] ?? 0;
    state[EAX + 4] = regs[LGUEST_REGS.esp] ?? 0;
    state[EAX + 5] = regs[LGUEST_REGS.ebp] ?? 0;
    state[EAX + 6] = regs[LGUEST_REGS.esi] ?? 0;
    state[EAX + 7] = regs[LGUEST_REGS.edi] ?? 0;
    state[EIP] = regs[LGUEST_REGS.eip] ?? 0;
    this.#cpu.eflags = (regs[LGUEST_REGS.eflags] ?? 0) | X86_EFLAGS_IF;
    return undefined;
  }

  /** Most often the Host has changed no segment register and no descriptor that is in use. */
  #segmentsAreCurrent(): boolean {
    const { regs } = this.pages;
    const { segments } = this.#cpu;
    return (
      segments.isCurrent(State.CS, (regs[LGUEST_REGS.cs] ?? 0) & 0xffff) &&
      segments.isCurrent(State.SS, (regs[LGUEST_REGS.ss] ?? 0) & 0xffff) &&
      this.#dataIsCurrent()
    );
  }

  /** Else it has most often sent a program to its kernel, as at a fault. */
  #enterHandler(): boolean {
    const { regs } = this.pages;
    const cs = (regs[LGUEST_REGS.cs] ?? 0) & 0xffff;
    const ss = (regs[LGUEST_REGS.ss] ?? 0) & 0xffff;
    return this.#dataIsCurrent() && this.#cpu.enterHandler(cs, ss);
  }

  #dataIsCurrent(): boolean {
    const { regs } = this.pages;
    const { segments } = this.#cpu;
    return (
      segments.isCurrent(State.DS, (regs[LGUEST_REGS.ds] ?? 0) & 0xffff) &&
      segments.isCurrent(State.ES, (regs[LGUEST_REGS.es] ?? 0) & 0xffff) &&
      segments.isCurrent(State.FS, (regs[LGUEST_REGS.fs] ?? 0) & 0xffff) &&
      segments.isCurrent(State.GS, (regs[LGUEST_REGS.gs] ?? 0) & 0xffff)
    );
  }

  #loadSegments(): SegmentFault {
    const { regs } = this.pages;
    const { segments } = this.#cpu;
    const cs = (regs[LGUEST_REGS.cs] ?? 0) & 0xffff;
    const ss = (regs[LGUEST_REGS.ss] ?? 0) & 0xffff;
    for (const [segment, register] of DATA_SEGMENTS) {
      const problem = segments.load(segment, (regs[register] ?? 0) & 0xffff, SWITCHER_RING);
      if (problem) return problem;
    }
    const cpl = cs & SELECTOR_RPL_MASK;
    const problem = segments.checkCode(cs, cpl) ?? segments.checkStack(ss, cpl);
    if (problem) return problem;
    segments.install(State.CS, cs, segments.descriptor(cs));
    segments.install(State.SS, ss, segments.descriptor(ss));
    this.#cpu.setPrivilege(cpl);
    if (cpl > 1) for (const [segment] of DATA_SEGMENTS) segments.dropInner(segment, cpl);
    this.#cpu.segmentsChanged();
    return undefined;
  }

  #leave(): void {
    const { regs } = this.pages;
    const { state } = this.#cpu.memory;
    regs[LGUEST_REGS.eax] = state[EAX] ?? 0;
    regs[LGUEST_REGS.ecx] = state[EAX + 1] ?? 0;
    regs[LGUEST_REGS.edx] = state[EAX + 2] ?? 0;
    regs[LGUEST_REGS.ebx] = state[EAX + 3] ?? 0;
    regs[LGUEST_REGS.esp] = state[EAX + 4] ?? 0;
    regs[LGUEST_REGS.ebp] = state[EAX + 5] ?? 0;
    regs[LGUEST_REGS.esi] = state[EAX + 6] ?? 0;
    regs[LGUEST_REGS.edi] = state[EAX + 7] ?? 0;
    regs[LGUEST_REGS.eip] = state[EIP] ?? 0;
    regs[LGUEST_REGS.eflags] = this.#cpu.eflags;
    regs[LGUEST_REGS.cs] = state[SELECTORS + State.CS * SEGMENT_WORDS] ?? 0;
    regs[LGUEST_REGS.ss] = state[SELECTORS + State.SS * SEGMENT_WORDS] ?? 0;
    regs[LGUEST_REGS.ds] = state[SELECTORS + State.DS * SEGMENT_WORDS] ?? 0;
    regs[LGUEST_REGS.es] = state[SELECTORS + State.ES * SEGMENT_WORDS] ?? 0;
    regs[LGUEST_REGS.fs] = state[SELECTORS + State.FS * SEGMENT_WORDS] ?? 0;
    regs[LGUEST_REGS.gs] = state[SELECTORS + State.GS * SEGMENT_WORDS] ?? 0;
  }
}

/** What every CPU needs and takes a while: resolves when none will have to wait for it any more. */
export const prepareSwitcher = (): Promise<void> => prepareInterpreter();

/** A CPU with `ramBytes` bytes of memory, whose time-stamp counter counts the clock's nanoseconds. */
export function createSwitcher(ramBytes: number, clock: Clock, options: SwitcherOptions = {}): Switcher {
  return new GuestCpu(ramBytes, clock, options);
}
