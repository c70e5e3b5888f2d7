// The square root.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import * as C from './classify.js';
import * as F from './format.js';
import { multiplyWide } from './multiply.js';
import { type Finish, type Outlet, outlet80 } from './outlet.js';

const FRACTION_53 = (1n << 52n) - 1n;

/** A square root in [1, 2) that 53 bits know, as 64 bits: `radicand` is the upper half of what integerRoot takes. */
function guess(b: Builder, radicand: Value): Value {
  // WebAssembly converts signed numbers: one bit less will do for a guess. 2^61 ≤ radicand / 2 < 2^63.
  const x = b.mul(b.apply('f64.convert_i64_s', [b.shrU(radicand, 1n)]), b.f64(2 ** -61));
  const bits = b.apply('i64.reinterpret_f64', [b.apply('f64.sqrt', [x])]);
  const root = b.or(b.shl(b.and(bits, FRACTION_53), 11n), F.TOP_BIT);
  // Just below 2 it may have been rounded up to 2.
  return b.select(b.geU(bits, 0x4000000000000000n), -1n, root);
}

interface Root {
  readonly root: Value;
  /** radicand − root², at most 2 · root, as 128 bits. */
  readonly restHigh: Value;
  readonly restLow: Value;
}

/** radicand · 2^64 − root², as a signed number of 128 bits. */
function remainder(b: Builder, radicandHigh: Value, radicandLow: Value, root: Value): { high: Value; low: Value } {
  const square = multiplyWide(b, root, root);
  const low = b.sub(radicandLow, square.low);
  const borrow = b.extendU(b.ltU(radicandLow, square.low));
  return { high: b.sub(b.sub(radicandHigh, square.high), borrow), low };
}

/** The root, rounded down, of high · 2^64 + low ≥ 2^126, and what is left. */
function integerRoot(b: Builder, high: Value, low: Value): Root {
  const first = guess(b, high);
  // Newton's step by floating point: what is left has less than 80 bits, and 53 of them are more than enough.
  const error = remainder(b, high, low, first);
  const scaled = b.or(b.shl(error.high, 48n), b.shrU(error.low, 16n));
  const divisor = b.apply('f64.convert_i64_s', [b.shrU(first, 1n)]);
  const step = b.apply('f64.div', [b.mul(b.apply('f64.convert_i64_s', [scaled]), b.f64(2 ** 14)), divisor]);
  const better = b.add(first, b.extendS(b.apply('i32.trunc_sat_f64_s', [b.apply('f64.floor', [step])])));
  const root = b.variable('i64', better);
  const rest = remainder(b, high, low, better);
  const restHigh = b.variable('i64', rest.high);
  const restLow = b.variable('i64', rest.low);
  const addToRest = (valueHigh: Value, valueLow: Value): void => {
    const sum = b.add(b.get(restLow), valueLow);
    b.set(restHigh, b.add(b.add(b.get(restHigh), valueHigh), b.extendU(b.ltU(sum, valueLow))));
    b.set(restLow, sum);
  };
  // One too large: (r − 1)² = r² − (2r − 1).
  b.when(b.ltS(b.get(restHigh), 0n), () => {
    const r = b.get(root);
    addToRest(b.shrU(r, 63n), b.sub(b.shl(r, 1n), 1n));
    b.set(root, b.sub(r, 1n));
  });
  // One too small: what is left is more than 2r, and (r + 1)² = r² + 2r + 1.
  const r = b.get(root);
  const [twiceHigh, twiceLow] = [b.shrU(r, 63n), b.shl(r, 1n)];
  const [h, l] = [b.get(restHigh), b.get(restLow)];
  b.when(b.or(b.gtS(h, twiceHigh), b.and(b.eq(h, twiceHigh), b.gtU(l, twiceLow))), () => {
    const nextLow = b.sub(b.sub(l, twiceLow), 1n);
    b.set(restHigh, b.sub(b.sub(h, twiceHigh), b.extendU(b.leU(l, twiceLow))));
    b.set(restLow, nextLow);
    b.set(root, b.add(r, 1n));
  });
  return { root: b.get(root), restHigh: b.get(restHigh), restLow: b.get(restLow) };
}

/** The root of a normalised positive number, with the remainder told as the low word, and finishes. */
export function rootExactly(b: Builder, x: F.Unpacked, finish: Finish): void {
  const even = b.and(x.exponent, 1); // the bias is odd
  const n = b.extendU(even);
  const { root, restHigh, restLow } = integerRoot(b, b.shrU(x.significand, n), b.shl(b.and(x.significand, n), 63n));
  // Half of the last place more would be (r + ½)² = r² + r + ¼.
  const more = b.or(b.ne(restHigh, 0n), b.gtU(restLow, root));
  const some = b.or(b.ne(restHigh, 0n), b.ne(restLow, 0n));
  const low = b.or(b.shl(b.extendU(more), 63n), b.extendU(some));
  const exponent = b.add(b.shrS(b.sub(x.exponent, F.BIAS), 1), F.BIAS);
  finish(b.i32(0), exponent, root, low);
}

/** The root of any number that is no NaN and not unsupported. */
export function rootOfNumber(b: Builder, x: F.Float80, out: Outlet): void {
  const sign = C.signOf(b, x.signExponent);
  b.when(b.eqz(x.significand), () => out.zero(sign));
  b.when(sign, () => out.invalid());
  b.when(C.isInfinite(b, C.exponentOf(b, x.signExponent)), () => out.infinity(sign));
  rootExactly(b, C.normalise(b, x.signExponent, x.significand), out.number);
}

/** (significand, sign and exponent, mode) → the square root. */
export const f80SquareRoot = F.floatRoutine(
  'f80SquareRoot',
  ['i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, significand, signExponent, mode) => {
    const x = { significand, signExponent };
    rootOfNumber(b, x, outlet80(b, x, x, mode));
  },
);
