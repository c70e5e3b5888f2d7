// Where the records of the block at a place in the Guest's RAM are: a hash table in the machine's memory, since WebAssembly looks
// there too (interpreter/find-block, which computes the same).
//
// Blocks that lie together have their entries together, where one is most likely to be looked for when another one was: what takes
// time is to get at memory. Who finds no room in his line goes on behind it, but not far: then somebody else has to go, and is
// decoded again. So nothing that a Guest does makes a look at the table a long one.
//
// Nothing else is taken out of it. Records are made at ever higher addresses, so who knows when a page was forgotten knows which of
// its entries are older than that (State.CODE_LEFT).
import type { Memory } from './memory.js';
import * as State from './state.js';

/** 64 bytes of code share 32 entries. */
export const LINE_SHIFT = 6;
const ENTRIES_OF_LINE_SHIFT = 5;
const LINES_SHIFT = State.BLOCK_TABLE_ENTRIES_SHIFT - ENTRIES_OF_LINE_SHIFT;
/** From a line of code, spread over 32 bits, to the line of entries. */
export const LINE_HASH_SHIFT = 32 - LINES_SHIFT;
export const LINE_BYTES_SHIFT = ENTRIES_OF_LINE_SHIFT + 3;
/** Two bytes of code share an entry, and an entry has 8 bytes: the address bits that name it, four times as large. */
export const ENTRY_OF_LINE = 0x3e;
export const ENTRY_OF_LINE_SHIFT = 2;
/** 2^32 divided by the golden ratio: spreads what lies close together. */
export const SPREAD = 0x9e3779b1 | 0;
/** Of an entry's second word; records lie at multiples of more. */
export const KIND_MASK = State.CODE_KINDS - 1;
/** How many entries are looked at. */
export const MOST_PROBES = 32;

export class BlockTable {
  readonly #words: Int32Array;

  constructor(memory: Memory) {
    this.#words = new Int32Array(memory.wasm.buffer, State.BLOCK_TABLE, State.BLOCK_TABLE_SIZE / 4);
  }

  /** The index of the entry for this kind of code at `address`; or of the one that it would have. */
  #place(address: number, kind: number): number {
    const words = this.#words;
    const line = Math.imul(address >>> LINE_SHIFT, SPREAD) >>> LINE_HASH_SHIFT;
    let place = ((line << LINE_BYTES_SHIFT) | ((address & ENTRY_OF_LINE) << ENTRY_OF_LINE_SHIFT)) >> 2;
    for (let probes = 1; probes < MOST_PROBES; probes++) {
      if (words[place + 1] === 0 || this.#isAt(place, address, kind)) break;
      place = (place + 2) & (words.length - 1);
    }
    return place;
  }

  #isAt(place: number, address: number, kind: number): boolean {
    return this.#words[place] === address && ((this.#words[place + 1] ?? 0) & KIND_MASK) === kind;
  }

  /**
   * The record of the block there, which may be forgotten; 0 for none.
   *
   * @param address in the machine's memory, as a signed word
   */
  get(address: number, kind: number): number {
    const place = this.#place(address, kind);
    return this.#isAt(place, address, kind) ? (this.#words[place + 1] ?? 0) & ~KIND_MASK : 0;
  }

  set(address: number, kind: number, record: number): void {
    const place = this.#place(address, kind);
    this.#words[place] = address;
    this.#words[place + 1] = record | kind;
  }

  clear(): void {
    this.#words.fill(0);
  }
}
