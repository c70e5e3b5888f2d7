// A Switcher without a CPU: what the Guest does is a list of steps, each of which changes registers and memory as Guest
// code would and ends in a trap. It is how the Host is tested alone.
import { PAGE_COUNT } from '../../guest-abi/addresses.js';
import { LGUEST_REGS, LGUEST_REGS_WORDS } from '../../guest-abi/lguest-regs.js';
import { GDT_ENTRIES } from '../../guest-abi/x86/descriptors.js';
import { IDT_ENTRIES, X86_TRAP_PF } from '../../guest-abi/x86/traps.js';
import type { Clock, WallTime } from '../../lib/clock.js';
import { wallTimeAfter } from '../../lib/clock.js';
import { newCodeCounters } from '../../switcher/counters.js';
import type { ShadowMap } from '../../switcher/cpu/shadow-map.js';
import type { PhysicalMemory } from '../../switcher/physical-memory.js';
import type { Doorkeeper, Switcher } from '../../switcher/switch.js';
import { TRAP_HOST_INTERRUPT } from '../../switcher/switch.js';

/** A clock that goes when it is told to. */
export class ManualClock implements Clock {
  nanoseconds = 0;
  readonly start: WallTime = { seconds: 1_500_000_000, nanoseconds: 999_999_000 };

  now(): number {
    return this.nanoseconds;
  }

  wall(): WallTime {
    return wallTimeAfter(this.start, this.nanoseconds);
  }

  advance(nanoseconds: number): void {
    this.nanoseconds += nanoseconds;
  }
}

export interface ShadowEntry {
  readonly pfn: number;
  readonly writable: boolean;
  readonly user: boolean;
}

export class FakeShadowMap implements ShadowMap {
  readonly entries = new Map<number, ShadowEntry>();
  /** How many changes were asked for. */
  changes = 0;

  set(vpn: number, pfn: number, writable: boolean, user: boolean): void {
    this.changes++;
    this.entries.set(vpn, { pfn, writable, user });
  }

  clear(vpn: number): void {
    this.changes++;
    this.entries.delete(vpn);
  }

  clearAll(): void {
    this.entries.clear();
  }

  isWritable(vpn: number): boolean {
    return this.entries.get(vpn)?.writable ?? false;
  }

  newTable(): Int32Array {
    return new Int32Array(PAGE_COUNT);
  }

  /** All mappings as text, in order: `c0001→1 rw kernel`. */
  list(): string[] {
    return [...this.entries]
      .toSorted(([a], [b]) => a - b)
      .map(([vpn, entry]) => {
        const rights = `${entry.writable ? 'rw' : 'ro'} ${entry.user ? 'user' : 'kernel'}`;
        return `${vpn.toString(16)}→${entry.pfn.toString(16)} ${rights}`;
      });
  }
}

export class FakeMemory implements PhysicalMemory {
  readonly base = 0x400000;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Pages that were said to be written. */
  readonly written = new Set<number>();

  constructor(ramBytes: number) {
    const buffer = new ArrayBuffer(ramBytes);
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
  }

  wrote(address: number, length: number): void {
    if (length <= 0 || address + length > this.bytes.length) throw new Error(`wrote(${address}, ${length})`);
    for (let page = address >>> 12; page <= (address + length - 1) >>> 12; page++) this.written.add(page);
  }
}

/** What a Guest does between two exits. */
export type Step = (switcher: FakeSwitcher) => void;

export class FakeSwitcher implements Switcher {
  readonly memory: FakeMemory;
  readonly pages = {
    regs: new Uint32Array(LGUEST_REGS_WORDS),
    guestIdt: new Uint32Array(IDT_ENTRIES * 2),
    guestGdt: new Uint32Array(GDT_ENTRIES * 2),
    guestTss: { ss1: 0, esp1: 0 },
  };
  readonly shadowMap = new FakeShadowMap();
  readonly counters = { jumps: 0, exits: {}, retired: undefined, code: newCodeCounters(), translator: undefined };
  cr2 = 0;
  taskSwitched = false;
  doorkeeper: Doorkeeper | undefined = undefined;
  entries = 0;
  /** What is still to be done. With nothing left the Guest runs in circles until its time is up. */
  readonly script: Step[] = [];
  readonly budgets: number[] = [];
  readonly clock: ManualClock;
  /** How long a full budget takes. */
  nanosecondsPerBudget = 1e9;

  constructor(ramBytes: number, clock: ManualClock) {
    this.memory = new FakeMemory(ramBytes);
    this.clock = clock;
  }

  /** Asks before it comes out, as a real CPU does. */
  asksAtTheDoor = false;

  runGuest(budget: number): void {
    this.entries++;
    this.budgets.push(budget);
    for (let step = this.script.shift(); step !== undefined; step = this.script.shift()) {
      step(this);
      if (!this.asksAtTheDoor || !this.#isServed()) return;
    }
    this.clock.advance(this.nanosecondsPerBudget);
    this.pages.regs[LGUEST_REGS.trapnum] = TRAP_HOST_INTERRUPT;
  }

  #isServed(): boolean {
    const vector = this.reg('trapnum');
    if (vector === X86_TRAP_PF) return this.doorkeeper?.pageFault(this.cr2, this.reg('errcode')) ?? false;
    const [eax, ebx, ecx] = [this.reg('eax'), this.reg('ebx'), this.reg('ecx')];
    return this.doorkeeper?.interrupt(vector, eax, ebx, ecx, this.reg('edx'), this.reg('esi')) ?? false;
  }

  /** The value of a register. */
  reg(name: keyof typeof LGUEST_REGS): number {
    return this.pages.regs[LGUEST_REGS[name]] ?? 0;
  }

  setReg(name: keyof typeof LGUEST_REGS, value: number): void {
    this.pages.regs[LGUEST_REGS[name]] = value;
  }
}
