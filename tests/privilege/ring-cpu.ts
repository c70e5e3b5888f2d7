// The emulated CPU in the world of the privilege tests: a kernel's view, with every trap that no gate of the case catches
// leading out.
import { IDT_ENTRIES, X86_TRAP_PF } from '../../guest-abi/x86/traps.js';
import { Cpu, type EngineName } from '../../switcher/cpu/cpu.js';
import * as State from '../../switcher/cpu/state.js';
import { atOnce } from '../../switcher/translator/workshop.js';
import { type Outcome, type RingCase, startOf } from './case.js';
import { Prepared, exactError } from './prepared.js';
import { RAM_BYTES, globalDescriptorTable } from './world.js';

const BUDGET = 5000;

export class RingCpu {
  readonly #cpu: Cpu;
  readonly #prepared: Prepared;

  constructor(engine: EngineName) {
    const clock = { now: () => 0, wall: () => ({ seconds: 0, nanoseconds: 0 }) };
    const tables = { gdt: globalDescriptorTable(), idt: new Uint32Array(IDT_ENTRIES * 2), tss: { ss1: 0, esp1: 0 } };
    // Everything that runs is translated first: what is never hot would not be seen otherwise.
    this.#cpu = new Cpu(RAM_BYTES, tables, clock, engine, atOnce(0));
    this.#prepared = new Prepared({ memory: this.#cpu.memory, maps: this.#cpu.maps, ...tables });
  }

  run(one: RingCase): Outcome {
    const { memory, segments } = this.#cpu;
    this.#prepared.begin(one);
    this.#load(one);
    this.#cpu.run(BUDGET);
    const { vector, errorCode } = this.#cpu.trap;
    const cr2 = vector === X86_TRAP_PF ? this.#cpu.cr2 : 0;
    return {
      vector,
      error: exactError(one, vector, errorCode, cr2),
      cr2,
      eip: memory.get(State.EIP) >>> 0,
      eflags: this.#cpu.eflags >>> 0,
      registers: Array.from({ length: 8 }, (_, i) => memory.get(State.REGISTERS + 4 * i) >>> 0),
      segments: Array.from({ length: 6 }, (_, i) => segments.selector(i)),
      memory: this.#prepared.changes(),
    };
  }

  #load(one: RingCase): void {
    const { memory, segments } = this.#cpu;
    const start = startOf(one);
    start.segments.forEach((selector, i) => segments.install(i, selector, segments.descriptor(selector)));
    this.#cpu.setPrivilege(one.ring);
    this.#cpu.segmentsChanged();
    start.registers.forEach((value, i) => memory.set(State.REGISTERS + 4 * i, value));
    memory.set(State.EIP, start.eip);
    this.#cpu.eflags = start.eflags;
  }
}
