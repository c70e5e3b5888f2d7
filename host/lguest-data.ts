// The Host's side of `struct lguest_data`. Its place was checked once, in LHCALL_LGUEST_INIT, and RAM does not go
// away, so none of these can fail. (The original's memory is a Launcher's to unmap: hence its "Disabling interrupts",
// "Re-enabling interrupts", "Writing cr2" and "Writing timestamp", which no Guest of ours can die of.)
import type { GuestPhysical } from '../guest-abi/addresses.js';
import { guestPhysical } from '../guest-abi/addresses.js';
import { LGUEST_DATA } from '../guest-abi/lguest-data.js';
import { X86_EFLAGS_IF } from '../guest-abi/x86/eflags.js';
import type { LgCpu } from './guest.js';
import { lgread32, lgwrite32 } from './guest-memory.js';

type Field = (typeof LGUEST_DATA)[
  'irq_enabled' | 'blocked_interrupts' | 'cr2' | 'time_sec' | 'time_nsec' | 'irq_pending'];

function read(cpu: LgCpu, data: GuestPhysical, field: Field): number {
  return lgread32(cpu, guestPhysical(data + field));
}

function write(cpu: LgCpu, field: Field, value: number): void {
  const data = cpu.lg.lguestData;
  if (data !== undefined) lgwrite32(cpu, guestPhysical(data + field), value);
}

/** Whether the Guest takes interrupts: bit 9 of a word that may hold a whole eflags image. Not before INIT. */
export function interruptsEnabled(cpu: LgCpu): boolean {
  const data = cpu.lg.lguestData;
  return data !== undefined && (read(cpu, data, LGUEST_DATA.irq_enabled) & X86_EFLAGS_IF) !== 0;
}

export function setInterruptsEnabled(cpu: LgCpu, enabled: boolean): void {
  write(cpu, LGUEST_DATA.irq_enabled, enabled ? X86_EFLAGS_IF : 0);
}

/** Tells the Guest that there is something to be had for enabling interrupts. */
export function setInterruptPending(cpu: LgCpu, pending: boolean): void {
  write(cpu, LGUEST_DATA.irq_pending, pending ? X86_EFLAGS_IF : 0);
}

/** The interrupts that the Guest could take now, were they enabled: none before INIT. */
export function deliverableInterrupts(cpu: LgCpu): number {
  const data = cpu.lg.lguestData;
  if (cpu.irqsPending === 0 || data === undefined) return 0;
  return cpu.irqsPending & ~read(cpu, data, LGUEST_DATA.blocked_interrupts);
}

/** Where the page fault was that the Guest is about to be told of. */
export function setCr2(cpu: LgCpu, address: number): void {
  write(cpu, LGUEST_DATA.cr2, address);
}

/** Brings `lguest_data.time` up to date. */
export function writeTimestamp(cpu: LgCpu): void {
  const time = cpu.lg.clock.wall();
  write(cpu, LGUEST_DATA.time_sec, time.seconds);
  write(cpu, LGUEST_DATA.time_nsec, time.nanoseconds);
}
