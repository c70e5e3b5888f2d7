// Multiplication.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import * as C from './classify.js';
import * as F from './format.js';
import { type Finish, type Outlet, outlet80 } from './outlet.js';
import { finish80 } from './round.js';

const LOW_HALF = 0xffffffffn;

/** The 128-bit product of two unsigned numbers of 64 bits: four products of halves, of which V8 sees in a square that two are one. */
export function multiplyWide(b: Builder, x: Value, y: Value): { high: Value; low: Value } {
  const [xLow, xHigh] = [b.and(x, LOW_HALF), b.shrU(x, 32n)];
  const [yLow, yHigh] = [b.and(y, LOW_HALF), b.shrU(y, 32n)];
  const lowest = b.mul(xLow, yLow);
  const middle = b.add(b.mul(xLow, yHigh), b.shrU(lowest, 32n));
  const middle2 = b.add(b.mul(yLow, xHigh), b.and(middle, LOW_HALF));
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

/** Multiplies any numbers, none of them a NaN or unsupported. */
export function multiplyNumbers(b: Builder, x: F.Float80, y: F.Float80, out: Outlet): void {
  const [expX, expY] = [C.exponentOf(b, x.signExponent), C.exponentOf(b, y.signExponent)];
  const sign = C.signOf(b, b.xor(x.signExponent, y.signExponent));
  const zero = b.or(b.eqz(x.significand), b.eqz(y.significand));
  b.when(b.or(C.isInfinite(b, expX), C.isInfinite(b, expY)), () => {
    b.when(zero, () => out.invalid());
    out.infinity(sign);
  });
  b.when(zero, () => out.zero(sign));
  const [a, c] = [C.normalise(b, x.signExponent, x.significand), C.normalise(b, y.signExponent, y.significand)];
  multiplyExactly(b, a, c, out.number);
}

const f80MultiplySpecial = F.floatRoutine(
  'f80MultiplySpecial',
  ['i64', 'i32', 'i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, sigA, wordA, sigB, wordB, mode) => {
    const [x, y] = [
      { significand: sigA, signExponent: wordA },
      { significand: sigB, signExponent: wordB },
    ];
    multiplyNumbers(b, x, y, outlet80(b, x, y, mode));
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
