// The same CPU behind its door, run in slices: in and out, registers and all, after every few jumps.
import { LGUEST_REGS } from '../../guest-abi/lguest-regs.js';
import { X86_TRAP_PF } from '../../guest-abi/x86/traps.js';
import type { EngineName } from '../../switcher/cpu/cpu.js';
import { createSwitcher } from '../../switcher/guest-cpu.js';
import { type Switcher, TRAP_HOST_INTERRUPT } from '../../switcher/switch.js';
import { type Outcome, REGISTERS, type RingCase, SEGMENTS, startOf } from './case.js';
import { Prepared, exactError } from './prepared.js';
import { RAM_BYTES, globalDescriptorTable } from './world.js';

const MOST_SLICES = 20_000;

export class DoorCpu {
  readonly #switcher: Switcher;
  readonly #prepared: Prepared;
  readonly #budget: number;

  /** @param budget how many jumps a slice has */
  constructor(engine: EngineName, budget: number) {
    const clock = { now: () => 0, wall: () => ({ seconds: 0, nanoseconds: 0 }) };
    this.#switcher = createSwitcher(RAM_BYTES, clock, { engine, translateAfter: 0 });
    this.#budget = budget;
    const { memory, shadowMap, pages } = this.#switcher;
    pages.guestGdt.set(globalDescriptorTable());
    this.#prepared = new Prepared({ memory, maps: shadowMap, idt: pages.guestIdt, tss: pages.guestTss });
  }

  /** Gates that lead to a handler have to be trap gates, as those of a Guest are: interrupts are on whenever it is entered. */
  run(one: RingCase): Outcome {
    const { regs } = this.#switcher.pages;
    const start = startOf(one);
    this.#prepared.begin(one);
    REGISTERS.forEach((name, i) => (regs[LGUEST_REGS[name]] = start.registers[i] ?? 0));
    SEGMENTS.forEach((name, i) => (regs[LGUEST_REGS[name]] = start.segments[i] ?? 0));
    regs[LGUEST_REGS.eip] = start.eip;
    regs[LGUEST_REGS.eflags] = start.eflags;
    for (let slices = 0; slices < MOST_SLICES; slices++) {
      this.#switcher.runGuest(this.#budget);
      if (regs[LGUEST_REGS.trapnum] !== TRAP_HOST_INTERRUPT) break;
    }
    return this.#outcome(one);
  }

  #outcome(one: RingCase): Outcome {
    const { pages, cr2: lastFault } = this.#switcher;
    const read = (name: keyof typeof LGUEST_REGS): number => pages.regs[LGUEST_REGS[name]] ?? 0;
    const vector = read('trapnum') === TRAP_HOST_INTERRUPT ? undefined : read('trapnum');
    const cr2 = vector === X86_TRAP_PF ? lastFault : 0;
    return {
      vector,
      error: exactError(one, vector, read('errcode'), cr2),
      cr2,
      eip: read('eip'),
      eflags: read('eflags'),
      registers: REGISTERS.map(read),
      segments: SEGMENTS.map(read),
      memory: this.#prepared.changes(),
    };
  }
}
