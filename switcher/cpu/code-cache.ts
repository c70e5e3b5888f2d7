// Where decoded code is kept: basic blocks as rows of records, found by the guest-physical address of their first byte.
//
// A block runs from where a jump leads to the next instruction that surely goes elsewhere, or to the end of its page. Who
// jumps into the middle of one gets a block that is the end of it, with the same records. An instruction that lies on two
// pages is a block of its own and depends on both. When a page that holds code is written to,
// all its blocks are forgotten; their records stay where they are until the arena is full, since nothing leads to them.
import { PAGE_OFFSET_MASK, PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import { newInstruction } from '../decode/all-forms.js';
import { decode } from '../decode/decode.js';
import { internForm } from '../decode/forms.js';
import type { DecodeMode, Form, Instruction } from '../decode/instruction.js';
import { shapeOf } from '../interpreter/load.js';
import { REGISTER_SIZES } from '../interpreter/record-shape.js';
import * as Records from '../interpreter/records.js';
import { type CodeCounters, newCodeCounters } from '../counters.js';
import type { Memory } from './memory.js';
import type { FlatMaps } from './shadow-map.js';
import * as State from './state.js';

const LONGEST_INSTRUCTION = 15;
const INSTRUCTIONS_PER_BLOCK = 64;
const BLOCK_ROOM = (INSTRUCTIONS_PER_BLOCK + 1) * Records.RECORD_SIZE;
/** No eip that is this number has its place at the beginning of the jump cache, so it stands for "empty" there. */
const EMPTY_AT_ZERO = 1;
/** In the key of a block, beside the mode's bits. */
const USER_CODE = 4;
const KEYS_PER_ADDRESS = 8;
/** Of a block that is not kept. */
const NO_KEY = -1;
const ENTRY_WORDS = State.BLOCK_TABLE_ENTRY_SIZE / 4;

/** The jump that a block without one ends with. */
const JUMP_ON: Form = internForm({
  mnemonic: 'jmp',
  operands: [{ kind: 'target' }],
  addressing: 'none',
  operandSize: 32,
  addressSize: 32,
  repeat: 'none',
});

export type Lookup =
  | { readonly kind: 'found'; readonly record: number }
  /** The page at this linear address cannot be read to be executed. */
  | { readonly kind: 'fault'; readonly address: number }
  /** More than an instruction can have bytes, or beyond the limit of the code segment. */
  | { readonly kind: 'not-code' };

interface Block {
  readonly record: number;
  readonly eip: number;
  /** Where it begins, its mode and privilege. */
  readonly key: number;
  /** How many records from `record` on are instructions that lie behind each other on this page. */
  readonly count: number;
  /** The guest-physical page of the instruction's end, when that is another one than that of its beginning. */
  readonly secondPage: number | undefined;
}

/** How code is to be read: what the segments say. */
export interface CodeMode extends DecodeMode {
  readonly base: number;
  readonly limit: number;
}

/** Where in the CPU's memory the block with this key begins. */
const ramAddress = (key: number): number => State.GUEST_RAM + Math.floor(key / KEYS_PER_ADDRESS);
/** The index of the block table's first entry for an address, and of its other one; the CPU's own look-up computes the same. */
const tablePlace = (address: number): number =>
  ((address ^ (address >>> State.BLOCK_TABLE_SHIFT)) & (State.BLOCK_TABLE_ENTRIES - 1)) * ENTRY_WORDS;
const otherPlace = (place: number): number => place ^ ENTRY_WORDS;
/** The same for an eip in the jump cache. */
const cachePlace = (eip: number): number =>
  ((eip ^ (eip >>> State.JUMP_CACHE_SHIFT)) & (State.JUMP_CACHE_ENTRIES - 1)) * 2;

export class CodeCache {
  readonly #memory: Memory;
  readonly #maps: FlatMaps;
  readonly #caches: readonly [kernel: Int32Array, user: Int32Array];
  readonly #tables: readonly [kernel: Int32Array, user: Int32Array];
  readonly #blocks = new Map<number, Block>();
  /** The blocks that depend on a page. */
  readonly #pages = new Map<number, Block[]>();
  readonly #records: Int32Array;
  readonly #forms: Form[] = [];
  /** The form's own handler of a record that leads to translated code. */
  readonly #replaced = new Map<number, number>();
  readonly #releases = new Map<number, (() => void)[]>();
  readonly #window = new Uint8Array(LONGEST_INSTRUCTION + 1);
  readonly #instruction: Instruction = newInstruction();
  readonly counters: CodeCounters = newCodeCounters();
  #top = State.RECORDS;
  #generation = 0;
  #mode: CodeMode = { defaultSize: 32, flat: true, base: 0, limit: 0xffffffff };
  #modeBits = 0;
  /** What is added to a form's handler to get one that counts first. */
  #counting = 0;

  constructor(memory: Memory, maps: FlatMaps) {
    this.#memory = memory;
    this.#maps = maps;
    const { buffer } = memory.wasm;
    const words = State.JUMP_CACHE_SIZE / 4;
    this.#caches = [
      new Int32Array(buffer, State.JUMP_CACHES, words),
      new Int32Array(buffer, State.JUMP_CACHES + State.JUMP_CACHE_SIZE, words),
    ];
    for (const cache of this.#caches) cache[0] = EMPTY_AT_ZERO;
    this.#records = new Int32Array(buffer, State.RECORDS, State.RECORDS_SIZE / 4);
    this.#tables = [
      new Int32Array(buffer, State.BLOCK_TABLES, State.BLOCK_TABLE_SIZE / 4),
      new Int32Array(buffer, State.BLOCK_TABLES + State.BLOCK_TABLE_SIZE, State.BLOCK_TABLE_SIZE / 4),
    ];
    memory.onCodeWritten((pfn) => this.forgetPage(pfn));
    maps.onCodeUnmapped((user) => this.#forgetJumpsOf(user));
  }

  /** From now on records lead to handlers that stand so many places behind those of their forms. */
  countBy(distance: number): void {
    this.#counting = distance;
  }

  /** The form of a record, for readers that do not go by handler. */
  formOf(record: number): Form {
    const handler = this.#memory.view.getInt32(record + Records.RECORD_HANDLER, true);
    return this.#forms[this.#replaced.get(record) ?? handler] ?? JUMP_ON;
  }

  /** Calls `changed` when something is written to one of the pages at the linear addresses `pages` (4 KiB pages, by number). */
  watch(pages: readonly number[], user: boolean, changed: () => void): void {
    for (const page of pages) {
      const pfn = this.#maps.readablePage(page, user);
      const releases = this.#releases.get(pfn);
      if (releases) releases.push(changed);
      else this.#releases.set(pfn, [changed]);
    }
  }

  /**
   * Lets `handler` run what begins at `record` in place of the form's own handler.
   *
   * @returns what ends it
   */
  replaceHandler(record: number, handler: number): () => void {
    const { view } = this.#memory;
    const own = view.getInt32(record + Records.RECORD_HANDLER, true);
    this.#replaced.set(record, own);
    view.setInt32(record + Records.RECORD_HANDLER, handler, true);
    return () => {
      if (view.getInt32(record + Records.RECORD_HANDLER, true) === handler)
        view.setInt32(record + Records.RECORD_HANDLER, own, true);
      this.#replaced.delete(record);
    };
  }

  /** Another number than before: records that were found earlier may have been overwritten. */
  get generation(): number {
    return this.#generation;
  }

  isReplaced(record: number): boolean {
    return this.#replaced.has(record);
  }

  /**
   * The record of the instruction at `eip`, which comes after the one of `before` in the same block if that is given.
   *
   * @param known only if it has been decoded already: if somebody has come there
   */
  fetch(eip: number, user: boolean, before: number | undefined, known = false): number | undefined {
    const { view, all } = this.#memory;
    // What lies behind the last record of a block is anything: other code at the same eip, or code that is forgotten.
    if (before !== undefined && !shapeOf(this.formOf(before)).endsBlock) {
      const next = before + Records.RECORD_SIZE;
      if (view.getInt32(next + Records.RECORD_EIP, true) === eip) return next;
    }
    if (known && !this.#isKnown(eip, user)) return undefined;
    const found = this.lookUp(eip, user);
    if (found.kind !== 'found') return undefined;
    return all[found.record + Records.RECORD_FLAGS] === 0 ? found.record : undefined;
  }

  /** Whether a block begins there. */
  #isKnown(eip: number, user: boolean): boolean {
    const linear = (this.#mode.base + eip) >>> 0;
    const pfn = this.#maps.readablePage(linear >>> PAGE_SHIFT, user);
    return pfn >= 0 && this.#blocks.has(this.#keyOf(pfn, linear, user));
  }

  #keyOf(pfn: number, linear: number, user: boolean): number {
    const address = ((pfn << PAGE_SHIFT) >>> 0) + (linear & PAGE_OFFSET_MASK);
    // Translated code knows its privilege: a page that both run is two pieces of code.
    return address * KEYS_PER_ADDRESS + this.#modeBits + (user ? USER_CODE : 0);
  }

  nextEipOf(record: number): number {
    return this.#memory.view.getInt32(record + Records.RECORD_NEXT_EIP, true);
  }

  get isFlat(): boolean {
    return this.#mode.flat;
  }

  /** @returns whether it is another one than before, which empties what leads to code */
  setMode(mode: CodeMode): boolean {
    const { defaultSize, flat, base, limit } = this.#mode;
    if (defaultSize === mode.defaultSize && flat === mode.flat && base === mode.base && limit === mode.limit)
      return false;
    // Blocks know their eip, not their base: with another base they are other code. And they end at the limit.
    if (base !== mode.base || limit !== mode.limit) this.#forgetAll();
    this.#mode = mode;
    this.#modeBits = (mode.flat ? 0 : 1) | (mode.defaultSize === 16 ? 2 : 0);
    this.forgetJumps();
    for (const table of this.#tables) table.fill(0);
    return true;
  }

  /** Empties the jump caches: some mapping or mode that they stand for has changed. */
  forgetJumps(): void {
    this.#forgetJumpsOf(false);
    this.#forgetJumpsOf(true);
  }

  /** Many pages go at once when address spaces change: an empty cache is not emptied again. */
  #forgetJumpsOf(user: boolean): void {
    const cache = this.#caches[user ? 1 : 0];
    if (cache[State.JUMP_CACHE_USED / 4] === 0) return;
    cache.fill(0);
    cache[0] = EMPTY_AT_ZERO;
  }

  /** Forgets all code of a page, which has been written to or is about to be. */
  forgetPage(pfn: number): void {
    this.counters.pagesForgotten++;
    for (const { key } of this.#pages.get(pfn) ?? []) {
      this.#blocks.delete(key);
      this.#forgetEntry(key);
    }
    this.#pages.delete(pfn);
    this.#release(pfn);
    this.#memory.hasCode[pfn] = 0;
    this.#maps.refresh(pfn);
    this.forgetJumps();
  }

  #release(pfn: number): void {
    for (const release of this.#releases.get(pfn) ?? []) release();
    this.#releases.delete(pfn);
  }

  #forgetAll(): void {
    this.#blocks.clear();
    const pages = [...this.#pages.keys()];
    this.#pages.clear();
    this.#replaced.clear();
    for (const pfn of pages) {
      this.#release(pfn);
      this.#memory.hasCode[pfn] = 0;
      this.#maps.refresh(pfn);
    }
    for (const table of this.#tables) table.fill(0);
    this.#top = State.RECORDS;
    this.counters.flushes++;
    this.#generation++;
    this.forgetJumps();
  }

  /** The record of the instruction at `eip`, decoded if need be, and known to the jump cache of this privilege. */
  lookUp(eip: number, user: boolean): Lookup {
    this.counters.lookups++;
    if (eip >>> 0 > this.#mode.limit) return { kind: 'not-code' };
    const linear = (this.#mode.base + eip) >>> 0;
    const vpn = linear >>> PAGE_SHIFT;
    const pfn = this.#maps.readablePage(vpn, user);
    if (pfn < 0) return { kind: 'fault', address: linear };
    const key = this.#keyOf(pfn, linear, user);
    let block = this.#blocks.get(key);
    if (block !== undefined && (block.eip !== eip || !this.#isCurrent(block, vpn, user))) block = undefined;
    if (block === undefined) {
      block = this.#endOfBlock(key, eip, pfn);
      if (block === undefined) {
        const made = this.#decodeBlock(key, eip, linear, pfn, user);
        if ('kind' in made) return made;
        block = made;
        this.counters.blocksDecoded++;
      }
      this.#remember(pfn, block);
    } else this.counters.found++;
    this.#maps.markExecuted(vpn, user);
    if (block.secondPage !== undefined) this.#maps.markExecuted((vpn + 1) & 0xfffff, user);
    const cache = this.#caches[user ? 1 : 0];
    const place = cachePlace(eip);
    cache[place] = eip;
    cache[place + 1] = block.record;
    cache[State.JUMP_CACHE_USED / 4] = 1;
    // The CPU's own look-up takes eip for a linear address, and looks at one page.
    if (this.#mode.flat && this.#mode.base === 0 && block.secondPage === undefined) {
      this.#enterInTable(this.#tables[user ? 1 : 0], ramAddress(key), block.record);
    }
    return { kind: 'found', record: block.record };
  }

  /** Into the first of the two places that are the address's; who was there goes to the other one, which is its own too. */
  #enterInTable(table: Int32Array, address: number, record: number): void {
    const place = tablePlace(address);
    const other = otherPlace(place);
    if (table[place] !== address) {
      table[other] = table[place] ?? 0;
      table[other + 1] = table[place + 1] ?? 0;
    }
    table[place] = address;
    table[place + 1] = record;
  }

  /** The table's entry for the block with this key, if there is one, goes. */
  #forgetEntry(key: number): void {
    const address = ramAddress(key);
    const table = this.#tables[(key & USER_CODE) !== 0 ? 1 : 0];
    const place = tablePlace(address);
    if (table[place] === address) table[place] = 0;
    const other = otherPlace(place);
    if (table[other] === address) table[other] = 0;
  }

  /**
   * The record of the instruction at `eip`, decoded for one use only: its page does not count as code for that. This is for
   * an instruction that writes to its own page, which could otherwise never be written to.
   */
  decodeOnce(eip: number, user: boolean): Lookup {
    if (eip >>> 0 > this.#mode.limit) return { kind: 'not-code' };
    const linear = (this.#mode.base + eip) >>> 0;
    const pfn = this.#maps.readablePage(linear >>> PAGE_SHIFT, user);
    if (pfn < 0) return { kind: 'fault', address: linear };
    if (this.#top + BLOCK_ROOM > State.RECORDS + State.RECORDS_SIZE) this.#forgetAll();
    const first = this.#top;
    const at = linear & PAGE_OFFSET_MASK;
    const available = Math.min(this.#longestAt(eip), PAGE_SIZE - at);
    const result = decode(this.#memory.bytes, available, eip, this.#mode, this.#instruction, (pfn << PAGE_SHIFT) + at);
    if (result === 'too-long') return { kind: 'not-code' };
    if (result === 'short') {
      const block = this.#decodeAcross(NO_KEY, eip, linear, available, user);
      this.#top = first;
      return 'kind' in block ? block : { kind: 'found', record: first };
    }
    this.#record(this.#instruction, eip, true);
    this.#top = first;
    return { kind: 'found', record: first };
  }

  /** How many bytes an instruction at `eip` can have before it is too long or beyond the limit. */
  #longestAt(eip: number): number {
    return Math.min(LONGEST_INSTRUCTION, this.#mode.limit - (eip >>> 0) + 1);
  }

  #isCurrent(block: Block, vpn: number, user: boolean): boolean {
    return block.secondPage === undefined || this.#maps.readablePage((vpn + 1) & 0xfffff, user) === block.secondPage;
  }

  #remember(pfn: number, block: Block): void {
    this.#blocks.set(block.key, block);
    this.#dependOn(pfn, block);
    if (block.secondPage !== undefined) this.#dependOn(block.secondPage, block);
  }

  #dependOn(pfn: number, block: Block): void {
    const blocks = this.#pages.get(pfn);
    if (blocks !== undefined) {
      blocks.push(block);
      return;
    }
    this.#pages.set(pfn, [block]);
    this.#memory.hasCode[pfn] = 1;
    this.#maps.refresh(pfn);
  }

  /** The block at `key`, if it is the end of one that is there already. */
  #endOfBlock(key: number, eip: number, pfn: number): Block | undefined {
    for (const block of this.#pages.get(pfn) ?? []) {
      const distance = (eip - block.eip) | 0;
      // An instruction has a byte at least; and the same code at another address is other code.
      if (distance <= 0 || key - block.key !== distance * KEYS_PER_ADDRESS || block.count < 2) continue;
      const skipped = this.#find(block, eip);
      if (skipped === 0) continue;
      const record = block.record + skipped * Records.RECORD_SIZE;
      return { record, eip, key, count: block.count - skipped, secondPage: undefined };
    }
    return undefined;
  }

  /** How many instructions of `block` come before the one at `eip`; 0 when that is not in it. */
  #find(block: Block, eip: number): number {
    const first = (block.record - State.RECORDS + Records.RECORD_EIP) / 4;
    const leftAt = (i: number): number => (eip - (this.#records[first + (i * Records.RECORD_SIZE) / 4] ?? 0)) | 0;
    // Most blocks of a page end before.
    if (leftAt(block.count - 1) > 0) return 0;
    for (let i = 1; i < block.count; i++) {
      const left = leftAt(i);
      if (left <= 0) return left === 0 ? i : 0;
    }
    return 0;
  }

  #decodeBlock(
    key: number,
    eip: number,
    linear: number,
    pfn: number,
    user: boolean,
  ): Block | Exclude<Lookup, { kind: 'found' }> {
    if (this.#top + BLOCK_ROOM > State.RECORDS + State.RECORDS_SIZE) this.#forgetAll();
    const first = this.#top;
    const instruction = this.#instruction;
    let at = linear & PAGE_OFFSET_MASK;
    let next = eip;
    let count = 0;
    while (count < INSTRUCTIONS_PER_BLOCK && at < PAGE_SIZE) {
      const available = Math.min(this.#longestAt(next), PAGE_SIZE - at);
      const ram = (pfn << PAGE_SHIFT) + at;
      const result = decode(this.#memory.bytes, available, next, this.#mode, instruction, ram);
      if (result !== 'ok') {
        if (count > 0) break;
        return result === 'short' ? this.#decodeAcross(key, eip, linear, available, user) : { kind: 'not-code' };
      }
      this.#record(instruction, next, this.#mode.base !== 0);
      at += instruction.length;
      next = (next + instruction.length) | 0;
      count++;
      if (shapeOf(instruction.form).endsBlock) return { record: first, eip, key, count, secondPage: undefined };
    }
    this.#jumpOn(eip, next);
    return { record: first, eip, key, count, secondPage: undefined };
  }

  /** The instruction at `eip`, of which `available` bytes are on its first page. */
  #decodeAcross(
    key: number,
    eip: number,
    linear: number,
    available: number,
    user: boolean,
  ): Block | Exclude<Lookup, { kind: 'found' }> {
    const longest = this.#longestAt(eip);
    if (available === longest) return { kind: 'not-code' };
    const secondAddress = (linear + available) >>> 0;
    const secondPage = this.#maps.readablePage(secondAddress >>> PAGE_SHIFT, user);
    if (secondPage < 0) return { kind: 'fault', address: secondAddress };
    const end = (this.#maps.readablePage(linear >>> PAGE_SHIFT, user) + 1) << PAGE_SHIFT;
    const ram = secondPage << PAGE_SHIFT;
    this.#window.set(this.#memory.bytes.subarray(end - available, end));
    this.#window.set(this.#memory.bytes.subarray(ram, ram + LONGEST_INSTRUCTION - available), available);
    const first = this.#top;
    if (decode(this.#window, longest, eip, this.#mode, this.#instruction) !== 'ok') return { kind: 'not-code' };
    this.#record(this.#instruction, eip, true);
    if (!shapeOf(this.#instruction.form).endsBlock) this.#jumpOn(eip, (eip + this.#instruction.length) | 0);
    return { record: first, eip, key, count: 1, secondPage };
  }

  /** A jump to `target` from the block at `eip`: as if it stood there, so that its page is the block's. */
  #jumpOn(eip: number, target: number): void {
    const instruction = this.#instruction;
    instruction.form = JUMP_ON;
    instruction.immediate = target;
    instruction.length = 0;
    this.#record(instruction, eip, true);
  }

  /** @param unchained nothing may remember where this record is: it depends on more than its page. */
  #record(instruction: Instruction, eip: number, unchained: boolean): void {
    const { form, registers } = instruction;
    const { handler, isNear, places } = shapeOf(form);
    const at = this.#top;
    this.#top += Records.RECORD_SIZE;
    this.counters.instructionsDecoded++;
    // A jump to the next block is an instruction of ours, and not the Guest's.
    const counting = handler + (instruction.length === 0 ? 0 : this.#counting);
    this.#forms[counting] = form;
    // Word by word, since nothing in decoding takes longer than to write it down.
    const words = this.#records;
    const word = (at - State.RECORDS) >>> 2;
    words[word + Records.RECORD_HANDLER / 4] = counting;
    words[word + Records.RECORD_EIP / 4] = eip;
    words[word + Records.RECORD_NEXT_EIP / 4] = eip + instruction.length;
    words[word + Records.RECORD_REGISTERS / 4] =
      (places[0][registers[0]] ?? 0) |
      ((places[1][registers[1]] ?? 0) << 8) |
      ((places[2][registers[2]] ?? 0) << 16) |
      (instruction.scale << 24);
    words[word + Records.RECORD_BASE / 4] =
      (instruction.base * REGISTER_SIZES.general) |
      ((instruction.indexRegister * REGISTER_SIZES.general) << 8) |
      ((instruction.segment * State.SEGMENT_SIZE) << 16) |
      (unchained ? 1 << 24 : 0);
    words[word + Records.RECORD_DISPLACEMENT / 4] = instruction.displacement;
    words[word + Records.RECORD_IMMEDIATE / 4] = instruction.immediate;
    words[word + Records.RECORD_IMMEDIATE2 / 4] = isNear ? 0 : instruction.immediate2;
  }
}
