// Two CPUs behind the door, of which the first goes ahead and notes where it stopped and with what, and the others go to the
// same places and compare.
//
// The first may be the translator, which stops where its regions let it: so it is asked to complete one more instruction,
// alone, and then stands between two instructions for sure (not within a repetition that gives way, not before a handler of a
// fault that is being delivered). Where that is, counted in instructions, the others can stop as well.
import { createHash } from 'node:crypto';
import { PAGE_OFFSET_MASK, PAGE_SHIFT, PAGE_SIZE } from '../../../guest-abi/addresses.js';
import { LGUEST_REGS } from '../../../guest-abi/lguest-regs.js';
import { SELECTOR_RPL_MASK } from '../../../guest-abi/x86/descriptors.js';
import { X86_TRAP_PF } from '../../../guest-abi/x86/traps.js';
import type { CpuCounters } from '../../../switcher/counters.js';
import { Memory } from '../../../switcher/cpu/memory.js';
import { FlatMaps } from '../../../switcher/cpu/shadow-map.js';
import { setStatusWord, statusWord } from '../../../switcher/cpu/fpu.js';
import * as State from '../../../switcher/cpu/state.js';
import { type Switcher, TRAP_HOST_INTERRUPT } from '../../../switcher/switch.js';
import { disassembled } from '../minimise.js';
import type { SteppedClock } from './stepped-clock.js';

/** More jumps than there are between two stops. */
const PLENTY = 2 ** 30;
const LONGEST_INSTRUCTION = 15;
const LONGEST_TRACE = 200;
const USER_RING = 3;

/** What a CPU looked like when it came back. */
interface Stop {
  /** Instructions since the beginning. */
  readonly retired: number;
  readonly regs: Uint32Array;
  readonly cr2: number;
  /** The x87, MXCSR, the XMM registers. */
  readonly floats: Uint8Array;
  /** A checksum of the pages that are watched. */
  readonly memory: string;
}

/** How closely is looked, by the number of the entry through the door. */
export interface Closeness {
  /** Pages of the Guest's memory that are compared at each stop. */
  readonly pages?: readonly number[];
  /** From here on the first CPU stops at every jump at which it can. */
  readonly jumpsFrom?: number;
  /** Changes something in the first CPU when so many instructions are done: a mistake to be found. */
  readonly spoil?: { readonly after: number; readonly what: (switcher: Switcher) => void };
}

/** What differs, and where. */
export class Difference extends Error {
  readonly entry: number;
  readonly lines: readonly string[];
  /** Instructions done by both, as far as is known. */
  readonly from: number;
  /** What was executed from there on, where it was watched. */
  readonly trace: readonly string[];

  constructor(entry: number, from: number, lines: readonly string[], trace: readonly string[]) {
    super(`entry ${entry}, after ${from} instructions: ${lines.join('; ')}`);
    this.entry = entry;
    this.from = from;
    this.lines = lines;
    this.trace = trace;
  }
}

abstract class Watched implements Switcher {
  readonly inner: Switcher;
  readonly closeness: Closeness;
  /** Nobody is asked at the door: each exit is a place to compare at. */
  doorkeeper: Switcher['doorkeeper'] = undefined;
  readonly #clock: SteppedClock;
  /** How often the Guest was entered. */
  entries = 0;

  constructor(inner: Switcher, clock: SteppedClock, closeness: Closeness) {
    this.inner = inner;
    this.#clock = clock;
    this.closeness = closeness;
  }

  get memory(): Switcher['memory'] {
    return this.inner.memory;
  }

  get pages(): Switcher['pages'] {
    return this.inner.pages;
  }

  get shadowMap(): Switcher['shadowMap'] {
    return this.inner.shadowMap;
  }

  get cr2(): number {
    return this.inner.cr2;
  }

  get taskSwitched(): boolean {
    return this.inner.taskSwitched;
  }

  set taskSwitched(value: boolean) {
    this.inner.taskSwitched = value;
  }

  get counters(): CpuCounters {
    return this.inner.counters;
  }

  get retired(): number {
    return this.counters.retired?.instructions ?? NaN;
  }

  get ranOut(): boolean {
    return this.pages.regs[LGUEST_REGS.trapnum] === TRAP_HOST_INTERRUPT;
  }

  runGuest(budget: number): void {
    const before = this.retired;
    this.enter(this.entries, budget);
    this.entries++;
    this.#clock.executed(this.retired - before);
  }

  protected abstract enter(entry: number, budget: number): void;

  protected stop(): Stop {
    const { memory } = this.inner;
    if (!(memory instanceof Memory)) throw new TypeError('this is not the emulated CPU');
    // In the same pieces, whichever way it came about.
    setStatusWord(memory, statusWord(memory));
    return {
      retired: this.retired,
      regs: this.pages.regs.slice(),
      cr2: this.pages.regs[LGUEST_REGS.trapnum] === X86_TRAP_PF ? this.cr2 : 0,
      floats: memory.all.slice(State.FPU_CONTROL, State.XMM_END),
      memory: checksum(memory.bytes, this.closeness.pages ?? []),
    };
  }
}

/** The one that goes ahead. */
export class Leader extends Watched {
  /** The stops of each entry, until the others have been there. */
  readonly stops: Stop[][] = [];
  #spoiled = false;

  protected enter(entry: number, budget: number): void {
    const stops: Stop[] = [];
    this.stops.push(stops);
    const closely = entry >= (this.closeness.jumpsFrom ?? Infinity);
    for (let left = budget; left > 0; left -= closely ? 1 : budget) {
      this.#run(closely ? 1 : budget);
      stops.push(this.stop());
      if (!this.ranOut) return;
    }
  }

  #run(budget: number): void {
    this.inner.runGuest(budget);
    if (this.ranOut) this.inner.runGuest(PLENTY, this.retired + 1);
    const { spoil } = this.closeness;
    if (spoil === undefined || this.#spoiled || this.retired < spoil.after) return;
    this.#spoiled = true;
    spoil.what(this.inner);
  }
}

/** One that goes where the leader has been. */
export class Follower extends Watched {
  readonly #leader: Leader;
  #entry = 0;

  constructor(inner: Switcher, clock: SteppedClock, closeness: Closeness, leader: Leader) {
    super(inner, clock, closeness);
    this.#leader = leader;
  }

  protected enter(entry: number): void {
    const stops = this.#leader.stops[entry];
    if (stops === undefined) throw new Difference(entry, this.retired, ['the Guest is entered once more'], []);
    this.#entry = entry;
    const closely = entry >= (this.closeness.jumpsFrom ?? Infinity);
    for (const there of stops) this.#goTo(there, closely);
  }

  #goTo(there: Stop, closely: boolean): void {
    const from = this.retired;
    const trace: string[] = [];
    // An instruction that traps is begun, and not always done.
    const until = there.regs[LGUEST_REGS.trapnum] === TRAP_HOST_INTERRUPT ? there.retired : there.retired + 1;
    if (closely) this.#step(until, trace);
    // It may look at a real clock, and come back before.
    else
      do this.inner.runGuest(PLENTY, until);
      while (this.ranOut && this.retired < until);
    const lines = differences(there, this.stop());
    if (lines.length > 0) throw new Difference(this.#entry, from, lines, trace.slice(-LONGEST_TRACE));
  }

  #step(until: number, trace: string[]): void {
    do {
      trace.push(this.#instructionAtEip());
      this.inner.runGuest(PLENTY, Math.min(until, this.retired + 1));
    } while (this.ranOut && this.retired < until);
  }

  #instructionAtEip(): string {
    const { regs } = this.pages;
    const { shadowMap: maps, memory } = this.inner;
    const eip = regs[LGUEST_REGS.eip] ?? 0;
    const isUser = ((regs[LGUEST_REGS.cs] ?? 0) & SELECTOR_RPL_MASK) === USER_RING;
    const code = Array.from({ length: LONGEST_INSTRUCTION }, (_, i) => {
      const address = (eip + i) >>> 0;
      const page = maps instanceof FlatMaps ? maps.readablePage(address >>> PAGE_SHIFT, isUser) : -1;
      return page < 0 ? 0 : (memory.bytes[page * PAGE_SIZE + (address & PAGE_OFFSET_MASK)] ?? 0);
    });
    return `${eip.toString(16)}: ${disassembled(Uint8Array.from(code)).split('; ')[0] ?? ''}`;
  }
}

function checksum(bytes: Uint8Array, pages: readonly number[]): string {
  const hash = createHash('sha1');
  for (const page of pages) hash.update(bytes.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE));
  return hash.digest('hex');
}

const hex = (value: number | undefined): string => ((value ?? 0) >>> 0).toString(16);

function differences(there: Stop, here: Stop): string[] {
  const lines: string[] = [];
  if (there.retired !== here.retired) lines.push(`instructions: ${there.retired}, ${here.retired}`);
  for (const [name, index] of Object.entries(LGUEST_REGS)) {
    if (there.regs[index] !== here.regs[index])
      lines.push(`${name}: ${hex(there.regs[index])}, ${hex(here.regs[index])}`);
  }
  if (there.cr2 !== here.cr2) lines.push(`cr2: ${hex(there.cr2)}, ${hex(here.cr2)}`);
  there.floats.forEach((byte, i) => {
    if (byte !== here.floats[i])
      lines.push(`state ${hex(State.FPU_CONTROL + i)}: ${hex(byte)}, ${hex(here.floats[i])}`);
  });
  if (there.memory !== here.memory) lines.push('memory');
  return lines;
}
