// The x87 as its instructions see it: who may run, the register stack, and what is left behind for those who look later.
import * as State from '../../cpu/state.js';
import type { Form } from '../../decode/instruction.js';
import type { Builder, Term } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { BEFORE_RESULT, EXCEPTIONS, type Float80, INVALID, ROUNDED_UP } from '../float/format.js';
import type { Access } from '../operands.js';

export const VECTOR_NM = 7;
export const VECTOR_MF = 16;

/** A register that is empty where one is needed, or the other way round; comes with INVALID. */
export const STACK_FAULT = 0x40;
/** ES: an unmasked exception waits for the next instruction that looks. B is always the same. */
export const SUMMARY = 0x80;
export const BUSY = 0x8000;
export const C0 = 0x100;
export const C1 = 0x200;
export const C2 = 0x400;
export const C3 = 0x4000;
export const CONDITION_CODES = C0 | C1 | C2 | C3;
export const TOP_SHIFT = 11;
/** Everything of the status word but TOP. */
export const STATUS_WITHOUT_TOP = 0xffff & ~(7 << TOP_SHIFT);

/** Control word: what can be set, and the bit that is always read as 1. */
export const CONTROL_BITS = 0x1f3f;
export const CONTROL_ALWAYS = 0x40;
/** What fninit loads: all masked, to nearest, 64 bits. */
export const CONTROL_INITIAL = 0x037f;
export const ALL_EMPTY = 0xff;

/** #NM if the FPU belongs to another task. Comes first in every x87, MMX and SSE instruction. */
export function checkAvailable(b: Builder): void {
  b.when(b.state(4, State.TASK_SWITCHED), () => b.raise(VECTOR_NM));
}

/** #NM as above, then #MF if an unmasked exception is pending: how all but the control instructions begin, MMX too. */
export function checkFpu(b: Builder): void {
  const pending = b.and(b.state(4, State.FPU_STATUS), SUMMARY);
  b.when(b.or(pending, b.state(4, State.TASK_SWITCHED)), () => {
    checkAvailable(b);
    b.raise(VECTOR_MF);
  });
}

/** Where ST(i) is: which register, as the byte offset from FPU_REGISTERS, and the bit that says that it is empty. */
export interface StackRegister {
  readonly offset: Value;
  /** Not 0 if the register is empty. */
  readonly empty: Value;
  readonly bit: Value;
}

/** ST(i) with the stack as it is now. */
export function stackRegister(b: Builder, i: Term): StackRegister {
  const number = b.and(b.add(b.state(4, State.FPU_TOP), i), 7);
  const bit = b.shl(1, number);
  return { offset: b.shl(number, 4), bit, empty: b.and(b.state(4, State.FPU_EMPTY), bit) };
}

/** What the register holds, empty or not. */
export function readRegister(b: Builder, { offset }: StackRegister): Float80 {
  return {
    significand: b.state(8, State.FPU_REGISTERS, offset),
    signExponent: b.state(4, State.FPU_REGISTERS + State.FPU_SIGN_EXPONENT, offset),
  };
}

/** Writes a register, and does not look whether it is empty. */
export function fillRegister(b: Builder, { offset }: StackRegister, { significand, signExponent }: Float80): void {
  b.setState(8, State.FPU_REGISTERS, significand, offset);
  b.setState(4, State.FPU_REGISTERS + State.FPU_SIGN_EXPONENT, signExponent, offset);
}

/** Writes a register, which is not empty then. */
export function writeRegister(b: Builder, register: StackRegister, value: Float80): void {
  fillRegister(b, register, value);
  b.setState(4, State.FPU_EMPTY, b.and(b.state(4, State.FPU_EMPTY), b.not(register.bit)));
}

/** Moves TOP: 1 pops without emptying, −1 makes room. */
export function moveTop(b: Builder, by: 1 | -1): void {
  b.setState(4, State.FPU_TOP, b.and(b.add(b.state(4, State.FPU_TOP), by), 7));
}

/** Empties ST(0) and pops it. */
export function pop(b: Builder): void {
  const { bit } = stackRegister(b, 0);
  b.setState(4, State.FPU_EMPTY, b.or(b.state(4, State.FPU_EMPTY), bit));
  moveTop(b, 1);
}

/** Remembers this instruction, and its memory operand, for fnstenv, fnsave and fxsave. Comes after what may fault. */
export function notePointers(b: Builder, operand?: Access): void {
  b.setState(4, State.FPU_IP, b.field('eip'));
  b.setState(4, State.FPU_CS, b.state(4, State.SEGMENTS + State.CS * State.SEGMENT_SIZE + State.SEGMENT_SELECTOR));
  if (operand?.kind !== 'memory') return;
  b.setState(4, State.FPU_DP, operand.offset());
  b.setState(4, State.FPU_DS, b.state(4, State.SEGMENTS + State.SEGMENT_SELECTOR, b.field('segment')));
}

/** ES and B from the exceptions in `status` and the masks in `control`. */
export function summarised(b: Builder, status: Value, control: Value): Value {
  const unmasked = b.and(b.and(status, b.not(control)), EXCEPTIONS);
  return b.or(b.and(status, ~(SUMMARY | BUSY)), b.select(unmasked, SUMMARY | BUSY, 0));
}

/**
 * The end of an instruction that met the exceptions `flags`, C1 among them: puts them into the status word, and does `write`
 * unless one of them is unmasked and of the kind that leaves the destination alone. Nothing may fault any more.
 */
export function commit(b: Builder, flags: Value, write: () => void, operand?: Access): void {
  notePointers(b, operand);
  const control = b.state(4, State.FPU_CONTROL);
  const status = b.and(b.state(4, State.FPU_STATUS), ~C1);
  const unmasked = b.and(b.and(flags, b.not(control)), EXCEPTIONS);
  b.setState(4, State.FPU_STATUS, b.or(status, flags));
  b.when(unmasked, () => {
    const before = b.and(unmasked, BEFORE_RESULT);
    // With no result there is nothing to be said about it: only a stack overflow keeps its C1.
    const kept = b.select(b.and(flags, STACK_FAULT), C1 | STACK_FAULT | INVALID, BEFORE_RESULT);
    const seen = b.select(before, b.and(flags, kept), flags);
    b.setState(4, State.FPU_STATUS, b.or(b.or(status, seen), SUMMARY | BUSY));
    b.setState(4, State.FPU_OPCODE, b.ask('x87Opcode'));
  });
  b.when(b.eqz(b.and(unmasked, BEFORE_RESULT)), write);
}

/** 1 if `flags` hold an unmasked exception of the kinds `exceptions`. */
export const isUnmasked = (b: Builder, flags: Value, exceptions: number): Value =>
  b.and(b.and(flags, b.not(b.state(4, State.FPU_CONTROL))), exceptions);

export { ROUNDED_UP };

/** The blank of a stack operand: i of ST(i). */
export function isStack(form: Form, position: 0 | 1): boolean {
  return form.operands[position]?.kind === 'st';
}
