// Powers of two and logarithms.
import {
  arcSeries,
  bitLength,
  CONSTANT_PLACES,
  lazyTable,
  ln2,
  log2e,
  magnitude,
  type Operand,
  PRECISION,
  type Real,
  rescale,
} from './fixed-point.js';

/** Below 2^−FAR, 2^x − 1 is x ln 2 and log₂(1 + x) is x log₂ e as far as 64 bits can tell. */
const FAR = 100;
const ONE = 1n << BigInt(CONSTANT_PLACES);

/** e^x − 1 for a small x. */
function exponentialSeries(x: bigint, places: number): bigint {
  const shift = BigInt(places);
  let term = x;
  let sum = x;
  for (let n = 2n; term !== 0n && term !== -1n; n++) {
    term = ((term * x) >> shift) / n;
    sum += term;
  }
  return sum;
}

const STEPS = 32;
/** 2^(k/32) */
const powers = lazyTable((k) => ONE + exponentialSeries((ln2() * BigInt(k)) / BigInt(STEPS), CONSTANT_PLACES));

/** `x` times a constant of the above, exponents being what they may. */
const product = (x: Operand, constant: bigint): Real => ({
  negative: x.negative,
  value: x.significand * constant,
  scale: CONSTANT_PLACES + 63 - x.exponent,
  exact: false,
});

/** 2^x − 1, −1 ≤ x ≤ 1. */
export function powerMinusOne(x: Operand): Real {
  if (x.exponent < -FAR) return product(x, ln2());
  const places = PRECISION - Math.min(x.exponent, 0);
  const shift = BigInt(places);
  const size = x.significand << BigInt(places - 63 + x.exponent);
  const value = x.negative ? -size : size;
  const k = (value * BigInt(STEPS) + (1n << (shift - 1n))) >> shift;
  const rest = value - ((k << shift) >> 5n);
  const small = exponentialSeries((rest * rescale(ln2(), CONSTANT_PLACES, places)) >> shift, places);
  const power = rescale(powers(Number(k)), CONSTANT_PLACES, places);
  const result = k === 0n ? small : power + ((power * small) >> shift) - (1n << shift);
  return { negative: x.negative, value: magnitude(result), scale: places, exact: false };
}

const LOG_STEPS = 64;
/** ln k/64 */
const logarithms = lazyTable((k) => {
  const ratio = (ONE * BigInt(k - LOG_STEPS)) / BigInt(k + LOG_STEPS);
  return 2n * arcSeries(ratio, CONSTANT_PLACES, true);
});

/** log₂ of value · 2^−scale; undefined for 1. */
function logarithm(value: bigint, scale: number): Real | undefined {
  const length = bitLength(value);
  // Between √½ and √2, roughly, so that a number near 1 has no whole part.
  const isUpper = length > 1 && value >> BigInt(Math.max(length - 3, 0)) >= 6n;
  const exponent = length - 1 - scale + (isUpper ? 1 : 0);
  const ownPlaces = length - 1 + (isUpper ? 1 : 0);
  const fraction = value - (1n << BigInt(ownPlaces));
  if (fraction === 0n) {
    if (exponent === 0) return undefined;
    return { negative: exponent < 0, value: BigInt(Math.abs(exponent)), scale: 0, exact: true };
  }
  const places = PRECISION + 8 + ownPlaces - bitLength(magnitude(fraction));
  const shift = BigInt(places);
  const m = rescale(value, ownPlaces, places);
  // 1/m to six bits: m · k/64 is near 1.
  const k = Number(((BigInt(LOG_STEPS) << (2n * shift)) / m + (1n << (shift - 1n))) >> shift);
  const near = (m * BigInt(k)) >> 6n;
  const ratio = ((near - (1n << shift)) << shift) / (near + (1n << shift));
  const natural = 2n * arcSeries(ratio, places, true) - rescale(logarithms(k), CONSTANT_PLACES, places);
  const binary = (natural * rescale(log2e(), CONSTANT_PLACES, places)) >> shift;
  const result = binary + (BigInt(exponent) << shift);
  return { negative: result < 0n, value: magnitude(result), scale: places, exact: false };
}

const times = (y: Operand, x: Real): Real => ({
  negative: x.negative !== y.negative,
  value: x.value * y.significand,
  scale: x.scale + 63 - y.exponent,
  exact: x.exact,
});

/** y · log₂ x, x > 0; undefined for x = 1. */
export function timesLogarithm(y: Operand, x: Operand): Real | undefined {
  const log = logarithm(x.significand, 63 - x.exponent);
  return log && times(y, log);
}

/** y · log₂(1 + x), x > −1. */
export function timesLogarithmPlusOne(y: Operand, x: Operand): Real | undefined {
  if (x.exponent < -FAR) return times(y, product(x, log2e()));
  const places = Math.max(63 - x.exponent, 0);
  const size = rescale(x.significand, 63 - x.exponent, places);
  const log = logarithm((1n << BigInt(places)) + (x.negative ? -size : size), places);
  return log && times(y, log);
}
