// Reading the Guest's own page tables, which lie in its RAM as any data does.
import type { GuestVirtual } from '../guest-abi/addresses.js';
import {
  guestPhysical,
  guestVirtual,
  PAGE_OFFSET_MASK,
  PAGE_SHIFT,
  PAGE_SIZE,
  pageOffset,
} from '../guest-abi/addresses.js';
import {
  DIRECTORY_FLAGS,
  PAE_HIGH_PFN_MASK,
  PAE_PGDIR_SHIFT,
  PAE_PMD_SHIFT,
  PAE_PTE_SIZE,
  PAE_PTRS_PER_PMD,
  PAE_PTRS_PER_PTE,
  PAE_TOP_FLAGS,
  PAGE_FLAGS_MASK,
  PAGE_PRESENT,
  PAGE_RW,
  PAGE_USER,
  PGDIR_SHIFT,
  PTE_SIZE,
  PTRS_PER_PTE,
} from '../guest-abi/x86/page-table.js';
import type { LgCpu } from './guest.js';
import { lgread32 } from './guest-memory.js';
import { hexWord, killGuest } from './kill-guest.js';

const pageBase = (entry: number): number => (entry & ~PAGE_OFFSET_MASK) >>> 0;

/** Page numbers in the low word of an eight byte entry: what one in the high word counts. */
const PFNS_IN_LOW_WORD = 2 ** (32 - PAGE_SHIFT);

/** The page number in an eight byte entry. */
export const paePfn = (low: number, high: number): number =>
  (high & PAE_HIGH_PFN_MASK) * PFNS_IN_LOW_WORD + (low >>> PAGE_SHIFT);

/** Whether a present upper level entry is one that a Guest may have; kills it otherwise. */
function checkEntry(cpu: LgCpu, low: number, pfn: number, allowed: number, name: string): boolean {
  if ((low & PAGE_FLAGS_MASK & ~allowed) === 0 && pfn < cpu.lg.pfnLimit) return true;
  killGuest(cpu, `bad page ${name} entry`);
  return false;
}

function walkTwoLevel(cpu: LgCpu, vaddr: number): boolean {
  const walk = cpu.pageTables.walk;
  const entry = lgread32(cpu, guestPhysical(cpu.pageTables.cr3 + (vaddr >>> PGDIR_SHIFT) * PTE_SIZE));
  if ((entry & PAGE_PRESENT) === 0) return false;
  if (!checkEntry(cpu, entry, entry >>> PAGE_SHIFT, DIRECTORY_FLAGS, 'directory')) return false;
  const index = (vaddr >>> PAGE_SHIFT) & (PTRS_PER_PTE - 1);
  walk.upperFlags = entry;
  walk.pteAddress = guestPhysical(pageBase(entry) + index * PTE_SIZE);
  walk.pte = lgread32(cpu, walk.pteAddress);
  walk.pfn = walk.pte >>> PAGE_SHIFT;
  return (walk.pte & PAGE_PRESENT) !== 0;
}

function walkPae(cpu: LgCpu, vaddr: number): boolean {
  const walk = cpu.pageTables.walk;
  const topAddress = cpu.pageTables.cr3 + (vaddr >>> PAE_PGDIR_SHIFT) * PAE_PTE_SIZE;
  const top = lgread32(cpu, guestPhysical(topAddress));
  if ((top & PAGE_PRESENT) === 0) return false;
  const topPfn = paePfn(top, lgread32(cpu, guestPhysical(topAddress + 4)));
  if (!checkEntry(cpu, top, topPfn, PAE_TOP_FLAGS, 'directory')) return false;

  const middleAddress = pageBase(top) + ((vaddr >>> PAE_PMD_SHIFT) & (PAE_PTRS_PER_PMD - 1)) * PAE_PTE_SIZE;
  const middle = lgread32(cpu, guestPhysical(middleAddress));
  if ((middle & PAGE_PRESENT) === 0) return false;
  const middlePfn = paePfn(middle, lgread32(cpu, guestPhysical(middleAddress + 4)));
  if (!checkEntry(cpu, middle, middlePfn, DIRECTORY_FLAGS, 'middle directory')) return false;

  const index = (vaddr >>> PAGE_SHIFT) & (PAE_PTRS_PER_PTE - 1);
  walk.topEntry = top;
  walk.upperFlags = middle;
  walk.pteAddress = guestPhysical(pageBase(middle) + index * PAE_PTE_SIZE);
  walk.pte = lgread32(cpu, walk.pteAddress);
  walk.pfn = paePfn(walk.pte, lgread32(cpu, guestPhysical(walk.pteAddress + 4)));
  return (walk.pte & PAGE_PRESENT) !== 0;
}

/** Walks the Guest's page tables to `vaddr`, into `pageTables.walk`. False when some level is not present. */
export function walkGuest(cpu: LgCpu, vaddr: number): boolean {
  return cpu.pageTables.mode === 'pae' ? walkPae(cpu, vaddr) : walkTwoLevel(cpu, vaddr);
}

/** Precondition: not linear. The rights that all levels together grant: RW, USER. */
export const walkedRights = (cpu: LgCpu): number =>
  cpu.pageTables.walk.pte & cpu.pageTables.walk.upperFlags & (PAGE_RW | PAGE_USER);

/** The guest-physical address of `vaddr`, as a number that may lie anywhere; -1 when nothing is mapped there. */
function translate(cpu: LgCpu, vaddr: GuestVirtual): number {
  if (cpu.pageTables.mode === 'linear') return vaddr;
  if (!walkGuest(cpu, vaddr)) return -1;
  return cpu.pageTables.walk.pfn * PAGE_SIZE + pageOffset(vaddr);
}

/**
 * The guest-physical address that the Guest's page tables have for `vaddr`, whatever the rights. Kills the Guest, and
 * gives an address that is nobody's, when there is none.
 */
export function guestPa(cpu: LgCpu, vaddr: GuestVirtual): number {
  const address = translate(cpu, vaddr);
  if (address >= 0) return address;
  killGuest(cpu, `Bad address ${hexWord(vaddr)}`);
  return Infinity;
}

/**
 * Copies what the Guest has at `vaddr` into `into`, which is shorter than a page. If it goes on in a page that is not
 * mapped, the rest is zero; if the first page is not mapped, the Guest dies.
 */
export function copyFromGuest(cpu: LgCpu, into: Uint8Array, vaddr: GuestVirtual): void {
  const { bytes } = cpu.switcher.memory;
  const first = guestPa(cpu, vaddr);
  const inFirst = Math.min(into.length, PAGE_SIZE - pageOffset(vaddr));
  const end = cpu.lg.memoryEnd;
  if (inFirst === into.length && first + inFirst <= end) {
    for (let i = 0; i < inFirst; i++) into[i] = bytes[first + i] ?? 0;
    return;
  }
  into.fill(0);
  for (let i = 0; i < inFirst && first + i < end; i++) into[i] = bytes[first + i] ?? 0;
  if (inFirst === into.length) return;
  const second = translate(cpu, guestVirtual(vaddr + inFirst));
  if (second < 0) return;
  for (let i = inFirst; i < into.length && second + i - inFirst < end; i++) into[i] = bytes[second + i - inFirst] ?? 0;
}
