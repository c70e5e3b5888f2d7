// From an eip to the record of the instruction there: three ways, as functions of the interpreter. Each gives the record, or the
// Exit with which running code goes back to JavaScript.
import { PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import * as State from '../cpu/state.js';
import type { ValueType } from '../language/operators.js';
import { CodeWriter } from '../wasm/code-writer.js';
import type { ModuleWriter } from '../wasm/module.js';
import { WASM } from '../wasm/opcodes.js';
import * as Records from './records.js';

const TAKES: readonly ValueType[] = ['i32'];
const GIVES: readonly ValueType[] = ['i32'];

/** The parameter of `lookup` and `find`. */
const EIP = 0;
/** The parameter of `follow`, and of every handler: the address of its record. */
export const RECORD = 0;

export class Ways {
  readonly #module: ModuleWriter;
  /** (eip) → its record, by way of the jump cache. */
  readonly lookup: number;
  /** (eip) → the same by way of the maps and the block table (see find-block). */
  readonly find: number;
  /** (record with a near target) → the record to which it leads, which it remembers from now on. */
  readonly follow: number;

  /** @param find the index of findBlock */
  constructor(module: ModuleWriter, find: number) {
    this.#module = module;
    this.find = find;
    this.lookup = module.declare(TAKES, GIVES);
    this.follow = module.declare(TAKES, GIVES);
    this.#defineLookup();
    this.#defineFollow();
    for (const way of [this.lookup, this.find, this.follow]) module.compileFirst(way);
  }

  /**
   * Leaves the record for the eip in local `eip` in local `record`, if the jump cache has it.
   *
   * @param missed otherwise: goes elsewhere
   */
  inCache(code: CodeWriter, eip: number, record: number, missed: () => void): void {
    this.#findEntry(code, eip, record);
    code.localGet(record);
    code.load(4, State.CACHED_EIP);
    code.localGet(eip);
    code.op(WASM.i32Xor);
    code.localGet(record);
    code.load(4, State.CACHED_MAP_ENTRY);
    this.#mapOf(code, eip);
    code.op(WASM.i32Xor, WASM.i32Or);
    code.seldom();
    code.ifThen(missed);
    code.localGet(record);
    code.load(4, State.CACHED_RECORD);
    code.localSet(record);
  }

  /** What the map says of the page of the eip in local `eip`. */
  #mapOf(code: CodeWriter, eip: number): void {
    code.loadState(State.READ_MAP);
    code.localGet(eip);
    code.loadState(State.SEGMENTS + State.CS * State.SEGMENT_SIZE + State.SEGMENT_BASE);
    code.op(WASM.i32Add);
    code.const32(PAGE_SHIFT);
    code.op(WASM.i32ShrU);
    code.const32(2);
    code.op(WASM.i32Shl, WASM.i32Add);
    code.load(4, 0);
  }

  /** Leaves the jump cache's entry for the eip in local `eip` in local `entry`. */
  #findEntry(code: CodeWriter, eip: number, entry: number): void {
    code.loadState(State.JUMP_CACHE);
    code.localGet(eip);
    code.localGet(eip);
    code.const32(State.JUMP_CACHE_SHIFT);
    code.op(WASM.i32ShrU, WASM.i32Xor);
    code.const32(State.JUMP_CACHE_ENTRIES - 1);
    code.op(WASM.i32And);
    code.const32(State.JUMP_CACHE_ENTRY_SHIFT);
    code.op(WASM.i32Shl, WASM.i32Add);
    code.localSet(entry);
  }

  #defineLookup(): void {
    const code = new CodeWriter(TAKES.length);
    const record = code.scratch('record', 'i32');
    this.inCache(code, EIP, record, () => {
      code.localGet(EIP);
      code.op(WASM.returnCall);
      code.code.unsigned(this.find);
    });
    code.localGet(record);
    this.#module.define(this.lookup, code.locals, code.finish());
  }

  #defineFollow(): void {
    const code = new CodeWriter(TAKES.length);
    const eip = code.scratch('eip', 'i32');
    const to = code.scratch('to', 'i32');
    const link = code.scratch('link', 'i32');
    code.localGet(RECORD);
    code.load(4, Records.RECORD_IMMEDIATE);
    code.localSet(eip);
    this.#mapOf(code, eip);
    code.loadState(State.CODE_VERSION);
    code.op(WASM.i32Add);
    code.localSet(link);
    this.#returnLinked(code, link, to);
    this.inCache(code, eip, to, () => {
      code.localGet(eip);
      code.op(WASM.returnCall);
      code.code.unsigned(this.find);
    });
    // What depends on more than a page is always looked up.
    code.localGet(to);
    code.load(1, Records.RECORD_FLAGS);
    code.op(WASM.i32Eqz);
    code.ifThen(() => {
      // A jump within its page stays true for as long as the page's records live. One to another page is true if that is still
      // there, and no code has been forgotten: it could be that page's.
      code.localGet(RECORD);
      code.const32(0);
      code.localGet(to);
      code.op(WASM.i32Sub);
      code.localGet(to);
      code.localGet(RECORD);
      code.load(4, Records.RECORD_EIP);
      code.localGet(eip);
      code.op(WASM.i32Xor);
      code.const32(-PAGE_SIZE);
      code.op(WASM.i32And, WASM.select);
      code.store(4, Records.RECORD_CHAIN);
      code.localGet(RECORD);
      code.localGet(link);
      code.store(4, Records.RECORD_LINK);
    });
    code.localGet(to);
    this.#module.define(this.follow, code.locals, code.finish());
  }

  /** Gives the record that the one at hand is linked with, if the link is what it was made as. */
  #returnLinked(code: CodeWriter, link: number, to: number): void {
    code.localGet(RECORD);
    code.load(4, Records.RECORD_CHAIN);
    code.localTee(to);
    code.ifThen(() => {
      code.localGet(RECORD);
      code.load(4, Records.RECORD_LINK);
      code.localGet(link);
      code.op(WASM.i32Eq);
      code.ifThen(() => {
        code.const32(0);
        code.localGet(to);
        code.op(WASM.i32Sub, WASM.return);
      });
    });
  }
}
