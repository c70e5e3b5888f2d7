// The sentences of the language: what an instruction's definition becomes, and what evaluate, emit and summarise read.
//
// A *value* is computed once and never changes (static single assignment), so a pure one may be computed wherever it is
// used. What depends on time (a register, memory, a variable) is read by a statement, at the place where it stands.
import type { ValueType } from './operators.js';

/** A blank of the form, filled by the decoded record. */
export type Field =
  | 'eip'
  | 'nextEip'
  | 'immediate'
  | 'immediate2'
  | 'displacement'
  | 'scale'
  | 'base'
  | 'segment'
  | 'register0'
  | 'register1'
  | 'register2';

/** A register named by a blank of the form, or always the same one. */
export type RegisterNumber = 0 | 1 | 2 | 'base' | 'index' | { readonly fixed: number };
export type RegisterFile = 'general' | 'xmm';

export type Node =
  | Constant
  | { readonly kind: 'constant128'; readonly bytes: readonly number[] }
  | {
      readonly kind: 'operator';
      readonly name: string;
      readonly args: readonly Value[];
      readonly immediates: readonly number[];
    }
  | { readonly kind: 'select'; readonly condition: Value; readonly yes: Value; readonly no: Value }
  | { readonly kind: 'field'; readonly field: Field }
  /** Whether it is followed which numbers x87 registers hold (1), so that `assured` is of use there. */
  | { readonly kind: 'followed' }
  // -- below: bound by a statement, at one place in time
  | { readonly kind: 'parameter'; readonly index: number }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | {
      readonly kind: 'register';
      readonly file: RegisterFile;
      readonly bytes: 1 | 2 | 4 | 16;
      readonly number: RegisterNumber;
    }
  | {
      readonly kind: 'state';
      readonly bytes: AccessBytes;
      readonly signed: boolean;
      readonly offset: number;
      readonly index: Value | undefined;
    }
  | { readonly kind: 'flagsResult' }
  | { readonly kind: 'flagsAux' }
  | GuestLoad
  /** A condition code. `words` is how it follows from the two words of flags, after `statements`. */
  | {
      readonly kind: 'condition';
      readonly cc: Condition;
      readonly statements: readonly Statement[];
      readonly words: Value;
    }
  | { readonly kind: 'result'; readonly position: number }
  /** 1 where it is known of 64 bits of `value` that they are a plain double, or that trust is gone (see sse/in-place). */
  | { readonly kind: 'assured'; readonly value: Value; readonly lane: 0 | 1 }
  | { readonly kind: 'callCpu'; readonly routine: string; readonly args: readonly Value[] };

export interface Constant {
  readonly kind: 'constant';
  /** Changes while the definition is read, if a later line of it decides: see `Builder.decision`. */
  value: number | bigint;
}

export interface GuestLoad {
  readonly kind: 'guestLoad';
  readonly bytes: AccessBytes;
  readonly address: Value;
  /** The operand is written to afterwards: when it cannot be read, that is a fault of a write, as the hardware has it. */
  forWrite: boolean;
}

export type AccessBytes = 1 | 2 | 4 | 8 | 16;

export interface Value {
  readonly type: ValueType;
  readonly node: Node;
  /** How often other values and statements use it; the emitter gives a local to what is used more than once. */
  uses: number;
}

/** What can change: a local of the instruction or routine. */
export interface Variable {
  readonly type: ValueType;
  readonly index: number;
}

export interface Loop {
  readonly body: Statement[];
}

export const CONDITIONS = [
  'o',
  'no',
  'b',
  'ae',
  'z',
  'nz',
  'be',
  'a',
  's',
  'ns',
  'p',
  'np',
  'l',
  'ge',
  'le',
  'g',
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** What arithmetic the flags come from, for readers that can do better than the two words. */
export interface FlagsOrigin {
  readonly operation: 'add' | 'sub' | 'cmp' | 'adc' | 'sbb' | 'inc' | 'dec' | 'logic';
  readonly width: 8 | 16 | 32;
  readonly left: Value;
  /** For inc and dec: CF, which stays as it was. */
  readonly right: Value;
  readonly result: Value;
}

export type Statement =
  | { readonly kind: 'let'; readonly value: Value }
  | { readonly kind: 'setVariable'; readonly variable: Variable; readonly value: Value }
  | {
      readonly kind: 'setRegister';
      readonly file: RegisterFile;
      readonly bytes: 1 | 2 | 4 | 16;
      readonly number: RegisterNumber;
      readonly value: Value;
    }
  | {
      readonly kind: 'setState';
      readonly bytes: AccessBytes;
      readonly offset: number;
      readonly index: Value | undefined;
      readonly value: Value;
    }
  | {
      readonly kind: 'setFlags';
      /** What comes before `result` and `aux`, for readers that go by the words. */
      readonly statements: readonly Statement[];
      readonly result: Value;
      readonly aux: Value;
      readonly origin: FlagsOrigin | undefined;
    }
  | { readonly kind: 'guestStore'; readonly bytes: AccessBytes; readonly address: Value; readonly value: Value }
  /** Faults as an access of `bytes` bytes at `address` would, and does nothing else. */
  | { readonly kind: 'probe'; readonly bytes: number; readonly address: Value; readonly write: boolean }
  | {
      readonly kind: 'if';
      readonly condition: Value;
      readonly then: Statement[];
      readonly otherwise: Statement[];
      /** The condition is hardly ever true. */
      readonly seldom: boolean;
    }
  | { readonly kind: 'loop'; readonly loop: Loop }
  | { readonly kind: 'break'; readonly loop: Loop }
  | { readonly kind: 'continue'; readonly loop: Loop }
  | {
      readonly kind: 'call';
      readonly routine: Routine;
      readonly args: readonly Value[];
      readonly results: readonly Value[];
    }
  | { readonly kind: 'return'; readonly values: readonly Value[] }
  /** Moves bytes inside the machine's memory (addresses in it, not the Guest's), as if all were read before the first is written. */
  | { readonly kind: 'copyBytes'; readonly to: Value; readonly from: Value; readonly count: Value }
  /** Fills bytes of the machine's memory with the low byte of `value`. */
  | { readonly kind: 'fillBytes'; readonly to: Value; readonly value: Value; readonly count: Value }
  /** Nothing is to follow in translated code, the instruction being done, unless `condition` is true. */
  | { readonly kind: 'goOnIf'; readonly condition: Value }
  /** From here on `lane` of `value` is a plain double, or trust is gone: the sentence has seen to that. */
  | { readonly kind: 'assure'; readonly value: Value; readonly lane: 0 | 1 }
  /** Ends the instruction with an exception; the registers are as before the instruction. */
  | { readonly kind: 'raise'; readonly vector: number; readonly errorCode: Value | undefined }
  /** Ends the instruction and goes to another. */
  | { readonly kind: 'jump'; readonly target: Value }
  /** Ends the instruction by one of the CPU's own routines, which says how to go on (see cpu/routines). */
  | { readonly kind: 'delegate'; readonly routine: string; readonly args: readonly Value[]; readonly jumps: boolean };

/** A definition read once: what an instruction does, with blanks. */
export interface Body {
  readonly statements: readonly Statement[];
  readonly variables: readonly Variable[];
}

/** A function of the language: shared by instructions, free of Guest memory, faults and jumps. */
export interface Routine {
  readonly name: string;
  readonly takes: readonly ValueType[];
  readonly gives: readonly ValueType[];
  /** Built when first read: a module holds only the routines that it calls. */
  body(): Body;
}

/** True for values that are bound to a place in time and must not move. */
export function isTimed(node: Node): boolean {
  switch (node.kind) {
    case 'constant':
    case 'constant128':
    case 'operator':
    case 'select':
    case 'field':
    case 'followed':
      return false;
    default:
      return true;
  }
}

/** Whether a jump there is a repetition that gives way: to its own instruction, which is to be begun again. */
export const givesWay = ({ node }: Value): boolean => node.kind === 'field' && node.field === 'eip';
