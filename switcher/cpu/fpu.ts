// The x87 and SSE state that a program finds when it starts: everything masked, to nearest, no register in use. And the status
// word, which is in pieces while instructions work with it (see state).
import type { Memory } from './memory.js';
import * as State from './state.js';

const CONTROL = 0x37f;
const MXCSR = 0x1f80;
const ALL_EMPTY = 0xff;
const PRECISION = 0x20;
const C1_SHIFT = 9;
const TOP_SHIFT = 11;
const TOP_MASK = 7;

export function resetFpu(memory: Memory): void {
  memory.all.fill(0, State.FPU_CONTROL, State.X87_RESULT);
  memory.set(State.FPU_CONTROL, CONTROL);
  memory.set(State.FPU_EMPTY, ALL_EMPTY);
  memory.set(State.MXCSR, MXCSR);
}

type Bytes = Pick<Memory, 'all'>;
const stateView = ({ all }: Bytes): DataView => new DataView(all.buffer, all.byteOffset, State.XMM_END);

/** The status word as fnstsw shows it. */
export function statusWord(memory: Bytes): number {
  const view = stateView(memory);
  const word = (offset: number): number => view.getInt32(offset, true);
  const isInexact = view.getBigUint64(State.FPU_INEXACT, true) !== 0n;
  const bits = word(State.FPU_STATUS) | (word(State.FPU_C1) << C1_SHIFT) | (word(State.FPU_TOP) << TOP_SHIFT);
  return bits | (isInexact ? PRECISION : 0);
}

/** Sets all of its pieces. */
export function setStatusWord(memory: Bytes, word: number): void {
  const view = stateView(memory);
  view.setInt32(State.FPU_STATUS, word & ~((TOP_MASK << TOP_SHIFT) | (1 << C1_SHIFT)), true);
  view.setInt32(State.FPU_TOP, (word >>> TOP_SHIFT) & TOP_MASK, true);
  view.setInt32(State.FPU_C1, (word >>> C1_SHIFT) & 1, true);
  view.setBigUint64(State.FPU_INEXACT, 0n, true);
}
