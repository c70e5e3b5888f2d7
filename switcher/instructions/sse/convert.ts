// Conversions: between the two formats, and between them and integers of 32 bits in lanes, general and MMX registers.
import type { Builder } from '../../language/builder.js';
import type { Routine, Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import { callPair, floatRoutine } from '../float/format.js';
import * as Exact from '../float/sse-convert.js';
import { asVector, checkMmx, readMmxOperand, writeMmxOperand } from '../mmx/operand.js';
import { markMmx } from '../x87/mmx-state.js';
import { inexactIsKnown, isUsual, mxcsr, roundsToNearest } from './exceptions.js';
import { DOUBLE, type Format, everywhere, laneOf, readScalar, SINGLE, withLowest } from './format.js';
import { inEachLane } from './lanes.js';
import { checkSse, doubleword, quadword, readQuadword, readVector, withQuadword, zeroVector } from './operand.js';
import { lowestOrExactly, orExactly } from './or-exactly.js';
import { absolute, both, either, inAllLanes, isOrdered, lanesUpTo, magnitude, orderedLanes } from './quick.js';

// ---------------------------------------------------------------- integers to floating point

/** Two integers from an MMX register or from memory; only the register makes it an MMX instruction. */
function readTwoIntegers(b: Builder, from: Parameters<typeof readMmxOperand>[1]): Value {
  if (from.kind === 'mmx') checkMmx(b);
  else checkSse(b);
  const value = readMmxOperand(b, from);
  if (from.kind === 'mmx') markMmx(b);
  return asVector(b, value);
}

// Every integer of 32 bits is a double.
define('cvtsi2sd', (b, [to, from]) => {
  checkSse(b);
  const value = b.apply('f64.convert_i32_s', [from.read()]);
  to.write(withLowest(b, DOUBLE, to.read(), value));
});

define('cvtdq2pd', (b, [to, from]) => {
  checkSse(b);
  to.write(b.apply('f64x2.convert_low_i32x4_s', [asVector(b, readQuadword(b, from))]));
});

define('cvtpi2pd', (b, [to, from]) => {
  to.write(b.apply('f64x2.convert_low_i32x4_s', [readTwoIntegers(b, from)]));
});

define('cvtsi2ss', (b, [to, from]) => {
  checkSse(b);
  const value = from.read();
  const vector = to.read();
  const result = withLowest(b, SINGLE, vector, b.apply('f32.convert_i32_s', [value]));
  to.write(lowestOrExactly(b, SINGLE, isUsual(b), result, vector, Exact.f32OfIntegerSse, [value, mxcsr(b)]));
});

/** (integers) → (singles, flags), in all four lanes. */
const singlesOfIntegers = floatRoutine('singlesOfIntegers', ['v128'], ['v128', 'i32'], (b, values) => {
  const mode = mxcsr(b);
  b.return(
    ...inEachLane(b, SINGLE, values, SINGLE.lanes, (lane) =>
      callPair(b, Exact.f32OfIntegerSse, doubleword(b, values, lane), mode),
    ),
  );
});

const toSingles = (b: Builder, values: Value): Value =>
  orExactly(b, isUsual(b), b.apply('f32x4.convert_i32x4_s', [values]), singlesOfIntegers, [values]);

define('cvtdq2ps', (b, [to, from]) => {
  checkSse(b);
  to.write(toSingles(b, readVector(b, from)));
});

define('cvtpi2ps', (b, [to, from]) => {
  // Twice the same two: what their second half meets, the first has met.
  const singles = toSingles(b, readTwoIntegers(b, from));
  to.write(withQuadword(b, to.read(), 0, quadword(b, singles, 0)));
});

// ---------------------------------------------------------------- floating point to integers

/** What is no longer an integer of 32 bits. The smallest one is as large, and is left to the exact routine. */
const TOO_LARGE = 2 ** 31;

/** (numbers, 1 to chop) → (integers in the low lanes and 0 above, flags). */
const integersOf = (format: Format, exact: Routine): Routine =>
  floatRoutine(`integersOf${format.shape}`, ['v128', 'i32'], ['v128', 'i32'], (b, numbers, chop) => {
    const mode = mxcsr(b);
    b.return(
      ...inEachLane(b, SINGLE, zeroVector(b), format.lanes, (lane) =>
        callPair(b, exact, laneOf(b, format, numbers, lane), mode, chop),
      ),
    );
  });

const integersOfSingles = integersOf(SINGLE, Exact.integerOfF32Sse);
const integersOfDoubles = integersOf(DOUBLE, Exact.integerOfF64Sse);

/** The integers of all lanes of `numbers`, those of doubles in the low half and 0 above. */
function toIntegers(b: Builder, format: Format, numbers: Value, chop: boolean): Value {
  const [truncate, convert, exact] =
    format === SINGLE
      ? (['i32x4.trunc_sat_f32x4_s', 'f32x4.convert_i32x4_s', integersOfSingles] as const)
      : (['i32x4.trunc_sat_f64x2_s_zero', 'f64x2.convert_low_i32x4_s', integersOfDoubles] as const);
  const rounded = chop ? numbers : b.apply(`${format.shape}.nearest`, [numbers]);
  const integers = b.apply(truncate, [rounded]);
  const size = absolute(b, format, rounded);
  const fits = inAllLanes(b, format, b.apply(`${format.shape}.lt`, [size, everywhere(b, format, TOO_LARGE)]));
  const same = inAllLanes(b, format, b.apply(`${format.shape}.eq`, [numbers, b.apply(convert, [integers])]));
  const quick = b.and(fits, b.or(same, inexactIsKnown(b)));
  return orExactly(b, chop ? quick : b.and(quick, roundsToNearest(b)), integers, exact, [numbers, b.i32(chop ? 1 : 0)]);
}

for (const [mnemonic, format, chop] of [
  ['cvtps2dq', SINGLE, false],
  ['cvttps2dq', SINGLE, true],
  ['cvtpd2dq', DOUBLE, false],
  ['cvttpd2dq', DOUBLE, true],
] as const) {
  define(mnemonic, (b, [to, from]) => {
    checkSse(b);
    to.write(toIntegers(b, format, readVector(b, from), chop));
  });
}

for (const [mnemonic, format, chop] of [
  ['cvtps2pi', SINGLE, false],
  ['cvttps2pi', SINGLE, true],
  ['cvtpd2pi', DOUBLE, false],
  ['cvttpd2pi', DOUBLE, true],
] as const) {
  define(mnemonic, (b, [to, from]) => {
    checkMmx(b);
    // Two singles stand for four.
    const numbers = format === SINGLE ? asVector(b, readQuadword(b, from)) : readVector(b, from);
    writeMmxOperand(b, to, quadword(b, toIntegers(b, format, numbers, chop), 0));
  });
}

for (const [mnemonic, format, exact, chop] of [
  ['cvtss2si', SINGLE, Exact.integerOfF32Sse, false],
  ['cvttss2si', SINGLE, Exact.integerOfF32Sse, true],
  ['cvtsd2si', DOUBLE, Exact.integerOfF64Sse, false],
  ['cvttsd2si', DOUBLE, Exact.integerOfF64Sse, true],
] as const) {
  const { float } = format;
  define(mnemonic, (b, [to, from]) => {
    checkSse(b);
    const { bits, float: number } = readScalar(b, format, from);
    const rounded = chop ? number : b.apply(`${float}.nearest`, [number]);
    const integer = b.apply(`i32.trunc_sat_${float}_s`, [rounded]);
    const fits = b.apply(`${float}.lt`, [b.apply(`${float}.abs`, [rounded]), TOO_LARGE]);
    const same = b.apply(`${float}.eq`, [number, b.apply(`${float}.convert_i32_s`, [integer])]);
    const quick = b.and(fits, b.or(same, inexactIsKnown(b)));
    const usual = chop ? quick : b.and(quick, roundsToNearest(b));
    to.write(orExactly(b, usual, integer, exact, [bits, mxcsr(b), b.i32(chop ? 1 : 0)]));
  });
}

// ---------------------------------------------------------------- between the formats

define('cvtss2sd', (b, [to, from]) => {
  checkSse(b);
  const { bits, float } = readScalar(b, SINGLE, from);
  const vector = to.read();
  const result = withLowest(b, DOUBLE, vector, b.apply('f64.promote_f32', [float]));
  const quick = isOrdered(b, SINGLE, magnitude(b, bits));
  to.write(lowestOrExactly(b, DOUBLE, quick, result, vector, Exact.f64OfF32Sse, [bits, mxcsr(b)]));
});

const doublesOfSingles = floatRoutine('doublesOfSingles', ['v128'], ['v128', 'i32'], (b, singles) => {
  const mode = mxcsr(b);
  b.return(
    ...inEachLane(b, DOUBLE, singles, DOUBLE.lanes, (lane) =>
      callPair(b, Exact.f64OfF32Sse, doubleword(b, singles, lane), mode),
    ),
  );
});

define('cvtps2pd', (b, [to, from]) => {
  checkSse(b);
  const singles = asVector(b, readQuadword(b, from));
  const quick = inAllLanes(b, SINGLE, orderedLanes(b, SINGLE, singles));
  to.write(orExactly(b, quick, b.apply('f64x2.promote_low_f32x4', [singles]), doublesOfSingles, [singles]));
});

define('cvtsd2ss', (b, [to, from]) => {
  checkSse(b);
  const { bits, float } = readScalar(b, DOUBLE, from);
  const vector = to.read();
  const size = b.apply('f64.abs', [float]);
  const normal = b.and(b.apply('f64.gt', [size, SINGLE.least]), b.apply('f64.le', [size, SINGLE.most]));
  const quick = b.and(isUsual(b), b.or(normal, b.apply('f64.eq', [float, 0])));
  const result = withLowest(b, SINGLE, vector, b.apply('f32.demote_f64', [float]));
  to.write(lowestOrExactly(b, SINGLE, quick, result, vector, Exact.f32OfF64Sse, [bits, mxcsr(b)]));
});

const singlesOfDoubles = floatRoutine('singlesOfDoubles', ['v128'], ['v128', 'i32'], (b, doubles) => {
  const mode = mxcsr(b);
  b.return(
    ...inEachLane(b, SINGLE, zeroVector(b), DOUBLE.lanes, (lane) =>
      callPair(b, Exact.f32OfF64Sse, quadword(b, doubles, lane === 0 ? 0 : 1), mode),
    ),
  );
});

define('cvtpd2ps', (b, [to, from]) => {
  checkSse(b);
  const doubles = readVector(b, from);
  const large = b.apply('f64x2.gt', [absolute(b, DOUBLE, doubles), everywhere(b, DOUBLE, SINGLE.least)]);
  const normal = both(b, large, lanesUpTo(b, DOUBLE, doubles, SINGLE.most));
  const good = either(b, normal, b.apply('f64x2.eq', [doubles, zeroVector(b)]));
  const quick = b.and(isUsual(b), inAllLanes(b, DOUBLE, good));
  to.write(orExactly(b, quick, b.apply('f32x4.demote_f64x2_zero', [doubles]), singlesOfDoubles, [doubles]));
});
