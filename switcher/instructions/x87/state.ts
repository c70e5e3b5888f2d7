// The x87 as its instructions see it: who may run, the register stack, and what is left behind for those who look later.
import * as State from '../../cpu/state.js';
import type { Builder, Term } from '../../language/builder.js';
import type { Value, Variable } from '../../language/nodes.js';
import {
  BEFORE_RESULT,
  EXCEPTIONS,
  type Float80,
  INDEFINITE_EXPONENT,
  INDEFINITE_SIGNIFICAND,
  INVALID,
} from '../float/format.js';
import type { Rounding } from '../float/quick.js';
import type { Access } from '../operands.js';

export const VECTOR_NM = 7;
export const VECTOR_MF = 16;

/** A register that is empty where one is needed, or the other way round; comes with INVALID. */
export const STACK_FAULT = 0x40;
/** ES: an unmasked exception waits for the next instruction that looks. B is always the same. */
export const SUMMARY = 0x80;
export const BUSY = 0x8000;
export const C0 = 0x100;
export const C1_SHIFT = 9;
export const C1 = 1 << C1_SHIFT;
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
  b.setState(
    4,
    State.FPU_CS,
    b.state(4, State.SEGMENTS + State.SEGMENT_SELECTOR, b.i32(State.CS * State.SEGMENT_SIZE)),
  );
  if (operand?.kind !== 'memory') return;
  b.setState(4, State.FPU_DP, operand.offset());
  b.setState(4, State.FPU_DS, b.state(4, State.SEGMENTS + State.SEGMENT_SELECTOR, b.field('segment')));
}

/** The status word without TOP, from its pieces. */
export function status(b: Builder): Value {
  const inexact = b.shl(b.ne(b.state(8, State.FPU_INEXACT), 0n), 5);
  return b.or(b.or(b.state(4, State.FPU_STATUS), b.shl(b.state(4, State.FPU_C1), C1_SHIFT)), inexact);
}

/** Sets the whole of it. */
export function setStatus(b: Builder, word: Value): void {
  b.setState(4, State.FPU_STATUS, b.and(word, STATUS_WITHOUT_TOP & ~C1));
  b.setState(4, State.FPU_C1, b.and(b.shrU(word, C1_SHIFT), 1));
  b.setState(8, State.FPU_INEXACT, 0n);
}

/** Clears the condition codes `codes` and sets `flags`. */
export function addToStatus(b: Builder, codes: Term, flags: Value): void {
  const cleared = b.term('i32', codes);
  const c1 = b.and(b.shrU(flags, C1_SHIFT), 1);
  const isCleared = typeof codes === 'number' && (codes & C1) !== 0;
  const keptC1 = (): Value => b.and(b.state(4, State.FPU_C1), b.eqz(b.and(cleared, C1)));
  b.setState(4, State.FPU_C1, isCleared ? c1 : b.or(keptC1(), c1));
  // C1 is not in this word anyway: nothing is left to be cleared, mostly.
  const kept = b.and(b.state(4, State.FPU_STATUS), b.or(b.not(cleared), C1));
  b.setState(4, State.FPU_STATUS, b.or(kept, b.and(flags, ~C1)));
}

/** ES and B from the exceptions in `status` and the masks in `control`. */
export function summarised(b: Builder, status: Value, control: Value): Value {
  const unmasked = b.and(b.and(status, b.not(control)), EXCEPTIONS);
  return b.or(b.and(status, ~(SUMMARY | BUSY)), b.select(unmasked, SUMMARY | BUSY, 0));
}

/** How an instruction ends that is not like most. */
export interface Ending {
  /** The exceptions that, unmasked, keep the instruction from doing what `write` does. */
  readonly preventing?: number;
  /** The condition codes that the instruction sets: they are cleared first. C1 is among them for nearly all. */
  readonly codes?: Term;
  readonly memory?: Access;
}

/** The end of an instruction that went the quick way, with nothing to tell but how its result was rounded, if it was. */
export function commitQuick(b: Builder, rounding: Rounding | undefined, write: () => void, memory?: Access): void {
  notePointers(b, memory);
  if (rounding) b.setState(8, State.FPU_INEXACT, b.or(b.state(8, State.FPU_INEXACT), rounding.lost));
  b.setState(4, State.FPU_C1, rounding?.up ?? 0);
  write();
}

/**
 * The end of an instruction that met the exceptions `flags`, its condition codes among them: puts them into the status word,
 * and does `write` unless an exception is unmasked that keeps it from that. Nothing may fault any more.
 */
export function commit(b: Builder, flags: Value, write: () => void, ending: Ending = {}): void {
  const { preventing = BEFORE_RESULT, memory } = ending;
  const codes = ending.codes ?? C1;
  notePointers(b, memory);
  const control = b.state(4, State.FPU_CONTROL);
  const unmasked = b.and(b.and(flags, b.not(control)), EXCEPTIONS);
  b.when(
    unmasked,
    () => {
      // With no result there is nothing to be said about it. Only a stack fault has its own meaning for C1.
      const itsOwn = b.or(b.and(b.term('i32', codes), ~C1), b.select(b.and(flags, STACK_FAULT), C1, 0));
      const kept = b.or(itsOwn, preventing | STACK_FAULT);
      const seen = b.select(b.and(unmasked, preventing), b.and(flags, kept), flags);
      addToStatus(b, codes, b.or(seen, SUMMARY | BUSY));
      b.setState(4, State.FPU_OPCODE, b.field('immediate'));
    },
    () => addToStatus(b, codes, flags),
  );
  b.when(b.eqz(b.and(unmasked, preventing)), write);
}

/** 1 if `flags` hold an unmasked exception of the kinds `exceptions`. */
export const isUnmasked = (b: Builder, flags: Value, exceptions: number): Value =>
  b.and(b.and(flags, b.not(b.state(4, State.FPU_CONTROL))), exceptions);

/** What a register is given when there was nothing to be had. */
export const indefinite = (b: Builder): Float80 => ({
  significand: b.i64(INDEFINITE_SIGNIFICAND),
  signExponent: b.i32(INDEFINITE_EXPONENT),
});

/** A result in the making: what either branch of an instruction leaves for its end. */
export class Outcome {
  readonly #b: Builder;
  readonly #significand: Variable;
  readonly #signExponent: Variable;
  readonly #flags: Variable;

  /** Begins as what a stack fault gives, when that is masked. */
  constructor(b: Builder, flags: Term = INVALID | STACK_FAULT) {
    this.#b = b;
    this.#significand = b.variable('i64', INDEFINITE_SIGNIFICAND);
    this.#signExponent = b.variable('i32', INDEFINITE_EXPONENT);
    this.#flags = b.variable('i32', flags);
  }

  set({ significand, signExponent }: Float80, flags: Term): void {
    this.#b.set(this.#significand, significand);
    this.#b.set(this.#signExponent, signExponent);
    this.#b.set(this.#flags, flags);
  }

  get value(): Float80 {
    return { significand: this.#b.get(this.#significand), signExponent: this.#b.get(this.#signExponent) };
  }

  get flags(): Value {
    return this.#b.get(this.#flags);
  }
}

/** The end of an instruction that pushes: full up, it is a stack overflow and pushes what no number is. */
export function commitPush(b: Builder, outcome: Outcome, memory?: Access): void {
  const target = stackRegister(b, -1);
  // Nothing to push and no room for it: the first of the two counts.
  const overflow = b.and(b.eqz(target.empty), b.eqz(b.and(outcome.flags, STACK_FAULT)));
  const flags = b.select(overflow, INVALID | STACK_FAULT | C1, outcome.flags);
  const { significand, signExponent } = outcome.value;
  const pushed = {
    significand: b.select(overflow, INDEFINITE_SIGNIFICAND, significand),
    signExponent: b.select(overflow, INDEFINITE_EXPONENT, signExponent),
  };
  const push = (): void => {
    writeRegister(b, target, pushed);
    moveTop(b, -1);
  };
  // A denormal number is loaded and told of, masked or not.
  commit(b, flags, push, { preventing: INVALID, ...(memory ? { memory } : {}) });
}
