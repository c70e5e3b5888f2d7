// Arithmetic on doubles as translated code has it: WebAssembly's operator, and a look at the result's exponent.
//
// Nothing can happen to numbers that are neither denormal nor infinite nor NaN (plain ones, zero among them) and whose result
// is none of these, when MXCSR is as usual. Results are looked at each time. That operands are plain is known: what was a
// result before has been looked at, and whatever was not is looked at once. *Trust* says that all that is true, MXCSR
// included; it is a word of translated code, not 0 while there is trust, so that one test finds both a result that needs
// another look and the end of trust. Without trust everything is done as it is elsewhere (see quick and or-exactly), until
// somebody comes by the beginning of the code again.
import * as State from '../../cpu/state.js';
import type { Builder } from '../../language/builder.js';
import type { Routine, Value } from '../../language/nodes.js';
import { callPair } from '../float/format.js';
import { isUsual, mxcsr, settle } from './exceptions.js';
import { asBits, asFloat, DOUBLE, lowest, type Scalar, withLowest } from './format.js';
import {
  areQuick,
  both,
  inAllLanes,
  isOrdered,
  isPlain,
  isQuick,
  lanesUpTo,
  magnitude,
  type Operation,
  orderedLanes,
} from './quick.js';
import { zeroVector } from './operand.js';

const LANES = [0, 1] as const;

/** Adding this makes the largest exponent, and the next one, as small as the smallest two: one mask finds them all. */
export const STEP = 2;
const FRACTION = 52n;

const trust = (b: Builder): Value => b.state(4, State.SSE_TRUST);

/** From here on trust is gone unless `condition`. */
const doubtUnless = (b: Builder, condition: Value): void =>
  b.when(b.eqz(condition), () => b.setState(4, State.SSE_TRUST, 0));

// ---------------------------------------------------------------- one double

const isPlainDouble = (b: Builder, bits: Value): Value => isPlain(b, DOUBLE, magnitude(b, bits));

/** 0 if `mask` has none of the bits of the exponent that are left when it is neither small nor large. */
const exponentIn = (b: Builder, bits: Value, mask: Value | number): Value =>
  b.and(b.add(b.wrap(b.shrU(bits, FRACTION)), STEP), mask);

/** What is in `bits` is plain from here on, or trust is gone. */
function expectPlain(b: Builder, bits: Value): void {
  b.when(b.eqz(b.assured(bits, 0)), () => {
    b.whenSeldom(b.eqz(exponentIn(b, bits, State.TRUSTED_EXPONENTS)), () => doubtUnless(b, isPlainDouble(b, bits)));
  });
  b.assure(bits, 0);
}

/** `float`, unless it needs another look: if `quick` is true then it stands after all, else it is what `exact` gives. */
function checked(
  b: Builder,
  float: Value,
  quick: (bits: Value) => Value,
  exact: Routine,
  args: readonly Value[],
): Value {
  const bits = asBits(b, DOUBLE, float);
  const chosen = b.variable('f64', float);
  b.whenSeldom(b.eqz(exponentIn(b, bits, trust(b))), () => {
    b.when(b.eqz(b.and(isUsual(b), quick(bits))), () => {
      const [exactly, flags] = callPair(b, exact, ...args, mxcsr(b));
      settle(b, flags);
      b.set(chosen, asFloat(b, DOUBLE, exactly));
      doubtUnless(b, isPlainDouble(b, exactly));
    });
  });
  const result = b.get(chosen);
  b.assure(result, 0);
  return result;
}

/** `vector` with the result on its lowest lane and y in that lane. */
export function scalarInPlace(b: Builder, operation: Operation, exact: Routine, vector: Value, y: Scalar): Value {
  const x = lowest(b, DOUBLE, vector);
  expectPlain(b, x.bits);
  expectPlain(b, y.bits);
  const float = b.apply(`f64.${operation}`, [x.float, y.float]);
  const quick = (bits: Value): Value => isQuick(b, DOUBLE, operation, x.bits, y.bits, bits);
  return withLowest(b, DOUBLE, vector, checked(b, float, quick, exact, [x.bits, y.bits]));
}

/** The square root of x in the lowest lane of `vector`. */
export function rootInPlace(b: Builder, exact: Routine, vector: Value, x: Scalar): Value {
  expectPlain(b, x.bits);
  const positive = (): Value => b.and(b.geS(x.bits, 0), isPlainDouble(b, x.bits));
  return withLowest(b, DOUBLE, vector, checked(b, b.apply('f64.sqrt', [x.float]), positive, exact, [x.bits]));
}

/** `otherwise`, unless x and y are plain and there is trust. */
export function unlessPlain(b: Builder, x: Value, y: Value, otherwise: () => void): void {
  expectPlain(b, x);
  expectPlain(b, y);
  b.whenSeldom(b.eqz(trust(b)), otherwise);
}

/** `vector` with the smaller or larger of x, in its lowest lane, and y there: that of `result`, which is right of plain ones. */
export function oneInPlace(b: Builder, exact: Routine, result: Value, vector: Value, y: Scalar): Value {
  const x = lowest(b, DOUBLE, vector);
  const chosen = b.variable('f64', b.apply('f64x2.extract_lane', [result], [0]));
  unlessPlain(b, x.bits, y.bits, () => {
    const ordered = b.and(isOrdered(b, DOUBLE, magnitude(b, x.bits)), isOrdered(b, DOUBLE, magnitude(b, y.bits)));
    b.when(b.eqz(ordered), () => {
      const [exactly, flags] = callPair(b, exact, x.bits, y.bits, mxcsr(b));
      settle(b, flags);
      b.set(chosen, asFloat(b, DOUBLE, exactly));
    });
  });
  const one = b.get(chosen);
  b.assure(one, 0);
  return withLowest(b, DOUBLE, vector, one);
}

// ---------------------------------------------------------------- two doubles

const arePlainDoubles = (b: Builder, vector: Value): Value =>
  inAllLanes(b, DOUBLE, both(b, orderedLanes(b, DOUBLE, vector), lanesUpTo(b, DOUBLE, vector, DOUBLE.most)));

/** The top 16 bits of the halves, where their exponents are, as `i8x16.bitmask` shows them. */
const TOPS = 0x8080;

/** Not 0 if one of the vectors needs another look, or there is no trust; of those that are assured only the first counts. */
function needLook(b: Builder, result: Value, operands: readonly Value[]): Value {
  const [step, mask] = [b.state(16, State.SSE_TRUST_STEP), b.state(16, State.SSE_TRUST_LANES)];
  const exponents = (vector: Value): Value => both(b, b.apply('i64x2.add', [vector, step]), mask);
  const least = operands.reduce((all, operand) => {
    const known = b.and(b.assured(operand, 0), b.assured(operand, 1));
    return b.select(known, all, b.apply('i16x8.min_u', [all, exponents(operand)]));
  }, exponents(result));
  return b.and(b.apply('i8x16.bitmask', [b.apply('i16x8.eq', [least, zeroVector(b)])]), TOPS);
}

/** All lanes of x and y. */
export function packedInPlace(b: Builder, operation: Operation, exact: Routine, x: Value, y: Value): Value {
  const result = b.apply(`f64x2.${operation}`, [x, y]);
  const chosen = b.variable('v128', result);
  b.whenSeldom(needLook(b, result, [x, y]), () => {
    b.when(b.eqz(b.and(isUsual(b), areQuick(b, DOUBLE, operation, x, y, result))), () => {
      const [exactly, flags] = callPair(b, exact, x, y);
      settle(b, flags);
      b.set(chosen, exactly);
    });
    const plain = [x, y, b.get(chosen)].map((vector) => arePlainDoubles(b, vector));
    doubtUnless(
      b,
      plain.reduce((all, one) => b.and(all, one)),
    );
  });
  const checkedResult = b.get(chosen);
  for (const lane of LANES) for (const vector of [x, y, checkedResult]) b.assure(vector, lane);
  return checkedResult;
}
