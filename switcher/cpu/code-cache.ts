// Where decoded code is kept: basic blocks as rows of records, found by the guest-physical address of their first byte.
//
// A block runs from where a jump leads to the next instruction that surely goes elsewhere, or to the end of its page. Who
// jumps into the middle of one gets a block that is the end of it, with the same records, where WebAssembly looks for it. An instruction that lies on two pages
// is a block of its own and depends on both. When a page that holds code is written to, all its blocks are forgotten; their
// records stay where they are until there is no room for more, since nothing leads to them.
import { PAGE_OFFSET_MASK, PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import { newInstruction } from '../decode/all-forms.js';
import { decode, LONGEST_INSTRUCTION } from '../decode/decode.js';
import { internForm } from '../decode/forms.js';
import type { DecodeMode, Form, Instruction } from '../decode/instruction.js';
import {
  type DecodeRun,
  INSTRUCTIONS_PER_BLOCK,
  LARGEST_PLAIN_EIP,
  LAST_BLOCK,
  RUN_ENDS,
} from '../interpreter/decode-run.js';
import { loadOpcodes, loadTemplates, shapeOf } from '../interpreter/load.js';
import { type RecordShape, REGISTER_SIZES } from '../interpreter/record-shape.js';
import * as Records from '../interpreter/records.js';
import { type CodeCounters, newCodeCounters } from '../counters.js';
import { BlockTable } from './block-table.js';
import type { Memory } from './memory.js';
import { type FlatMaps, mapEntry } from './shadow-map.js';
import * as State from './state.js';

/** No map has this entry, so that a jump cache which has it is empty. */
const NO_MAP_ENTRY = 1;

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

/** Where in the machine's memory the place is to which a linear address leads, as a signed word. */
const addressOf = (pfn: number, linear: number): number =>
  (State.GUEST_RAM + ((pfn << PAGE_SHIFT) | (linear & PAGE_OFFSET_MASK))) | 0;
/** How many records lie before it. */
const numberOf = (record: number): number => (record - State.RECORDS) / Records.RECORD_SIZE;
/** The index of the jump cache's entry for an eip; the CPU's own look-up computes the same. */
const cachePlace = (eip: number): number =>
  ((eip ^ (eip >>> State.JUMP_CACHE_SHIFT)) & (State.JUMP_CACHE_ENTRIES - 1)) << (State.JUMP_CACHE_ENTRY_SHIFT - 2);

export class CodeCache {
  readonly #memory: Memory;
  readonly #maps: FlatMaps;
  readonly #caches: readonly [kernel: Int32Array, user: Int32Array];
  readonly #table: BlockTable;
  /** State.BLOCK_COUNTS. */
  readonly #counts: Uint8Array;
  /** The guest-physical page of an instruction's end, when that is another one than that of its beginning; by record. */
  readonly #secondPages = new Map<number, number>();
  /** Those of RAM that have code: few, where there may be a million. */
  readonly #codePages = new Set<number>();
  readonly #records: Int32Array;
  readonly #forms: Form[] = [];
  /** The form's own handler of a record that leads to translated code. */
  readonly #replaced = new Map<number, number>();
  readonly #releases = new Map<number, (() => void)[]>();
  readonly #window = new Uint8Array(LONGEST_INSTRUCTION + 1);
  readonly #instruction: Instruction = newInstruction();
  /** The jump that a block without one ends with: no byte of the Guest's. */
  readonly #onward: Instruction = { ...newInstruction(), form: JUMP_ON, length: 0 };
  readonly #counters: CodeCounters = newCodeCounters();
  /** The block that was decoded last: its record, and how many instructions it has. */
  #made = State.RECORDS;
  #count = 0;
  #generation = 0;
  #mode: CodeMode = { defaultSize: 32, flat: true, base: 0, limit: 0xffffffff };
  #run: DecodeRun | undefined;
  #isAsked = true;

  constructor(memory: Memory, maps: FlatMaps) {
    loadOpcodes();
    this.#memory = memory;
    this.#maps = maps;
    const { buffer } = memory.wasm;
    this.#table = new BlockTable(memory);
    this.#counts = new Uint8Array(buffer, State.BLOCK_COUNTS, State.RECORDS_SIZE / Records.RECORD_SIZE);
    const words = State.JUMP_CACHE_SIZE / 4;
    this.#caches = [
      new Int32Array(buffer, State.JUMP_CACHES, words),
      new Int32Array(buffer, State.JUMP_CACHES + State.JUMP_CACHE_SIZE, words),
    ];
    for (const cache of this.#caches) cache[State.CACHED_MAP_ENTRY / 4] = NO_MAP_ENTRY;
    this.#records = new Int32Array(buffer, State.RECORDS, State.RECORDS_SIZE / 4);
    memory.set(State.RECORDS_TOP, State.RECORDS);
    memory.set(State.CODE_VERSION, 1);
    memory.onCodeWritten((pfn) => this.forgetPage(pfn));
  }

  /**
   * From now on WebAssembly decodes what it can.
   *
   * @param isAsked whether it decodes nothing without being asked: somebody is to know of all code that is found
   */
  decodeBy(run: DecodeRun, isAsked: boolean): void {
    loadTemplates(this.#memory.all);
    this.#run = run;
    this.#isAsked = isAsked;
    this.#tellMode();
  }

  /** From now on records lead to handlers that stand so many places behind those of their forms. */
  countBy(distance: number): void {
    this.#memory.set(State.COUNTING, distance);
  }

  get counters(): Readonly<CodeCounters> {
    this.#collectCounts();
    return this.#counters;
  }

  /** What WebAssembly has counted, in words that would not last for ever. */
  #collectCounts(): void {
    const [blocks, ends] = [this.#take(State.BLOCKS_DECODED), this.#take(State.ENDS_FOUND)];
    this.#counters.lookups += blocks + ends;
    this.#counters.found += ends;
    this.#counters.blocksDecoded += blocks;
    this.#counters.instructionsDecoded += this.#take(State.INSTRUCTIONS_DECODED);
  }

  #take(offset: number): number {
    const count = this.#memory.get(offset);
    this.#memory.set(offset, 0);
    return count;
  }

  /** Where the next record goes. */
  get #top(): number {
    return this.#memory.get(State.RECORDS_TOP);
  }

  set #top(record: number) {
    this.#memory.set(State.RECORDS_TOP, record);
  }

  /** The form of a record, for readers that do not go by handler. */
  formOf(record: number): Form {
    const handler = this.#memory.view.getInt32(record + Records.RECORD_HANDLER, true);
    const own = this.#replaced.get(record) ?? handler;
    return (this.#forms[own] ??= this.#decodeForm(record));
  }

  /** The form of what WebAssembly has decoded and nobody here has met. Its page is what it was: others have no records. */
  #decodeForm(record: number): Form {
    const eip = this.#eipOf(record);
    const pfn = this.#maps.readablePage(eip >>> PAGE_SHIFT, false);
    const at = pfn * PAGE_SIZE + (eip & PAGE_OFFSET_MASK);
    decode(this.#memory.bytes, LONGEST_INSTRUCTION, eip, this.#mode, this.#instruction, at);
    return this.#instruction.form;
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
    return this.#recordAt(addressOf(pfn, linear), this.#kind(user), pfn, eip) !== 0;
  }

  /** Translated code knows its privilege: a page that both run is two pieces of code. */
  #kind(user: boolean): number {
    return (this.#memory.get(State.CODE_KIND) & ~State.USER_CODE) | (user ? State.USER_CODE : 0);
  }

  /** The record of the block at `eip`; 0 if none begins there, or it is forgotten. */
  #recordAt(address: number, kind: number, pfn: number, eip: number): number {
    const record = this.#table.get(address, kind);
    // The same code at another address is other code.
    return record !== 0 && !this.#isForgotten(record, pfn) && this.#eipOf(record) === eip ? record : 0;
  }

  /** Whether the page has been written to since the record was made from it. */
  #isForgotten(record: number, pfn: number): boolean {
    return State.RECORDS_END - record > (this.#memory.codeLeft[pfn] ?? 0);
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
    this.#tellMode();
    this.#forgetJumps();
    return true;
  }

  /** Writes down what WebAssembly must know of the mode. */
  #tellMode(): void {
    const { flat, defaultSize } = this.#mode;
    const user = this.#memory.get(State.CODE_KIND) & State.USER_CODE;
    const modeBits = (flat ? 0 : State.SEGMENTED_CODE) | (defaultSize === 16 ? State.SIXTEEN_BIT_CODE : 0);
    this.#memory.set(State.CODE_KIND, modeBits | user);
    this.#memory.set(State.DECODES, this.#isPlain && this.#run !== undefined && !this.#isAsked ? 1 : 0);
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
    this.#counters.pagesForgotten++;
    this.#forgetCodeOf(pfn);
    this.#forgetJumps();
    this.#nextVersion();
  }

  #forgetCodeOf(pfn: number): void {
    for (const release of this.#releases.get(pfn) ?? []) release();
    this.#releases.delete(pfn);
    this.#codePages.delete(pfn);
    this.#memory.codeLeft[pfn] = 0;
    this.#maps.refresh(pfn);
  }

  #forgetAll(): void {
    this.#collectCounts();
    this.#table.clear();
    this.#secondPages.clear();
    this.#replaced.clear();
    for (const pfn of this.#codePages) this.#forgetCodeOf(pfn);
    this.#top = State.RECORDS;
    this.#counters.flushes++;
    this.#generation++;
    this.#memory.set(State.CODE_VERSION, 1);
    this.#forgetJumps();
  }

  /** The record of the instruction at `eip`, decoded if need be, and known to the jump cache of this privilege. */
  lookUp(eip: number, user: boolean): Lookup {
    this.#counters.lookups++;
    if (eip >>> 0 > this.#mode.limit) return { kind: 'not-code' };
    const linear = (this.#mode.base + eip) >>> 0;
    const vpn = linear >>> PAGE_SHIFT;
    const pfn = this.#maps.readablePage(vpn, user);
    if (pfn < 0) return { kind: 'fault', address: linear };
    const address = addressOf(pfn, linear);
    let record = this.#recordAt(address, this.#kind(user), pfn, eip);
    if (record !== 0 && this.#isCurrent(record, vpn, user)) this.#counters.found++;
    else {
      const problem = this.#decodeBlock(eip, linear, pfn, user);
      if (problem !== undefined) return problem;
      this.#counters.blocksDecoded++;
      record = this.#made;
      this.#table.set(address, this.#kind(user), record);
      this.#counts[numberOf(record)] = this.#count;
      this.#dependOn(pfn, record);
      const secondPage = this.#secondPageOf(record);
      if (secondPage !== undefined) this.#dependOn(secondPage, record);
    }
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
    this.#makeRoom();
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
    return !this.#isForgotten(record, secondPage) && this.#maps.readablePage((vpn + 1) & 0xfffff, user) === secondPage;
  }

  #dependOn(pfn: number, record: number): void {
    if (this.#memory.hasCode(pfn)) return;
    this.#codePages.add(pfn);
    this.#memory.codeLeft[pfn] = State.RECORDS_END - record;
    this.#maps.refresh(pfn);
  }

  /** Room for one more block. */
  #makeRoom(): void {
    if (this.#top > LAST_BLOCK) this.#forgetAll();
  }

  /** Decodes the block at `eip`, which begins where the next record goes. */
  #decodeBlock(eip: number, linear: number, pfn: number, user: boolean): Problem | undefined {
    this.#makeRoom();
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
      at += instruction.length;
      next = (next + instruction.length) | 0;
      this.#count++;
      if (endsBlock) return undefined;
    }
    this.#jumpOn(eip, next);
    return undefined;
  }

  get #isPlain(): boolean {
    return this.#mode.flat && this.#mode.defaultSize === 32;
  }

  /** Decodes by templates what can be decoded so, from `at` on the page: as many instructions as it says, and RUN_ENDS. */
  #decodeRun(eip: number, pfn: number, at: number): number {
    const last = PAGE_SIZE - LONGEST_INSTRUCTION;
    // At the end of the address space an instruction may be too long.
    if (this.#run === undefined || at > last || !this.#isPlain || eip >>> 0 > LARGEST_PLAIN_EIP) return 0;
    const page = State.GUEST_RAM + pfn * PAGE_SIZE;
    const most = INSTRUCTIONS_PER_BLOCK - this.#count;
    const run = this.#run(page + at, page + last, eip, this.#top, most, this.#memory.get(State.COUNTING));
    const count = run & ~RUN_ENDS;
    this.#count += count;
    this.#top += count * Records.RECORD_SIZE;
    this.#counters.instructionsDecoded += count;
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
    this.#counters.instructionsDecoded++;
    // A jump to the next block is an instruction of ours, and not the Guest's.
    const counting = handler + (instruction.length === 0 ? 0 : this.#memory.get(State.COUNTING));
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
