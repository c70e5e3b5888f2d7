// The shadow page table as the CPU indexes it: four flat maps over the 2^20 virtual pages, for reading and writing in the
// kernel's rings and in ring 3.
//
// An entry is there exactly when the Host's current shadow directory would hold a present entry with that right, with one
// exception: a page that code was decoded from has no write entry, so that the first write to it is noticed. The Host does
// not see that exception; the CPU lifts it when the write comes (see cpu/code-cache).
import { Bug } from '../../lib/errors.js';
import { PAGE_COUNT, PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import type { Memory } from './memory.js';
import * as State from './state.js';

export interface ShadowMap {
  /** Makes virtual page `vpn` lead to guest-physical page `pfn`. An old entry for `vpn` is replaced. */
  set(vpn: number, pfn: number, writable: boolean, user: boolean): void;
  /** Forgets virtual page `vpn`. Harmless when there is no entry. */
  clear(vpn: number): void;
  /** Forgets everything. Costs as much as there are entries. */
  clearAll(): void;
  /** True when the CPU can write to `vpn` as ring 1 (what stack pinning asks). */
  isWritable(vpn: number): boolean;
  /** A word for each virtual page, all 0, for who keeps something beside the map (see Memory.newTable). */
  newTable(): Int32Array;
}

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
const NONE = -1;

/** What a map says of virtual page `vpn` when that leads to guest-physical page `pfn`. */
export const mapEntry = (vpn: number, pfn: number): number =>
  (State.GUEST_RAM + (pfn << PAGE_SHIFT) - (vpn << PAGE_SHIFT) - State.MAP_BIAS) | 0;

export class FlatMaps implements ShadowMap {
  readonly #memory: Memory;
  readonly #kernelRead: Int32Array;
  readonly #kernelWrite: Int32Array;
  readonly #userRead: Int32Array;
  readonly #userWrite: Int32Array;
  readonly #rights = new Uint8Array(PAGE_COUNT);
  readonly #pfns: Int32Array;
  /** The entries that lead to one guest-physical page form a list: several linear addresses can name the same code. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #first: Int32Array;
  /** All entries, in no order, and where each stands there. */
  readonly #entries: Int32Array;
  readonly #places: Int32Array;
  #count = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
    const { buffer } = memory.wasm;
    this.#kernelRead = new Int32Array(buffer, State.KERNEL_READ_MAP, PAGE_COUNT);
    this.#kernelWrite = new Int32Array(buffer, State.KERNEL_WRITE_MAP, PAGE_COUNT);
    this.#userRead = new Int32Array(buffer, State.USER_READ_MAP, PAGE_COUNT);
    this.#userWrite = new Int32Array(buffer, State.USER_WRITE_MAP, PAGE_COUNT);
    this.#pfns = memory.newTable();
    this.#next = memory.newTable();
    this.#previous = memory.newTable();
    this.#entries = memory.newTable();
    this.#places = memory.newTable();
    this.#first = new Int32Array(memory.bytes.length / PAGE_SIZE).fill(NONE);
  }

  newTable(): Int32Array {
    return this.#memory.newTable();
  }

  set(vpn: number, pfn: number, writable: boolean, user: boolean): void {
    if (vpn < 0 || vpn >= PAGE_COUNT || pfn < 0 || pfn >= this.#first.length) {
      throw new Bug(`virtual page ${vpn} cannot lead to physical page ${pfn}`);
    }
    const rights = PRESENT | (writable ? WRITABLE : 0) | (user ? USER : 0);
    const old = this.#rights[vpn] ?? 0;
    if (old !== 0 && this.#pfns[vpn] !== pfn) this.clear(vpn);
    if (this.#rights[vpn] === 0) this.#link(vpn, pfn);
    this.#rights[vpn] = rights;
    this.#fill(vpn, pfn, rights);
  }

  #fill(vpn: number, pfn: number, rights: number): void {
    const entry = mapEntry(vpn, pfn);
    const writeEntry = (rights & WRITABLE) !== 0 && !this.#memory.hasCode(pfn) ? entry : 0;
    const isUser = (rights & USER) !== 0;
    this.#kernelRead[vpn] = entry;
    this.#kernelWrite[vpn] = writeEntry;
    this.#userRead[vpn] = isUser ? entry : 0;
    this.#userWrite[vpn] = isUser ? writeEntry : 0;
  }

  #link(vpn: number, pfn: number): void {
    const first = this.#first[pfn] ?? NONE;
    this.#pfns[vpn] = pfn;
    this.#next[vpn] = first;
    this.#previous[vpn] = NONE;
    if (first !== NONE) this.#previous[first] = vpn;
    this.#first[pfn] = vpn;
    this.#places[vpn] = this.#count;
    this.#entries[this.#count++] = vpn;
  }

  clear(vpn: number): void {
    const rights = this.#rights[vpn] ?? 0;
    if (rights === 0) return;
    this.#rights[vpn] = 0;
    this.#kernelRead[vpn] = 0;
    this.#kernelWrite[vpn] = 0;
    this.#userRead[vpn] = 0;
    this.#userWrite[vpn] = 0;
    const next = this.#next[vpn] ?? NONE;
    const previous = this.#previous[vpn] ?? NONE;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) this.#next[previous] = next;
    else this.#first[this.#pfns[vpn] ?? 0] = next;
    const last = this.#entries[--this.#count] ?? 0;
    const place = this.#places[vpn] ?? 0;
    this.#entries[place] = last;
    this.#places[last] = place;
  }

  clearAll(): void {
    while (this.#count > 0) this.clear(this.#entries[this.#count - 1] ?? 0);
  }

  isWritable(vpn: number): boolean {
    return ((this.#rights[vpn] ?? 0) & WRITABLE) !== 0;
  }

  /** True when the Host has granted a write to `vpn` that the map withholds because of code. */
  isWithheld(vpn: number, user: boolean): boolean {
    const rights = this.#rights[vpn] ?? 0;
    const needed = user ? WRITABLE | USER : WRITABLE;
    return (rights & needed) === needed && this.#memory.hasCode(this.#pfns[vpn] ?? 0);
  }

  /** The guest-physical page that `vpn` leads to for reading, or −1. */
  readablePage(vpn: number, user: boolean): number {
    const rights = this.#rights[vpn] ?? 0;
    return rights === 0 || (user && (rights & USER) === 0) ? NONE : (this.#pfns[vpn] ?? NONE);
  }

  /** Fills every entry of `pfn` anew, after `memory.hasCode` changed for it. */
  refresh(pfn: number): void {
    for (let vpn = this.#first[pfn] ?? NONE; vpn !== NONE; vpn = this.#next[vpn] ?? NONE) {
      this.#fill(vpn, pfn, this.#rights[vpn] ?? 0);
    }
  }
}
