// The loop that runs code: everyday forms have their handlers inside, all others, and translated code, are called.
//
// Inside one function V8 keeps what every handler needs in registers, from one instruction to the next, and going on is a bound,
// a jump through a table and nothing else. A function for each form would begin each time by a frame and a check of the stack,
// and end by loads of a table that could be anybody's: more than most instructions are themselves.
import * as State from '../cpu/state.js';
import type { Form } from '../decode/instruction.js';
import type { CodeWriter, FunctionCode } from '../wasm/code-writer.js';
import { Emitter } from '../wasm/emit.js';
import { WASM } from '../wasm/opcodes.js';
import type { Functions } from '../wasm/setting.js';
import { HandlerSetting, type Onward } from './handler.js';
import * as Records from './records.js';
import { RECORD, type Ways } from './ways.js';

export class Loop implements Onward {
  readonly #ways: Ways;
  readonly #handlerType: number;
  readonly #emit: Emitter;
  readonly #setting: HandlerSetting;
  /** The local for where to go on, on the way to `elsewhere`. */
  readonly #eip: number;
  /** What is in RECORD may be an Exit. */
  readonly #decide = {};
  /** It is a record: to its handler. */
  readonly #dispatch = {};
  /** To the eip in the local, by the jump cache. */
  readonly #elsewhere = {};
  /** To a handler that is not in the loop. */
  readonly #others = {};

  /** @param handlerType the type of functions that take a record and give the next one, or an Exit */
  constructor(functions: Functions, ways: Ways, handlerType: number) {
    this.#ways = ways;
    this.#handlerType = handlerType;
    this.#setting = new HandlerSetting(functions, this);
    this.#emit = new Emitter(this.#setting, functions, 0);
    // The first local is where handlers find their record.
    this.#emit.newLocal('i32');
    this.#eip = this.#emit.newLocal('i32');
  }

  /**
   * The function () → Exit, which begins at EIP.
   *
   * @param forms those with the lowest handler numbers, from 0 on
   */
  write(forms: readonly Form[]): { readonly code: FunctionCode; readonly locals: Emitter['locals'] } {
    const emit = this.#emit;
    emit.loadState(State.EIP);
    emit.call(this.#ways.lookup);
    emit.localSet(RECORD);
    emit.labelled('loop', this.#decide, () => {
      this.#returnExit();
      emit.labelled('loop', this.#dispatch, () => {
        emit.labelled('block', this.#elsewhere, () => {
          emit.labelled('block', this.#others, () => this.#handlers(forms));
          this.#callHandler();
        });
        this.#ways.inCache(emit, this.#eip, RECORD, () => {
          emit.localGet(this.#eip);
          emit.call(this.#ways.find);
          this.#decideOn(emit);
        });
        emit.branch(this.#dispatch);
      });
    });
    emit.op(WASM.unreachable);
    return { locals: emit.locals, code: emit.finish() };
  }

  // ---------------------------------------------------------------- Onward

  toRecord(code: CodeWriter, record: number): void {
    code.localGet(record);
    code.localSet(RECORD);
    code.branch(this.#dispatch);
  }

  toEip(code: CodeWriter, eip: number): void {
    code.localGet(eip);
    code.localSet(this.#eip);
    code.branch(this.#elsewhere);
  }

  follow(code: CodeWriter): void {
    code.localGet(RECORD);
    code.call(this.#ways.follow);
    this.#decideOn(code);
  }

  // ---------------------------------------------------------------- parts

  /** On with what is on the stack, a record or an Exit. */
  #decideOn(code: CodeWriter): void {
    code.localSet(RECORD);
    code.branch(this.#decide);
  }

  #returnExit(): void {
    const emit = this.#emit;
    emit.localGet(RECORD);
    // Where records begin: an Exit is a small number.
    emit.const32(State.RECORDS);
    emit.op(WASM.i32LtU);
    emit.seldom();
    emit.ifThen(() => {
      emit.localGet(RECORD);
      emit.op(WASM.return);
    });
  }

  /** Handlers one behind the other, each behind the end of the block that is its label, and in front of them all the jump to one. */
  #handlers(forms: readonly Form[]): void {
    const emit = this.#emit;
    const labels = forms.map(() => ({}));
    const upTo = (count: number): void => {
      const [label, form] = [labels[count - 1], forms[count - 1]];
      if (label === undefined || form === undefined) {
        this.#pushHandler();
        emit.branchTable(labels, this.#others);
        return;
      }
      emit.labelled('block', label, () => upTo(count - 1));
      this.#setting.emit(emit, form);
    };
    upTo(forms.length);
  }

  #pushHandler(): void {
    this.#emit.localGet(RECORD);
    this.#emit.load(4, Records.RECORD_HANDLER);
  }

  #callHandler(): void {
    const emit = this.#emit;
    emit.localGet(RECORD);
    this.#pushHandler();
    emit.op(WASM.callIndirect);
    emit.code.unsigned(this.#handlerType);
    emit.code.unsigned(0);
    this.#decideOn(emit);
  }
}
