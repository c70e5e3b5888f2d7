// The instructions that are about the x87 itself: its control and status words, and its stack.
import * as State from '../../cpu/state.js';
import type { Builder, Term } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import * as X from './state.js';

/** The status word with TOP in it. */
export const statusWord = (b: Builder): Value => b.or(X.status(b), b.shl(b.state(4, State.FPU_TOP), X.TOP_SHIFT));

/** Loads the control word: an exception that was masked so far may become pending, and the other way round. */
export function setControl(b: Builder, word: Value): void {
  const control = b.or(b.and(word, X.CONTROL_BITS), X.CONTROL_ALWAYS);
  b.setState(4, State.FPU_CONTROL, control);
  b.setState(4, State.FPU_STATUS, X.summarised(b, b.and(X.status(b), ~X.C1), control));
}

/** Loads status word and TOP; the summary follows from the masks as they are. */
export function setStatus(b: Builder, word: Value): void {
  b.setState(4, State.FPU_TOP, b.and(b.shrU(word, X.TOP_SHIFT), 7));
  X.setStatus(b, X.summarised(b, word, b.state(4, State.FPU_CONTROL)));
}

export function setPointers(b: Builder, pointers: { ip: Term; cs: Term; opcode: Term; dp: Term; ds: Term }): void {
  b.setState(4, State.FPU_IP, pointers.ip);
  b.setState(4, State.FPU_CS, pointers.cs);
  b.setState(4, State.FPU_OPCODE, pointers.opcode);
  b.setState(4, State.FPU_DP, pointers.dp);
  b.setState(4, State.FPU_DS, pointers.ds);
}

/** What fninit does; the contents of the registers stay. */
export function initialise(b: Builder): void {
  b.setState(4, State.FPU_CONTROL, X.CONTROL_INITIAL);
  X.setStatus(b, b.i32(0));
  b.setState(4, State.FPU_TOP, 0);
  b.setState(4, State.FPU_EMPTY, X.ALL_EMPTY);
  setPointers(b, { ip: 0, cs: 0, opcode: 0, dp: 0, ds: 0 });
}

define('fninit', (b) => {
  X.checkAvailable(b);
  initialise(b);
});

define('fnclex', (b) => {
  X.checkAvailable(b);
  b.setState(4, State.FPU_STATUS, b.and(b.state(4, State.FPU_STATUS), X.CONDITION_CODES));
  b.setState(8, State.FPU_INEXACT, 0n);
});

define('fldcw', (b, [from]) => {
  X.checkFpu(b);
  setControl(b, from.read());
});

define('fnstcw', (b, [to]) => {
  X.checkAvailable(b);
  to.write(b.state(4, State.FPU_CONTROL));
});

define('fnstsw', (b, [to]) => {
  X.checkAvailable(b);
  to.write(statusWord(b));
});

define(['wait', 'fnop'], (b) => {
  X.checkFpu(b);
});

define(['fincstp', 'fdecstp'], (b, _operands, form) => {
  X.checkFpu(b);
  X.notePointers(b);
  X.moveTop(b, form.mnemonic === 'fincstp' ? 1 : -1);
  b.setState(4, State.FPU_C1, 0);
});

define(['ffree', 'ffreep'], (b, [which], form) => {
  X.checkFpu(b);
  X.notePointers(b);
  const { bit } = X.stackRegister(b, which.read());
  b.setState(4, State.FPU_EMPTY, b.or(b.state(4, State.FPU_EMPTY), bit));
  b.setState(4, State.FPU_C1, 0);
  if (form.mnemonic === 'ffreep') X.pop(b);
});
