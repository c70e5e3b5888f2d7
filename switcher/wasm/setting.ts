// What kinds of code differ in, as the emitter asks it: an interpreter's handler reads blanks from its record, translated code
// has them as constants and its registers in locals.
import type {
  AccessBytes,
  Field,
  Node,
  RegisterFile,
  RegisterNumber,
  Routine,
  Statement,
  Value,
  Variable,
} from '../language/nodes.js';
import type { Emitter } from './emit.js';
import type { Bits } from './known-bits.js';

/** What the emitter asks of the module that the code goes into. */
export interface Functions {
  routine(routine: Routine): number;
  /** A function of the CPU, imported: takes `arity` i32, gives an i32. */
  cpu(name: string, arity: number): number;
  /** Loads of Guest memory that the fast path cannot do: takes the address, sets FAULT if it must fault. */
  slowLoad(bytes: AccessBytes, forWrite: boolean): number;
  slowStore(bytes: AccessBytes): number;
}

export type Of<Kind extends Node['kind']> = Extract<Node, { kind: Kind }>;
export type Saying<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>;

/** A page that was touched before, in locals of the code. */
export interface Window {
  /** i64: the page's linear address, or what is none. */
  readonly page: number;
  /** i32: what the flat map says of it. */
  readonly entry: number;
}

/** How one kind of code (interpreter handler, translated region) fills blanks, keeps registers and flags, and ends. */
export interface Setting {
  field(emit: Emitter, field: Field): void;
  /** Pushes a register's value. */
  register(emit: Emitter, node: Of<'register'>): void;
  setRegister(emit: Emitter, statement: Saying<'setRegister'>): void;
  flagsResult(emit: Emitter): void;
  flagsAux(emit: Emitter): void;
  setFlags(emit: Emitter, statement: Saying<'setFlags'>): void;
  condition(emit: Emitter, node: Of<'condition'>): void;
  /** Pushes the flat map's entry for the page of the linear address in local `address`. */
  mapEntry(emit: Emitter, write: boolean, address: number): void;
  /** Where the page of what is at `address` can be kept from one access to the next. */
  window?(address: Value, write: boolean): Window | undefined;
  /** Leaves the instruction as it was before it began, with this Exit. */
  leave(emit: Emitter, exit: number): void;
  jump(emit: Emitter, target: Value): void;
  delegate(emit: Emitter, statement: Saying<'delegate'>): void;
  /** Pushes a word of the CPU state that this setting keeps elsewhere; false if it does not. */
  state?(emit: Emitter, node: Of<'state'>): boolean;
  setState?(emit: Emitter, statement: Saying<'setState'>): boolean;
  /** Around the two ways of an if: what is known at its beginning holds at the beginning of either. */
  beginIf?(): void;
  beginElse?(): void;
  endIf?(): void;
  /** Around the call of a routine, which finds all of the state in memory. */
  beforeCall?(emit: Emitter, routine: Routine): void;
  afterCall?(emit: Emitter, routine: Routine): void;
  /** What is always true of the word of the state at this place of the code. */
  stateBits?(node: Of<'state'>): Bits | undefined;
  /** `condition` is 0 from here on: with anything else there has been an exception. */
  isNone?(condition: Value): void;
  /** A half of `value` is a plain double from here on, or trust is gone. */
  assure?(value: Value, lane: 0 | 1): void;
  /** Whether that is known. */
  isAssured?(value: Value, lane: 0 | 1): boolean;
  /** Whether it is followed which numbers x87 registers hold. */
  readonly follows?: boolean;
  /** Leaves the code, the instruction being done, if what is on the stack is 0. */
  goOnIf?(emit: Emitter): void;
  /** `variable` is about to be set to `value`. */
  setsVariable?(variable: Variable, value: Value): void;
  /** Where blanks are constants: what this one is. */
  constantField?(field: Field): number;
  /** Where registers are known: whether this is the one that is always zero. */
  isZeroRegister?(file: RegisterFile, number: RegisterNumber): boolean;
}
