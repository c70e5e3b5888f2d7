// Comparisons of floating-point lanes: cmp… by predicate, comis ucomis into EFLAGS, min and max.
import type { Builder } from '../../language/builder.js';
import { wordsOfRelation } from '../../language/flags.js';
import type { Routine, Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import { callPair, EXCEPTIONS, floatRoutine } from '../float/format.js';
import * as Exact from '../float/sse-compare.js';
import { mxcsr, settle } from './exceptions.js';
import { DOUBLE, type Format, KINDS, laneOf, lowest, readScalar, SINGLE, withLane, withLowest } from './format.js';
import { oneInPlace, unlessPlain } from './in-place.js';
import { inEachLane, lanesOfTwo } from './lanes.js';
import { checkSse, readVector } from './operand.js';
import { lowestOrExactly, orExactly } from './or-exactly.js';
import { both, either, inAllLanes, isOrdered, magnitude, orderedLanes } from './quick.js';

/** 1 if two lanes, as bits, compare without a word. */
const areOrdered = (b: Builder, format: Format, x: Value, y: Value): Value =>
  b.and(isOrdered(b, format, magnitude(b, x)), isOrdered(b, format, magnitude(b, y)));

const allAreOrdered = (b: Builder, format: Format, x: Value, y: Value): Value =>
  inAllLanes(b, format, both(b, orderedLanes(b, format, x), orderedLanes(b, format, y)));

// ---------------------------------------------------------------- minimum and maximum

for (const { suffix, format, isPacked } of KINDS) {
  const [minimum, maximum] =
    format === SINGLE ? [Exact.f32MinimumSse, Exact.f32MaximumSse] : [Exact.f64MinimumSse, Exact.f64MaximumSse];
  for (const [name, exact] of [
    ['min', minimum],
    ['max', maximum],
  ] as const) {
    const mnemonic = `${name}${suffix}`;
    const exactly = isPacked ? lanesOfTwo(mnemonic, format, exact) : exact;
    define(mnemonic, (b, [to, from]) => {
      checkSse(b);
      if (isPacked) {
        const y = readVector(b, from);
        const x = to.read();
        // pmin(a, b) is `b < a ? b : a`: the first operand only if it is truly less.
        const result = b.apply(`${format.shape}.p${name}`, [y, x]);
        to.write(orExactly(b, allAreOrdered(b, format, x, y), result, exactly, [x, y]));
      } else {
        const y = readScalar(b, format, from);
        const vector = to.read();
        const x = lowest(b, format, vector);
        // The other lanes are compared with themselves, and stay what they are.
        const result = b.apply(`${format.shape}.p${name}`, [withLowest(b, format, vector, y.float), vector]);
        const looked = (): void => {
          const quick = areOrdered(b, format, x.bits, y.bits);
          to.write(lowestOrExactly(b, format, quick, result, vector, exactly, [x.bits, y.bits, mxcsr(b)]));
        };
        if (format === DOUBLE) b.inPlace(() => to.write(oneInPlace(b, exactly, result, vector, y)), looked);
        else looked();
      }
    });
  }
}

// ---------------------------------------------------------------- into EFLAGS

for (const { suffix, format, isPacked } of KINDS) {
  if (isPacked) continue;
  const exact = format === SINGLE ? Exact.f32CompareSse : Exact.f64CompareSse;
  define([`comi${suffix}`, `ucomi${suffix}`], (b, [left, right], { mnemonic }) => {
    checkSse(b);
    const y = readScalar(b, format, right);
    const x = lowest(b, format, left.read());
    const relation = (name: string): Value => b.apply(`${format.float}.${name}`, [x.float, y.float]);
    const ordered = wordsOfRelation(b, { zf: relation('eq'), pf: b.i32(0), cf: relation('lt') });
    const result = b.variable('i32', ordered.result);
    const aux = b.variable('i32', ordered.aux);
    const exactly = (): void => {
      const quiet = mnemonic.startsWith('u') ? 1 : 0;
      const word = b.call(exact, x.bits, y.bits, mxcsr(b), quiet);
      settle(b, b.and(word, EXCEPTIONS));
      const is = (bit: number): Value => b.bool(b.and(word, bit));
      const words = wordsOfRelation(b, { zf: is(Exact.EQUAL), pf: is(Exact.UNORDERED_BIT), cf: is(Exact.BELOW) });
      b.set(result, words.result);
      b.set(aux, words.aux);
    };
    const looked = (): void => b.whenSeldom(b.eqz(areOrdered(b, format, x.bits, y.bits)), exactly);
    if (format === DOUBLE) b.inPlace(() => unlessPlain(b, x.bits, y.bits, looked), looked);
    else looked();
    b.setFlagWords(b.get(result), b.get(aux));
  });
}

// ---------------------------------------------------------------- by predicate

// The predicate is in the immediate: eq, lt, le, unord, and with bit 2 their opposites. These words have a bit for each of
// the four: whether being equal, less or unordered makes it true, and whether a quiet NaN is no matter.
const TRUE_IF_EQUAL = 0b0101;
const TRUE_IF_LESS = 0b0110;
const TRUE_IF_UNORDERED = 0b1000;
const QUIET = 0b1001;

/** The bit of `table` that belongs to the predicate. */
const lookUp = (b: Builder, table: number, predicate: Value): Value =>
  b.and(b.shrU(b.i32(table), b.and(predicate, 3)), 1);

const isOpposite = (b: Builder, predicate: Value): Value => b.and(b.shrU(predicate, 2), 1);

/** All ones or all zeros, as a lane, for a relation whose parts are 0 or 1 each. */
function laneMask(b: Builder, format: Format, predicate: Value, parts: readonly (readonly [Value, number])[]): Value {
  const holds = parts
    .map(([part, table]) => b.and(part, lookUp(b, table, predicate)))
    .reduce((all, part) => b.or(all, part));
  const mask = b.sub(0, b.xor(holds, isOpposite(b, predicate)));
  return format.bits === 32 ? mask : b.extendS(mask);
}

/** (x, y, predicate, MXCSR) → (mask, flags), for one lane. */
const comparedLane = (format: Format): Routine =>
  floatRoutine(
    `${format.float}ComparedLane`,
    [format.integer, format.integer, 'i32', 'i32'],
    [format.integer, 'i32'],
    (b, x, y, predicate, mode) => {
      const compare = format === SINGLE ? Exact.f32CompareSse : Exact.f64CompareSse;
      const word = b.call(compare, x, y, mode, lookUp(b, QUIET, predicate));
      const unordered = b.bool(b.and(word, Exact.UNORDERED_BIT));
      const is = (bit: number): Value => b.gtU(b.bool(b.and(word, bit)), unordered);
      const mask = laneMask(b, format, predicate, [
        [is(Exact.EQUAL), TRUE_IF_EQUAL],
        [is(Exact.BELOW), TRUE_IF_LESS],
        [unordered, TRUE_IF_UNORDERED],
      ]);
      b.return(mask, b.and(word, EXCEPTIONS));
    },
  );

/** (x, y, predicate) → (masks, flags), for all lanes. */
const comparedLanes = (format: Format, one: Routine): Routine =>
  floatRoutine(`${format.shape}ComparedLanes`, ['v128', 'v128', 'i32'], ['v128', 'i32'], (b, x, y, predicate) => {
    const mode = mxcsr(b);
    const results = inEachLane(b, format, x, format.lanes, (lane) =>
      callPair(b, one, laneOf(b, format, x, lane), laneOf(b, format, y, lane), predicate, mode),
    );
    b.return(...results);
  });

/** The masks of lanes that are all ordered. */
function vectorMask(b: Builder, format: Format, predicate: Value, x: Value, y: Value): Value {
  const all = (bit: Value): Value => b.apply('i32x4.splat', [b.sub(0, bit)]);
  const part = (relation: string, table: number): Value =>
    both(b, b.apply(`${format.shape}.${relation}`, [x, y]), all(lookUp(b, table, predicate)));
  const holds = either(b, part('eq', TRUE_IF_EQUAL), part('lt', TRUE_IF_LESS));
  return b.apply('v128.xor', [holds, all(isOpposite(b, predicate))]);
}

for (const format of [SINGLE, DOUBLE]) {
  const [packed, scalar] = format === SINGLE ? ['cmpps', 'cmpss'] : ['cmppd', 'cmpsd'];
  const one = comparedLane(format);
  const all = comparedLanes(format, one);
  define(packed, (b, [to, from, by]) => {
    checkSse(b);
    const y = readVector(b, from);
    const x = to.read();
    const predicate = by.read();
    const masks = vectorMask(b, format, predicate, x, y);
    to.write(orExactly(b, allAreOrdered(b, format, x, y), masks, all, [x, y, predicate]));
  });
  define(scalar, (b, [to, from, by]) => {
    checkSse(b);
    const y = readScalar(b, format, from);
    const vector = to.read();
    const x = lowest(b, format, vector);
    const predicate = by.read();
    const mask = laneMask(b, format, predicate, [
      [b.apply(`${format.float}.eq`, [x.float, y.float]), TRUE_IF_EQUAL],
      [b.apply(`${format.float}.lt`, [x.float, y.float]), TRUE_IF_LESS],
    ]);
    const quick = areOrdered(b, format, x.bits, y.bits);
    const result = orExactly(b, quick, mask, one, [x.bits, y.bits, predicate, mxcsr(b)]);
    to.write(withLane(b, format, vector, 0, result));
  });
}
