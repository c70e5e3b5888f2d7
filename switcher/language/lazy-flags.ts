// Flags that are owed: what arithmetic they come from, and its operands, until somebody wants the words.
//
// Translated code keeps a *kind* and three words (left, right, result) in locals. Kind 0 means that `left` is the second word
// of flags already; any other says which operation at which width. What is owed is said without a branch or a call, so that
// V8 can leave out all of it where nobody wants it in the end, and put off the rest to the ways on which somebody does.
import type { Builder } from './builder.js';
import { auxFromCarries, type Width, withCarry } from './flags.js';
import type { FlagsOrigin, Value } from './nodes.js';

export const WORDS = 0;

/** In the low bits of a kind: by how much a vector of carries is shifted. */
const SHIFT_MASK = 31;
/** An operation, whichever: kinds are not 0. */
const OWED = 1 << 5;
/** inc or dec: by 1, and `right` is CF, which stays as it was. */
const STEP = 1 << 6;
/** Borrows instead of carries; the sign, so that one shift makes a mask of it. */
const SUBTRACTION = 1 << 31;

const KINDS: Record<FlagsOrigin['operation'], number> = {
  add: OWED,
  adc: OWED,
  sub: OWED | SUBTRACTION,
  sbb: OWED | SUBTRACTION,
  inc: OWED | STEP,
  dec: OWED | STEP | SUBTRACTION,
  // CF, OF and AF are 0: with `left` 0 the second word is there.
  logic: WORDS,
};

export function lazyKind(operation: FlagsOrigin['operation'], width: Width): number {
  const kind = KINDS[operation];
  return kind === WORDS ? WORDS : kind | (32 - width);
}

/** What translated code keeps of flags that are owed. */
export interface Owed {
  readonly kind: Value;
  readonly left: Value;
  readonly right: Value;
  readonly result: Value;
}

/** The carries out of every bit, or the borrows into it. */
function carriesOf(b: Builder, { kind, left, right, result }: Owed): Value {
  const mask = b.shrS(kind, 31);
  const operand = b.select(b.and(kind, STEP), 1, right);
  // Of left + right the majority of left, right and ~result; of left − right that of ~left, right and result.
  const [one, other] = [b.xor(left, mask), b.not(b.xor(result, mask))];
  return b.or(b.and(one, operand), b.and(b.or(one, operand), other));
}

/** The second word of flags. */
export function lazyAux(b: Builder, owed: Owed): Value {
  const { kind, left, right } = owed;
  const aux = auxFromCarries(b, b.and(kind, SHIFT_MASK), carriesOf(b, owed));
  const computed = b.select(b.and(kind, STEP), withCarry(b, aux, right), aux);
  return b.select(kind, computed, left);
}

/** CF alone, 0 or 1. */
export function lazyCarry(b: Builder, owed: Owed): Value {
  const { kind, left, right } = owed;
  const computed = b.shl(carriesOf(b, owed), b.and(kind, SHIFT_MASK));
  return b.select(b.and(kind, STEP), right, b.shrU(b.select(kind, computed, left), 31));
}
