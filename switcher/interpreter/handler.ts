// How the meaning of a form becomes code that reads its blanks from a record.
import { EXIT_BUDGET } from '../cpu/exits.js';
import { REGISTER_FILES } from '../cpu/register-files.js';
import * as State from '../cpu/state.js';
import type { Form } from '../decode/instruction.js';
import { flowOf } from '../instructions/form-facts.js';
import { meaning } from '../instructions/index.js';
import type { Field, RegisterFile, RegisterNumber, Value } from '../language/nodes.js';
import { givesWay } from '../language/nodes.js';
import type { CodeWriter } from '../wasm/code-writer.js';
import { Emitter } from '../wasm/emit.js';
import { WASM } from '../wasm/opcodes.js';
import type { Functions, Setting } from '../wasm/setting.js';
import * as Records from './records.js';
import { RECORD } from './ways.js';

/** How code goes on behind an instruction. A handler that is a function gives back where; one in the loop goes there. */
export interface Onward {
  /** To the record whose address is in a local. */
  toRecord(code: CodeWriter, record: number): void;
  /** To the eip in a local. */
  toEip(code: CodeWriter, eip: number): void;
  /** To where the record at hand has its near target, when the record does not know the way. */
  follow(code: CodeWriter): void;
}

/** Blanks are fields of the record in local RECORD, registers are in the state. */
export class HandlerSetting implements Setting {
  readonly #functions: Functions;
  readonly #onward: Onward;

  constructor(functions: Functions, onward: Onward) {
    this.#functions = functions;
    this.#onward = onward;
  }

  /** The whole handler of a form; nothing comes to what is behind it. */
  emit(emit: Emitter, form: Form): void {
    emit.body(meaning(form));
    // Here the body has not jumped; behind one that always does, all of this is dead code that V8 drops.
    if (flowOf(form) === 'branch') {
      emit.localGet(RECORD);
      emit.const32(1);
      emit.store(1, Records.RECORD_FELL);
    }
    const next = emit.scratch('next', 'i32');
    emit.localGet(RECORD);
    emit.const32(Records.RECORD_SIZE);
    emit.op(WASM.i32Add);
    emit.localSet(next);
    this.#onward.toRecord(emit, next);
  }

  // ---------------------------------------------------------------- blanks and state

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
    emit.load(1, Records.numberOffset(number));
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

  // ---------------------------------------------------------------- ends

  leave(emit: Emitter, exit: number): void {
    emit.setStateField(State.EIP, 'eip');
    emit.returnConstant(exit);
  }

  jump(emit: Emitter, target: Value): void {
    if (target.node.kind === 'field' && target.node.field === 'immediate') {
      this.#nearJump(emit);
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
    this.#onward.toEip(emit, to);
  }

  delegate: Setting['delegate'] = (emit, { routine, args, jumps }) => {
    emit.setStateField(State.EIP, 'eip');
    emit.setStateField(State.NEXT_EIP, 'nextEip');
    for (const arg of args) emit.value(arg);
    emit.call(this.#functions.cpu(routine, args.length));
    const exit = emit.scratch('exit', 'i32');
    emit.localTee(exit);
    emit.seldom();
    emit.ifThen(() => {
      emit.localGet(exit);
      emit.op(WASM.return);
    });
    if (!jumps) return;
    const to = emit.scratch('target', 'i32');
    emit.loadState(State.EIP);
    emit.localSet(to);
    this.#spendBudget(emit, to);
    this.#onward.toEip(emit, to);
  };

  /** A jump to its immediate: the record knows the way from the second time on. */
  #nearJump(emit: Emitter): void {
    const to = emit.scratch('target', 'i32');
    this.field(emit, 'immediate');
    emit.localSet(to);
    this.#spendBudget(emit, to);
    const record = emit.scratch('next', 'i32');
    emit.const32(0);
    emit.localGet(RECORD);
    emit.load(4, Records.RECORD_CHAIN);
    emit.localTee(record);
    emit.op(WASM.i32LtS);
    emit.ifThen(() => this.#onward.toRecord(emit, record));
    this.#onward.follow(emit);
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
    emit.ifThen(() => {
      emit.storeState(State.EIP, target);
      emit.returnConstant(EXIT_BUDGET);
    });
  }
}
