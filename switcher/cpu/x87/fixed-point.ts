// Numbers of any precision, as bigints with a binary point: what the transcendental instructions are computed in.
//
// A value that ends up in 64 bits is computed to 150 and more, so that rounding it once is as good as rounding the true
// value: the two differ for one operand in 2^80.

/** A normalised operand: ± significand · 2^(exponent − 63), the significand with its bit 63 set. */
export interface Operand {
  readonly negative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
}

/** ± value · 2^−scale, value > 0. What is not exact is cut off below. */
export interface Real {
  readonly negative: boolean;
  readonly value: bigint;
  readonly scale: number;
  readonly exact: boolean;
}

/** Bits that a result should have, more than enough. */
export const PRECISION = 150;
/** Binary places of the constants: for the smallest operands that are not treated as infinitely small. */
export const CONSTANT_PLACES = 288;

export const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);

/** How many bits `value` ≥ 0 takes. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const digits = value.toString(16);
  return digits.length * 4 - Math.clz32(Number.parseInt(digits.charAt(0), 16)) + 28;
}

/** `value` with `from` binary places, with `to` of them. */
export const rescale = (value: bigint, from: number, to: number): bigint =>
  to >= from ? value << BigInt(to - from) : value >> BigInt(from - to);

/** Computes a table's entry when it is first wanted. */
export function lazyTable(compute: (index: number) => bigint): (index: number) => bigint {
  const known = new Map<number, bigint>();
  return (index) => {
    let value = known.get(index);
    if (value === undefined) {
      value = compute(index);
      known.set(index, value);
    }
    return value;
  };
}

/** x − x³/3 + x⁵/5 − …, or without the minus signs: the arc tangent, or the hyperbolic one, of a small number. */
export function arcSeries(x: bigint, places: number, hyperbolic: boolean): bigint {
  const shift = BigInt(places);
  const square = (x * x) >> shift;
  let power = x;
  let sum = x;
  for (let n = 3n; ; n += 2n) {
    power = (power * square) >> shift;
    const term = magnitude(power) / n;
    if (term === 0n) return sum;
    const negative = power < 0n !== (!hyperbolic && n % 4n === 3n);
    sum += negative ? -term : term;
  }
}

const memoise = (compute: () => bigint): (() => bigint) => {
  let value: bigint | undefined;
  return () => (value ??= compute());
};

const ONE = 1n << BigInt(CONSTANT_PLACES);

/** π by Machin's formula: 16 atan 1/5 − 4 atan 1/239. */
export const pi = memoise(
  () => 16n * arcSeries(ONE / 5n, CONSTANT_PLACES, false) - 4n * arcSeries(ONE / 239n, CONSTANT_PLACES, false),
);
/** ln 2 = 2 atanh 1/3. */
export const ln2 = memoise(() => 2n * arcSeries(ONE / 3n, CONSTANT_PLACES, true));
/** log₂ e. */
export const log2e = memoise(() => (ONE * ONE) / ln2());
