// One shadow page directory: what the Host has mapped for one of the Guest's page tables (or for the kernel part that
// they all share). While it is live, every change goes to the CPU's maps as well; while it is not, it keeps what it has
// for the day the Guest comes back to that page table.
//
// Everything costs as much as there are entries. They lie side by side in a list; `#place` finds the one of a virtual
// page. It is four megabytes of address space, of which the operating system gives only the touched pages: four
// kilobytes for each four megabytes that the Guest uses.
import type { GuestPhysical } from '../guest-abi/addresses.js';
import { PAGE_SHIFT } from '../guest-abi/addresses.js';
import { PAE_PMD_SHIFT, PAGE_PRESENT, PAGE_RW, PAGE_USER, PGDIR_SHIFT } from '../guest-abi/x86/page-table.js';
import type { ShadowMap } from '../switcher/cpu/shadow-map.js';

const FIRST_CAPACITY = 256;
const TABLES = 2048;
const PAE_TOP_ENTRIES = 4;
const PAE_TABLES_PER_TOP_SHIFT = 9;

export class ShadowDirectory {
  /** The Guest's page table that this is the shadow of; undefined while it is nobody's. */
  gpgdir: GuestPhysical | undefined = undefined;
  /** When it was last switched to, as a count of switches. */
  lastUsed = 0;

  readonly #map: ShadowMap;
  #live = false;
  #count = 0;
  #vpns = new Uint32Array(FIRST_CAPACITY);
  /** pfn << 12 | P, RW, USER: what the real PTE would be. */
  #entries = new Uint32Array(FIRST_CAPACITY);
  /** By virtual page: 1 + its place in the list, 0 when it has none. */
  readonly #place: Int32Array;
  /** By lower table: P, RW and USER as the levels above it had them when it was last walked; 0 when it never was. */
  readonly #tables = new Uint8Array(TABLES);
  /** By PAE top level entry: that entry when it was last walked, 0 when it never was. */
  readonly #middle = new Uint32Array(PAE_TOP_ENTRIES);
  /** How far a virtual page number is to be shifted for its lower table: 10, or 9 with PAE. */
  #tableShift = PGDIR_SHIFT - PAGE_SHIFT;

  constructor(map: ShadowMap) {
    this.#map = map;
    this.#place = map.newTable();
  }

  /** How many virtual pages are mapped. */
  get size(): number {
    return this.#count;
  }

  /** Lower tables are 4 MB each, 2 MB with PAE. The directory must be empty. */
  setPae(pae: boolean): void {
    this.#tableShift = (pae ? PAE_PMD_SHIFT : PGDIR_SHIFT) - PAGE_SHIFT;
  }

  /** P, RW and USER of the levels above `vpn`'s PTE, or 0 when the shadow has no lower table there. */
  tableFlags(vpn: number): number {
    return this.#tables[vpn >>> this.#tableShift] ?? 0;
  }

  /** The lower table of `vpn` was walked, and the levels above grant `flags`. */
  noteTable(vpn: number, flags: number): void {
    this.#tables[vpn >>> this.#tableShift] = PAGE_PRESENT | (flags & (PAGE_RW | PAGE_USER));
  }

  /** The PAE top level entry `top` was walked. If it leads elsewhere than before, what it led to is forgotten. */
  noteMiddle(top: number, entry: number): void {
    const before = this.#middle[top] ?? 0;
    if (before === entry) return;
    if (before !== 0) this.dropTop(top);
    this.#middle[top] = entry;
  }

  /** Maps `vpn`, in place of what it led to before. */
  put(vpn: number, pfn: number, writable: boolean, user: boolean): void {
    let place = (this.#place[vpn] ?? 0) - 1;
    if (place < 0) {
      place = this.#count++;
      if (place === this.#vpns.length) this.#grow();
      this.#vpns[place] = vpn;
      this.#place[vpn] = place + 1;
    }
    this.#entries[place] = (pfn << PAGE_SHIFT) | PAGE_PRESENT | (writable ? PAGE_RW : 0) | (user ? PAGE_USER : 0);
    if (this.#live) this.#map.set(vpn, pfn, writable, user);
  }

  /** Whether `vpn` is mapped. */
  has(vpn: number): boolean {
    return (this.#place[vpn] ?? 0) !== 0;
  }

  /** Unmaps `vpn`. */
  drop(vpn: number): void {
    const place = (this.#place[vpn] ?? 0) - 1;
    if (place < 0) return;
    const last = --this.#count;
    const moved = this.#vpns[last] ?? 0;
    this.#vpns[place] = moved;
    this.#entries[place] = this.#entries[last] ?? 0;
    this.#place[moved] = place + 1;
    this.#place[vpn] = 0;
    if (this.#live) this.#map.clear(vpn);
  }

  /** Unmaps everything below lower table number `table`, and forgets that table. */
  dropTable(table: number): void {
    if ((this.#tables[table] ?? 0) === 0) return;
    this.#tables[table] = 0;
    const end = (table + 1) << this.#tableShift;
    for (let vpn = table << this.#tableShift; vpn < end; vpn++) this.drop(vpn);
  }

  /** PAE: unmaps the gigabyte below top level entry `top`. */
  dropTop(top: number): void {
    this.#middle[top] = 0;
    const end = (top + 1) << PAE_TABLES_PER_TOP_SHIFT;
    for (let table = top << PAE_TABLES_PER_TOP_SHIFT; table < end; table++) this.dropTable(table);
  }

  /** PAE: unmaps what entry `index` of the middle level page at `page` leads to, wherever it is used. */
  dropMiddleEntry(page: GuestPhysical, index: number): void {
    for (let top = 0; top < PAE_TOP_ENTRIES; top++) {
      const entry = this.#middle[top] ?? 0;
      if (entry !== 0 && entry >>> PAGE_SHIFT === page >>> PAGE_SHIFT) {
        this.dropTable((top << PAE_TABLES_PER_TOP_SHIFT) | index);
      }
    }
  }

  /** Unmaps everything. */
  clear(): void {
    for (let place = 0; place < this.#count; place++) {
      const vpn = this.#vpns[place] ?? 0;
      this.#place[vpn] = 0;
      if (this.#live) this.#map.clear(vpn);
    }
    this.#count = 0;
    this.#tables.fill(0);
    this.#middle.fill(0);
  }

  /** Makes this directory the CPU's, after `previous`, whose entries go. */
  install(previous: ShadowDirectory | undefined): void {
    if (previous !== undefined) previous.#leave(this);
    this.#live = true;
    for (let place = 0; place < this.#count; place++) {
      const entry = this.#entries[place] ?? 0;
      const vpn = this.#vpns[place] ?? 0;
      this.#map.set(vpn, entry >>> PAGE_SHIFT, (entry & PAGE_RW) !== 0, (entry & PAGE_USER) !== 0);
    }
  }

  /** What the map is to show for `next` need not be taken out first. */
  #leave(next: ShadowDirectory): void {
    this.#live = false;
    for (let place = 0; place < this.#count; place++) {
      const vpn = this.#vpns[place] ?? 0;
      if ((next.#place[vpn] ?? 0) === 0) this.#map.clear(vpn);
    }
  }

  #grow(): void {
    const vpns = new Uint32Array(this.#vpns.length * 2);
    vpns.set(this.#vpns);
    this.#vpns = vpns;
    const entries = new Uint32Array(vpns.length);
    entries.set(this.#entries);
    this.#entries = entries;
  }

  /** Every mapping, in the order of virtual pages: for tests and for looking at a Guest from outside. */
  *mappings(): Generator<{ vpn: number; pfn: number; writable: boolean; user: boolean }> {
    for (const vpn of this.#vpns.slice(0, this.#count).toSorted()) {
      const entry = this.#entries[(this.#place[vpn] ?? 0) - 1] ?? 0;
      yield { vpn, pfn: entry >>> PAGE_SHIFT, writable: (entry & PAGE_RW) !== 0, user: (entry & PAGE_USER) !== 0 };
    }
  }
}
