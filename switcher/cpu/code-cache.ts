// Where decoded code is kept: basic blocks as rows of records, found by the guest-physical address of their first byte.
//
// A block runs from where a jump leads to the next instruction that surely goes elsewhere, or to the end of its page. Who
// jumps into the middle of one gets a block that is the end of it, with the same records. An instruction that lies on two pages
// is a block of its own and depends on both. When a page that holds code is written to, all its blocks are forgotten; their
// records stay where they are until the arena is full, since nothing leads to them.
import { PAGE_OFFSET_MASK, PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import { newInstruction } from '../decode/all-forms.js';
import { decode } from '../decode/decode.js';
import { internForm } from '../decode/forms.js';
import type { DecodeMode, Form, Instruction } from '../decode/instruction.js';
import { type DecodeRun, RUN_ENDS } from '../interpreter/decode-run.js';
import { loadOpcodes, shapeOf } from '../interpreter/load.js';
import { type RecordShape, REGISTER_SIZES } from '../interpreter/record-shape.js';
import * as Records from '../interpreter/records.js';
import { Templates } from '../interpreter/templates.js';
import { type CodeCounters, newCodeCounters } from '../counters.js';
import type { Memory } from './memory.js';
import { RecordIndex } from './record-index.js';
import { type FlatMaps, mapEntry } from './shadow-map.js';
import * as State from './state.js';

const LONGEST_INSTRUCTION = 15;
const INSTRUCTIONS_PER_BLOCK = 64;
/** Where the block is looked for that somebody jumps into, in bytes: what began before is decoded twice. */
const FARTHEST_BACK = 64;
/** An instruction there, and all before it, ends before the end of the address space. */
const LARGEST_PLAIN_EIP = 0xffffffff - PAGE_SIZE;
const BLOCK_ROOM = (INSTRUCTIONS_PER_BLOCK + 1) * Records.RECORD_SIZE;
/** Each has records of its own: whether segments are flat, 16-bit code, and whose it is. */
const SEGMENTED_CODE = 1;
const SIXTEEN_BIT_CODE = 2;
const USER_CODE = 4;
/** No map has this entry, so that a jump cache which has it is empty. */
const NO_MAP_ENTRY = 1;
const ENTRY_WORDS = State.BLOCK_TABLE_ENTRY_SIZE / 4;

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

type Problem = Exclude<Lookup, { kind: 'found' }>;

/** How code is to be read: what the segments say. */
export interface CodeMode extends DecodeMode {
  readonly base: number;
  readonly limit: number;
}

/** Where in the CPU's memory a place of the Guest's RAM is, as a signed word. */
const ramAddress = (address: number): number => (State.GUEST_RAM + address) | 0;
/** How many records lie before it. */
const numberOf = (record: number): number => (record - State.RECORDS) / Records.RECORD_SIZE;
/** Which place of the Guest's RAM it is, as a signed word. */
const addressOf = (pfn: number, linear: number): number => (pfn << PAGE_SHIFT) | (linear & PAGE_OFFSET_MASK);
/** The index of the block table's first entry for an address, and of its other one; the CPU's own look-up computes the same. */
const tablePlace = (address: number): number =>
  ((address ^ (address >>> State.BLOCK_TABLE_SHIFT)) & (State.BLOCK_TABLE_ENTRIES - 1)) * ENTRY_WORDS;
const otherPlace = (place: number): number => place ^ ENTRY_WORDS;
/** The same for an eip in the jump cache. */
const cachePlace = (eip: number): number =>
  ((eip ^ (eip >>> State.JUMP_CACHE_SHIFT)) & (State.JUMP_CACHE_ENTRIES - 1)) << (State.JUMP_CACHE_ENTRY_SHIFT - 2);

/** Into the first of the two places that are the address's; who was there, if anybody, goes to the other one, which is its own too. */
function enterInTable(table: Int32Array, address: number, record: number): void {
  const place = tablePlace(address);
  const other = otherPlace(place);
  const before = table[place] ?? 0;
  if (before !== 0 && before !== address) {
    table[other] = before;
    table[other + 1] = table[place + 1] ?? 0;
  }
  table[place] = address;
  table[place + 1] = record;
}

/** The table's entry for the address, if there is one, goes. */
function forgetEntry(table: Int32Array, address: number): void {
  const place = tablePlace(address);
  if (table[place] === address) table[place] = 0;
  const other = otherPlace(place);
  if (table[other] === address) table[other] = 0;
}

export class CodeCache {
  readonly #memory: Memory;
  readonly #maps: FlatMaps;
  readonly #caches: readonly [kernel: Int32Array, user: Int32Array];
  readonly #tables: readonly [kernel: Int32Array, user: Int32Array];
  /** By kind of code: from guest-physical addresses to the records of blocks, some of which are forgotten. */
  readonly #indices: (RecordIndex | undefined)[] = [];
  /** By guest-physical page: what lies below this in the arena is forgotten. */
  readonly #since: Int32Array;
  /** The guest-physical addresses of the blocks that depend on a page. */
  readonly #pages = new Map<number, number[]>();
  /** By the number of a record: how many instructions the block has that begins there, 0 if none does. */
  readonly #counts = new Uint8Array(State.RECORDS_SIZE / Records.RECORD_SIZE);
  /** The guest-physical page of an instruction's end, when that is another one than that of its beginning; by record. */
  readonly #secondPages = new Map<number, number>();
  readonly #records: Int32Array;
  readonly #forms: Form[] = [];
  /** The form's own handler of a record that leads to translated code. */
  readonly #replaced = new Map<number, number>();
  readonly #releases = new Map<number, (() => void)[]>();
  readonly #window = new Uint8Array(LONGEST_INSTRUCTION + 1);
  readonly #instruction: Instruction = newInstruction();
  /** The jump that a block without one ends with: no byte of the Guest's. */
  readonly #onward: Instruction = { ...newInstruction(), form: JUMP_ON, length: 0 };
  readonly counters: CodeCounters = newCodeCounters();
  #top = State.RECORDS;
  /** The block that was decoded last, or found in another one: its record, and how many instructions it has. */
  #made = State.RECORDS;
  #count = 0;
  #generation = 0;
  #mode: CodeMode = { defaultSize: 32, flat: true, base: 0, limit: 0xffffffff };
  #modeBits = 0;
  /** What is added to a form's handler to get one that counts first. */
  #counting = 0;
  readonly #templates: Templates;
  #run: DecodeRun | undefined;

  constructor(memory: Memory, maps: FlatMaps) {
    loadOpcodes();
    this.#memory = memory;
    this.#maps = maps;
    this.#since = new Int32Array(memory.hasCode.length);
    this.#templates = new Templates(memory.wasm.buffer);
    const { buffer } = memory.wasm;
    const words = State.JUMP_CACHE_SIZE / 4;
    this.#caches = [
      new Int32Array(buffer, State.JUMP_CACHES, words),
      new Int32Array(buffer, State.JUMP_CACHES + State.JUMP_CACHE_SIZE, words),
    ];
    for (const cache of this.#caches) cache[State.CACHED_MAP_ENTRY / 4] = NO_MAP_ENTRY;
    this.#records = new Int32Array(buffer, State.RECORDS, State.RECORDS_SIZE / 4);
    this.#tables = [
      new Int32Array(buffer, State.BLOCK_TABLES, State.BLOCK_TABLE_SIZE / 4),
      new Int32Array(buffer, State.BLOCK_TABLES + State.BLOCK_TABLE_SIZE, State.BLOCK_TABLE_SIZE / 4),
    ];
    memory.set(State.CODE_VERSION, 1);
    memory.onCodeWritten((pfn) => this.forgetPage(pfn));
  }

  /** From now on WebAssembly decodes what is like what has been decoded. */
  decodeBy(run: DecodeRun): void {
    this.#run = run;
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

  /**
   * The record of the instruction at `eip`, which comes after the one of `before` in the same block if that is given.
   *
   * @param known only if it has been decoded already: if somebody has come there
   */
  fetch(eip: number, user: boolean, before: number | undefined, known = false): number | undefined {
    const { all } = this.#memory;
    // What lies behind the last record of a block is anything: other code at the same eip, or code that is forgotten.
    if (before !== undefined && !shapeOf(this.formOf(before)).endsBlock) {
      const next = before + Records.RECORD_SIZE;
      if (this.#eipOf(next) === eip) return next;
    }
    if (known && !this.#isKnown(eip, user)) return undefined;
    const found = this.lookUp(eip, user);
    if (found.kind !== 'found') return undefined;
    return all[found.record + Records.RECORD_FLAGS] === 0 ? found.record : undefined;
  }

  #eipOf(record: number): number {
    return this.#records[(record - State.RECORDS + Records.RECORD_EIP) >> 2] ?? 0;
  }

  /** Whether a block begins there. */
  #isKnown(eip: number, user: boolean): boolean {
    const linear = (this.#mode.base + eip) >>> 0;
    const pfn = this.#maps.readablePage(linear >>> PAGE_SHIFT, user);
    if (pfn < 0) return false;
    return this.#recordAt(this.#index(user), addressOf(pfn, linear), pfn, eip) !== 0;
  }

  #index(user: boolean): RecordIndex {
    // Translated code knows its privilege: a page that both run is two pieces of code.
    const kind = this.#modeBits + (user ? USER_CODE : 0);
    return (this.#indices[kind] ??= new RecordIndex());
  }

  /** The record of the block at `eip`; 0 if none begins there, or it is forgotten. */
  #recordAt(index: RecordIndex, address: number, pfn: number, eip: number): number {
    const record = index.get(address);
    // The same code at another address is other code.
    if (record === 0 || record < (this.#since[pfn] ?? 0)) return 0;
    return this.#eipOf(record) === eip ? record : 0;
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
    this.#modeBits = (mode.flat ? 0 : SEGMENTED_CODE) | (mode.defaultSize === 16 ? SIXTEEN_BIT_CODE : 0);
    this.#forgetJumps();
    for (const table of this.#tables) table.fill(0);
    return true;
  }

  /** Empties the jump caches: code or a mode that they stand for has changed. Those that are empty are not emptied again. */
  #forgetJumps(): void {
    if (this.#memory.get(State.JUMP_CACHES_USED) === 0) return;
    this.#memory.set(State.JUMP_CACHES_USED, 0);
    for (const cache of this.#caches) {
      cache.fill(0);
      cache[State.CACHED_MAP_ENTRY / 4] = NO_MAP_ENTRY;
    }
  }

  /** Links between pages that were good for the code there was are good no more. */
  #nextVersion(): void {
    const version = this.#memory.get(State.CODE_VERSION) + 1;
    if (version > State.LARGEST_CODE_VERSION) this.#forgetAll();
    else this.#memory.set(State.CODE_VERSION, version);
  }

  /** Forgets all code of a page, which has been written to or is about to be. */
  forgetPage(pfn: number): void {
    this.counters.pagesForgotten++;
    for (const address of this.#pages.get(pfn) ?? []) {
      for (const table of this.#tables) forgetEntry(table, ramAddress(address));
    }
    this.#pages.delete(pfn);
    this.#since[pfn] = this.#top;
    this.#release(pfn);
    this.#memory.hasCode[pfn] = 0;
    this.#maps.refresh(pfn);
    this.#forgetJumps();
    this.#nextVersion();
  }

  #release(pfn: number): void {
    for (const release of this.#releases.get(pfn) ?? []) release();
    this.#releases.delete(pfn);
  }

  #forgetAll(): void {
    for (const index of this.#indices) index?.clear();
    this.#since.fill(0);
    this.#counts.fill(0);
    this.#secondPages.clear();
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
    this.#memory.set(State.CODE_VERSION, 1);
    this.#forgetJumps();
  }

  /** The record of the instruction at `eip`, decoded if need be, and known to the jump cache of this privilege. */
  lookUp(eip: number, user: boolean): Lookup {
    this.counters.lookups++;
    if (eip >>> 0 > this.#mode.limit) return { kind: 'not-code' };
    const linear = (this.#mode.base + eip) >>> 0;
    const vpn = linear >>> PAGE_SHIFT;
    const pfn = this.#maps.readablePage(vpn, user);
    if (pfn < 0) return { kind: 'fault', address: linear };
    const address = addressOf(pfn, linear);
    const index = this.#index(user);
    let record = this.#recordAt(index, address, pfn, eip);
    if (record !== 0 && this.#isCurrent(record, vpn, user)) this.counters.found++;
    else {
      if (!this.#isEndOfBlock(index, eip, address, pfn)) {
        const problem = this.#decodeBlock(eip, linear, pfn, user);
        if (problem !== undefined) return problem;
        this.counters.blocksDecoded++;
      }
      record = this.#made;
      index.set(address, record);
      this.#counts[numberOf(record)] = this.#count;
      this.#dependOn(pfn, address);
      const secondPage = this.#secondPageOf(record);
      if (secondPage !== undefined) this.#dependOn(secondPage, address);
    }
    // The block table takes eip for a linear address.
    const isInTable = this.#mode.flat && this.#mode.base === 0;
    if (isInTable) enterInTable(this.#tables[user ? 1 : 0], ramAddress(address), record);
    // The jump cache looks at one page.
    if (this.#secondPageOf(record) === undefined) this.#enterInCache(eip, record, mapEntry(vpn, pfn), user);
    return { kind: 'found', record };
  }

  #enterInCache(eip: number, record: number, entry: number, user: boolean): void {
    const cache = this.#caches[user ? 1 : 0];
    const place = cachePlace(eip);
    cache[place + State.CACHED_EIP / 4] = eip;
    cache[place + State.CACHED_RECORD / 4] = record;
    cache[place + State.CACHED_MAP_ENTRY / 4] = entry;
    this.#memory.set(State.JUMP_CACHES_USED, 1);
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
    const result = decode(this.#memory.bytes, available, eip, this.#mode, this.#instruction, pfn * PAGE_SIZE + at);
    if (result === 'too-long') return { kind: 'not-code' };
    if (result === 'short') {
      const problem = this.#decodeAcross(eip, linear, available, user);
      this.#secondPages.delete(first);
      this.#top = first;
      return problem ?? { kind: 'found', record: first };
    }
    this.#record(this.#instruction, eip, Records.UNCHAINED);
    this.#top = first;
    return { kind: 'found', record: first };
  }

  /** How many bytes an instruction at `eip` can have before it is too long or beyond the limit. */
  #longestAt(eip: number): number {
    return Math.min(LONGEST_INSTRUCTION, this.#mode.limit - (eip >>> 0) + 1);
  }

  #secondPageOf(record: number): number | undefined {
    return this.#secondPages.size === 0 ? undefined : this.#secondPages.get(record);
  }

  /** Whether the second page of what is there, if it has one, is what it was. */
  #isCurrent(record: number, vpn: number, user: boolean): boolean {
    const secondPage = this.#secondPageOf(record);
    if (secondPage === undefined) return true;
    return (
      record >= (this.#since[secondPage] ?? 0) && this.#maps.readablePage((vpn + 1) & 0xfffff, user) === secondPage
    );
  }

  /** Whether the block at `eip` is the end of one that begins not far before it. */
  #isEndOfBlock(index: RecordIndex, eip: number, address: number, pfn: number): boolean {
    const farthest = Math.min(FARTHEST_BACK, address & PAGE_OFFSET_MASK);
    for (let distance = 1; distance <= farthest; distance++) {
      const block = this.#recordAt(index, address - distance, pfn, (eip - distance) | 0);
      if (block === 0) continue;
      const skipped = this.#skippedUntil(eip, block);
      if (skipped === 0) continue;
      this.#made = block + skipped * Records.RECORD_SIZE;
      this.#count = (this.#counts[numberOf(block)] ?? 0) - skipped;
      return true;
    }
    return false;
  }

  /** How many instructions of the block come before the one at `eip`; 0 when that is not in it. */
  #skippedUntil(eip: number, block: number): number {
    const count = this.#counts[numberOf(block)] ?? 0;
    for (let i = 1; i < count; i++) {
      const left = (eip - this.#eipOf(block + i * Records.RECORD_SIZE)) | 0;
      if (left <= 0) return left === 0 ? i : 0;
    }
    return 0;
  }

  #dependOn(pfn: number, address: number): void {
    const addresses = this.#pages.get(pfn);
    if (addresses !== undefined) {
      addresses.push(address);
      return;
    }
    this.#pages.set(pfn, [address]);
    this.#memory.hasCode[pfn] = 1;
    this.#maps.refresh(pfn);
  }

  /** Decodes the block at `eip`, which begins at the arena's top. */
  #decodeBlock(eip: number, linear: number, pfn: number, user: boolean): Problem | undefined {
    if (this.#top + BLOCK_ROOM > State.RECORDS + State.RECORDS_SIZE) this.#forgetAll();
    this.#made = this.#top;
    this.#count = 0;
    const instruction = this.#instruction;
    let at = linear & PAGE_OFFSET_MASK;
    let next = eip;
    while (this.#count < INSTRUCTIONS_PER_BLOCK && at < PAGE_SIZE) {
      const run = this.#decodeRun(next, pfn, at);
      if (run > 0) {
        if ((run & RUN_ENDS) !== 0) return undefined;
        at += this.nextEipOf(this.#top - Records.RECORD_SIZE) - next;
        next = this.nextEipOf(this.#top - Records.RECORD_SIZE);
        continue;
      }
      const available = Math.min(this.#longestAt(next), PAGE_SIZE - at);
      // No shift: memory may have more than two gigabytes.
      const ram = pfn * PAGE_SIZE + at;
      const result = decode(this.#memory.bytes, available, next, this.#mode, instruction, ram);
      if (result !== 'ok') {
        if (this.#count > 0) break;
        return result === 'short' ? this.#decodeAcross(eip, linear, available, user) : { kind: 'not-code' };
      }
      const { endsBlock } = this.#record(instruction, next, this.#mode.base === 0 ? 0 : Records.UNCHAINED);
      if (this.#run !== undefined && this.#isPlain()) this.#templates.learn(this.#memory.bytes, ram, instruction);
      at += instruction.length;
      next = (next + instruction.length) | 0;
      this.#count++;
      if (endsBlock) return undefined;
    }
    this.#jumpOn(eip, next);
    return undefined;
  }

  #isPlain(): boolean {
    return this.#mode.flat && this.#mode.defaultSize === 32;
  }

  /** Decodes by templates what can be decoded so, from `at` on the page: as many instructions as it says, and RUN_ENDS. */
  #decodeRun(eip: number, pfn: number, at: number): number {
    const last = PAGE_SIZE - LONGEST_INSTRUCTION;
    // At the end of the address space an instruction may be too long.
    if (this.#run === undefined || at > last || !this.#isPlain() || eip >>> 0 > LARGEST_PLAIN_EIP) return 0;
    const page = State.GUEST_RAM + pfn * PAGE_SIZE;
    const most = INSTRUCTIONS_PER_BLOCK - this.#count;
    const run = this.#run(page + at, page + last, eip, this.#top, most, this.#counting);
    const count = run & ~RUN_ENDS;
    this.#count += count;
    this.#top += count * Records.RECORD_SIZE;
    this.counters.instructionsDecoded += count;
    return run;
  }

  /** The instruction at `eip`, of which `available` bytes are on its first page: a block of its own. */
  #decodeAcross(eip: number, linear: number, available: number, user: boolean): Problem | undefined {
    const longest = this.#longestAt(eip);
    if (available === longest) return { kind: 'not-code' };
    const secondAddress = (linear + available) >>> 0;
    const secondPage = this.#maps.readablePage(secondAddress >>> PAGE_SHIFT, user);
    if (secondPage < 0) return { kind: 'fault', address: secondAddress };
    const end = (this.#maps.readablePage(linear >>> PAGE_SHIFT, user) + 1) * PAGE_SIZE;
    const ram = secondPage * PAGE_SIZE;
    this.#window.set(this.#memory.bytes.subarray(end - available, end));
    this.#window.set(this.#memory.bytes.subarray(ram, ram + LONGEST_INSTRUCTION - available), available);
    this.#made = this.#top;
    if (decode(this.#window, longest, eip, this.#mode, this.#instruction) !== 'ok') return { kind: 'not-code' };
    this.#secondPages.set(this.#made, secondPage);
    this.#count = 1;
    this.#record(this.#instruction, eip, Records.ON_TWO_PAGES);
    // The jump also says which page the second one was, and is there for that even where nobody comes to it.
    const behind = this.#top;
    this.#jumpOn(eip, (eip + this.#instruction.length) | 0);
    const entry = mapEntry(secondAddress >>> PAGE_SHIFT, secondPage);
    this.#records[(behind - State.RECORDS + Records.RECORD_SECOND_PAGE) >> 2] = entry;
    return undefined;
  }

  /** A jump to `target` from the block at `eip`: as if it stood there, so that its page is the block's. */
  #jumpOn(eip: number, target: number): void {
    this.#onward.immediate = target;
    this.#record(this.#onward, eip, Records.UNCHAINED);
  }

  /** @param flags unless 0, nothing may remember where this record is: it depends on more than its page. */
  #record(instruction: Instruction, eip: number, flags: number): RecordShape {
    const { form, registers } = instruction;
    const shape = shapeOf(form);
    const { handler, isNear, places } = shape;
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
      (flags << 24);
    words[word + Records.RECORD_DISPLACEMENT / 4] = instruction.displacement;
    words[word + Records.RECORD_IMMEDIATE / 4] = instruction.immediate;
    words[word + Records.RECORD_IMMEDIATE2 / 4] = isNear ? 0 : instruction.immediate2;
    return shape;
  }
}
