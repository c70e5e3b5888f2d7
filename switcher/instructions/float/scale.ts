// fscale and fxtract: exponents as numbers.
import * as C from './classify.js';
import { f80OfInteger } from './convert.js';
import * as F from './format.js';
import { outlet80 } from './outlet.js';
import { BIAS_ADJUST, f80Round } from './round.js';

/** More than this brings any number out of range. */
const LARGEST_SCALE = 0x10000;
/** What an unmasked overflow or underflow can still bring back into range. */
const LARGEST_EXPONENT = 0x7ffe + BIAS_ADJUST;
const SMALLEST_EXPONENT = 1 - BIAS_ADJUST;

/** (a's significand, its sign and exponent, the same of b, mode) → a · 2^(b without its fraction). */
export const f80Scale = F.floatRoutine(
  'f80Scale',
  ['i64', 'i32', 'i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, sigA, wordA, sigB, wordB, mode) => {
    const [expA, expB] = [C.exponentOf(b, wordA), C.exponentOf(b, wordB)];
    const [a, c] = [
      { significand: sigA, signExponent: wordA },
      { significand: sigB, signExponent: wordB },
    ];
    const out = outlet80(b, a, c, mode);
    const [sign, down] = [C.signOf(b, wordA), C.signOf(b, wordB)];
    const [infinite, zero] = [C.isInfinite(b, expA), b.eqz(sigA)];
    b.when(C.isInfinite(b, expB), () => {
      b.when(b.select(down, infinite, zero), () => out.invalid());
      b.when(down, () => out.zero(sign));
      out.infinity(sign);
    });
    b.when(infinite, () => out.infinity(sign));
    b.when(zero, () => out.zero(sign));
    const x = C.normalise(b, wordA, sigA);
    const below = b.sub(F.BIAS + 63, expB);
    const whole = b.wrap(b.shrU(sigB, b.extendU(below)));
    const inRange = b.select(b.ltU(expB, F.BIAS + 16), whole, LARGEST_SCALE);
    const distance = b.select(b.ltU(expB, F.BIAS), 0, inRange);
    const exponent = b.add(x.exponent, b.select(down, b.sub(0, distance), distance));
    const unmasked = b.not(mode);
    // Beyond that, it is as if it were masked, and rounding to nearest.
    const tooLarge = b.select(b.gtS(exponent, LARGEST_EXPONENT), b.and(unmasked, F.OVERFLOW), 0);
    const tooSmall = b.select(b.ltS(exponent, SMALLEST_EXPONENT), b.and(unmasked, F.UNDERFLOW), 0);
    const beyond = b.or(tooLarge, tooSmall);
    const wide = b.or(mode, F.NEAREST_64);
    const how = b.select(beyond, b.or(b.and(wide, ~(3 << F.ROUNDING_SHIFT)), beyond), wide);
    const denormal = b.or(C.isDenormal(b, expA, sigA), C.isDenormal(b, expB, sigB));
    const [significand, word] = F.callPair(b, f80Round, sign, exponent, x.significand, 0n, how);
    b.return(significand, b.or(word, b.select(denormal, F.DENORMAL << F.FLAGS_SHIFT, 0)));
  },
);

/** (significand, sign and exponent) → the exponent as a number, with the flags of fxtract. */
export const f80ExtractExponent = F.floatRoutine(
  'f80ExtractExponent',
  ['i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, significand, signExponent, mode) => {
    const number = { significand, signExponent };
    const out = outlet80(b, number, number, mode);
    const exponent = C.exponentOf(b, signExponent);
    b.when(C.isInfinite(b, exponent), () => out.infinity(b.i32(0)));
    b.when(b.eqz(significand), () => out.pole(b.i32(1)));
    const x = C.normalise(b, signExponent, significand);
    const flags = b.select(exponent, 0, F.DENORMAL << F.FLAGS_SHIFT);
    const [sig, word] = F.callPair(b, f80OfInteger, b.extendS(b.sub(x.exponent, F.BIAS)));
    b.return(sig, b.or(word, flags));
  },
);

/** (significand, sign and exponent) → the number with an exponent of 0; infinities, zeros and NaNs as they are. */
export const f80ExtractSignificand = F.floatRoutine(
  'f80ExtractSignificand',
  ['i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, significand, signExponent, mode) => {
    const number = { significand, signExponent };
    const out = outlet80(b, number, number, mode);
    const exponent = C.exponentOf(b, signExponent);
    const sign = C.signOf(b, signExponent);
    b.when(C.isInfinite(b, exponent), () => out.infinity(sign));
    b.when(b.eqz(significand), () => out.zero(sign));
    b.return(b.shl(significand, b.clz(significand)), F.packWord(b, sign, F.BIAS, 0));
  },
);
