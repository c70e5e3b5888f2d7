// Where the records of the block at a place in the Guest's RAM are: a hash table in the machine's memory, since WebAssembly looks
// there too (interpreter/find-block, which computes the same).
//
// Blocks that lie together have their entries together, where one is most likely to be looked for when another one was: what takes
// time is to get at memory. Who finds no room in his line goes on behind it.
//
// Nothing is taken out of it. Records are made at ever higher addresses, so who knows when a page was forgotten knows which of
// its entries are older than that (State.CODE_LEFT).
import { RECORD_SIZE } from '../interpreter/records.js';
import type { Memory } from './memory.js';
import * as State from './state.js';

export const INSTRUCTIONS_PER_BLOCK = 64;
/** Records that begin behind this have no room for a block and the jump behind it. */
export const LAST_BLOCK = State.RECORDS_END - (INSTRUCTIONS_PER_BLOCK + 1) * RECORD_SIZE;

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
/** More blocks would stand far from where they are looked for. */
const MOST_BLOCKS = 1 << (State.BLOCK_TABLE_ENTRIES_SHIFT - 1);

export class BlockTable {
  readonly #memory: Memory;
  readonly #words: Int32Array;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#words = new Int32Array(memory.wasm.buffer, State.BLOCK_TABLE, State.BLOCK_TABLE_SIZE / 4);
    memory.set(State.TABLE_ROOM, MOST_BLOCKS);
  }

  /** The index of the entry for this kind of code at `address`, or of the first free one where it would be. */
  #place(address: number, kind: number): number {
    const words = this.#words;
    const line = Math.imul(address >>> LINE_SHIFT, SPREAD) >>> LINE_HASH_SHIFT;
    let place = ((line << LINE_BYTES_SHIFT) | ((address & ENTRY_OF_LINE) << ENTRY_OF_LINE_SHIFT)) >> 2;
    for (;;) {
      const record = words[place + 1] ?? 0;
      if (record === 0 || (words[place] === address && (record & KIND_MASK) === kind)) return place;
      place = (place + 2) & (words.length - 1);
    }
  }

  /**
   * The record of the block there, which may be forgotten; 0 for none.
   *
   * @param address in the machine's memory, as a signed word
   */
  get(address: number, kind: number): number {
    return (this.#words[this.#place(address, kind) + 1] ?? 0) & ~KIND_MASK;
  }

  set(address: number, kind: number, record: number): void {
    const place = this.#place(address, kind);
    if (this.#words[place + 1] === 0) this.#memory.set(State.TABLE_ROOM, this.#memory.get(State.TABLE_ROOM) - 1);
    this.#words[place] = address;
    this.#words[place + 1] = record | kind;
  }

  get isFull(): boolean {
    return this.#memory.get(State.TABLE_ROOM) <= 0;
  }

  clear(): void {
    this.#words.fill(0);
    this.#memory.set(State.TABLE_ROOM, MOST_BLOCKS);
  }
}
