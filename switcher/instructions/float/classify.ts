// What kind of number an 80-bit operand is, and what becomes of two operands when one of them is no number.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import * as F from './format.js';

export const exponentOf = (b: Builder, signExponent: Value): Value => b.and(signExponent, F.EXPONENT_MASK);
export const signOf = (b: Builder, signExponent: Value): Value => b.and(b.shrU(signExponent, 15), 1);

/** 1 if both operands are normal: not zero, not denormal, no infinity, no NaN, and with their top bit. */
export function bothNormal(b: Builder, exponentA: Value, sigA: Value, exponentB: Value, sigB: Value): Value {
  const inRange = (exponent: Value): Value => b.ltU(b.sub(exponent, 1), F.EXPONENT_MASK - 1);
  return b.and(b.and(inRange(exponentA), inRange(exponentB)), F.topBit(b, b.and(sigA, sigB)));
}

/** The encodings that processors since the 80387 refuse: an exponent, but no top bit. */
export const isUnsupported = (b: Builder, exponent: Value, significand: Value): Value =>
  b.and(b.bool(exponent), b.geS(significand, 0n));

/** Everything that neither orders nor adds up: NaNs and what is not supported. */
export function isNoNumber(b: Builder, exponent: Value, significand: Value): Value {
  const nan = b.and(b.eq(exponent, F.EXPONENT_MASK), b.ne(significand, F.TOP_BIT));
  return b.or(nan, isUnsupported(b, exponent, significand));
}

/** A NaN (not something unsupported) of the kind that is an invalid operand. */
export function isSignalling(b: Builder, exponent: Value, significand: Value): Value {
  const nan = b.and(b.eq(exponent, F.EXPONENT_MASK), b.ne(significand, F.TOP_BIT));
  return b.and(nan, b.eqz(b.and(significand, F.QUIET_BIT)));
}

export const isInfinite = (b: Builder, exponent: Value): Value => b.eq(exponent, F.EXPONENT_MASK);
export const isZero = (b: Builder, exponent: Value, significand: Value): Value =>
  b.and(b.eqz(exponent), b.eqz(significand));
/** Denormal, or with the top bit but the exponent of a denormal, which counts as one. */
export const isDenormal = (b: Builder, exponent: Value, significand: Value): Value =>
  b.and(b.eqz(exponent), b.ne(significand, 0n));

/**
 * (significand, sign and exponent) twice, with at least one that is no number → what the operation gives: the NaN with the
 * larger significand, made quiet; of two that are equal the positive one; a quiet one before a signalling one.
 */
export const f80Propagate = F.floatRoutine(
  'f80Propagate',
  ['i64', 'i32', 'i64', 'i32'],
  ['i64', 'i32'],
  (b, sigA, wordA, sigB, wordB) => {
    const [expA, expB] = [exponentOf(b, wordA), exponentOf(b, wordB)];
    b.when(b.or(isUnsupported(b, expA, sigA), isUnsupported(b, expB, sigB)), () => {
      b.return(b.i64(F.INDEFINITE_SIGNIFICAND), b.i32(F.INDEFINITE_EXPONENT | (F.INVALID << F.FLAGS_SHIFT)));
    });
    const [nanA, nanB] = [isNoNumber(b, expA, sigA), isNoNumber(b, expB, sigB)];
    const [signalsA, signalsB] = [isSignalling(b, expA, sigA), isSignalling(b, expB, sigB)];
    const flags = b.shl(b.or(signalsA, signalsB), F.FLAGS_SHIFT);
    const larger = b.or(b.gtU(sigA, sigB), b.and(b.eq(sigA, sigB), b.leU(wordA, wordB)));
    // Two NaNs: if just one signals, the other one it is.
    const firstOfTwo = b.select(b.eq(signalsA, signalsB), larger, signalsB);
    const first = b.and(nanA, b.or(b.xor(nanB, 1), firstOfTwo));
    b.return(b.or(b.select(first, sigA, sigB), F.QUIET_BIT), b.or(b.select(first, wordA, wordB), flags));
  },
);

/** What an invalid operation returns from a routine that makes an 80-bit number. */
export function returnIndefinite(b: Builder): void {
  b.return(b.i64(F.INDEFINITE_SIGNIFICAND), b.i32(F.INDEFINITE_EXPONENT | (F.INVALID << F.FLAGS_SHIFT)));
}

/** The parts of a number that is not zero, denormals with their top bit at the top and an exponent below 1. */
export function normalise(b: Builder, signExponent: Value, significand: Value): F.Unpacked {
  const exponent = exponentOf(b, signExponent);
  const shift = b.clz(significand);
  return {
    sign: signOf(b, signExponent),
    // A denormal counts its exponent from 1.
    exponent: b.sub(b.select(exponent, exponent, 1), b.wrap(shift)),
    significand: b.shl(significand, shift),
  };
}
