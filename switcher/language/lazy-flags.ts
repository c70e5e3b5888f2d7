// Flags that are owed: what arithmetic they come from, and two words of it, until somebody wants them.
//
// Translated code keeps a *kind* and two words in locals. Which two depends on the operation: such as are there anyway, in the
// registers of the Guest, so that owing costs nothing. What is owed is said without a branch or a call, so that V8 can leave
// out all of it where nobody wants it in the end, and put off the rest to the ways on which somebody does.
//
//   WORDS                       the two words of flags themselves (see flags.ts)
//   cmp                         left, right
//   add, sub                    result, right
//   inc, dec                    result, CF, which stays as it was
//   and, or, xor, test          result, 0, which is what WORDS are of them
//   adc, sbb                    are not owed: WORDS
import type { Builder } from './builder.js';
import { auxFromCarries, type Width, withCarry } from './flags.js';
import type { FlagsOrigin, Value } from './nodes.js';

export type Operation = FlagsOrigin['operation'];
export type OwedOperation = Exclude<Operation, 'adc' | 'sbb'>;

export const isOwed = (operation: Operation): operation is OwedOperation => operation !== 'adc' && operation !== 'sbb';

export const WORDS = 0;

/** In the low bits of a kind: by how much a vector of carries is shifted so that the top one is bit 31. */
const SHIFT_MASK = 31;
/** An operation, whichever: kinds are not 0. */
const OWED = 1 << 5;
/** inc or dec: by 1. */
const STEP = 1 << 6;
/** The first word is the left operand, not the result. */
const LEFT = 1 << 7;
/** Borrows instead of carries; the sign, so that one shift makes a mask of it. */
const SUBTRACTION = 1 << 31;

const KINDS: Record<OwedOperation, number> = {
  add: OWED,
  sub: OWED | SUBTRACTION,
  cmp: OWED | SUBTRACTION | LEFT,
  inc: OWED | STEP,
  dec: OWED | STEP | SUBTRACTION,
  logic: WORDS,
};

export function lazyKind(operation: OwedOperation, width: Width): number {
  const kind = KINDS[operation];
  return kind === WORDS ? WORDS : kind | (32 - width);
}

/** What translated code keeps of flags that are owed. */
export interface Owed {
  readonly kind: Value;
  readonly first: Value;
  readonly second: Value;
}

/** The first word of flags. */
export function lazyResult(b: Builder, { kind, first, second }: Owed): Value {
  const shift = b.and(kind, SHIFT_MASK);
  const difference = b.shrS(b.shl(b.sub(first, second), shift), shift);
  return b.select(b.and(kind, LEFT), difference, first);
}

/** The carries out of every bit, or the borrows into it, as far as the operation is wide. */
function carriesOf(b: Builder, owed: Owed): Value {
  const { kind, first, second } = owed;
  const mask = b.shrS(kind, 31);
  const right = b.select(b.and(kind, STEP), 1, second);
  const before = b.sub(first, b.sub(b.xor(right, mask), mask));
  const left = b.select(b.and(kind, LEFT), first, before);
  const result = b.select(b.and(kind, LEFT), b.sub(first, second), first);
  // Of left + right the majority of left, right and ~result; of left − right that of ~left, right and result.
  const [one, other] = [b.xor(left, mask), b.not(b.xor(result, mask))];
  return b.or(b.and(one, right), b.and(b.or(one, right), other));
}

/** The second word of flags. */
export function lazyAux(b: Builder, owed: Owed): Value {
  const { kind, second } = owed;
  const aux = auxFromCarries(b, b.and(kind, SHIFT_MASK), carriesOf(b, owed));
  const computed = b.select(b.and(kind, STEP), withCarry(b, aux, second), aux);
  return b.select(kind, computed, second);
}

/** CF alone, 0 or 1. */
export function lazyCarry(b: Builder, owed: Owed): Value {
  const { kind, second } = owed;
  const computed = b.shl(carriesOf(b, owed), b.and(kind, SHIFT_MASK));
  return b.select(b.and(kind, STEP), second, b.shrU(b.select(kind, computed, second), 31));
}
