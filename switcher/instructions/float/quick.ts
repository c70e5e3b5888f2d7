// The arithmetic of nearly all numbers, as short as it can be made: to nearest, with 64 bits, on normal numbers so far from
// the ends of the range that no result leaves it. Nothing can happen then but that a result is not exact.
//
// It says what the routines say (add, multiply, convert, compare), and is spelled out where it is used: see
// `Builder.quickly`. Everything else is theirs.
import * as State from '../../cpu/state.js';
import type { Builder } from '../../language/builder.js';
import type { Value, Variable } from '../../language/nodes.js';
import { exponentOf, signOf } from './classify.js';
import * as F from './format.js';
import { multiplyWide } from './multiply.js';
import type { Narrow } from './round.js';

/** Exponents in the middle quarter of the range. Every normal number of 32 or 64 bits has one. */
const LEAST = 0x3000;
const MODERATE_BITS = 13;
const C3 = 0x4000;

/** What rounding did. */
export interface Rounding {
  /** An i64: not 0 if the result is not exact. */
  readonly lost: Value;
  /** 1 if it was rounded away from zero. */
  readonly up: Value;
}

export interface Rounded80 extends F.Float80, Rounding {}

/** 1 if results are rounded to nearest, to all 64 bits, and nobody wants to be told that they are not exact. */
export const roundsAsUsual = (b: Builder): Value =>
  b.eq(b.and(b.state(4, State.FPU_CONTROL), F.ROUNDING_AND_PRECISION | F.PRECISION), F.NEAREST_64 | F.PRECISION);

/** The same, whatever the precision. */
export const roundsToNearest = (b: Builder): Value =>
  b.eq(b.and(b.state(4, State.FPU_CONTROL), (3 << F.ROUNDING_SHIFT) | F.PRECISION), F.PRECISION);

/** How far from the least moderate exponent: MODERATE_BITS hold it if it is one. */
const aboveLeast = (b: Builder, { signExponent }: F.Float80): Value => b.sub(exponentOf(b, signExponent), LEAST);

/** 1 if the quick ways are open to both. */
export const areQuick = (b: Builder, x: F.Float80, y: F.Float80): Value =>
  b.and(
    b.ltU(b.or(aboveLeast(b, x), aboveLeast(b, y)), 1 << MODERATE_BITS),
    F.topBit(b, b.and(x.significand, y.significand)),
  );

export const isQuick = (b: Builder, x: F.Float80): Value =>
  b.and(b.ltU(aboveLeast(b, x), 1 << MODERATE_BITS), F.topBit(b, x.significand));

/** 1 if what is left over makes the number larger: more than a half; or just a half, and what is there is odd. */
const roundsUp = (b: Builder, kept: Value, rest: Value): Value => b.gtU(rest, b.sub(F.TOP_BIT, b.and(kept, 1n)));

/** A number on its way, of which it is known that it stays in range: rounded. It may be zero, all of it. */
function rounded(b: Builder, signExponent: Value, high: Value, low: Value): Rounded80 {
  const up = roundsUp(b, high, low);
  const significand = b.variable('i64', b.add(high, b.extendU(up)));
  const word = b.variable('i32', signExponent);
  b.whenSeldom(b.eqz(b.get(significand)), () => {
    b.set(significand, b.shl(b.extendU(up), 63n));
    b.set(word, b.add(signExponent, up));
  });
  return { significand: b.get(significand), signExponent: b.get(word), lost: low, up };
}

/** x · y. */
export function quickProduct(b: Builder, x: F.Float80, y: F.Float80): Rounded80 {
  const { high, low } = multiplyWide(b, x.significand, y.significand);
  // The product of two numbers in [1, 2) is in [1, 4).
  const short = b.shrU(b.not(high), 63n);
  const exponent = b.add(exponentOf(b, x.signExponent), exponentOf(b, y.signExponent));
  const sign = b.and(b.xor(x.signExponent, y.signExponent), F.SIGN);
  return rounded(
    b,
    b.or(b.sub(b.sub(exponent, F.BIAS - 1), b.wrap(short)), sign),
    b.or(b.shl(high, short), b.and(b.shrU(low, 63n), short)),
    b.shl(low, short),
  );
}

/** Stands for all that is too far below: not the very last bit, for it may come one place further down. */
const LAST = 2n;

/** What is on its way in `quickSum`. */
interface OnItsWay {
  readonly word: Variable;
  readonly high: Variable;
  readonly low: Variable;
}

/** x − y. */
export const quickDifference = (b: Builder, x: F.Float80, y: F.Float80): Rounded80 =>
  quickSum(b, x, { significand: y.significand, signExponent: b.xor(y.signExponent, F.SIGN) });

/** x + y. */
export function quickSum(b: Builder, x: F.Float80, y: F.Float80): Rounded80 {
  const difference = b.sub(exponentOf(b, x.signExponent), exponentOf(b, y.signExponent));
  const swap = b.ltS(difference, 0);
  const large = b.select(swap, y.significand, x.significand);
  const small = b.select(swap, x.significand, y.significand);
  const distance = b.select(swap, b.sub(0, difference), difference);
  const word = b.variable('i32', b.select(swap, y.signExponent, x.signExponent));
  const high = b.variable('i64', 0n);
  const low = b.variable('i64', LAST);
  b.whenSeldom(
    b.gtU(distance, 63),
    // Far below the last place it is only a question of there being something.
    () => b.when(b.leU(distance, 65), () => shiftFar(b, small, distance, low)),
    () => {
      const n = b.extendU(distance);
      b.set(high, b.shrU(small, n));
      b.set(low, b.shl(b.shl(small, 1n), b.xor(n, 63n)));
    },
  );
  const way = { word, high, low };
  b.when(
    b.and(b.xor(x.signExponent, y.signExponent), F.SIGN),
    () => takeAway(b, large, way),
    () => putTogether(b, large, way),
  );
  return rounded(b, b.get(word), b.get(high), b.get(low));
}

/** By 64 or 65 places, what falls out remaining as LAST. */
function shiftFar(b: Builder, significand: Value, distance: Value, low: Variable): void {
  const n = b.extendU(b.sub(distance, 64));
  b.set(low, b.or(b.shrU(significand, n), b.select(b.wrap(b.and(significand, 3n)), b.i64(LAST), 0n)));
}

function putTogether(b: Builder, large: Value, { word, high, low }: OnItsWay): void {
  const sum = b.add(large, b.get(high));
  const carried = b.ltU(sum, large);
  const n = b.extendU(carried);
  const rest = b.get(low);
  // One place to the right, if at all.
  b.set(low, b.or(b.shrU(rest, n), b.and(b.shl(sum, 63n), b.sub(0n, n))));
  b.set(high, b.or(b.shrU(sum, n), b.shl(n, 63n)));
  b.set(word, b.add(b.get(word), carried));
}

function takeAway(b: Builder, large: Value, { word, high, low }: OnItsWay): void {
  const taken = b.get(high);
  const rest = b.sub(0n, b.get(low));
  // Of two numbers with one exponent the second may be the larger one, and there is no rest then.
  const turned = b.ltU(large, taken);
  const left = b.sub(b.sub(large, taken), b.extendU(b.ne(rest, 0n)));
  const upper = b.select(turned, b.sub(0n, left), left);
  b.set(word, b.xor(b.get(word), b.shl(turned, 15)));
  b.whenSeldom(
    b.eqz(upper),
    () => {
      // Nothing at all is a positive zero; otherwise the one bit that is left is at the top of the rest.
      const some = b.ne(rest, 0n);
      b.set(word, b.select(some, b.sub(b.get(word), 64), 0));
      b.set(high, rest);
      b.set(low, 0n);
    },
    () => {
      const n = b.clz(upper);
      b.set(word, b.sub(b.get(word), b.wrap(n)));
      b.set(high, b.or(b.shl(upper, n), b.shrU(b.shrU(rest, 1n), b.xor(n, 63n))));
      b.set(low, b.shl(rest, n));
    },
  );
}

// ---------------------------------------------------------------- formats

/** 1 if the number of a narrow format is normal. */
export function isNormal(b: Builder, { fraction, exponentMask }: Narrow, bits: Value): Value {
  const exponent = b.and(narrowHead(b, bits, fraction), exponentMask);
  return b.ltU(b.sub(exponent, 1), exponentMask - 1);
}

/** Sign and exponent, and for 32 bits what is above them: nothing. */
const narrowHead = (b: Builder, bits: Value, fraction: number): Value =>
  bits.type === 'i64' ? b.wrap(b.shrU(bits, BigInt(fraction))) : b.shrU(bits, fraction);

/** The normal number of a narrow format in 80 bits. */
export function widened(b: Builder, format: Narrow, bits: Value): F.Float80 {
  const head = narrowHead(b, bits, format.fraction);
  const sign = b.and(b.shl(head, 16 - (format.bits - format.fraction)), F.SIGN);
  const wide = bits.type === 'i64' ? bits : b.extendU(bits);
  return {
    significand: b.or(b.shl(wide, BigInt(63 - format.fraction)), F.TOP_BIT),
    signExponent: b.or(b.add(b.and(head, format.exponentMask), format.least - 1), sign),
  };
}

/** 1 if the number is a normal one of the narrow format, too, before it is rounded and after. */
export const fits = (b: Builder, { least, exponentMask }: Narrow, x: F.Float80): Value =>
  b.and(b.ltU(b.sub(exponentOf(b, x.signExponent), least), exponentMask - 2), F.topBit(b, x.significand));

/** The number in the narrow format, an i64, rounded to nearest. */
export function narrowed(b: Builder, format: Narrow, x: F.Float80): Rounding & { bits: Value } {
  const dropped = 63 - format.fraction;
  const kept = b.shrU(x.significand, BigInt(dropped));
  const rest = b.shl(x.significand, BigInt(format.fraction + 1));
  const up = roundsUp(b, kept, rest);
  const exponent = b.extendU(b.sub(exponentOf(b, x.signExponent), format.least));
  const sign = b.shl(b.extendU(signOf(b, x.signExponent)), BigInt(format.bits - 1));
  // The visible bit counts as one more in the exponent; rounding up may run over into it, as it should.
  const magnitude = b.add(b.add(b.shl(exponent, BigInt(format.fraction)), kept), b.extendU(up));
  return { bits: b.or(magnitude, sign), lost: rest, up };
}

/** Any signed integer, an i64, in 80 bits. */
export function ofInteger(b: Builder, value: Value): F.Float80 {
  const negative = F.topBit(b, value);
  const magnitude = b.select(negative, b.sub(0n, value), value);
  const shift = b.clz(magnitude);
  const word = b.or(b.sub(F.BIAS + 63, b.wrap(shift)), b.shl(negative, 15));
  return { significand: b.shl(magnitude, shift), signExponent: b.select(b.eqz(value), 0, word) };
}

// ---------------------------------------------------------------- comparison

/** 1 if the number is normal or zero. */
export function isOrdered(b: Builder, { significand, signExponent }: F.Float80): Value {
  const exponent = exponentOf(b, signExponent);
  const normal = b.and(b.ltU(b.sub(exponent, 1), F.EXPONENT_MASK - 1), F.topBit(b, significand));
  return b.or(normal, b.eqz(b.or(significand, b.extendU(exponent))));
}

export const areOrdered = (b: Builder, x: F.Float80, y: F.Float80): Value => b.and(isOrdered(b, x), isOrdered(b, y));

/** C0 for less, C3 for equal, 0 for greater. */
export function quickOrder(b: Builder, x: F.Float80, y: F.Float80): Value {
  // Exponents with their sign are in the order of the numbers; a zero has the exponent 0.
  const signed = ({ signExponent }: F.Float80): Value => {
    const exponent = exponentOf(b, signExponent);
    return b.select(b.and(signExponent, F.SIGN), b.sub(0, exponent), exponent);
  };
  const [first, second] = [signed(x), signed(y)];
  const smaller = b.xor(b.ltU(x.significand, y.significand), b.gtU(x.signExponent, F.SIGN - 1));
  const among = b.select(b.eq(x.significand, y.significand), C3, b.shl(smaller, 8));
  return b.select(b.eq(first, second), among, b.shl(b.ltS(first, second), 8));
}
