// The x87 and SSE state that a program finds when it starts: everything masked, to nearest, no register in use.
import type { Memory } from './memory.js';
import * as State from './state.js';

const CONTROL = 0x37f;
const MXCSR = 0x1f80;
const ALL_EMPTY = 0xff;

export function resetFpu(memory: Memory): void {
  memory.all.fill(0, State.FPU_CONTROL, State.X87_RESULT);
  memory.set(State.FPU_CONTROL, CONTROL);
  memory.set(State.FPU_EMPTY, ALL_EMPTY);
  memory.set(State.MXCSR, MXCSR);
}
