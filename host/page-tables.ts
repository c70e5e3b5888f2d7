// Shadow page tables: what the CPU really uses is what the Guest's page tables say, checked, and filled in one page at
// a time when the Guest touches it. The Guest says when it has changed its tables; between those calls the shadow may
// lag behind, as a TLB may.
import type { GuestPhysical, GuestVirtual } from '../guest-abi/addresses.js';
import { guestPhysical, guestVirtual, PAGE_SIZE, pageNumber, pageOffset } from '../guest-abi/addresses.js';
import {
  PAE_HIGH_PFN_MASK,
  PAE_PGDIR_SHIFT,
  PAE_PTE_SIZE,
  PAE_PTRS_PER_PGD,
  PAE_PTRS_PER_PMD,
  PAE_TOP_FLAGS,
  PAGE_ACCESSED,
  PAGE_DIRTY,
  PAGE_FLAGS_MASK,
  PAGE_PRESENT,
  PAGE_PSE,
  PAGE_RW,
  PAGE_USER,
  PTE_SIZE,
  PTRS_PER_PGD,
} from '../guest-abi/x86/page-table.js';
import { PF_USER, PF_WRITE } from '../guest-abi/x86/traps.js';
import type { LgCpu } from './guest.js';
import { lgread32, lgwrite32 } from './guest-memory.js';
import { paePfn, walkedRights, walkGuest } from './guest-page-tables.js';
import { hexWord, killGuest } from './kill-guest.js';
import type { PagingMode } from './page-table-state.js';
import type { ShadowDirectory } from './shadow-directory.js';

/** Pages that are looked at together; their entries lie in one page table. */
const NEIGHBOURS = 16;

/**
 * What became of a page fault: `mapped`, so the Guest can go on; `mmio`, an access to a device at
 * `pageTables.mmioAddress`; or a fault of the Guest's own, because no page is there or the page does not allow it.
 */
export type DemandPageResult = 'mapped' | 'mmio' | 'not-present' | 'protection';

const isMmio = (cpu: LgCpu, low: number, pfn: number): boolean =>
  (low & PAGE_PSE) === 0 && pfn >= cpu.lg.pfnLimit && pfn < cpu.lg.deviceLimit;

/** Whether a PTE leads to RAM of this Guest; kills it otherwise. */
function checkPte(cpu: LgCpu, low: number, pfn: number): boolean {
  if ((low & PAGE_PSE) === 0 && pfn < cpu.lg.pfnLimit) return true;
  killGuest(cpu, 'bad page table entry');
  return false;
}

function mmio(cpu: LgCpu, pfn: number, vaddr: number): DemandPageResult {
  cpu.pageTables.mmioAddress = guestPhysical(pfn * PAGE_SIZE + pageOffset(vaddr));
  return 'mmio';
}

/** Before the first page table everything is where it is, writable, and the kernel's alone. */
function demandLinearPage(cpu: LgCpu, vaddr: number, errorCode: number): DemandPageResult {
  if ((errorCode & PF_USER) !== 0) return 'protection';
  const page = pageNumber(vaddr);
  if (isMmio(cpu, 0, page)) return mmio(cpu, page, vaddr);
  if (!checkPte(cpu, 0, page)) return 'not-present';
  cpu.pageTables.directoryOf(page).put(page, page, true, false);
  return 'mapped';
}

/**
 * A page fault at `vaddr`: finds out what the Guest's page tables say, sets ACCESSED and DIRTY there as a CPU would, and
 * makes the shadow say the same. A page that is not yet dirty is mapped read-only, so that the first write comes here.
 *
 * The original looks at RW and USER of the PTE alone, and a Guest whose directory entry forbids what its PTE allows
 * faults for ever; here all levels count.
 */
export function demandPage(cpu: LgCpu, vaddr: GuestVirtual, errorCode: number): DemandPageResult {
  const { pageTables } = cpu;
  if (vaddr >= cpu.lg.switcherAddress) return 'not-present';
  if (pageTables.mode === 'linear') return demandLinearPage(cpu, vaddr, errorCode);
  if (!walkGuest(cpu, vaddr)) return 'not-present';

  const { walk } = pageTables;
  const isWrite = (errorCode & PF_WRITE) !== 0;
  const rights = walkedRights(cpu);
  if (isWrite && (rights & PAGE_RW) === 0) return 'protection';
  if ((errorCode & PF_USER) !== 0 && (rights & PAGE_USER) === 0) return 'protection';
  if (isMmio(cpu, walk.pte, walk.pfn)) return mmio(cpu, walk.pfn, vaddr);
  if (!checkPte(cpu, walk.pte, walk.pfn)) return 'not-present';

  const pte = (walk.pte | PAGE_ACCESSED | (isWrite ? PAGE_DIRTY : 0)) >>> 0;
  if (pte !== walk.pte) lgwrite32(cpu, walk.pteAddress, pte);

  const vpn = pageNumber(vaddr);
  const directory = pageTables.directoryOf(vpn);
  if (pageTables.mode === 'pae') directory.noteMiddle(vaddr >>> PAE_PGDIR_SHIFT, walk.topEntry);
  directory.noteTable(vpn, walk.upperFlags);
  const writable = (rights & PAGE_RW) !== 0 && (pte & PAGE_DIRTY) !== 0;
  directory.put(vpn, walk.pfn, writable, (rights & PAGE_USER) !== 0);
  mapNeighbours(cpu, directory, vpn);
  return 'mapped';
}

/**
 * Who touches a page touches those beside it: what of them has been used before is mapped with it, as a TLB may, and saves
 * its own fault. `walk` still says where the page's own PTE is.
 */
function mapNeighbours(cpu: LgCpu, directory: ShadowDirectory, vpn: number): void {
  const { mode, walk } = cpu.pageTables;
  const pae = mode === 'pae';
  const size = pae ? PAE_PTE_SIZE : PTE_SIZE;
  const first = vpn & ~(NEIGHBOURS - 1);
  let address = walk.pteAddress - (vpn - first) * size;
  for (let other = first; other < first + NEIGHBOURS; other++, address += size) {
    if (directory.has(other)) continue;
    const low = lgread32(cpu, guestPhysical(address));
    if ((low & PAGE_PRESENT) === 0 || (low & PAGE_ACCESSED) === 0 || (low & PAGE_PSE) !== 0) continue;
    const pfn = paePfn(low, pae ? lgread32(cpu, guestPhysical(address + 4)) : 0);
    if (pfn >= cpu.lg.pfnLimit) continue;
    const rights = walk.upperFlags & low;
    directory.put(other, pfn, (rights & PAGE_RW) !== 0 && (low & PAGE_DIRTY) !== 0, (rights & PAGE_USER) !== 0);
  }
}

/** Makes sure that the CPU can write to the page of `vaddr` without asking. */
function pinPage(cpu: LgCpu, vaddr: GuestVirtual): void {
  if (cpu.switcher.shadowMap.isWritable(pageNumber(vaddr))) return;
  if (demandPage(cpu, vaddr, PF_WRITE) !== 'mapped') killGuest(cpu, `bad stack page ${hexWord(vaddr)}`);
}

/** A gate that leads straight to the Guest pushes on its kernel stack, which therefore is always mapped. */
export function pinStackPages(cpu: LgCpu): void {
  for (let i = 0; i < cpu.stackPages; i++) pinPage(cpu, guestVirtual(cpu.esp1 - 1 - i * PAGE_SIZE));
}

/** LHCALL_SET_PTE: the Guest has changed the PTE of `vaddr` in the page table at `gpgdir`; this is what it now says. */
export function guestSetPte(cpu: LgCpu, gpgdir: GuestPhysical, vaddr: GuestVirtual, low: number, high: number): void {
  const { pageTables } = cpu;
  if (vaddr >= cpu.lg.switcherAddress) {
    killGuest(cpu, 'attempt to set pte into Switcher pages');
    return;
  }
  const vpn = pageNumber(vaddr);
  const directory = vpn >= pageTables.kernelVpn ? pageTables.kernel : pageTables.find(gpgdir);
  if (directory !== undefined) setPte(cpu, directory, vpn, low, pageTables.mode === 'pae' ? high : 0);
}

/**
 * A PTE that has been used before will be used again: map it now and save a fault, if the levels above it are known.
 * RW counts only together with DIRTY, or the first write would go unnoticed. What is not present maps nothing, so it
 * may hold anything: the original looks for a good page number even in Linux's swap entries.
 */
function setPte(cpu: LgCpu, directory: ShadowDirectory, vpn: number, low: number, high: number): void {
  const upper = directory.tableFlags(vpn);
  const pfn = paePfn(low, high);
  const used = (low & PAGE_PRESENT) !== 0 && (low & (PAGE_ACCESSED | PAGE_DIRTY)) !== 0;
  if (upper === 0 || !used || isMmio(cpu, low, pfn) || !checkPte(cpu, low, pfn)) {
    directory.drop(vpn);
    return;
  }
  const rights = upper & low;
  directory.put(vpn, pfn, (rights & PAGE_RW) !== 0 && (low & PAGE_DIRTY) !== 0, (rights & PAGE_USER) !== 0);
}

/** LHCALL_SET_PGD: the Guest has changed entry `index` of the top level at `gpgdir`. */
export function guestSetPgd(cpu: LgCpu, gpgdir: GuestPhysical, index: number): void {
  const { pageTables } = cpu;
  const pae = pageTables.mode === 'pae';
  const entries = pae ? PAE_PTRS_PER_PGD : PTRS_PER_PGD;
  if (index >= entries) {
    killGuest(cpu, `Attempt to set pgd ${index}/${entries}`);
    return;
  }
  const directory = pageTables.find(gpgdir);
  if (directory === undefined) return;
  for (const part of [directory, pageTables.kernel]) {
    if (pae) part.dropTop(index);
    else part.dropTable(index);
  }
}

/**
 * LHCALL_SET_PMD: the Guest has changed entry `index` of the PAE middle level page at `page`. The original forgets
 * everything, at each new page table page of each process; we know who uses that page.
 */
export function guestSetPmd(cpu: LgCpu, page: GuestPhysical, index: number): void {
  const { pageTables } = cpu;
  if (index >= PAE_PTRS_PER_PMD) {
    guestPagetableClearAll(cpu);
    return;
  }
  for (const directory of pageTables.directories) directory.dropMiddleEntry(page, index);
  pageTables.kernel.dropMiddleEntry(page, index);
  pinStackPages(cpu);
}

/** LHCALL_FLUSH_TLB with 0: forgets what the current page table maps below the kernel. */
export function guestPagetableFlushUser(cpu: LgCpu): void {
  cpu.pageTables.current.clear();
}

/** Forgets everything, of every page table, and maps the kernel stack anew. */
export function guestPagetableClearAll(cpu: LgCpu): void {
  for (const directory of cpu.pageTables.directories) directory.clear();
  cpu.pageTables.kernel.clear();
  pinStackPages(cpu);
}

/** LHCALL_LGUEST_INIT has told where the kernel begins: what was mapped without knowing that is forgotten. */
export function pageTableGuestDataInit(cpu: LgCpu, kernelAddress: GuestVirtual): void {
  guestPagetableClearAll(cpu);
  cpu.pageTables.kernelVpn = pageNumber(kernelAddress);
}

/**
 * Whether the page table at `cr3` is one with PAE: four entries of eight bytes, of which the present ones have no flag but
 * P, and page numbers below 2^20. A page table without PAE has RW in every entry that leads anywhere.
 */
function looksLikePae(cpu: LgCpu, cr3: GuestPhysical): boolean {
  let present = 0;
  for (let i = 0; i < PAE_PTRS_PER_PGD; i++) {
    const low = lgread32(cpu, guestPhysical(cr3 + i * PAE_PTE_SIZE));
    const high = lgread32(cpu, guestPhysical(cr3 + i * PAE_PTE_SIZE + 4));
    if ((high & PAE_HIGH_PFN_MASK) !== 0) return false;
    if ((low & PAGE_PRESENT) === 0) continue;
    if ((low & PAGE_FLAGS_MASK & ~PAE_TOP_FLAGS) !== 0 || high !== 0) return false;
    present++;
  }
  return present > 0;
}

function leaveLinearMode(cpu: LgCpu, cr3: GuestPhysical): void {
  const { pageTables } = cpu;
  const mode: PagingMode = looksLikePae(cpu, cr3) ? 'pae' : 'two-level';
  for (const directory of [...pageTables.directories, pageTables.kernel]) {
    directory.clear();
    directory.setPae(mode === 'pae');
  }
  pageTables.mode = mode;
  cpu.lg.log.debug(`page tables: ${mode}`);
}

/** LHCALL_NEW_PGTABLE: the Guest goes over to the page table at `cr3`. */
export function guestNewPagetable(cpu: LgCpu, cr3: GuestPhysical): void {
  const { pageTables } = cpu;
  if (pageTables.mode === 'linear') leaveLinearMode(cpu, cr3);
  const known = pageTables.find(cr3);
  const directory = known ?? pageTables.directoryToReuse();
  if (known === undefined) {
    cpu.counters.directoryMisses++;
    directory.clear();
    directory.gpgdir = cr3;
  } else {
    cpu.counters.directorySwitches++;
  }
  directory.lastUsed = ++pageTables.switches;
  pageTables.cr3 = cr3;
  if (directory !== pageTables.current) directory.install(pageTables.current);
  pageTables.current = directory;
  if (known === undefined) pinStackPages(cpu);
}
