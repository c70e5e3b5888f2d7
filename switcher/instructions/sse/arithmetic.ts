// Arithmetic on floating-point lanes: add sub mul div sqrt, and SSE3's addsub, hadd, hsub.
//
// Each instruction first does what WebAssembly does, then looks whether that was all there is to it (see quick), and asks
// the exact routines (see float/sse) if not.
import { Bug } from '../../../lib/errors.js';
import type { Builder } from '../../language/builder.js';
import type { Routine, Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import * as Exact from '../float/sse.js';
import { isUsual, mxcsr } from './exceptions.js';
import { asBits, DOUBLE, type Format, KINDS, lowest, readScalar, type Scalar, SINGLE, withLowest } from './format.js';
import { packedInPlace, rootInPlace, scalarInPlace } from './in-place.js';
import { lanesOfOne, lanesOfTwo } from './lanes.js';
import { checkSse, readVector } from './operand.js';
import { lowestOrExactly, orExactly } from './or-exactly.js';
import { areQuick, inAllLanes, isPlain, isQuick, lanesUpTo, magnitude, type Operation, orderedLanes } from './quick.js';

// ---------------------------------------------------------------- two operands

/** `vector` with the result on its lowest lane and y in that lane. */
function scalar(b: Builder, format: Format, operation: Operation, exact: Routine, vector: Value, y: Scalar): Value {
  const x = lowest(b, format, vector);
  const float = b.apply(`${format.float}.${operation}`, [x.float, y.float]);
  const quick = b.and(isUsual(b), isQuick(b, format, operation, x.bits, y.bits, asBits(b, format, float)));
  const result = withLowest(b, format, vector, float);
  return lowestOrExactly(b, format, quick, result, vector, exact, [x.bits, y.bits, mxcsr(b)]);
}

/** Singles are not followed in translated code. */
function inPlaceIfDouble(b: Builder, format: Format, spelledOut: () => void, otherwise: () => void): void {
  if (format === DOUBLE) b.inPlace(spelledOut, otherwise);
  else otherwise();
}

function packed(b: Builder, format: Format, operation: Operation, exact: Routine, x: Value, y: Value): Value {
  const result = b.apply(`${format.shape}.${operation}`, [x, y]);
  const quick = b.and(isUsual(b), areQuick(b, format, operation, x, y, result));
  return orExactly(b, quick, result, exact, [x, y]);
}

const BINARY: readonly (readonly [Operation, single: Routine, double: Routine])[] = [
  ['add', Exact.f32AddSse, Exact.f64AddSse],
  ['sub', Exact.f32SubtractSse, Exact.f64SubtractSse],
  ['mul', Exact.f32MultiplySse, Exact.f64MultiplySse],
  ['div', Exact.f32DivideSse, Exact.f64DivideSse],
];

/** The exact routines of packed instructions, by their mnemonics. */
const packedRoutines = new Map<string, Routine>();

for (const [operation, single, double] of BINARY) {
  for (const { suffix, format, isPacked } of KINDS) {
    const exact = format === SINGLE ? single : double;
    const mnemonic = `${operation}${suffix}`;
    if (isPacked) {
      const exactly = lanesOfTwo(mnemonic, format, exact);
      packedRoutines.set(mnemonic, exactly);
      define(mnemonic, (b, [to, from]) => {
        checkSse(b);
        const y = readVector(b, from);
        const x = to.read();
        inPlaceIfDouble(
          b,
          format,
          () => to.write(packedInPlace(b, operation, exactly, x, y)),
          () => to.write(packed(b, format, operation, exactly, x, y)),
        );
      });
    } else {
      define(mnemonic, (b, [to, from]) => {
        checkSse(b);
        const y = readScalar(b, format, from);
        const x = to.read();
        inPlaceIfDouble(
          b,
          format,
          () => to.write(scalarInPlace(b, operation, exact, x, y)),
          () => to.write(scalar(b, format, operation, exact, x, y)),
        );
      });
    }
  }
}

// ---------------------------------------------------------------- SSE3

/** Signs of the lanes of which addsub takes the difference: the even ones. */
const EVEN_SIGNS = {
  ps: [0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0],
  pd: [0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0],
};
/** Places of the even lanes of two vectors, and of the odd ones. */
const EVEN = {
  ps: [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27],
  pd: [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
};
const ODD = { ps: EVEN.ps.map((place) => place + 4), pd: EVEN.pd.map((place) => place + 8) };

for (const [suffix, format, add, subtract] of [
  ['ps', SINGLE, Exact.f32AddSse, Exact.f32SubtractSse],
  ['pd', DOUBLE, Exact.f64AddSse, Exact.f64SubtractSse],
] as const) {
  const alternately = lanesOfTwo(`addsub${suffix}`, format, subtract, add);
  define(`addsub${suffix}`, (b, [to, from]) => {
    checkSse(b);
    const y = readVector(b, from);
    const x = to.read();
    const signed = b.apply('v128.xor', [y, b.v128(EVEN_SIGNS[suffix])]);
    const result = b.apply(`${format.shape}.add`, [x, signed]);
    const quick = b.and(isUsual(b), areQuick(b, format, 'add', x, y, result));
    to.write(orExactly(b, quick, result, alternately, [x, y]));
  });
  for (const [name, operation] of [
    ['hadd', 'add'],
    ['hsub', 'sub'],
  ] as const) {
    const exactly = packedRoutines.get(`${operation}${suffix}`);
    if (exactly === undefined) throw new Bug(`no ${operation}${suffix}`);
    define(`${name}${suffix}`, (b, [to, from]) => {
      checkSse(b);
      const right = readVector(b, from);
      const left = to.read();
      const x = b.apply('i8x16.shuffle', [left, right], EVEN[suffix]);
      const y = b.apply('i8x16.shuffle', [left, right], ODD[suffix]);
      to.write(packed(b, format, operation, exactly, x, y));
    });
  }
}

// ---------------------------------------------------------------- square roots

for (const { suffix, format, isPacked } of KINDS) {
  const exact = format === SINGLE ? Exact.f32SquareRootSse : Exact.f64SquareRootSse;
  const exactly = isPacked ? lanesOfOne(`sqrt${suffix}`, format, exact) : exact;
  define(`sqrt${suffix}`, (b, [to, from]) => {
    checkSse(b);
    if (isPacked) {
      const x = readVector(b, from);
      const result = b.apply(`${format.shape}.sqrt`, [x]);
      // A NaN is not up to anything: neither that of an operand nor that of a root of what is negative.
      const good = b.apply('v128.and', [orderedLanes(b, format, x), lanesUpTo(b, format, result, format.most)]);
      const quick = b.and(isUsual(b), inAllLanes(b, format, good));
      to.write(orExactly(b, quick, result, exactly, [x]));
    } else {
      const x = readScalar(b, format, from);
      const vector = to.read();
      inPlaceIfDouble(
        b,
        format,
        () => to.write(rootInPlace(b, exactly, vector, x)),
        () => {
          const result = withLowest(b, format, vector, b.apply(`${format.float}.sqrt`, [x.float]));
          const positive = b.and(b.geS(x.bits, 0), isPlain(b, format, magnitude(b, x.bits)));
          const quick = b.and(isUsual(b), positive);
          to.write(lowestOrExactly(b, format, quick, result, vector, exactly, [x.bits, mxcsr(b)]));
        },
      );
    }
  });
}
