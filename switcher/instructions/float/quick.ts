// The arithmetic of nearly all numbers, as short as it can be made: to nearest, with 64 bits, on normal numbers so far from
// the ends of the range that no result leaves it. Nothing can happen then but that a result is not exact.
//
// It says what the routines say (add, multiply, convert, compare), and is spelled out where it is used: see
// `Builder.quickly`. Everything else is theirs.
//
// What counts is how long it takes from operands to result, because the next instruction waits for it. Choices are `select`s,
// whose two sides are computed meanwhile, and each has a comparison of its own, though it be the same in other words: V8
// makes one instruction of a comparison and a choice only where nobody else asks for it.
import * as State from '../../cpu/state.js';
import type { Builder } from '../../language/builder.js';
import type { Value, Variable } from '../../language/nodes.js';
import { exponentOf } from './classify.js';
import { roundToInteger } from './convert.js';
import * as F from './format.js';
import { multiplyWide } from './multiply.js';
import type { Narrow } from './round.js';

/** Exponents in the middle quarter of the range. Every normal number of 32 or 64 bits has one. */
const LEAST = 0x3000;
/** What an exponent less LEAST has none of if it is moderate. A sign in front of it does not matter. */
const NOT_MODERATE = 0x6000;
const WORD = 0xffff;

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

const lessLeast = (b: Builder, { signExponent }: F.Float80): Value => b.sub(signExponent, LEAST);

/** 1 if the quick ways are open to both. */
export const areQuick = (b: Builder, x: F.Float80, y: F.Float80): Value =>
  b.and(
    b.eqz(b.and(b.or(lessLeast(b, x), lessLeast(b, y)), NOT_MODERATE)),
    F.topBit(b, b.and(x.significand, y.significand)),
  );

export const isQuick = (b: Builder, x: F.Float80): Value =>
  b.and(b.eqz(b.and(lessLeast(b, x), NOT_MODERATE)), F.topBit(b, x.significand));

/**
 * By how much what is left over makes the number larger, 0 or 1: more than a half does; and just a half, if what is there is odd.
 * That is asked apart, being rare: the usual answer is the first bit of the rest.
 */
function carryOf(b: Builder, kept: Value, rest: Value): Value {
  const carry = b.variable('i64', b.shrU(rest, 63n));
  b.whenSeldom(b.eq(rest, F.TOP_BIT), () => b.set(carry, b.and(kept, 1n)));
  return b.get(carry);
}

/** A number on its way, of which it is known that it stays in range: rounded. It may be zero, all of it, and has a sign then, too. */
function rounded(b: Builder, signExponent: Value, high: Value, low: Value, signOfZero = signExponent): Rounded80 {
  const carry = carryOf(b, high, low);
  const up = b.wrap(carry);
  const significand = b.variable('i64', b.add(high, carry));
  const word = b.variable('i32', signExponent);
  b.whenSeldom(b.eqz(b.get(significand)), () => {
    b.set(significand, b.shl(carry, 63n));
    b.set(word, b.select(up, b.add(signExponent, 1), b.and(signOfZero, F.SIGN)));
  });
  return { significand: b.get(significand), signExponent: b.get(word), lost: low, up };
}

/** x · y. */
export function quickProduct(b: Builder, x: F.Float80, y: F.Float80): Rounded80 {
  const { high, low } = multiplyWide(b, x.significand, y.significand);
  // Signs add up, too: what two of them carry is cut off.
  const word = b.and(b.sub(b.add(x.signExponent, y.signExponent), F.BIAS), WORD);
  // The product of two numbers in [1, 2) is in [1, 4).
  const doubled = b.or(b.add(high, high), b.shrU(low, 63n));
  return rounded(
    b,
    b.add(word, b.wrap(b.shrU(high, 63n))),
    b.select(F.topBit(b, high), high, doubled),
    b.select(b.geS(high, 0n), b.add(low, low), low),
    b.xor(x.signExponent, y.signExponent),
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
  const [ofX, ofY] = [exponentOf(b, x.signExponent), exponentOf(b, y.signExponent)];
  const distance = b.select(b.ltS(ofX, ofY), b.sub(ofY, ofX), b.sub(ofX, ofY));
  const small = b.select(b.ltU(ofX, ofY), x.significand, y.significand);
  const large = b.select(b.geU(ofX, ofY), x.significand, y.significand);
  const word = b.variable('i32', b.select(b.geS(ofX, ofY), x.signExponent, y.signExponent));
  const high = b.variable('i64', 0n);
  const low = b.variable('i64', LAST);
  b.whenSeldom(
    b.gtU(distance, 63),
    // Far below the last place it is only a question of there being something.
    () => {
      b.when(b.leU(distance, 65), () => shiftFar(b, small, distance, low));
      // Zero is far below whatever there is.
      b.when(b.eqz(small), () => b.set(low, 0n));
    },
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
  const small = b.get(high);
  const sum = b.add(large, small);
  const rest = b.get(low);
  // One place to the right, if at all.
  b.set(low, b.select(b.ltU(sum, large), b.or(b.shrU(rest, 1n), b.shl(sum, 63n)), rest));
  b.set(high, b.select(b.geU(sum, large), sum, b.or(b.shrU(sum, 1n), F.TOP_BIT)));
  b.set(word, b.add(b.get(word), b.ltU(sum, small)));
}

function takeAway(b: Builder, large: Value, { word, high, low }: OnItsWay): void {
  const taken = b.get(high);
  const rest = b.sub(0n, b.get(low));
  // Of two numbers with one exponent the second may be the larger one, and there is no rest then.
  const left = b.sub(b.sub(large, taken), b.extendU(b.ne(rest, 0n)));
  const upper = b.select(b.ltU(large, taken), b.sub(taken, large), left);
  b.set(word, b.xor(b.get(word), b.shl(b.ne(upper, left), 15)));
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
  // All ones become 0 and carry; 0 becomes 1.
  return b.bool(b.and(b.add(narrowHead(b, bits, fraction), 1), exponentMask - 1));
}

/** The exponent, and the sign in all bits above it. */
const narrowHead = (b: Builder, bits: Value, fraction: number): Value =>
  bits.type === 'i64' ? b.wrap(b.shrS(bits, BigInt(fraction))) : b.shrS(bits, fraction);

/** The normal number of a narrow format in 80 bits. */
export function widened(b: Builder, format: Narrow, bits: Value): F.Float80 {
  const head = narrowHead(b, bits, format.fraction);
  const wide = bits.type === 'i64' ? bits : b.extendU(bits);
  return {
    significand: b.or(b.shl(wide, BigInt(63 - format.fraction)), F.TOP_BIT),
    signExponent: b.add(b.and(head, F.SIGN | format.exponentMask), format.least - 1),
  };
}

/** 1 if the number is a normal one of the narrow format, too, before it is rounded and after. */
export const fits = (b: Builder, { least, exponentMask }: Narrow, x: F.Float80): Value =>
  b.and(
    b.ltU(b.sub(exponentOf(b, x.signExponent), least), exponentMask - 2),
    b.or(b.assured(x.significand, 0), F.topBit(b, x.significand)),
  );

/** The number in the narrow format, as wide as that is, rounded to nearest. */
export function narrowed(b: Builder, format: Narrow, x: F.Float80): Rounding & { bits: Value } {
  const dropped = 63 - format.fraction;
  const kept = b.shrU(x.significand, BigInt(dropped));
  const rest = b.shl(x.significand, BigInt(format.fraction + 1));
  const carry = carryOf(b, kept, rest);
  // Its sign is shifted out.
  const exponent = b.extendU(b.sub(x.signExponent, format.least));
  const sign = b.shl(b.extendU(b.shrU(x.signExponent, 15)), BigInt(format.bits - 1));
  // The visible bit counts as one more in the exponent; rounding up may run over into it, as it should.
  const magnitude = b.add(b.add(b.shl(exponent, BigInt(format.fraction)), kept), carry);
  const whole = b.or(magnitude, sign);
  return { bits: format.bits === 64 ? whole : b.wrap(whole), lost: rest, up: b.wrap(carry) };
}

/** 1 if nobody wants to be told that a result is not exact. */
export const mayBeInexact = (b: Builder): Value => b.bool(b.and(b.state(4, State.FPU_CONTROL), F.PRECISION));

/** 1 if the number is normal and fits into a signed integer of so many bits, however it is rounded. */
export const fitsInteger = (b: Builder, bits: number, x: F.Float80): Value =>
  b.and(b.ltU(b.sub(exponentOf(b, x.signExponent), 1), F.BIAS + bits - 3), F.topBit(b, x.significand));

/** The number as an integer, an i64, rounded as `mode` has it. */
export function toInteger(b: Builder, x: F.Float80, mode: Value): Rounding & { bits: Value } {
  const sign = b.shrU(x.signExponent, 15);
  const parts = { sign, exponent: exponentOf(b, x.signExponent), significand: x.significand };
  const { magnitude, rest, up } = roundToInteger(b, parts, F.rounding(b, mode));
  return { bits: b.select(sign, b.sub(0n, magnitude), magnitude), lost: rest, up };
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

/** How one number is to another: both 0 or 1. */
export interface Order {
  readonly less: Value;
  readonly equal: Value;
}

/** As much of a number as a double holds, if its exponent is moderate: such doubles are in the order of the numbers. */
const abridged = (b: Builder, { significand, signExponent }: F.Float80): Value =>
  b.or(b.shl(b.extendU(signExponent), 48n), b.shrU(b.shl(significand, 1n), 16n));

/** The order of two numbers that are quick or zero, if `differ`: if as much of them as a double holds tells it. */
export function quickestOrder(b: Builder, x: F.Float80, y: F.Float80): Order & { readonly differ: Value } {
  const [first, second] = [abridged(b, x), abridged(b, y)];
  const asDouble = (bits: Value): Value => b.apply('f64.reinterpret_i64', [bits]);
  return {
    less: b.apply('f64.lt', [asDouble(first), asDouble(second)]),
    equal: b.i32(0),
    differ: b.apply('f64.ne', [asDouble(first), asDouble(second)]),
  };
}

export function quickOrder(b: Builder, x: F.Float80, y: F.Float80): Order {
  // Exponents with their sign are in the order of the numbers; a zero has the exponent 0.
  const signed = ({ signExponent }: F.Float80): Value => {
    const exponent = exponentOf(b, signExponent);
    return b.select(b.and(signExponent, F.SIGN), b.sub(0, exponent), exponent);
  };
  const [first, second] = [signed(x), signed(y)];
  const [ofX, ofY] = [x.significand, y.significand];
  const among = b.select(b.and(x.signExponent, F.SIGN), b.gtU(ofX, ofY), b.ltU(ofX, ofY));
  return {
    less: b.select(b.eq(first, second), among, b.ltS(first, second)),
    equal: b.and(b.eq(first, second), b.eq(ofX, ofY)),
  };
}
