// Segments. A Guest may have any GDT it likes, as long as nothing in it leads to ring 0: each descriptor is made safe
// when the Guest registers it, and copied to where the CPU looks before the Guest runs again.
import type { GuestPhysical } from '../guest-abi/addresses.js';
import {
  DESC_ACCESSED,
  DESC_DPL_MASK,
  DESC_DPL_SHIFT,
  DESC_NOT_SYSTEM,
  DESC_PRESENT,
  FLAT_SEGMENT_LOW,
  FULL_EXEC_SEGMENT_HIGH,
  FULL_SEGMENT_HIGH,
  GDT_ENTRIES,
  GDT_ENTRY_DOUBLEFAULT_TSS,
  GDT_ENTRY_KERNEL_CS,
  GDT_ENTRY_KERNEL_DS,
  GDT_ENTRY_LGUEST_CS,
  GDT_ENTRY_LGUEST_DS,
  GDT_ENTRY_TLS_ENTRIES,
  GDT_ENTRY_TLS_MIN,
  GDT_ENTRY_TSS,
  GUEST_PL,
  TSS_LIMIT,
  TSS_SEGMENT_HIGH,
} from '../guest-abi/x86/descriptors.js';
import type { LgCpu } from './guest.js';
import { addressOk, lgread32 } from './guest-memory.js';
import { guestPhysical } from '../guest-abi/addresses.js';
import { hexWord, killGuest } from './kill-guest.js';

const DESCRIPTOR_SIZE = 8;

/** The entries that are the Host's: a Guest's own are kept and never used. */
const isIgnored = (index: number): boolean =>
  index === GDT_ENTRY_LGUEST_CS ||
  index === GDT_ENTRY_LGUEST_DS ||
  index === GDT_ENTRY_TSS ||
  index === GDT_ENTRY_DOUBLEFAULT_TSS;

/**
 * A descriptor's high word, made safe. DPL 0 becomes 1, for ring 0 is the Host's. The accessed bit is set, for the CPU
 * would otherwise set it when the segment is loaded, in a table that is read-only.
 */
function fixupHigh(high: number): number {
  const dpl = (high & DESC_DPL_MASK) === 0 ? GUEST_PL << DESC_DPL_SHIFT : 0;
  return (high | dpl | DESC_ACCESSED) >>> 0;
}

function storeEntry(cpu: LgCpu, index: number, low: number, high: number): void {
  cpu.gdt[2 * index] = low;
  cpu.gdt[2 * index + 1] = isIgnored(index) ? high : fixupHigh(high);
}

/** LHCALL_LOAD_GDT_ENTRY. */
export function loadGuestGdtEntry(cpu: LgCpu, index: number, low: number, high: number): void {
  if (index >= GDT_ENTRIES) {
    killGuest(cpu, `too many gdt entries ${index | 0}`);
    return;
  }
  storeEntry(cpu, index, low, high);
  cpu.changes.gdt = true;
}

/** LHCALL_LOAD_TLS: the three descriptors at `table` become the thread's. */
export function guestLoadTls(cpu: LgCpu, table: GuestPhysical): void {
  const length = GDT_ENTRY_TLS_ENTRIES * DESCRIPTOR_SIZE;
  const readable = addressOk(cpu, table, length);
  if (!readable) killGuest(cpu, `bad read address ${hexWord(table)} len ${length}`);
  for (let i = 0; i < GDT_ENTRY_TLS_ENTRIES; i++) {
    const low = readable ? lgread32(cpu, guestPhysical(table + i * DESCRIPTOR_SIZE)) : 0;
    const high = readable ? lgread32(cpu, guestPhysical(table + i * DESCRIPTOR_SIZE + 4)) : 0;
    storeEntry(cpu, GDT_ENTRY_TLS_MIN + i, low, high);
  }
  cpu.changes.tls = true;
}

/** The GDT of a Guest that has not registered any: a flat kernel code and data segment in ring 1. */
export function setupGuestGdt(cpu: LgCpu): void {
  const dpl = GUEST_PL << DESC_DPL_SHIFT;
  cpu.gdt.fill(0);
  storeEntry(cpu, GDT_ENTRY_KERNEL_CS, FLAT_SEGMENT_LOW, FULL_EXEC_SEGMENT_HIGH | dpl);
  storeEntry(cpu, GDT_ENTRY_KERNEL_DS, FLAT_SEGMENT_LOW, FULL_SEGMENT_HIGH | dpl);
  const real = cpu.switcher.pages.guestGdt;
  real.fill(0);
  setReal(real, GDT_ENTRY_LGUEST_CS, FLAT_SEGMENT_LOW, FULL_EXEC_SEGMENT_HIGH);
  setReal(real, GDT_ENTRY_LGUEST_DS, FLAT_SEGMENT_LOW, FULL_SEGMENT_HIGH);
  setReal(real, GDT_ENTRY_TSS, TSS_LIMIT, TSS_SEGMENT_HIGH);
  cpu.changes.gdt = true;
}

function setReal(real: Uint32Array, index: number, low: number, high: number): void {
  real[2 * index] = low;
  real[2 * index + 1] = high;
}

/**
 * System descriptors stay behind: a call gate could name the Host's code segment, a task gate its TSS. The original
 * copies them, and trusts that forcing the accessed bit has made most of them something else. No Guest can tell, except
 * by `lar`: loading TR and LDTR takes ring 0, and the original's Guests have no call gates.
 */
function copyEntry(cpu: LgCpu, index: number): void {
  const high = cpu.gdt[2 * index + 1] ?? 0;
  const isSystem = (high & DESC_NOT_SYSTEM) === 0 && (high & DESC_PRESENT) !== 0;
  setReal(cpu.switcher.pages.guestGdt, index, isSystem ? 0 : (cpu.gdt[2 * index] ?? 0), isSystem ? 0 : high);
}

/** Copies the whole GDT to where the CPU looks. */
export function copyGdt(cpu: LgCpu): void {
  for (let index = 0; index < GDT_ENTRIES; index++) if (!isIgnored(index)) copyEntry(cpu, index);
}

/** The same for the three TLS entries alone, which change with every thread. */
export function copyGdtTls(cpu: LgCpu): void {
  for (let i = 0; i < GDT_ENTRY_TLS_ENTRIES; i++) copyEntry(cpu, GDT_ENTRY_TLS_MIN + i);
}
