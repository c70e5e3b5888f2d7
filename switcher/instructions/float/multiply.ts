// Multiplication.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { type Finish, f80RoundUsual } from './add.js';
import * as C from './classify.js';
import * as F from './format.js';
import { finish80 } from './round.js';

const LOW_HALF = 0xffffffffn;

/** The 128-bit product of two unsigned numbers of 64 bits: four products of halves. */
export function multiplyWide(b: Builder, x: Value, y: Value): { high: Value; low: Value } {
  const [xLow, xHigh] = [b.and(x, LOW_HALF), b.shrU(x, 32n)];
  const [yLow, yHigh] = [b.and(y, LOW_HALF), b.shrU(y, 32n)];
  const lowest = b.mul(xLow, yLow);
  const middle = b.add(b.mul(xLow, yHigh), b.shrU(lowest, 32n));
  const middle2 = b.add(b.mul(xHigh, yLow), b.and(middle, LOW_HALF));
  const high = b.add(b.add(b.mul(xHigh, yHigh), b.shrU(middle, 32n)), b.shrU(middle2, 32n));
  return { high, low: b.or(b.shl(middle2, 32n), b.and(lowest, LOW_HALF)) };
}

/** Multiplies normalised numbers exactly, and finishes. */
export function multiplyExactly(b: Builder, x: F.Unpacked, y: F.Unpacked, finish: Finish): void {
  const product = multiplyWide(b, x.significand, y.significand);
  // The product of two numbers in [1, 2) is in [1, 4).
  const short = b.shrU(b.not(product.high), 63n);
  const high = b.or(b.shl(product.high, short), b.and(b.shrU(product.low, 63n), short));
  const exponent = b.sub(b.sub(b.add(x.exponent, y.exponent), F.BIAS - 1), b.wrap(short));
  finish(b.xor(x.sign, y.sign), exponent, high, b.shl(product.low, short));
}

const f80MultiplySpecial = F.floatRoutine(
  'f80MultiplySpecial',
  ['i64', 'i32', 'i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, sigA, wordA, sigB, wordB, mode) => {
    const [expA, expB] = [C.exponentOf(b, wordA), C.exponentOf(b, wordB)];
    b.when(b.or(C.isNoNumber(b, expA, sigA), C.isNoNumber(b, expB, sigB)), () => {
      b.return(...F.callPair(b, C.f80Propagate, sigA, wordA, sigB, wordB));
    });
    const denormal = b.or(C.isDenormal(b, expA, sigA), C.isDenormal(b, expB, sigB));
    const flags = b.shl(b.select(denormal, F.DENORMAL, 0), F.FLAGS_SHIFT);
    const sign = b.and(b.xor(wordA, wordB), F.SIGN);
    const zero = b.or(b.eqz(sigA), b.eqz(sigB));
    b.when(b.or(C.isInfinite(b, expA), C.isInfinite(b, expB)), () => {
      b.when(zero, () => C.returnIndefinite(b));
      b.return(b.i64(F.TOP_BIT), b.or(b.or(sign, F.EXPONENT_MASK), flags));
    });
    b.when(zero, () => b.return(b.i64(0n), b.or(sign, flags)));
    multiplyExactly(b, C.normalise(b, wordA, sigA), C.normalise(b, wordB, sigB), (s, exponent, high, low) => {
      const [significand, word] = F.callPair(b, f80RoundUsual, s, exponent, high, low, mode);
      b.return(significand, b.or(word, flags));
    });
  },
);

/** (a's significand, its sign and exponent, the same of b, mode) → a · b. */
export const f80Multiply = F.floatRoutine(
  'f80Multiply',
  ['i64', 'i32', 'i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, sigA, wordA, sigB, wordB, mode) => {
    const [expA, expB] = [C.exponentOf(b, wordA), C.exponentOf(b, wordB)];
    b.when(C.bothNormal(b, expA, sigA, expB, sigB), () => {
      const x = { sign: C.signOf(b, wordA), exponent: expA, significand: sigA };
      const y = { sign: C.signOf(b, wordB), exponent: expB, significand: sigB };
      multiplyExactly(b, x, y, (sign, exponent, high, low) => finish80(b, sign, exponent, high, low, mode));
    });
    b.return(...F.callPair(b, f80MultiplySpecial, sigA, wordA, sigB, wordB, mode));
  },
);
