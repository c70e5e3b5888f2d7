// A CPU that translates, with a little memory and no Host: for tests of the translator.
import { GDT_ENTRIES, LGUEST_CS } from '../../guest-abi/x86/descriptors.js';
import { IDT_ENTRIES } from '../../guest-abi/x86/traps.js';
import type { TranslatorCounters } from '../../switcher/counters.js';
import { Cpu } from '../../switcher/cpu/cpu.js';
import * as State from '../../switcher/cpu/state.js';
import { atOnce, type Workshop } from '../../switcher/translator/workshop.js';

export const PAGE = 4096;
const PAGES = 16;
const [KERNEL_CS, KERNEL_SS] = [0x11, 0x19];
/** What programs end with. */
export const HLT = 0xf4;
const HLT_VECTOR = 13;
export const [EAX, EBX, ESP, EBP] = [0, 12, 16, 20].map((offset) => State.REGISTERS + offset) as [
  number,
  number,
  number,
  number,
];

/** Flat, at ring 1, with all memory mapped at its own addresses; everything is translated at once if nothing else is said. */
export function newCpu(workshop: Workshop = atOnce(0), counts = false): Cpu {
  const gdt = new Uint32Array(GDT_ENTRIES * 2);
  gdt.set([0xffff, 0x00cfbb00], (KERNEL_CS >>> 3) * 2);
  gdt.set([0xffff, 0x00cfb300], (KERNEL_SS >>> 3) * 2);
  const idt = new Uint32Array(IDT_ENTRIES * 2);
  for (let vector = 0; vector < IDT_ENTRIES; vector++) idt.set([LGUEST_CS << 16, 0x8e00], vector * 2);
  const clock = { now: () => 0, wall: () => ({ seconds: 0, nanoseconds: 0 }) };
  const cpu = new Cpu(PAGES * PAGE, { gdt, idt, tss: { ss1: 0, esp1: 0 } }, clock, 'translate', workshop, counts);
  const { segments } = cpu;
  segments.install(State.CS, KERNEL_CS, segments.descriptor(KERNEL_CS));
  segments.install(State.SS, KERNEL_SS, segments.descriptor(KERNEL_SS));
  cpu.setPrivilege(1);
  for (const segment of [State.ES, State.DS, State.FS, State.GS]) segments.load(segment, KERNEL_SS);
  cpu.segmentsChanged();
  for (let page = 0; page < PAGES; page++) cpu.maps.set(page, page, true, false);
  return cpu;
}

/** Runs to the hlt. */
export function run(cpu: Cpu, eip: number): void {
  cpu.memory.set(State.EIP, eip);
  cpu.memory.set(ESP, PAGES * PAGE);
  cpu.run(1_000_000);
  if (cpu.trap.vector !== HLT_VECTOR) throw new Error(`it ended with ${cpu.trap.vector}`);
}

export function translator(cpu: Cpu): Readonly<TranslatorCounters> {
  const { translator: counters } = cpu.counters;
  if (counters === undefined) throw new Error('nothing is translated');
  return counters;
}
