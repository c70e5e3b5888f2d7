// From a number on its way to one in a format: rounding, overflow and underflow.
//
// A result is *tiny* if it would be below the smallest normal number even after rounding with all exponents allowed: x86
// looks after rounding, and so a number that rounds up to the smallest normal one is not tiny.
import type { Builder } from '../../language/builder.js';
import type { Routine, Value, Variable } from '../../language/nodes.js';
import * as F from './format.js';

/** How much an unmasked overflow or underflow moves the exponent, to bring it back into range. */
export const BIAS_ADJUST = 0x6000;
const MAX_EXPONENT = 0x7ffe;

/** 1 if what is left over, `rest` with the weight of the last place as 2^64, makes the number one larger. */
export function roundsUp(b: Builder, rounding: Value, sign: Value, odd: Value, rest: Value): Value {
  const nearest = b.and(F.topBit(b, rest), b.or(odd, b.ne(b.shl(rest, 1n), 0n)));
  const away = b.select(sign, b.eq(rounding, F.ROUND_DOWN), b.eq(rounding, F.ROUND_UP));
  return b.select(b.eqz(rounding), nearest, b.and(away, b.ne(rest, 0n)));
}

/** Shifts the 128 bits of `high` and `low` right by `count` > 0; what falls out stays as the last bit. */
export function shiftRightSticky(b: Builder, high: Variable, low: Variable, count: Value): void {
  const h = b.get(high);
  const l = b.get(low);
  b.when(
    b.ltU(count, 64),
    () => {
      const n = b.extendU(count);
      const out = b.sub(64n, n);
      b.set(low, b.or(b.or(b.shl(h, out), b.shrU(l, n)), b.extendU(b.ne(b.shl(l, out), 0n))));
      b.set(high, b.shrU(h, n));
    },
    () => {
      const n = b.extendU(b.sub(count, 64));
      const below = b.or(l, b.shl(b.shl(h, 1n), b.xor(n, 63n)));
      const kept = b.or(b.shrU(h, n), b.extendU(b.ne(below, 0n)));
      b.set(low, b.select(b.ltU(count, 128), kept, b.extendU(b.ne(b.or(h, l), 0n))));
      b.set(high, 0n);
    },
  );
}

/** Cuts the significand `high` behind its last place, `unit`; what is cut off goes to the front of `low`. */
function cut(b: Builder, high: Variable, low: Variable, drop: Value): void {
  b.when(drop, () => {
    const n = b.extendU(drop);
    const h = b.get(high);
    b.set(low, b.or(b.shl(h, b.sub(64n, n)), b.extendU(b.ne(b.get(low), 0n))));
    b.set(high, b.shl(b.shrU(h, n), n));
  });
}

interface Rounding {
  readonly sign: Value;
  readonly exponent: Variable;
  readonly high: Variable;
  readonly low: Variable;
  readonly rounding: Value;
  /** How many bits of the significand the precision leaves out. */
  readonly drop: Value;
}

/** Rounds in place; the exponent goes up when the significand runs over. Gives PRECISION and ROUNDED_UP. */
function roundInPlace(b: Builder, { sign, exponent, high, low, rounding, drop }: Rounding): Value {
  cut(b, high, low, drop);
  const rest = b.get(low);
  const unit = b.shl(b.i64(1), b.extendU(drop));
  const odd = b.ne(b.and(b.get(high), unit), 0n);
  const up = roundsUp(b, rounding, sign, odd, rest);
  const before = b.get(high);
  const after = b.add(before, b.select(up, unit, 0n));
  b.set(high, after);
  b.when(b.ltU(after, before), () => {
    b.set(high, F.TOP_BIT);
    b.set(exponent, b.add(b.get(exponent), 1));
  });
  return b.or(b.select(b.ne(rest, 0n), F.PRECISION, 0), b.select(up, F.ROUNDED_UP, 0));
}

/** 1 if the number, with an exponent just below the range, stays below when rounded with any exponent allowed. */
function staysTiny(b: Builder, r: Rounding, least: number): Value {
  const below = b.ltS(b.get(r.exponent), least - 1);
  const high = b.variable('i64', b.get(r.high));
  const low = b.variable('i64', b.get(r.low));
  const exponent = b.variable('i32', 0);
  roundInPlace(b, { ...r, high, low, exponent });
  return b.or(below, b.eqz(b.get(exponent)));
}

/** What an overflow gives when it is masked: infinity, or the largest number when rounding is towards zero. 1 = infinity. */
function overflowIsInfinite(b: Builder, rounding: Value, sign: Value): Value {
  return b.or(b.eqz(rounding), b.select(sign, b.eq(rounding, F.ROUND_DOWN), b.eq(rounding, F.ROUND_UP)));
}

/** (sign, exponent, high, low, mode) → 80-bit number, rounded to the precision that the mode says. */
export const f80Round: Routine = F.floatRoutine(
  'f80Round',
  ['i32', 'i32', 'i64', 'i64', 'i32'],
  ['i64', 'i32'],
  (b, sign, firstExponent, firstHigh, firstLow, mode) => {
    const exponent = b.variable('i32', firstExponent);
    const high = b.variable('i64', firstHigh);
    const low = b.variable('i64', firstLow);
    const precision = b.and(b.shrU(mode, F.PRECISION_SHIFT), 3);
    const drop = b.select(b.eq(precision, F.PRECISION_24), 40, b.select(b.eq(precision, F.PRECISION_53), 11, 0));
    const r: Rounding = { sign, exponent, high, low, rounding: F.rounding(b, mode), drop };
    b.when(b.ltS(firstExponent, 1), () => {
      b.when(staysTiny(b, r, 1), () => {
        b.when(b.eqz(b.and(mode, F.UNDERFLOW)), () => {
          const flags = roundInPlace(b, r);
          const moved = b.add(b.get(exponent), BIAS_ADJUST);
          b.return(b.get(high), F.packWord(b, sign, moved, b.or(flags, F.UNDERFLOW)));
        });
        shiftRightSticky(b, high, low, b.sub(1, firstExponent));
        const flags = roundInPlace(b, r);
        const tiny = b.select(b.and(flags, F.PRECISION), F.UNDERFLOW, 0);
        // Rounded up to the smallest normal number, it has its exponent too.
        const normal = F.topBit(b, b.get(high));
        b.return(b.get(high), F.packWord(b, sign, normal, b.or(flags, tiny)));
      });
    });
    const flags = roundInPlace(b, r);
    const last = b.get(exponent);
    b.when(b.gtS(last, MAX_EXPONENT), () => {
      b.when(b.eqz(b.and(mode, F.OVERFLOW)), () => {
        b.return(b.get(high), F.packWord(b, sign, b.sub(last, BIAS_ADJUST), b.or(flags, F.OVERFLOW)));
      });
      const infinite = overflowIsInfinite(b, r.rounding, sign);
      const largest = b.shl(b.i64(-1), b.extendU(drop));
      const up = b.select(infinite, F.ROUNDED_UP, 0);
      b.return(
        b.select(infinite, F.TOP_BIT, largest),
        F.packWord(b, sign, b.add(infinite, MAX_EXPONENT), b.or(up, F.OVERFLOW | F.PRECISION)),
      );
    });
    b.return(b.get(high), F.packWord(b, sign, last, flags));
  },
);

/**
 * The end of an 80-bit operation: rounds here when it is to nearest and 64 bits and the exponent is far from its limits,
 * and calls f80Round when not. Leaves the routine.
 */
export function finish80(b: Builder, sign: Value, exponent: Value, high: Value, low: Value, mode: Value): void {
  const usual = b.eq(b.and(mode, F.ROUNDING_AND_PRECISION), F.NEAREST_64);
  b.when(b.and(usual, b.ltU(b.sub(exponent, 1), MAX_EXPONENT - 1)), () => {
    const up = b.and(F.topBit(b, low), b.or(b.ne(b.shl(low, 1n), 0n), b.wrap(b.and(high, 1n))));
    const rounded = b.add(high, b.extendU(up));
    const word = F.packWord(b, sign, exponent, b.or(b.shl(b.ne(low, 0n), 5), b.shl(up, 9)));
    b.when(b.eqz(rounded), () => b.return(b.i64(F.TOP_BIT), b.add(word, 1)));
    b.return(rounded, word);
  });
  const [significand, word] = F.callPair(b, f80Round, sign, exponent, high, low, mode);
  b.return(significand, word);
}

/** A format narrower than 80 bits, without a visible top bit. */
export interface Narrow {
  readonly name: 'f32' | 'f64';
  readonly bits: 32 | 64;
  /** Bits of the significand that are stored: 23, 52. */
  readonly fraction: number;
  /** All ones: the exponent of infinities and NaNs. */
  readonly exponentMask: number;
  /** The 80-bit format's exponent of the smallest normal number. */
  readonly least: number;
}

export const F32: Narrow = { name: 'f32', bits: 32, fraction: 23, exponentMask: 0xff, least: F.BIAS - 126 };
export const F64: Narrow = { name: 'f64', bits: 64, fraction: 52, exponentMask: 0x7ff, least: F.BIAS - 1022 };

/** Puts a narrow number together, as an i64 whatever its width. The fraction's bits above the format's are dropped. */
export function packNarrow(b: Builder, format: Narrow, sign: Value, exponent: Value, fraction: Value): Value {
  const place = BigInt(format.fraction);
  const kept = b.and(fraction, (1n << place) - 1n);
  const signed = b.or(b.shl(b.extendU(sign), BigInt(format.bits - 1)), b.shl(b.extendU(exponent), place));
  return b.or(signed, kept);
}

/** (sign, exponent, high, low, mode) → the number in the format, as an i64, and flags. */
const roundNarrow = (format: Narrow): Routine =>
  F.floatRoutine(
    `${format.name}Round`,
    ['i32', 'i32', 'i64', 'i64', 'i32'],
    ['i64', 'i32'],
    (b, sign, firstExponent, firstHigh, firstLow, mode) => {
      const { least, exponentMask } = format;
      const most = least + exponentMask - 2;
      const exponent = b.variable('i32', firstExponent);
      const high = b.variable('i64', firstHigh);
      const low = b.variable('i64', firstLow);
      const dropped = 63 - format.fraction;
      const r: Rounding = { sign, exponent, high, low, rounding: F.rounding(b, mode), drop: b.i32(dropped) };
      const fraction = (): Value => b.shrU(b.get(high), BigInt(dropped));
      b.when(b.ltS(firstExponent, least), () => {
        b.when(staysTiny(b, r, least), () => {
          const masked = b.and(mode, F.UNDERFLOW);
          const zero = packNarrow(b, format, sign, b.i32(0), b.i64(0));
          // Nobody gets a result. It is inexact if it would be so with an exponent of any size.
          b.when(b.eqz(masked), () => b.return(zero, b.or(roundInPlace(b, r), F.UNDERFLOW)));
          b.when(b.and(mode, F.FLUSH_TO_ZERO), () => b.return(zero, b.i32(F.UNDERFLOW | F.PRECISION)));
          shiftRightSticky(b, high, low, b.sub(least, firstExponent));
          const flags = roundInPlace(b, r);
          const tiny = b.select(b.and(flags, F.PRECISION), F.UNDERFLOW, 0);
          const normal = F.topBit(b, b.get(high));
          b.return(packNarrow(b, format, sign, normal, fraction()), b.or(flags, tiny));
        });
      });
      const flags = roundInPlace(b, r);
      b.when(b.gtS(b.get(exponent), most), () => {
        const infinite = overflowIsInfinite(b, r.rounding, sign);
        const inexact = b.select(b.and(mode, F.OVERFLOW), F.PRECISION, b.and(flags, F.PRECISION));
        b.return(
          packNarrow(b, format, sign, b.add(infinite, exponentMask - 1), b.select(infinite, b.i64(0), b.i64(-1))),
          b.or(b.or(b.select(infinite, F.ROUNDED_UP, 0), inexact), F.OVERFLOW),
        );
      });
      b.return(packNarrow(b, format, sign, b.sub(b.get(exponent), least - 1), fraction()), flags);
    },
  );

export const f32Round = roundNarrow(F32);
export const f64Round = roundNarrow(F64);
