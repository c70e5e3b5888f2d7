// From one format to another: 32, 64 and 80 bits, and integers into the 80-bit format.
import type { Builder } from '../../language/builder.js';
import type { Routine, Value } from '../../language/nodes.js';
import type { ValueType } from '../../language/operators.js';
import * as C from './classify.js';
import * as F from './format.js';
import { F32, F64, f32Round, f64Round, type Narrow, packNarrow, roundsUp } from './round.js';

const typeOf = (format: Narrow): ValueType => (format.bits === 32 ? 'i32' : 'i64');
const fractionMask = (format: Narrow): bigint => (1n << BigInt(format.fraction)) - 1n;
const quietBit = (format: Narrow): bigint => 1n << BigInt(format.fraction - 1);
/** How much the 80-bit format's bias is larger. */
const biasDifference = (format: Narrow): number => format.least - 1;
const NAMES = { f32: 'F32', f64: 'F64' } as const;

/** A narrow number taken apart: as it is, nothing normalised. */
export interface NarrowParts {
  readonly sign: Value;
  readonly exponent: Value;
  readonly fraction: Value;
}

/** @param bits an i64, whatever the format's width. */
export function narrowParts(b: Builder, format: Narrow, bits: Value): NarrowParts {
  return {
    sign: b.wrap(b.and(b.shrU(bits, BigInt(format.bits - 1)), 1n)),
    exponent: b.and(b.wrap(b.shrU(bits, BigInt(format.fraction))), format.exponentMask),
    fraction: b.and(bits, fractionMask(format)),
  };
}

/** Sign, exponent and significand of a narrow number that is not zero, no infinity and no NaN. */
export function normaliseNarrow(b: Builder, format: Narrow, { sign, exponent, fraction }: NarrowParts): F.Unpacked {
  const visible = b.shl(b.extendU(b.bool(exponent)), BigInt(format.fraction));
  const significand = b.or(fraction, visible);
  const shift = b.clz(significand);
  const counted = b.add(b.select(exponent, exponent, 1), biasDifference(format) + 63 - format.fraction);
  return { sign, exponent: b.sub(counted, b.wrap(shift)), significand: b.shl(significand, shift) };
}

/**
 * (bits) → the same number in 80 bits; DENORMAL if it was one. A signalling NaN stays as it is, for the operation that is to
 * meet it; when `quieting`, it becomes quiet and is INVALID.
 */
const widen = (format: Narrow, quieting: boolean): Routine =>
  F.floatRoutine(
    `f80Of${NAMES[format.name]}${quieting ? '' : 'Operand'}`,
    [typeOf(format)],
    ['i64', 'i32'],
    (b, given) => {
      const bits = format.bits === 32 ? b.extendU(given) : given;
      const parts = narrowParts(b, format, bits);
      const { sign, exponent, fraction } = parts;
      const shift = BigInt(63 - format.fraction);
      const aligned = b.or(b.shl(fraction, shift), F.TOP_BIT);
      b.when(b.ltU(b.sub(exponent, 1), format.exponentMask - 1), () => {
        b.return(aligned, F.packWord(b, sign, b.add(exponent, biasDifference(format)), 0));
      });
      b.when(exponent, () => {
        if (!quieting) b.return(aligned, F.packWord(b, sign, F.EXPONENT_MASK, 0));
        const nan = b.ne(fraction, 0n);
        const signals = b.and(nan, b.eqz(b.and(fraction, quietBit(format))));
        const quiet = b.shl(b.extendU(nan), 62n);
        b.return(b.or(aligned, quiet), F.packWord(b, sign, F.EXPONENT_MASK, signals));
      });
      b.when(b.eqz(fraction), () => b.return(fraction, F.packWord(b, sign, 0, 0)));
      const number = normaliseNarrow(b, format, parts);
      b.return(number.significand, F.packWord(b, sign, number.exponent, F.DENORMAL));
    },
  );

export const f80OfF32 = widen(F32, true);
export const f80OfF64 = widen(F64, true);
export const f80OfF32Operand = widen(F32, false);
export const f80OfF64Operand = widen(F64, false);

/** The NaN `significand` of 80 bits in a narrow format, made quiet. */
export const narrowNaN = (b: Builder, format: Narrow, sign: Value, significand: Value): Value =>
  packNarrow(
    b,
    format,
    sign,
    b.i32(format.exponentMask),
    b.shrU(b.or(significand, F.QUIET_BIT), BigInt(63 - format.fraction)),
  );

/** (significand, sign and exponent, mode) → what narrow takes that is no normal number or does not round simply. */
const narrowSpecial = (format: Narrow, round: Routine): Routine =>
  F.floatRoutine(`${format.name}OfF80Special`, ['i64', 'i32', 'i32'], ['i64', 'i32'], (b, significand, word, mode) => {
    const [sign, exponent] = [C.signOf(b, word), C.exponentOf(b, word)];
    b.when(C.isNoNumber(b, exponent, significand), () => {
      b.when(C.isUnsupported(b, exponent, significand), () => {
        b.return(narrowNaN(b, format, b.i32(1), b.i64(F.INDEFINITE_SIGNIFICAND)), b.i32(F.INVALID));
      });
      b.return(narrowNaN(b, format, sign, significand), C.isSignalling(b, exponent, significand));
    });
    b.when(C.isInfinite(b, exponent), () => {
      b.return(packNarrow(b, format, sign, b.i32(format.exponentMask), b.i64(0)), b.i32(0));
    });
    b.when(b.eqz(significand), () => b.return(packNarrow(b, format, sign, b.i32(0), b.i64(0)), b.i32(0)));
    const number = C.normalise(b, word, significand);
    b.return(...F.callPair(b, round, sign, number.exponent, number.significand, 0n, mode));
  });

/** (significand, sign and exponent, mode) → (the number in the narrow format, as an i64; flags). */
const narrow = (format: Narrow, round: Routine): Routine => {
  const special = narrowSpecial(format, round);
  return F.floatRoutine(`${format.name}OfF80`, ['i64', 'i32', 'i32'], ['i64', 'i32'], (b, significand, word, mode) => {
    const exponent = C.exponentOf(b, word);
    const inside = b.ltU(b.sub(exponent, format.least), format.exponentMask - 2);
    const nearest = b.eqz(b.and(mode, 3 << F.ROUNDING_SHIFT));
    b.when(b.and(b.and(inside, nearest), F.topBit(b, significand)), () => {
      const dropped = BigInt(63 - format.fraction);
      const rest = b.shl(significand, BigInt(format.fraction + 1));
      const kept = b.shrU(significand, dropped);
      const odd = b.wrap(b.and(kept, 1n));
      const up = b.and(F.topBit(b, rest), b.or(odd, b.ne(b.shl(rest, 1n), 0n)));
      const packed = packNarrow(b, format, C.signOf(b, word), b.sub(exponent, biasDifference(format)), kept);
      // Rounding up may run over into the exponent: just what it should do.
      const flags = b.or(b.select(b.ne(rest, 0n), F.PRECISION, 0), b.shl(up, 9));
      b.return(b.add(packed, b.extendU(up)), flags);
    });
    b.return(...F.callPair(b, special, significand, word, mode));
  });
};

export const f32OfF80 = narrow(F32, f32Round);
export const f64OfF80 = narrow(F64, f64Round);

/** (signed integer) → 80 bits, which hold all of them. */
export const f80OfInteger = F.floatRoutine('f80OfInteger', ['i64'], ['i64', 'i32'], (b, value) => {
  b.when(b.eqz(value), () => b.return(value, b.i32(0)));
  const negative = F.topBit(b, value);
  const magnitude = b.select(negative, b.sub(0n, value), value);
  const shift = b.clz(magnitude);
  b.return(b.shl(magnitude, shift), F.packWord(b, negative, b.sub(F.BIAS + 63, b.wrap(shift)), 0));
});

/**
 * The integer part of a finite number in [0, 2^64), rounded: `exponent` less than BIAS + 64.
 * Gives the magnitude, what was cut off as 64 bits behind the point, and whether it was rounded up.
 */
export function roundToInteger(
  b: Builder,
  { sign, exponent, significand }: F.Unpacked,
  rounding: Value,
): { magnitude: Value; rest: Value; up: Value } {
  // 1 … 63 bits to drop, 0, or all 64 and more.
  const drop = b.sub(F.BIAS + 63, exponent);
  const n = b.extendU(drop);
  const few = b.ltS(drop, 64);
  const whole = b.select(few, b.shrU(significand, n), 0n);
  const cutOff = b.select(
    few,
    b.shl(b.shl(significand, 1n), b.sub(63n, n)),
    b.select(b.eq(drop, 64), significand, b.extendU(b.ne(significand, 0n))),
  );
  const up = roundsUp(b, rounding, sign, b.wrap(b.and(whole, 1n)), cutOff);
  return { magnitude: b.add(whole, b.extendU(up)), rest: cutOff, up };
}

/**
 * (significand, sign and exponent, mode, bits: 16, 32 or 64) → (signed integer; flags). What does not fit is INVALID and
 * gives the smallest integer.
 */
export const integerOfF80 = F.floatRoutine(
  'integerOfF80',
  ['i64', 'i32', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, significand, word, mode, bits) => {
    const [sign, exponent] = [C.signOf(b, word), C.exponentOf(b, word)];
    const least = b.shrS(b.i64(F.TOP_BIT), b.extendU(b.sub(64, bits)));
    const invalid = (): void => b.return(least, b.i32(F.INVALID));
    b.when(b.or(b.geU(exponent, F.BIAS + 64), C.isUnsupported(b, exponent, significand)), invalid);
    const { magnitude, rest, up } = roundToInteger(b, { sign, exponent, significand }, F.rounding(b, mode));
    const most = b.add(b.not(least), b.extendU(sign));
    b.when(b.gtU(magnitude, most), invalid);
    // Rounded up from 2^64 − ½ it has run over.
    b.when(b.and(up, b.eqz(magnitude)), invalid);
    const flags = b.or(b.select(b.ne(rest, 0n), F.PRECISION, 0), b.shl(up, 9));
    b.return(b.select(sign, b.sub(0n, magnitude), magnitude), flags);
  },
);

/** (significand, sign and exponent, mode) → the number without its fraction: frndint. */
export const f80RoundToInteger = F.floatRoutine(
  'f80RoundToInteger',
  ['i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, significand, word, mode) => {
    const [sign, exponent] = [C.signOf(b, word), C.exponentOf(b, word)];
    b.when(C.isNoNumber(b, exponent, significand), () => {
      b.return(...F.callPair(b, C.f80Propagate, significand, word, significand, word));
    });
    b.when(b.or(b.geU(exponent, F.BIAS + 63), C.isZero(b, exponent, significand)), () => b.return(significand, word));
    const { magnitude, rest, up } = roundToInteger(b, { sign, exponent, significand }, F.rounding(b, mode));
    const denormal = b.select(exponent, 0, F.DENORMAL);
    const flags = b.or(b.or(b.select(b.ne(rest, 0n), F.PRECISION, 0), b.shl(up, 9)), denormal);
    const shift = b.clz(magnitude);
    const result = b.select(b.eqz(magnitude), 0, b.sub(F.BIAS + 63, b.wrap(shift)));
    b.return(b.shl(magnitude, shift), F.packWord(b, sign, result, flags));
  },
);
