// Sine, cosine, tangent, arc tangent.
import {
  arcSeries,
  bitLength,
  CONSTANT_PLACES,
  lazyTable,
  magnitude,
  type Operand,
  pi,
  PRECISION,
  type Real,
  rescale,
} from './fixed-point.js';

/**
 * π as the x87 has it, to 66 bits. Real processors reduce by this, and so the sine of a large number, or of one close to a
 * multiple of π, is not what mathematics says; programs may have come to expect it.
 */
const PI_66 = 0xc90fdaa22168c234cn;
/** PI_66 is π/2 with so many binary places. */
const HALF_PI_PLACES = 67;

/** Below 2^−SMALL, sin x and tan x are x and cos x is 1 as far as 64 bits can tell, but not exactly. */
const SMALL = 35;
const STICKY_PLACES = 70;

/** What is left of an angle, at most π/4, and in which quarter of the circle it was. */
interface Reduced {
  readonly rest: bigint;
  readonly places: number;
  readonly quarter: number;
}

function reduce({ significand, exponent }: Operand): Reduced {
  if (exponent < -1) {
    const places = PRECISION - exponent;
    return { rest: significand << BigInt(places - 63 + exponent), places, quarter: 0 };
  }
  const angle = significand << BigInt(exponent + HALF_PI_PLACES - 63);
  const nearest = (2n * angle + PI_66) / (2n * PI_66);
  const rest = angle - nearest * PI_66;
  const places = PRECISION + HALF_PI_PLACES - bitLength(magnitude(rest));
  return { rest: rest << BigInt(places - HALF_PI_PLACES), places, quarter: Number(nearest & 3n) };
}

/** 1 − x²/(a+1)(a+2) + x⁴/(a+1)(a+2)(a+3)(a+4) − …, times `first`: cosine for a = 0, sine for a = 1 and first = x. */
function alternating(x: bigint, places: number, first: bigint, a: bigint): bigint {
  const shift = BigInt(places);
  const square = (x * x) >> shift;
  let term = first;
  let sum = first;
  for (let n = a; term !== 0n; n += 2n) {
    term = -((term * square) >> shift) / ((n + 1n) * (n + 2n));
    sum += term;
  }
  return sum;
}

const sineOf = ({ rest, places }: Reduced): bigint => alternating(rest, places, rest, 1n);
const cosineOf = ({ rest, places }: Reduced): bigint => alternating(rest, places, 1n << BigInt(places), 0n);

const real = (value: bigint, scale: number): Real => ({
  negative: value < 0n,
  value: magnitude(value),
  scale,
  exact: false,
});
const withSign = (x: Operand, result: Real): Real => ({ ...result, negative: result.negative !== x.negative });

/** x itself, but for something too small to be seen: `below` says on which side. */
function almost(significand: bigint, exponent: number, below: boolean): Real {
  const value = (significand << BigInt(STICKY_PLACES)) + (below ? -1n : 1n);
  return real(value, 63 - exponent + STICKY_PLACES);
}

/** |x| < 2^63. */
export function sine(x: Operand): Real {
  if (x.exponent < -SMALL) return withSign(x, almost(x.significand, x.exponent, true));
  const reduced = reduce(x);
  const value = reduced.quarter % 2 === 0 ? sineOf(reduced) : cosineOf(reduced);
  return withSign(x, real(reduced.quarter < 2 ? value : -value, reduced.places));
}

/** |x| < 2^63. */
export function cosine(x: Operand): Real {
  if (x.exponent < -SMALL) return almost(1n << 63n, 0, true);
  const reduced = reduce(x);
  const value = reduced.quarter % 2 === 0 ? cosineOf(reduced) : sineOf(reduced);
  return real(reduced.quarter === 0 || reduced.quarter === 3 ? value : -value, reduced.places);
}

/** |x| < 2^63. */
export function tangent(x: Operand): Real {
  if (x.exponent < -SMALL) return withSign(x, almost(x.significand, x.exponent, false));
  const reduced = reduce(x);
  const shift = BigInt(reduced.places);
  const [s, c] = [sineOf(reduced), cosineOf(reduced)];
  const value = reduced.quarter % 2 === 0 ? (s << shift) / c : -(c << shift) / s;
  return withSign(x, real(value, reduced.places));
}

// ---------------------------------------------------------------- arc tangent

const STEPS = 32n;
const ONE = 1n << BigInt(CONSTANT_PLACES);

/** atan k/32. The difference of two neighbours is the arc tangent of 32/(1024 + k(k−1)). */
const arcTangents = lazyTable((k) => {
  if (k === 0) return 0n;
  const n = BigInt(k);
  const difference = (ONE * STEPS) / (STEPS * STEPS + n * (n - 1n));
  return arcTangents(k - 1) + arcSeries(difference, CONSTANT_PLACES, false);
});

/** atan t, 0 ≤ t ≤ 1. */
function arcTangentOf(t: bigint, places: number): bigint {
  const shift = BigInt(places);
  const k = (t * STEPS + (1n << (shift - 1n))) >> shift;
  // atan t = atan c + atan (t − c)/(1 + tc), with c = k/32 the nearest of the table.
  const small = ((t * STEPS - (k << shift)) << shift) / ((STEPS << shift) + t * k);
  return rescale(arcTangents(Number(k)), CONSTANT_PLACES, places) + arcSeries(small, places, false);
}

/** Beyond a ratio of 2^FAR, an arc tangent is the ratio itself as far as 64 bits can tell. */
const FAR = 80;

/** π · quarters/4, for the infinite and the zero operands of fpatan. */
export const quarterTurns = (quarters: number): Real => real((pi() * BigInt(quarters)) / 4n, CONSTANT_PLACES);

/** The angle of the point (x, y). */
export function arcTangent(y: Operand, x: Operand): Real {
  const steep = y.exponent > x.exponent || (y.exponent === x.exponent && y.significand > x.significand);
  const [small, large] = steep ? [x, y] : [y, x];
  const numerator = small.significand << BigInt(PRECISION);
  const ratio = numerator / large.significand;
  const distance = large.exponent - small.exponent;
  if (distance > FAR && !steep && !x.negative) {
    const below = ratio * large.significand === numerator;
    const value = 2n * ratio + (below ? -1n : 1n);
    return withSign(y, real(value, PRECISION + 1 + distance));
  }
  // Not so far, or to be taken from a multiple of π, where nothing that small is seen.
  const places = PRECISION + Math.min(distance, FAR);
  const angle = distance > FAR ? 1n : arcTangentOf(ratio, places);
  const halfTurn = rescale(pi(), CONSTANT_PLACES, places);
  const first = steep ? halfTurn / 2n - angle : angle;
  return withSign(y, real(x.negative ? halfTurn - first : first, places));
}
