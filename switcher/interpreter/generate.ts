// The interpreter: a WebAssembly module with a handler for each form, made from the definitions.
//
// A handler takes the address of its record, does what the instruction means, and says which record is next. Those of everyday
// forms stand in the loop that runs code; all have a function besides, which V8 compiles when it first runs: the many that a Guest
// never uses cost nothing.
import { Bug } from '../../lib/errors.js';
import { CPU_ROUTINES } from '../cpu/routines.js';
import { formKey } from '../decode/forms.js';
import type { Form } from '../decode/instruction.js';
import type { AccessBytes, Routine } from '../language/nodes.js';
import type { ValueType } from '../language/operators.js';
import { slowLoad, slowStore } from '../language/slow-access.js';
import type { CodeWriter } from '../wasm/code-writer.js';
import { Emitter } from '../wasm/emit.js';
import { ModuleWriter } from '../wasm/module.js';
import { WASM } from '../wasm/opcodes.js';
import type { Functions } from '../wasm/setting.js';
import { decodeRun } from './decode-run.js';
import { EVERYDAY_FORMS } from './everyday-forms.js';
import { findBlock } from './find-block.js';
import { HandlerSetting, type Onward } from './handler.js';
import { Loop } from './loop.js';
import { RECORD, Ways } from './ways.js';

const HANDLER_TAKES: readonly ValueType[] = ['i32'];
const HANDLER_GIVES: readonly ValueType[] = ['i32'];

/** Routines are exported under their names with this in front. */
export const ROUTINE_PREFIX = 'routine ';

/** The forms in the order of their handlers' numbers: everyday ones first, whose numbers are for the loop's table. */
export function inOrder(forms: readonly Form[]): readonly Form[] {
  const isEveryday = (form: Form): boolean => EVERYDAY_FORMS.has(formKey(form));
  return [...forms.filter(isEveryday), ...forms.filter((form) => !isEveryday(form))];
}

export class InterpreterModule implements Functions, Onward {
  readonly #module = new ModuleWriter();
  readonly #cpu = new Map<string, number>();
  readonly #routines = new Map<string, number>();
  readonly #pending: (() => void)[] = [];
  readonly #handlerType: number;
  readonly #setting = new HandlerSetting(this, this);
  readonly #ways: Ways;

  constructor() {
    for (const [name, arity] of Object.entries(CPU_ROUTINES)) {
      const takes = Array.from({ length: arity }, (): ValueType => 'i32');
      this.#cpu.set(name, this.#module.importFunction('cpu', name, takes, ['i32']));
    }
    this.#handlerType = this.#module.type(HANDLER_TAKES, HANDLER_GIVES);
    this.#ways = new Ways(this.#module, this.routine(findBlock));
  }

  /** The module's bytes. `forms` become the table, in their order (see inOrder): a record's handler is the index of its form. */
  generate(forms: readonly Form[], memoryPages: number): Uint8Array<ArrayBuffer> {
    // Whatever they are, the first have the lowest numbers.
    this.#defineRun(forms.slice(0, EVERYDAY_FORMS.size));
    const handlers = forms.map((form) => this.#handler(form));
    this.routine(decodeRun);
    // What translated code calls: the routines under their names, and the way to go on.
    for (let define = this.#pending.pop(); define; define = this.#pending.pop()) define();
    for (const [name, index] of this.#routines) this.#module.export(`${ROUTINE_PREFIX}${name}`, index);
    this.#module.export('lookup', this.#ways.lookup);
    this.#module.table(handlers);
    return this.#module.encode(memoryPages);
  }

  #defineRun(forms: readonly Form[]): void {
    const run = this.#module.declare([], HANDLER_GIVES);
    const { locals, code } = new Loop(this, this.#ways, this.#handlerType).write(forms);
    this.#module.define(run, locals, code);
    this.#module.compileFirst(run);
    this.#module.export('run', run);
  }

  #handler(form: Form): number {
    const index = this.#module.declare(HANDLER_TAKES, HANDLER_GIVES);
    const emit = new Emitter(this.#setting, this, HANDLER_TAKES.length);
    this.#setting.emit(emit, form);
    this.#module.define(index, emit.locals, emit.finish());
    return index;
  }

  // ---------------------------------------------------------------- Functions

  routine(routine: Routine): number {
    const known = this.#routines.get(routine.name);
    if (known !== undefined) return known;
    const index = this.#module.declare(routine.takes, routine.gives);
    this.#routines.set(routine.name, index);
    // Later: a routine may call others, and itself.
    this.#pending.push(() => {
      const emit = new Emitter(this.#setting, this, routine.takes.length);
      emit.body(routine.body());
      if (routine.gives.length > 0) emit.op(WASM.unreachable); // every path returns
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

  // ---------------------------------------------------------------- Onward: of a handler that is a function

  toRecord(code: CodeWriter, record: number): void {
    code.localGet(record);
    code.op(WASM.return);
  }

  toEip(code: CodeWriter, eip: number): void {
    code.localGet(eip);
    code.op(WASM.returnCall);
    code.code.unsigned(this.#ways.lookup);
  }

  follow(code: CodeWriter): void {
    code.localGet(RECORD);
    code.op(WASM.returnCall);
    code.code.unsigned(this.#ways.follow);
  }
}
