// Counting in the interpreter: a handler that counts and then tail-calls the form's own.
//
// Records lead to it by numbers that stand as far behind those of the handlers as there are handlers; so one function serves
// all forms, and the interpreter itself knows nothing of it.
import { EXIT_BUDGET } from '../cpu/exits.js';
import * as State from '../cpu/state.js';
import type { ValueType } from '../language/operators.js';
import { CodeWriter } from '../wasm/code-writer.js';
import { ModuleWriter } from '../wasm/module.js';
import { WASM } from '../wasm/opcodes.js';
import * as Records from './records.js';

const RECORD = 0;
const HANDLER_TAKES: readonly ValueType[] = ['i32'];
const HANDLER_GIVES: readonly ValueType[] = ['i32'];

/** Has the handlers in `table` count; gives the distance of those that do. */
export function countIn(table: WebAssembly.Table, memory: WebAssembly.Memory): number {
  const distance = table.length;
  const module = new WebAssembly.Module(countingModule(distance, State.LEAST_WASM_PAGES));
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, interpreter: { table } });
  table.grow(distance, exports['count']);
  return distance;
}

/** The module that exports it as `count`. It imports the interpreter's table, which has `distance` handlers. */
function countingModule(distance: number, memoryPages: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  module.importTable('interpreter', 'table');
  const type = module.type(HANDLER_TAKES, HANDLER_GIVES);
  const index = module.declare(HANDLER_TAKES, HANDLER_GIVES);
  const emit = new CodeWriter(HANDLER_TAKES.length);
  for (const offset of [State.RETIRED, State.RETIRED_LIMIT]) {
    emit.const32(0);
    emit.load(8, offset);
  }
  emit.op(WASM.i64Eq);
  emit.seldom();
  emit.op(WASM.if, WASM.blockVoid);
  emit.const32(0);
  emit.localGet(RECORD);
  emit.load(4, Records.RECORD_EIP);
  emit.store(4, State.EIP);
  emit.returnConstant(EXIT_BUDGET);
  emit.op(WASM.end);
  emit.addToState(State.RETIRED, () => emit.const64(1));
  emit.localGet(RECORD);
  emit.localGet(RECORD);
  emit.load(4, Records.RECORD_HANDLER);
  emit.const32(distance);
  emit.op(WASM.i32Sub, WASM.returnCallIndirect);
  emit.code.unsigned(type);
  emit.code.unsigned(0);
  module.define(index, emit.locals, emit.finish());
  module.export('count', index);
  return module.encode(memoryPages);
}
