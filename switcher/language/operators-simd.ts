// The 128-bit operators: the part of WebAssembly's SIMD that MMX and SSE need. A v128 is a Uint8Array of 16 bytes.
//
// A *shape* says how the 16 bytes are cut into lanes; most operators are one function of numbers, done in every lane. What
// float operators make of NaNs is WebAssembly's to choose: definitions do not look at such lanes.
import { nearest } from './nearest.js';
import type { Concrete, Operator, ValueType } from './operators.js';

const SIMD_PREFIX = 0xfd;
const VECTOR_BYTES = 16;
const table: Record<string, Operator> = {};

/** The opcode of a SIMD operator: the prefix and a LEB128 number. */
const opcode = (code: number): number[] =>
  code < 0x80 ? [SIMD_PREFIX, code] : [SIMD_PREFIX, (code & 0x7f) | 0x80, code >> 7];

function define(
  name: string,
  code: number,
  takes: ValueType[],
  gives: ValueType,
  evaluate: (args: readonly Concrete[], immediates: readonly number[]) => Concrete,
  immediates = 0,
): void {
  table[name] = { takes, gives, opcode: opcode(code), immediates, evaluate };
}

const bytesOf = (value: Concrete | undefined): Uint8Array => value as Uint8Array;
const view = (value: Concrete | undefined): DataView => {
  const bytes = bytesOf(value);
  return new DataView(bytes.buffer, bytes.byteOffset, VECTOR_BYTES);
};

// ---------------------------------------------------------------- shapes

interface Shape<T extends number | bigint> {
  readonly name: string;
  readonly lane: ValueType;
  readonly count: number;
  get(from: DataView, lane: number): T;
  set(to: DataView, lane: number, value: T): void;
}

const I8: Shape<number> = {
  name: 'i8x16',
  lane: 'i32',
  count: 16,
  get: (from, lane) => from.getInt8(lane),
  set: (to, lane, value) => to.setInt8(lane, value),
};
const U8: Shape<number> = { ...I8, get: (from, lane) => from.getUint8(lane) };
const I16: Shape<number> = {
  name: 'i16x8',
  lane: 'i32',
  count: 8,
  get: (from, lane) => from.getInt16(lane * 2, true),
  set: (to, lane, value) => to.setInt16(lane * 2, value, true),
};
const U16: Shape<number> = { ...I16, get: (from, lane) => from.getUint16(lane * 2, true) };
const I32: Shape<number> = {
  name: 'i32x4',
  lane: 'i32',
  count: 4,
  get: (from, lane) => from.getInt32(lane * 4, true),
  set: (to, lane, value) => to.setInt32(lane * 4, value, true),
};
const U32: Shape<number> = { ...I32, get: (from, lane) => from.getUint32(lane * 4, true) };
const I64: Shape<bigint> = {
  name: 'i64x2',
  lane: 'i64',
  count: 2,
  get: (from, lane) => from.getBigInt64(lane * 8, true),
  set: (to, lane, value) => to.setBigInt64(lane * 8, value, true),
};
const F32: Shape<number> = {
  name: 'f32x4',
  lane: 'f32',
  count: 4,
  get: (from, lane) => from.getFloat32(lane * 4, true),
  set: (to, lane, value) => to.setFloat32(lane * 4, value, true),
};
const F64: Shape<number> = {
  name: 'f64x2',
  lane: 'f64',
  count: 2,
  get: (from, lane) => from.getFloat64(lane * 8, true),
  set: (to, lane, value) => to.setFloat64(lane * 8, value, true),
};

function build<T extends number | bigint>(shape: Shape<T>, lane: (lane: number) => T): Uint8Array {
  const bytes = new Uint8Array(VECTOR_BYTES);
  const to = new DataView(bytes.buffer);
  for (let i = 0; i < shape.count; i++) shape.set(to, i, lane(i));
  return bytes;
}

function unary<T extends number | bigint>(name: string, code: number, shape: Shape<T>, f: (a: T) => T): void {
  define(`${shape.name}.${name}`, code, ['v128'], 'v128', ([value]) => {
    const a = view(value);
    return build(shape, (i) => f(shape.get(a, i)));
  });
}

function binary<T extends number | bigint>(name: string, code: number, shape: Shape<T>, f: (a: T, b: T) => T): void {
  define(`${shape.name}.${name}`, code, ['v128', 'v128'], 'v128', ([left, right]) => {
    const [a, b] = [view(left), view(right)];
    return build(shape, (i) => f(shape.get(a, i), shape.get(b, i)));
  });
}

/** Lanes of one shape from lanes of another. */
function widen<From extends number | bigint, To extends number | bigint>(
  name: string,
  code: number,
  from: Shape<From>,
  to: Shape<To>,
  lane: (get: (lane: number) => From, lane: number) => To,
): void {
  define(`${to.name}.${name}`, code, ['v128'], 'v128', ([value]) => {
    const a = view(value);
    return build(to, (i) => lane((j) => from.get(a, j), i));
  });
}

// ---------------------------------------------------------------- lanes in and out

function lanes<T extends number | bigint>(shape: Shape<T>, splat: number, extract: number, replace: number): void {
  define(`${shape.name}.splat`, splat, [shape.lane], 'v128', ([value]) => build(shape, () => value as T));
  const suffix = shape === (I8 as unknown) || shape === (I16 as unknown) ? '_s' : '';
  define(
    `${shape.name}.extract_lane${suffix}`,
    extract,
    ['v128'],
    shape.lane,
    ([value], [lane = 0]) => shape.get(view(value), lane),
    1,
  );
  define(
    `${shape.name}.replace_lane`,
    replace,
    ['v128', shape.lane],
    'v128',
    ([value, part], [lane = 0]) => {
      const bytes = bytesOf(value).slice();
      shape.set(view(bytes), lane, part as T);
      return bytes;
    },
    1,
  );
}

lanes(I8, 0x0f, 0x15, 0x17);
lanes(I16, 0x10, 0x18, 0x1a);
lanes(I32, 0x11, 0x1b, 0x1c);
lanes(I64, 0x12, 0x1d, 0x1e);
lanes(F32, 0x13, 0x1f, 0x20);
lanes(F64, 0x14, 0x21, 0x22);
for (const [shape, code] of [
  [U8, 0x16],
  [U16, 0x19],
] as const) {
  define(
    `${shape.name}.extract_lane_u`,
    code,
    ['v128'],
    'i32',
    ([value], [lane = 0]) => shape.get(view(value), lane),
    1,
  );
}

define(
  'i8x16.shuffle',
  0x0d,
  ['v128', 'v128'],
  'v128',
  ([left, right], places) => {
    const both = [...bytesOf(left), ...bytesOf(right)];
    return Uint8Array.from(places, (place) => both[place] ?? 0);
  },
  VECTOR_BYTES,
);
define('i8x16.swizzle', 0x0e, ['v128', 'v128'], 'v128', ([value, places]) =>
  Uint8Array.from(bytesOf(places), (place) => bytesOf(value)[place] ?? 0),
);

// ---------------------------------------------------------------- all bits

define('v128.not', 0x4d, ['v128'], 'v128', ([value]) => bytesOf(value).map((byte) => ~byte));
binary('and', 0x4e, { ...I32, name: 'v128' }, (a, b) => a & b);
binary('andnot', 0x4f, { ...I32, name: 'v128' }, (a, b) => a & ~b);
binary('or', 0x50, { ...I32, name: 'v128' }, (a, b) => a | b);
binary('xor', 0x51, { ...I32, name: 'v128' }, (a, b) => a ^ b);
define('v128.bitselect', 0x52, ['v128', 'v128', 'v128'], 'v128', ([yes, no, mask]) => {
  const [a, b, m] = [bytesOf(yes), bytesOf(no), bytesOf(mask)];
  return a.map((byte, i) => (byte & (m[i] ?? 0)) | ((b[i] ?? 0) & ~(m[i] ?? 0)));
});
define('v128.any_true', 0x53, ['v128'], 'i32', ([value]) => (bytesOf(value).some((byte) => byte !== 0) ? 1 : 0));

function reductions<T extends number | bigint>(shape: Shape<T>, allTrue: number, bitmask: number): void {
  const each = (value: Concrete | undefined): T[] => {
    const a = view(value);
    return Array.from({ length: shape.count }, (_, i) => shape.get(a, i));
  };
  define(`${shape.name}.all_true`, allTrue, ['v128'], 'i32', ([value]) => (each(value).every(Boolean) ? 1 : 0));
  define(`${shape.name}.bitmask`, bitmask, ['v128'], 'i32', ([value]) =>
    each(value).reduce((mask, lane, i) => mask | ((lane < 0 ? 1 : 0) << i), 0),
  );
}

reductions(I8, 0x63, 0x64);
reductions(I16, 0x83, 0x84);
reductions(I32, 0xa3, 0xa4);
reductions(I64, 0xc3, 0xc4);

// ---------------------------------------------------------------- integers

const clamp = (least: number, most: number) => (value: number) => Math.max(least, Math.min(most, value));
const SATURATE = {
  i8x16: [clamp(-0x80, 0x7f), clamp(0, 0xff)],
  i16x8: [clamp(-0x8000, 0x7fff), clamp(0, 0xffff)],
} as const;

for (const [signed, unsigned, name, add, minimum, average, narrow, narrowFrom] of [
  [I8, U8, 'i8x16', 0x6e, 0x76, 0x7b, 0x65, I16],
  [I16, U16, 'i16x8', 0x8e, 0x96, 0x9b, 0x85, I32],
] as const) {
  const [saturateS, saturateU] = SATURATE[name];
  binary('add', add, signed, (a, b) => a + b);
  binary('add_sat_s', add + 1, signed, (a, b) => saturateS(a + b));
  binary('add_sat_u', add + 2, unsigned, (a, b) => saturateU(a + b));
  binary('sub', add + 3, signed, (a, b) => a - b);
  binary('sub_sat_s', add + 4, signed, (a, b) => saturateS(a - b));
  binary('sub_sat_u', add + 5, unsigned, (a, b) => saturateU(a - b));
  binary('min_s', minimum, signed, Math.min);
  binary('min_u', minimum + 1, unsigned, Math.min);
  binary('max_s', minimum + 2, signed, Math.max);
  binary('max_u', minimum + 3, unsigned, Math.max);
  binary('avgr_u', average, unsigned, (a, b) => (a + b + 1) >> 1);
  for (const [suffix, saturate, offset] of [
    ['s', saturateS, 0],
    ['u', saturateU, 1],
  ] as const) {
    define(`${name}.narrow_${narrowFrom.name}_${suffix}`, narrow + offset, ['v128', 'v128'], 'v128', (pair) => {
      const [left, right] = [view(pair[0]), view(pair[1])];
      const half = narrowFrom.count;
      return build(signed, (i) => saturate(i < half ? narrowFrom.get(left, i) : narrowFrom.get(right, i - half)));
    });
  }
}
binary('mul', 0x95, I16, (a, b) => Math.imul(a, b));
binary('add', 0xae, I32, (a, b) => a + b);
binary('sub', 0xb1, I32, (a, b) => a - b);
binary('mul', 0xb5, I32, (a, b) => Math.imul(a, b));
binary('add', 0xce, I64, (a, b) => a + b);
binary('sub', 0xd1, I64, (a, b) => a - b);

for (const [signed, unsigned, first] of [
  [I8, U8, 0x23],
  [I16, U16, 0x2d],
  [I32, U32, 0x37],
] as const) {
  const comparisons: [string, Shape<number>, (a: number, b: number) => boolean][] = [
    ['eq', signed, (a, b) => a === b],
    ['ne', signed, (a, b) => a !== b],
    ['lt_s', signed, (a, b) => a < b],
    ['lt_u', unsigned, (a, b) => a < b],
    ['gt_s', signed, (a, b) => a > b],
    ['gt_u', unsigned, (a, b) => a > b],
    ['le_s', signed, (a, b) => a <= b],
    ['le_u', unsigned, (a, b) => a <= b],
    ['ge_s', signed, (a, b) => a >= b],
    ['ge_u', unsigned, (a, b) => a >= b],
  ];
  comparisons.forEach(([name, shape, f], i) => binary(name, first + i, shape, (a, b) => (f(a, b) ? -1 : 0)));
}

/** Shifts: the count is an i32 and counts modulo the width of a lane. */
function shift<T extends number | bigint>(
  name: string,
  code: number,
  shape: Shape<T>,
  f: (a: T, count: number) => T,
): void {
  const bits = (VECTOR_BYTES * 8) / shape.count;
  define(`${shape.name}.${name}`, code, ['v128', 'i32'], 'v128', ([value, count]) => {
    const a = view(value);
    return build(shape, (i) => f(shape.get(a, i), (count as number) & (bits - 1)));
  });
}

for (const [signed, unsigned, first] of [
  [I16, U16, 0x8b],
  [I32, U32, 0xab],
] as const) {
  shift('shl', first, signed, (a, count) => a << count);
  shift('shr_s', first + 1, signed, (a, count) => a >> count);
  shift('shr_u', first + 2, unsigned, (a, count) => a >>> count);
}
shift('shr_s', 0x6c, I8, (a, count) => a >> count);
shift('shl', 0xcb, I64, (a, count) => BigInt.asIntN(64, a << BigInt(count)));
shift('shr_s', 0xcc, I64, (a, count) => a >> BigInt(count));
shift('shr_u', 0xcd, I64, (a, count) => BigInt.asUintN(64, a) >> BigInt(count));

// ---------------------------------------------------------------- from narrow lanes to wide ones

widen('extadd_pairwise_i8x16_u', 0x7d, U8, I16, (get, i) => get(2 * i) + get(2 * i + 1));
widen('extadd_pairwise_i16x8_u', 0x7f, U16, I32, (get, i) => get(2 * i) + get(2 * i + 1));
define('i32x4.dot_i16x8_s', 0xba, ['v128', 'v128'], 'v128', ([left, right]) => {
  const product = (lane: number): number => I16.get(view(left), lane) * I16.get(view(right), lane);
  return build(I32, (i) => product(2 * i) + product(2 * i + 1));
});
for (const [name, code, from, first] of [
  ['extmul_low_i16x8_s', 0xbc, I16, 0],
  ['extmul_high_i16x8_s', 0xbd, I16, 4],
  ['extmul_low_i16x8_u', 0xbe, U16, 0],
  ['extmul_high_i16x8_u', 0xbf, U16, 4],
] as const) {
  define(`i32x4.${name}`, code, ['v128', 'v128'], 'v128', ([left, right]) =>
    build(I32, (i) => Math.imul(from.get(view(left), first + i), from.get(view(right), first + i))),
  );
}
define('i64x2.extmul_low_i32x4_u', 0xde, ['v128', 'v128'], 'v128', ([left, right]) =>
  build(I64, (i) => BigInt(U32.get(view(left), i)) * BigInt(U32.get(view(right), i))),
);

// ---------------------------------------------------------------- floating point

for (const [shape, compare, arithmetic, round] of [
  [F32, 0x41, 0xe0, Math.fround],
  [F64, 0x47, 0xec, (a: number) => a],
] as const) {
  const bits = shape === F32 ? 4 : 8;
  const comparisons: [string, (a: number, b: number) => boolean][] = [
    ['eq', (a, b) => a === b],
    ['ne', (a, b) => a !== b],
    ['lt', (a, b) => a < b],
    ['gt', (a, b) => a > b],
    ['le', (a, b) => a <= b],
    ['ge', (a, b) => a >= b],
  ];
  comparisons.forEach(([name, f], i) => {
    define(`${shape.name}.${name}`, compare + i, ['v128', 'v128'], 'v128', ([left, right]) => {
      const [a, b] = [view(left), view(right)];
      return Uint8Array.from({ length: VECTOR_BYTES }, (_, byte) => {
        const lane = Math.floor(byte / bits);
        return f(shape.get(a, lane), shape.get(b, lane)) ? 0xff : 0;
      });
    });
  });
  unary('abs', arithmetic, shape, Math.abs);
  unary('sqrt', arithmetic + 3, shape, (a) => round(Math.sqrt(a)));
  binary('add', arithmetic + 4, shape, (a, b) => round(a + b));
  binary('sub', arithmetic + 5, shape, (a, b) => round(a - b));
  binary('mul', arithmetic + 6, shape, (a, b) => round(a * b));
  binary('div', arithmetic + 7, shape, (a, b) => round(a / b));
  // pmin(a, b) is `b < a ? b : a`, whatever they are: a choice of lanes as they are, NaNs too.
  for (const [name, code, takesRight] of [
    ['pmin', arithmetic + 10, (a: number, b: number) => b < a],
    ['pmax', arithmetic + 11, (a: number, b: number) => a < b],
  ] as const) {
    define(`${shape.name}.${name}`, code, ['v128', 'v128'], 'v128', ([left, right]) => {
      const [a, b] = [view(left), view(right)];
      return Uint8Array.from({ length: VECTOR_BYTES }, (_, byte) => {
        const lane = Math.floor(byte / bits);
        return (takesRight(shape.get(a, lane), shape.get(b, lane)) ? b : a).getUint8(byte);
      });
    });
  }
}

widen('convert_i32x4_s', 0xfa, I32, F32, (get, i) => Math.fround(get(i)));
widen('convert_low_i32x4_s', 0xfe, I32, F64, (get, i) => get(i));
widen('promote_low_f32x4', 0x5f, F32, F64, (get, i) => get(i));
widen('demote_f64x2_zero', 0x5e, F64, F32, (get, i) => (i < F64.count ? Math.fround(get(i)) : 0));
const truncate = (value: number): number =>
  Number.isNaN(value) ? 0 : clamp(-0x80000000, 0x7fffffff)(Math.trunc(value));
widen('trunc_sat_f32x4_s', 0xf8, F32, I32, (get, i) => truncate(get(i)));
widen('trunc_sat_f64x2_s_zero', 0xfc, F64, I32, (get, i) => (i < F64.count ? truncate(get(i)) : 0));
unary('nearest', 0x6a, F32, nearest);
unary('nearest', 0x94, F64, nearest);

export const simdOperators: Readonly<Record<string, Operator>> = table;
