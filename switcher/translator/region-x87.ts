// What is known of the x87 in a region: TOP, which registers are empty, what the control word says.
//
// Which register ST(i) is depends on TOP, whether it may be read on its tag, and what a result is on the control word. All
// three are nearly always the same when control comes to the same place. So a region is made for what they were when it was
// made, looks at its beginning whether they still are, and follows every push and pop from there: registers are locals, and
// of the checks that each instruction makes nothing is left. Where that cannot be kept up, the region is made again with
// everything in memory.
import * as State from '../cpu/state.js';
import { EXCEPTIONS, EXPONENT_MASK, type Float80, ROUNDING_SHIFT } from '../instructions/float/format.js';
import { isPlain, RANGE, STEP } from '../instructions/float/plain.js';
import { SUMMARY } from '../instructions/x87/state.js';
import { Builder } from '../language/builder.js';
import type { Node, Value, Variable } from '../language/nodes.js';
import type { Emitter } from '../wasm/emit.js';
import { type Bits, bitsOf, follows, someBitsOf, UNKNOWN_BITS } from '../wasm/known-bits.js';
import { WASM } from '../wasm/opcodes.js';
import type { Of } from '../wasm/setting.js';
import { PlainNumbers } from './plain-x87.js';

const REGISTERS = 8;
/** To leave code so often for numbers that are not plain is worse than not to follow them. */
export const STRANGE_OFTEN = 200;
/** The field of the control word that says how to round: what is changed all the time, for conversions to integers. */
const ROUNDING = 3 << ROUNDING_SHIFT;

/** Why a region cannot have the x87's registers in locals. */
export class TopIsUncertain extends Error {
  override readonly name = 'TopIsUncertain';
}

/** What a region is made for. */
export interface X87Shape {
  readonly top: number;
  /** Undefined when tags are read as they come: MMX code changes them all, and never asks. */
  readonly empty: number | undefined;
  readonly control: number;
  /** A bit for each register that holds a plain number; undefined when that is not to be followed. */
  readonly plain: number | undefined;
}

/** What is known at a point of the code. */
export interface X87Knowledge {
  /** TOP; undefined when the registers stay in memory. */
  readonly top: number | undefined;
  /** A bit for each register that is empty, if that is known. */
  readonly empty: number | undefined;
  readonly control: Bits;
  /** It has been seen that the FPU is this task's. */
  readonly available: boolean;
  /** A bit for each register that holds a plain number (see float/plain). */
  readonly plain: number;
}

const NOTHING: X87Knowledge = { top: undefined, empty: undefined, control: UNKNOWN_BITS, available: false, plain: 0 };

/** What the state's words are now; undefined when an exception waits, which nobody is quick about. */
export function shapeOf(memory: { get(offset: number): number }): X87Shape | undefined {
  if ((memory.get(State.FPU_STATUS) & SUMMARY) !== 0) return undefined;
  return {
    top: memory.get(State.FPU_TOP),
    empty: memory.get(State.FPU_EMPTY),
    control: memory.get(State.FPU_CONTROL),
    plain: plainNow(memory),
  };
}

function plainNow(memory: { get(offset: number): number }): number {
  const empty = memory.get(State.FPU_EMPTY);
  let plain = 0;
  for (let register = 0; register < REGISTERS; register++) {
    const at = State.FPU_REGISTERS + register * State.FPU_REGISTER_SIZE;
    const exponent = memory.get(at + State.FPU_SIGN_EXPONENT) & EXPONENT_MASK;
    const [low, high] = [memory.get(at), memory.get(at + 4)];
    const isNumber = high < 0 && ((exponent + STEP) & RANGE) !== 0;
    if (isNumber || (low | high | exponent) === 0) plain |= 1 << register;
  }
  return plain & ~empty;
}

/** Whether what is there is what a region was made for. */
export const isMadeFor = (shape: X87Shape, now: X87Shape | undefined): boolean =>
  shape.top === now?.top && shape.control === now.control && (shape.empty ?? now.empty) === now.empty;

const isElsewhere = (a: X87Knowledge, b: X87Knowledge): boolean => a.top !== b.top || a.empty !== b.empty;

/** The locals of a region that the x87 is in. */
export interface X87Locals {
  /** Pushes a word of the state as it is where code is being emitted. */
  pushWord(offset: number): void;
  /** Those for a register; undefined while it is not used. */
  number(register: number): { readonly significand: number; readonly signExponent: number } | undefined;
}

export class RegionX87 {
  readonly #emit: Emitter;
  readonly #shape: X87Shape | undefined;
  readonly #locals: X87Locals;
  readonly #numbers: PlainNumbers;
  known: X87Knowledge;
  /** The words of the shape that were of use. */
  readonly #used = new Set<number>();
  /** The instruction has moved TOP, or emptied a register, on some of its ways only: `known` is what it is on the likely one. */
  #moved = false;
  /** The instruction has loaded a control word from somewhere. */
  #controlled = false;
  #mayBeStrange = false;
  /** What was known at the beginning of each if that is open, and at the end of its first way. */
  readonly #ifs: { readonly before: X87Knowledge; then: X87Knowledge | undefined }[] = [];
  /** Loops of which the code has begun. */
  readonly #begun = new Set<number>();
  /** What is relied upon where several ways meet. */
  readonly #meetings = new Map<number, X87Knowledge>();

  constructor(emit: Emitter, shape: X87Shape | undefined, locals: X87Locals) {
    this.#emit = emit;
    this.#shape = shape;
    this.#locals = locals;
    this.#numbers = new PlainNumbers((value) => emit.constantOf(value));
    this.known =
      shape === undefined
        ? NOTHING
        : { ...shape, control: bitsOf(shape.control), available: false, plain: shape.plain ?? 0 };
  }

  /** Whether the registers are in locals. */
  get isStatic(): boolean {
    return this.known.top !== undefined;
  }

  /** Whether it is followed which numbers are plain. */
  get follows(): boolean {
    return this.isStatic && this.#shape?.plain !== undefined;
  }

  /** Code is about to be left because numbers are not plain. */
  countStrange(): void {
    this.#mayBeStrange = true;
    this.#emit.const32(0);
    this.#emit.loadState(State.X87_STRANGE);
    this.#emit.const32(1);
    this.#emit.op(WASM.i32Add);
    this.#emit.store(4, State.X87_STRANGE);
  }

  /** The registers are in locals, and now that matters. */
  use(): void {
    this.#used.add(State.FPU_TOP);
  }

  // ---------------------------------------------------------------- on the way in

  /** Pushes whether the state is not what the region is made for; false if it is made for any. */
  pushIsUnfit(): boolean {
    const words = this.sureWords();
    words.forEach(([offset, expected], i) => {
      this.#emit.loadState(offset);
      this.#emit.const32(expected);
      this.#emit.op(WASM.i32Xor);
      if (i > 0) this.#emit.op(WASM.i32Or);
    });
    if (words.length === 0) return false;
    this.#emit.loadState(State.FPU_STATUS);
    this.#emit.const32(SUMMARY);
    this.#emit.op(WASM.i32And, WASM.i32Or);
    const isPushed = this.#pushIsNotPlain(this.#shape?.plain ?? 0, (b, register) => this.#numberInMemory(b, register));
    if (isPushed) this.#emit.op(WASM.i32Or);
    if (this.#mayBeStrange) {
      this.#emit.loadState(State.X87_STRANGE);
      this.#emit.const32(STRANGE_OFTEN);
      this.#emit.op(WASM.i32GtU, WASM.i32Or);
    }
    return true;
  }

  /** Words of which is known on the way in what they are. */
  sureWords(): readonly (readonly [offset: number, word: number])[] {
    if (this.#shape === undefined) return [];
    const { top, empty, control } = this.#shape;
    const words = [
      [State.FPU_TOP, top],
      [State.FPU_EMPTY, empty ?? 0],
      [State.FPU_CONTROL, control],
    ] as const;
    return words.filter(([offset]) => this.#used.has(offset));
  }

  // ---------------------------------------------------------------- plain numbers

  /** Pushes whether one of the registers, a bit for each, that are used is not plain; false if there is none. */
  #pushIsNotPlain(registers: number, numberAt: (b: Builder, register: number) => Float80 | undefined): boolean {
    let isPushed = false;
    for (let register = 0; register < REGISTERS; register++) {
      if (((registers >> register) & 1) === 0) continue;
      const b = new Builder();
      const number = numberAt(b, register);
      if (number === undefined) continue;
      const strange = b.eqz(isPlain(b, number));
      this.#emit.statements(b.body().statements);
      this.#emit.value(strange);
      if (isPushed) this.#emit.op(WASM.i32Or);
      isPushed = true;
    }
    return isPushed;
  }

  /** The number in the register's locals. */
  #number(b: Builder, register: number): Float80 | undefined {
    const locals = this.#locals.number(register);
    return (
      locals && {
        significand: b.parameter('i64', locals.significand),
        signExponent: b.parameter('i32', locals.signExponent),
      }
    );
  }

  /** The number in the register, where that is in memory still, if the region uses it. */
  #numberInMemory(b: Builder, register: number): Float80 | undefined {
    const at = State.FPU_REGISTERS + register * State.FPU_REGISTER_SIZE;
    if (this.#locals.number(register) === undefined) return undefined;
    return { significand: b.state(8, at), signExponent: b.state(4, at + State.FPU_SIGN_EXPONENT) };
  }

  /** The code of an instruction begins. */
  begin(): void {
    this.#numbers.begin();
  }

  reads(node: Node, register: number): void {
    this.#numbers.read(node, register, this.known.plain);
  }

  /** The register's significand is being written. */
  writesNumber(register: number, value: Value): void {
    this.known = { ...this.known, plain: this.#numbers.write(register, value, this.known.plain) };
  }

  /** What is in the register is no number, or not for sure. */
  writesAnything(register: number): void {
    this.known = { ...this.known, plain: this.known.plain & ~(1 << register) };
  }

  setsVariable(variable: Variable, value: Value): void {
    this.#numbers.set(variable, value, this.known.plain);
  }

  isAssured(value: Value): boolean {
    return this.#numbers.isPlain(value, this.known.plain);
  }

  assure(value: Value): void {
    this.known = { ...this.known, plain: this.#numbers.assure(value, this.known.plain) };
  }

  // ---------------------------------------------------------------- words of the state

  /** What is always true of the word at this place of the code. */
  bits({ offset, index, bytes }: Of<'state'>): Bits | undefined {
    if (index !== undefined || bytes !== 4) return undefined;
    const { top, empty, control, available } = this.known;
    if (offset === State.TASK_SWITCHED) return available ? bitsOf(0) : undefined;
    if (top === undefined) return undefined;
    switch (offset) {
      case State.FPU_TOP:
        return this.#certain(offset, top);
      case State.FPU_EMPTY:
        return empty === undefined ? undefined : this.#certain(offset, empty);
      case State.FPU_CONTROL:
        this.#used.add(offset);
        return control;
      case State.FPU_STATUS:
        // With all exceptions masked none is pending.
        if ((control.ones & EXCEPTIONS) !== EXCEPTIONS) return undefined;
        this.#used.add(State.FPU_CONTROL);
        return { zeros: SUMMARY, ones: 0 };
      default:
        return undefined;
    }
  }

  #certain(offset: number, word: number): Bits {
    if (this.#moved) throw new TopIsUncertain();
    this.#used.add(offset);
    return bitsOf(word);
  }

  /** The word at `offset` is being written. */
  writes(offset: number, value: Value): void {
    if (!this.isStatic) return;
    if (offset === State.FPU_CONTROL) {
      this.known = { ...this.known, control: this.#emit.bitsOf(value) };
      this.#controlled = true;
      return;
    }
    const isTags = offset === State.FPU_EMPTY;
    if (offset !== State.FPU_TOP && (!isTags || this.known.empty === undefined)) return;
    const next = this.#emit.constantOf(value);
    if (typeof next !== 'number') throw new TopIsUncertain();
    this.known = { ...this.known, [isTags ? 'empty' : 'top']: next };
  }

  /** `condition` is 0 from here on. */
  isNone({ node }: Value): void {
    if (node.kind === 'operator' && node.name === 'i32.or') for (const arg of node.args) this.isNone(arg);
    if (node.kind === 'state' && node.offset === State.TASK_SWITCHED && node.index === undefined)
      this.known = { ...this.known, available: true };
  }

  // ---------------------------------------------------------------- ifs

  beginIf(): void {
    this.#ifs.push({ before: this.known, then: undefined });
    this.#numbers.beginIf();
  }

  beginElse(): void {
    const open = this.#ifs.at(-1);
    if (open === undefined) return;
    open.then = this.known;
    this.known = open.before;
    this.#numbers.beginElse();
  }

  /** The stack is thought to be what the way on which it moved has made of it; the end of the instruction asks whether it is. */
  endIf(): void {
    const open = this.#ifs.pop();
    this.#numbers.endIf();
    if (open?.then === undefined) return;
    const { before, then } = open;
    const otherwise = this.known;
    const control = {
      zeros: then.control.zeros & otherwise.control.zeros,
      ones: then.control.ones & otherwise.control.ones,
    };
    const moves = [then, otherwise].filter((way) => isElsewhere(way, before));
    const [moved, other] = moves;
    if (moved && other && isElsewhere(moved, other)) throw new TopIsUncertain();
    if (moves.length === 1) this.#moved = true;
    const plain = then.plain & otherwise.plain;
    this.known = { ...(moved ?? before), control, available: before.available, plain };
  }

  /** The instruction is over. Pushes whether things are not what they are thought to be, if that has to be asked. */
  pushIsElsewhere(): boolean {
    const moved = this.#moved;
    const controlled = this.#controlled;
    this.#moved = false;
    this.#controlled = false;
    const { top } = this.known;
    if (top === undefined || this.#shape === undefined) return false;
    if (moved) {
      this.#pushDiffers(State.FPU_TOP, bitsOf(top));
      if (this.known.empty !== undefined) {
        this.#pushDiffers(State.FPU_EMPTY, bitsOf(this.known.empty));
        this.#emit.op(WASM.i32Or);
      }
    }
    if (!controlled) return moved;
    // A control word like the one before but for rounding is what to expect; with another one, out of here.
    const expected = someBitsOf(this.#shape.control, ~ROUNDING);
    if (follows(expected, this.known.control)) return moved;
    this.known = { ...this.known, control: expected };
    this.#pushDiffers(State.FPU_CONTROL, expected);
    if (moved) this.#emit.op(WASM.i32Or);
    return true;
  }

  /** Pushes something but 0 if what is known of the word is not true of it. */
  #pushDiffers(offset: number, { zeros, ones }: Bits): void {
    this.#locals.pushWord(offset);
    this.#emit.const32(ones);
    this.#emit.op(WASM.i32Xor);
    if ((zeros | ones) === -1) return;
    this.#emit.const32(zeros | ones);
    this.#emit.op(WASM.i32And);
  }

  // ---------------------------------------------------------------- where ways meet

  /**
   * Control is about to come to `eip` from here and from elsewhere. Pushes whether what others rely upon there is not true
   * here, if that has to be asked.
   */
  pushCannotMeet(eip: number): boolean {
    const meeting = this.#meetings.get(eip);
    if (meeting === undefined) {
      this.#meetings.set(eip, this.known);
      return false;
    }
    if (isElsewhere(meeting, this.known)) throw new TopIsUncertain();
    const unknown = meeting.plain & ~this.known.plain;
    let isPushed = false;
    if (!this.#begun.has(eip)) this.#meetings.set(eip, { ...meeting, plain: meeting.plain & ~unknown });
    else isPushed = this.#pushIsNotPlain(unknown, (b, register) => this.#number(b, register));
    if (follows(meeting.control, this.known.control)) return isPushed;
    this.#pushDiffers(State.FPU_CONTROL, meeting.control);
    if (isPushed) this.#emit.op(WASM.i32Or);
    return true;
  }

  /** Whether the stack is where others have it that come to `eip`. */
  canMeet(eip: number): boolean {
    const meeting = this.#meetings.get(eip);
    return meeting === undefined || !isElsewhere(meeting, this.known);
  }

  /** Code for `eip`, where ways meet, begins. All of them come by a place where `before` was known. */
  meet(eip: number, before: X87Knowledge): void {
    const meeting = this.#meetings.get(eip);
    this.known = { ...(meeting ?? this.known), available: before.available };
  }

  /** The same for a loop: what is known there now is what those who come from behind have to bring along. */
  meetLoop(eip: number): void {
    this.#begun.add(eip);
    this.known = { ...this.known, plain: this.#meetings.get(eip)?.plain ?? 0 };
  }
}
