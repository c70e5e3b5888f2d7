// What all floating point here has in common: the formats, the exception flags, and the word that says how to round.
//
// A number on its way is a sign, an exponent with the bias of the 80-bit format that may run out of its range, and a
// significand of 64 bits with its top bit set, followed by 64 more bits of which the last stands for all that came after.
// An 80-bit number takes two values: its significand, and sign and exponent in 16 bits. A routine that makes one gives the
// flags of its exceptions in the upper half of the latter: two results travel in processor registers, three do not.
import { Bug } from '../../../lib/errors.js';
import { type Builder, routine, type Term } from '../../language/builder.js';
import type { Routine, Value } from '../../language/nodes.js';
import type { ValueType } from '../../language/operators.js';

/** Exceptions, at their places in the x87 status word and in MXCSR; masks have the same order. */
export const INVALID = 0x01;
export const DENORMAL = 0x02;
export const ZERO_DIVIDE = 0x04;
export const OVERFLOW = 0x08;
export const UNDERFLOW = 0x10;
export const PRECISION = 0x20;
export const EXCEPTIONS = 0x3f;
/** Exceptions that are seen before there is a result: unmasked, they leave the destination alone. */
export const BEFORE_RESULT = INVALID | DENORMAL | ZERO_DIVIDE;
/** C1 of the x87 status word, set with PRECISION when the result was rounded away from zero. */
export const ROUNDED_UP = 0x200;

export const FLAGS_SHIFT = 16;

/**
 * How to round, a *mode*: the x87 control word, or what modeOfMxcsr makes of MXCSR.
 *
 *   0–5 masks      6 denormals are zeros      8–9 precision      10–11 rounding      15 tiny results become zero
 */
export const DENORMALS_ARE_ZEROS = 0x40;
export const FLUSH_TO_ZERO = 0x8000;
export const PRECISION_SHIFT = 8;
export const PRECISION_24 = 0;
export const PRECISION_53 = 2;
export const ROUNDING_SHIFT = 10;
export const ROUND_NEAREST = 0;
export const ROUND_DOWN = 1;
export const ROUND_UP = 2;
export const ROUND_CHOP = 3;
/** The bits of rounding and precision, and what they are nearly always: to nearest, 64 bits. */
export const ROUNDING_AND_PRECISION = 0xf00;
export const NEAREST_64 = 0x300;

export const BIAS = 0x3fff;
export const EXPONENT_MASK = 0x7fff;
export const SIGN = 0x8000;
export const TOP_BIT = 1n << 63n;
/** What the quiet kind of NaN has and the signalling one has not. */
export const QUIET_BIT = 1n << 62n;
/** The NaN that an invalid operation gives. */
export const INDEFINITE_SIGNIFICAND = 3n << 62n;
export const INDEFINITE_EXPONENT = 0xffff;

/** An 80-bit number as it is held: the significand, and sign and exponent. */
export interface Float80 {
  readonly significand: Value;
  readonly signExponent: Value;
}

/** A result with the exceptions that it met. */
export interface Flagged80 extends Float80 {
  readonly flags: Value;
}

/** A number with its parts apart; the significand is normalised and the number is not zero. */
export interface Unpacked {
  readonly sign: Value;
  readonly exponent: Value;
  readonly significand: Value;
}

type Values<T extends readonly ValueType[]> = { [K in keyof T]: Value };

/** As `routine`, with as many parameters for the definition as it says that it takes. */
export function floatRoutine<const T extends readonly ValueType[]>(
  name: string,
  takes: T,
  gives: readonly ValueType[],
  define: (b: Builder, ...parameters: Values<T>) => void,
): Routine {
  return routine(name, takes, gives, (b, ...parameters) => define(b, ...(parameters as unknown as Values<T>)));
}

/** The two results of a routine. */
export function callPair(b: Builder, called: Routine, ...terms: Term[]): [Value, Value] {
  const [first, second] = b.callMany(called, ...terms);
  if (first === undefined || second === undefined) throw new Bug(`${called.name} does not give two values`);
  return [first, second];
}

/** Calls a routine that gives an 80-bit number and flags. */
export function call80(b: Builder, called: Routine, ...terms: Term[]): Flagged80 {
  const [significand, packed] = callPair(b, called, ...terms);
  return { significand, signExponent: b.and(packed, 0xffff), flags: b.shrU(packed, FLAGS_SHIFT) };
}

/** Sign, exponent and flags in one word. */
export const packWord = (b: Builder, sign: Value, exponent: Term, flags: Term): Value =>
  b.or(b.or(b.shl(sign, 15), exponent), b.shl(b.term('i32', flags), FLAGS_SHIFT));

export const rounding = (b: Builder, mode: Value): Value => b.and(b.shrU(mode, ROUNDING_SHIFT), 3);

/** 1 if `value`, an i64, has its top bit set. */
export const topBit = (b: Builder, value: Value): Value => b.ltS(value, 0n);

/** MXCSR in the order of the x87 control word. */
export const modeOfMxcsr = (b: Builder, mxcsr: Value): Value =>
  b.or(
    b.or(b.and(b.shrU(mxcsr, 7), EXCEPTIONS), b.and(b.shrU(mxcsr, 3), 3 << ROUNDING_SHIFT)),
    b.or(b.and(mxcsr, FLUSH_TO_ZERO | DENORMALS_ARE_ZEROS), NEAREST_64),
  );
