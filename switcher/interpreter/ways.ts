// From an eip to the record of the instruction there: three ways, as functions of the interpreter. Each gives the record, or the
// Exit with which running code goes back to JavaScript.
import { PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import { EXIT_LOOKUP } from '../cpu/exits.js';
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
  /** (eip) → the same by way of the maps and the block table. */
  readonly find: number;
  /** (record with a near target) → the record to which it leads, which it remembers from now on. */
  readonly follow: number;

  constructor(module: ModuleWriter) {
    this.#module = module;
    this.lookup = module.declare(TAKES, GIVES);
    this.find = module.declare(TAKES, GIVES);
    this.follow = module.declare(TAKES, GIVES);
    this.#defineLookup();
    this.#defineFind();
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

  /** Asks JavaScript for the record of the eip in local `eip` when what is on the stack is 0. */
  #missIfZero(code: CodeWriter, eip: number): void {
    code.op(WASM.i32Eqz);
    code.seldom();
    code.ifThen(() => {
      code.storeState(State.EIP, eip);
      code.returnConstant(EXIT_LOOKUP);
    });
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

  /**
   * A mapping leads from eip to an address in this memory, the block table from there to a record. The entry is good when it
   * is for this address and its record for this eip: the same code can be mapped twice.
   */
  #defineFind(): void {
    const code = new CodeWriter(TAKES.length);
    const map = code.scratch('map', 'i32');
    const at = code.scratch('at', 'i32');
    const entry = code.scratch('entry', 'i32');
    const record = code.scratch('record', 'i32');
    this.#mapOf(code, EIP);
    code.localTee(map);
    this.#missIfZero(code, EIP);
    code.localGet(map);
    code.localGet(EIP);
    code.const32(State.MAP_BIAS);
    code.op(WASM.i32Add, WASM.i32Add);
    code.localTee(at);
    code.localGet(at);
    code.const32(State.BLOCK_TABLE_SHIFT);
    code.op(WASM.i32ShrU, WASM.i32Xor);
    code.const32(State.BLOCK_TABLE_ENTRIES - 1);
    code.op(WASM.i32And);
    code.const32(3);
    code.op(WASM.i32Shl);
    code.loadState(State.BLOCK_TABLE);
    code.op(WASM.i32Add);
    code.localTee(entry);
    code.load(4, 0);
    code.localGet(at);
    code.op(WASM.i32Ne);
    code.ifThen(() => {
      code.localGet(entry);
      code.const32(State.BLOCK_TABLE_ENTRY_SIZE);
      code.op(WASM.i32Xor);
      code.localTee(entry);
      code.load(4, 0);
      code.localGet(at);
      code.op(WASM.i32Eq);
      this.#missIfZero(code, EIP);
    });
    code.localGet(entry);
    code.load(4, 4);
    code.localTee(record);
    code.load(4, Records.RECORD_EIP);
    code.localGet(EIP);
    code.op(WASM.i32Eq);
    this.#missIfZero(code, EIP);
    this.#returnIfOnTwoPages(code, record);
    // As JavaScript does that has found it: from now on the jump cache knows the way.
    this.#findEntry(code, EIP, entry);
    for (const [offset, local] of [
      [State.CACHED_EIP, EIP],
      [State.CACHED_RECORD, record],
      [State.CACHED_MAP_ENTRY, map],
    ] as const) {
      code.localGet(entry);
      code.localGet(local);
      code.store(4, offset);
    }
    code.setStateConstant(State.JUMP_CACHES_USED, 1);
    code.localGet(record);
    this.#module.define(this.find, code.locals, code.finish());
  }

  /** What lies on two pages is not for the jump cache, and is what it was if the map says of the second page what it said. */
  #returnIfOnTwoPages(code: CodeWriter, record: number): void {
    const second = code.scratch('second', 'i32');
    code.localGet(record);
    code.load(1, Records.RECORD_FLAGS);
    code.seldom();
    code.ifThen(() => {
      code.localGet(EIP);
      code.const32(PAGE_SIZE);
      code.op(WASM.i32Add);
      code.localSet(second);
      code.localGet(record);
      code.load(4, Records.RECORD_SIZE + Records.RECORD_SECOND_PAGE);
      this.#mapOf(code, second);
      code.op(WASM.i32Eq);
      this.#missIfZero(code, EIP);
      code.localGet(record);
      code.op(WASM.return);
    });
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
