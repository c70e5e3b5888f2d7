// The interpreter: a WebAssembly module with one function for each form, made from the definitions.
//
// A handler takes the address of its record, does what the instruction means, and ends by a tail call to the handler of the
// next record, so that no loop stands between two instructions and each handler has an indirect jump of its own for the
// processor to predict. V8 compiles a handler when it first runs: the many that a Guest never uses cost nothing.
import { Bug } from '../../lib/errors.js';
import { PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import { EXIT_BUDGET, EXIT_LOOKUP } from '../cpu/exits.js';
import { REGISTER_FILES } from '../cpu/register-files.js';
import { CPU_ROUTINES } from '../cpu/routines.js';
import * as State from '../cpu/state.js';
import { formKey } from '../decode/forms.js';
import type { Form } from '../decode/instruction.js';
import { factsOf } from '../instructions/form-facts.js';
import { meaning } from '../instructions/index.js';
import type { AccessBytes, Body, Field, RegisterFile, RegisterNumber, Routine, Value } from '../language/nodes.js';
import { givesWay } from '../language/nodes.js';
import { slowLoad, slowStore } from '../language/slow-access.js';
import { Emitter } from '../wasm/emit.js';
import type { Functions, Setting } from '../wasm/setting.js';
import { ModuleWriter } from '../wasm/module.js';
import { WASM } from '../wasm/opcodes.js';
import { EVERYDAY_FORMS } from './everyday-forms.js';
import * as Records from './records.js';
import type { ValueType } from '../language/operators.js';

/** The only parameter of a handler: the address of its record. */
const RECORD = 0;
const HANDLER_TAKES: readonly ValueType[] = ['i32'];
const HANDLER_GIVES: readonly ValueType[] = ['i32'];

/** Routines are exported under their names with this in front. */
export const ROUTINE_PREFIX = 'routine ';

export class InterpreterModule implements Functions, Setting {
  readonly #module = new ModuleWriter();
  readonly #cpu = new Map<string, number>();
  readonly #routines = new Map<string, number>();
  readonly #pending: (() => void)[] = [];
  readonly #handlerType: number;
  /** (eip) → looks for its record and runs it. */
  readonly #lookup: number;
  /** (eip) → the same by way of the maps and the block table. */
  readonly #find: number;
  /** (record with a near target) → goes there, and remembers where it was. */
  readonly #follow: number;

  constructor() {
    for (const [name, arity] of Object.entries(CPU_ROUTINES)) {
      const takes = Array.from({ length: arity }, (): ValueType => 'i32');
      this.#cpu.set(name, this.#module.importFunction('cpu', name, takes, ['i32']));
    }
    this.#handlerType = this.#module.type(HANDLER_TAKES, HANDLER_GIVES);
    this.#lookup = this.#module.declare(HANDLER_TAKES, HANDLER_GIVES);
    this.#find = this.#module.declare(HANDLER_TAKES, HANDLER_GIVES);
    this.#follow = this.#module.declare(HANDLER_TAKES, HANDLER_GIVES);
    this.#defineLookup();
    this.#defineFind();
    this.#defineFollow();
    this.#defineRun();
  }

  /** The module's bytes. `forms` become the table, in their order: a record's handler is the index of its form. */
  generate(forms: readonly Form[], memoryPages: number): Uint8Array<ArrayBuffer> {
    const handlers = forms.map((form) => this.#handler(meaning(form), factsOf(form).flow === 'branch'));
    forms.forEach((form, i) => {
      const handler = handlers[i];
      if (handler !== undefined && EVERYDAY_FORMS.has(formKey(form))) this.#module.compileFirst(handler);
    });
    for (const way of [this.#lookup, this.#find, this.#follow]) this.#module.compileFirst(way);
    // What translated code calls: the routines under their names, and the way to go on.
    for (let define = this.#pending.pop(); define; define = this.#pending.pop()) define();
    for (const [name, index] of this.#routines) this.#module.export(`${ROUTINE_PREFIX}${name}`, index);
    this.#module.export('lookup', this.#lookup);
    this.#module.table(handlers);
    return this.#module.encode(memoryPages);
  }

  // ---------------------------------------------------------------- Functions

  routine(routine: Routine): number {
    const known = this.#routines.get(routine.name);
    if (known !== undefined) return known;
    const index = this.#module.declare(routine.takes, routine.gives);
    this.#routines.set(routine.name, index);
    // Later: a routine may call others, and itself.
    this.#pending.push(() => {
      const emit = new Emitter(this, this, routine.takes.length);
      emit.body(routine.body());
      if (routine.gives.length > 0) emit.op(0x00 /* unreachable: every path returns */);
      this.#module.define(index, emit.locals, emit.finish());
    });
    return index;
  }

  cpu(name: string): number {
    const index = this.#cpu.get(name);
    if (index === undefined) throw new Bug(`the CPU has no routine ${name}`);
    return index;
  }

  slowLoad(bytes: AccessBytes, forWrite: boolean): number {
    return this.routine(slowLoad(bytes, forWrite));
  }

  slowStore(bytes: AccessBytes): number {
    return this.routine(slowStore(bytes));
  }

  // ---------------------------------------------------------------- Setting

  field(emit: Emitter, field: Field): void {
    const [offset, bytes] = Records.RECORD_FIELDS[field];
    emit.localGet(RECORD);
    emit.load(bytes, offset);
  }

  #registerAddress(emit: Emitter, file: RegisterFile, number: RegisterNumber): number {
    const base = REGISTER_FILES[file];
    if (typeof number === 'object') {
      emit.const32(0);
      return base + number.fixed;
    }
    emit.localGet(RECORD);
    const offset =
      number === 'base'
        ? Records.RECORD_BASE
        : number === 'index'
          ? Records.RECORD_INDEX
          : Records.RECORD_REGISTERS + number;
    emit.load(1, offset);
    return base;
  }

  register: Setting['register'] = (emit, { file, bytes, number }) => {
    emit.load(bytes, this.#registerAddress(emit, file, number));
  };

  setRegister: Setting['setRegister'] = (emit, { file, bytes, number, value }) => {
    const offset = this.#registerAddress(emit, file, number);
    emit.value(value);
    emit.store(bytes, offset);
  };

  flagsResult(emit: Emitter): void {
    emit.loadState(State.FLAGS_RESULT);
  }

  flagsAux(emit: Emitter): void {
    emit.loadState(State.FLAGS_AUX);
  }

  setFlags: Setting['setFlags'] = (emit, { statements, result, aux }) => {
    emit.statements(statements);
    emit.const32(0);
    emit.value(result);
    emit.store(4, State.FLAGS_RESULT);
    emit.const32(0);
    emit.value(aux);
    emit.store(4, State.FLAGS_AUX);
  };

  condition: Setting['condition'] = (emit, { statements, words }) => {
    emit.statements(statements);
    emit.value(words);
  };

  mapEntry(emit: Emitter, write: boolean, address: number): void {
    emit.loadState(write ? State.WRITE_MAP : State.READ_MAP);
    emit.localGet(address);
    emit.const32(12);
    emit.op(WASM.i32ShrU);
    emit.const32(2);
    emit.op(WASM.i32Shl, WASM.i32Add);
    emit.load(4, 0);
  }

  leave(emit: Emitter, exit: number): void {
    emit.setStateField(State.EIP, 'eip');
    emit.returnConstant(exit);
  }

  jump(emit: Emitter, target: Value): void {
    if (target.node.kind === 'field' && target.node.field === 'immediate') {
      this.#chainedJump(emit);
      return;
    }
    // A repetition that gives way will be begun again: it is one instruction all the same.
    if (givesWay(target)) emit.addToState(State.RETIRED, () => emit.const64(-1));
    const to = emit.scratch('target', 'i32');
    emit.value(target);
    emit.localSet(to);
    // Where it went last is where it goes next: the translator's guess.
    emit.localGet(RECORD);
    emit.localGet(to);
    emit.store(4, Records.RECORD_LAST_TARGET);
    this.#spendBudget(emit, to);
    emit.localGet(to);
    emit.op(WASM.returnCall);
    emit.code.unsigned(this.#lookup);
  }

  delegate: Setting['delegate'] = (emit, { routine, args, jumps }) => {
    emit.setStateField(State.EIP, 'eip');
    emit.setStateField(State.NEXT_EIP, 'nextEip');
    for (const arg of args) emit.value(arg);
    emit.call(this.cpu(routine));
    const exit = emit.scratch('exit', 'i32');
    emit.localTee(exit);
    emit.seldom();
    emit.op(WASM.if, WASM.blockVoid);
    emit.localGet(exit);
    emit.op(WASM.return, WASM.end);
    if (!jumps) return;
    const to = emit.scratch('target', 'i32');
    emit.loadState(State.EIP);
    emit.localSet(to);
    this.#spendBudget(emit, to);
    emit.localGet(to);
    emit.op(WASM.returnCall);
    emit.code.unsigned(this.#lookup);
  };

  // ---------------------------------------------------------------- functions of the module

  #handler(body: Body, isBranch: boolean): number {
    const index = this.#module.declare(HANDLER_TAKES, HANDLER_GIVES);
    const emit = new Emitter(this, this, 1);
    emit.body(body);
    // Here the body has not jumped; behind one that always does, all of this is dead code that V8 drops.
    if (isBranch) {
      emit.localGet(RECORD);
      emit.const32(1);
      emit.store(1, Records.RECORD_FELL);
    }
    const next = emit.scratch('next', 'i32');
    emit.localGet(RECORD);
    emit.const32(Records.RECORD_SIZE);
    emit.op(WASM.i32Add);
    emit.localSet(next);
    this.#enter(emit, next);
    this.#module.define(index, emit.locals, emit.finish());
    return index;
  }

  /** Tail-calls the handler of the record in local `record`. */
  #enter(emit: Emitter, record: number): void {
    emit.localGet(record);
    emit.localGet(record);
    emit.load(4, Records.RECORD_HANDLER);
    emit.op(WASM.returnCallIndirect);
    emit.code.unsigned(this.#handlerType);
    emit.code.unsigned(0);
  }

  /** Counts one jump; leaves with EIP at the local `target` when the budget is spent. */
  #spendBudget(emit: Emitter, target: number): void {
    const budget = emit.scratch('budget', 'i32');
    emit.const32(0);
    emit.loadState(State.BUDGET);
    emit.const32(1);
    emit.op(WASM.i32Sub);
    emit.localTee(budget);
    emit.store(4, State.BUDGET);
    emit.localGet(budget);
    emit.const32(0);
    emit.op(WASM.i32LtS);
    emit.seldom();
    emit.op(WASM.if, WASM.blockVoid);
    emit.const32(0);
    emit.localGet(target);
    emit.store(4, State.EIP);
    emit.returnConstant(EXIT_BUDGET);
    emit.op(WASM.end);
  }

  #chainedJump(emit: Emitter): void {
    const to = emit.scratch('target', 'i32');
    this.field(emit, 'immediate');
    emit.localSet(to);
    this.#spendBudget(emit, to);
    emit.const32(0);
    emit.localGet(RECORD);
    emit.load(4, Records.RECORD_CHAIN);
    emit.localTee(to);
    emit.op(WASM.i32LtS, WASM.if, WASM.blockVoid);
    this.#enter(emit, to);
    emit.op(WASM.end);
    emit.localGet(RECORD);
    emit.op(WASM.returnCall);
    emit.code.unsigned(this.#follow);
  }

  /** What the map says of the page of the eip in local `eip`. */
  #mapOf(emit: Emitter, eip: number): void {
    emit.loadState(State.READ_MAP);
    emit.localGet(eip);
    emit.loadState(State.SEGMENTS + State.CS * State.SEGMENT_SIZE + State.SEGMENT_BASE);
    emit.op(WASM.i32Add);
    emit.const32(PAGE_SHIFT);
    emit.op(WASM.i32ShrU);
    emit.const32(2);
    emit.op(WASM.i32Shl, WASM.i32Add);
    emit.load(4, 0);
  }

  /** Leaves the jump cache's entry for the eip in local `eip` in local `entry`. */
  #findEntry(emit: Emitter, eip: number, entry: number): void {
    emit.loadState(State.JUMP_CACHE);
    emit.localGet(eip);
    emit.localGet(eip);
    emit.const32(State.JUMP_CACHE_SHIFT);
    emit.op(WASM.i32ShrU, WASM.i32Xor);
    emit.const32(State.JUMP_CACHE_ENTRIES - 1);
    emit.op(WASM.i32And);
    emit.const32(State.JUMP_CACHE_ENTRY_SHIFT);
    emit.op(WASM.i32Shl, WASM.i32Add);
    emit.localSet(entry);
  }

  /** Goes to `find` when the entry is not that of the eip in local `eip`, or eip leads elsewhere by now. */
  #findIfOther(emit: Emitter, eip: number, entry: number): void {
    emit.localGet(entry);
    emit.load(4, State.CACHED_EIP);
    emit.localGet(eip);
    emit.op(WASM.i32Xor);
    emit.localGet(entry);
    emit.load(4, State.CACHED_MAP_ENTRY);
    this.#mapOf(emit, eip);
    emit.op(WASM.i32Xor, WASM.i32Or);
    emit.seldom();
    emit.op(WASM.if, WASM.blockVoid);
    emit.localGet(eip);
    emit.op(WASM.returnCall);
    emit.code.unsigned(this.#find);
    emit.op(WASM.end);
  }

  /** Asks JavaScript for the record of `eip` when what is on the stack is 0. */
  #missIfZero(emit: Emitter, eip: number): void {
    emit.op(WASM.i32Eqz);
    emit.seldom();
    emit.op(WASM.if, WASM.blockVoid);
    emit.const32(0);
    emit.localGet(eip);
    emit.store(4, State.EIP);
    emit.returnConstant(EXIT_LOOKUP);
    emit.op(WASM.end);
  }

  /**
   * A mapping leads from eip to an address in this memory, the block table from there to a record. The entry is good when it
   * is for this address and its record for this eip: the same code can be mapped twice.
   */
  #defineFind(): void {
    const emit = new Emitter(this, this, 1);
    const eip = 0;
    const map = emit.scratch('map', 'i32');
    const at = emit.scratch('at', 'i32');
    const entry = emit.scratch('entry', 'i32');
    const record = emit.scratch('record', 'i32');
    this.#mapOf(emit, eip);
    emit.localTee(map);
    this.#missIfZero(emit, eip);
    emit.localGet(map);
    emit.localGet(eip);
    emit.const32(State.MAP_BIAS);
    emit.op(WASM.i32Add, WASM.i32Add);
    emit.localTee(at);
    emit.localGet(at);
    emit.const32(State.BLOCK_TABLE_SHIFT);
    emit.op(WASM.i32ShrU, WASM.i32Xor);
    emit.const32(State.BLOCK_TABLE_ENTRIES - 1);
    emit.op(WASM.i32And);
    emit.const32(3);
    emit.op(WASM.i32Shl);
    emit.loadState(State.BLOCK_TABLE);
    emit.op(WASM.i32Add);
    emit.localTee(entry);
    emit.load(4, 0);
    emit.localGet(at);
    emit.op(WASM.i32Ne, WASM.if, WASM.blockVoid);
    emit.localGet(entry);
    emit.const32(State.BLOCK_TABLE_ENTRY_SIZE);
    emit.op(WASM.i32Xor);
    emit.localTee(entry);
    emit.load(4, 0);
    emit.localGet(at);
    emit.op(WASM.i32Eq);
    this.#missIfZero(emit, eip);
    emit.op(WASM.end);
    emit.localGet(entry);
    emit.load(4, 4);
    emit.localTee(record);
    emit.load(4, Records.RECORD_EIP);
    emit.localGet(eip);
    emit.op(WASM.i32Eq);
    this.#missIfZero(emit, eip);
    this.#enterIfOnTwoPages(emit, eip, record);
    // As JavaScript does that has found it: from now on the jump cache knows the way.
    this.#findEntry(emit, eip, entry);
    for (const [offset, local] of [
      [State.CACHED_EIP, eip],
      [State.CACHED_RECORD, record],
      [State.CACHED_MAP_ENTRY, map],
    ] as const) {
      emit.localGet(entry);
      emit.localGet(local);
      emit.store(4, offset);
    }
    emit.const32(0);
    emit.const32(1);
    emit.store(4, State.JUMP_CACHES_USED);
    this.#enter(emit, record);
    this.#module.define(this.#find, emit.locals, emit.finish());
  }

  /** What lies on two pages is not for the jump cache, and is what it was if the map says of the second page what it said. */
  #enterIfOnTwoPages(emit: Emitter, eip: number, record: number): void {
    const second = emit.scratch('second', 'i32');
    emit.localGet(record);
    emit.load(1, Records.RECORD_FLAGS);
    emit.seldom();
    emit.op(WASM.if, WASM.blockVoid);
    emit.localGet(eip);
    emit.const32(PAGE_SIZE);
    emit.op(WASM.i32Add);
    emit.localSet(second);
    emit.localGet(record);
    emit.load(4, Records.RECORD_SIZE + Records.RECORD_SECOND_PAGE);
    this.#mapOf(emit, second);
    emit.op(WASM.i32Eq);
    this.#missIfZero(emit, eip);
    this.#enter(emit, record);
    emit.op(WASM.end);
  }

  #defineLookup(): void {
    const emit = new Emitter(this, this, 1);
    const entry = emit.scratch('entry', 'i32');
    this.#findEntry(emit, 0, entry);
    this.#findIfOther(emit, 0, entry);
    emit.localGet(entry);
    emit.load(4, State.CACHED_RECORD);
    emit.localSet(entry);
    this.#enter(emit, entry);
    this.#module.define(this.#lookup, emit.locals, emit.finish());
  }

  /** Enters the record that the one at hand is linked with, if the link is what it was made as. */
  #enterByLink(emit: Emitter, link: number, entry: number): void {
    emit.localGet(RECORD);
    emit.load(4, Records.RECORD_CHAIN);
    emit.localTee(entry);
    emit.op(WASM.if, WASM.blockVoid);
    emit.localGet(RECORD);
    emit.load(4, Records.RECORD_LINK);
    emit.localGet(link);
    emit.op(WASM.i32Eq, WASM.if, WASM.blockVoid);
    emit.const32(0);
    emit.localGet(entry);
    emit.op(WASM.i32Sub);
    emit.localSet(entry);
    this.#enter(emit, entry);
    emit.op(WASM.end, WASM.end);
  }

  #defineFollow(): void {
    const emit = new Emitter(this, this, 1);
    const eip = emit.scratch('eip', 'i32');
    const entry = emit.scratch('entry', 'i32');
    const link = emit.scratch('link', 'i32');
    this.field(emit, 'immediate');
    emit.localSet(eip);
    this.#mapOf(emit, eip);
    emit.loadState(State.CODE_VERSION);
    emit.op(WASM.i32Add);
    emit.localSet(link);
    this.#enterByLink(emit, link, entry);
    this.#findEntry(emit, eip, entry);
    this.#findIfOther(emit, eip, entry);
    emit.localGet(entry);
    emit.load(4, State.CACHED_RECORD);
    emit.localSet(entry);
    // What depends on more than a page is always looked up.
    emit.localGet(entry);
    emit.load(1, Records.RECORD_FLAGS);
    emit.op(WASM.i32Eqz, WASM.if, WASM.blockVoid);
    // A jump within its page stays true for as long as the page's records live. One to another page is true if that is still there,
    // and no code has been forgotten: it could be that page's.
    emit.localGet(RECORD);
    emit.const32(0);
    emit.localGet(entry);
    emit.op(WASM.i32Sub);
    emit.localGet(entry);
    this.field(emit, 'eip');
    emit.localGet(eip);
    emit.op(WASM.i32Xor);
    emit.const32(-PAGE_SIZE);
    emit.op(WASM.i32And, WASM.select);
    emit.store(4, Records.RECORD_CHAIN);
    emit.localGet(RECORD);
    emit.localGet(link);
    emit.store(4, Records.RECORD_LINK);
    emit.op(WASM.end);
    this.#enter(emit, entry);
    this.#module.define(this.#follow, emit.locals, emit.finish());
  }

  #defineRun(): void {
    const run = this.#module.declare([], ['i32']);
    const emit = new Emitter(this, this, 0);
    emit.loadState(State.EIP);
    emit.call(this.#lookup);
    this.#module.define(run, emit.locals, emit.finish());
    this.#module.export('run', run);
  }
}
