// The operators of the language in which instructions are written: what each takes and gives, its WebAssembly opcode, and
// what it does to JavaScript values. This is the one place where the two readers (emit, evaluate) meet.
//
// An i32 is a signed JavaScript number, an i64 a signed bigint (the evaluator is the slow oracle and may), f32 and f64
// are numbers, a v128 is a Uint8Array of 16 bytes that nobody changes after it was made.
import { nearest } from './nearest.js';
import { simdOperators } from './operators-simd.js';

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** A value as the evaluator holds it. */
export type Concrete = number | bigint | Uint8Array;

export interface Operator {
  readonly takes: readonly ValueType[];
  readonly gives: ValueType;
  /** The bytes of the WebAssembly opcode, without immediates. */
  readonly opcode: readonly number[];
  /** How many immediate bytes follow the opcode (a lane, a shuffle). */
  readonly immediates: number;
  evaluate(args: readonly Concrete[], immediates: readonly number[]): Concrete;
}

const bool = (condition: boolean): number => (condition ? 1 : 0);
const wrap64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const unsigned64 = (value: bigint): bigint => BigInt.asUintN(64, value);

const scratch = new DataView(new ArrayBuffer(8));

const table: Record<string, Operator> = {};

function define(
  name: string,
  opcode: number[],
  takes: ValueType[],
  gives: ValueType,
  evaluate: (...args: never[]) => Concrete,
): void {
  table[name] = { takes, gives, opcode, immediates: 0, evaluate: (args) => evaluate(...(args as never[])) };
}

function integer32(first: number, names: string, gives: 'i32', operations: ((a: number, b: number) => number)[]): void {
  names.split(' ').forEach((name, i) => {
    const operation = operations[i];
    if (operation !== undefined) define(`i32.${name}`, [first + i], ['i32', 'i32'], gives, operation);
  });
}

function integer64(first: number, names: string, operations: ((a: bigint, b: bigint) => bigint)[]): void {
  names.split(' ').forEach((name, i) => {
    const operation = operations[i];
    if (operation !== undefined)
      define(`i64.${name}`, [first + i], ['i64', 'i64'], 'i64', (a: bigint, b: bigint) => wrap64(operation(a, b)));
  });
}

// ---- comparisons
const compareNames = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
define('i32.eqz', [0x45], ['i32'], 'i32', (a: number) => bool(a === 0));
integer32(0x46, compareNames, 'i32', [
  (a, b) => bool(a === b),
  (a, b) => bool(a !== b),
  (a, b) => bool(a < b),
  (a, b) => bool(a >>> 0 < b >>> 0),
  (a, b) => bool(a > b),
  (a, b) => bool(a >>> 0 > b >>> 0),
  (a, b) => bool(a <= b),
  (a, b) => bool(a >>> 0 <= b >>> 0),
  (a, b) => bool(a >= b),
  (a, b) => bool(a >>> 0 >= b >>> 0),
]);
define('i64.eqz', [0x50], ['i64'], 'i32', (a: bigint) => bool(a === 0n));
const compare64: ((a: bigint, b: bigint) => boolean)[] = [
  (a, b) => a === b,
  (a, b) => a !== b,
  (a, b) => a < b,
  (a, b) => unsigned64(a) < unsigned64(b),
  (a, b) => a > b,
  (a, b) => unsigned64(a) > unsigned64(b),
  (a, b) => a <= b,
  (a, b) => unsigned64(a) <= unsigned64(b),
  (a, b) => a >= b,
  (a, b) => unsigned64(a) >= unsigned64(b),
];
compareNames.split(' ').forEach((name, i) => {
  const compare = compare64[i];
  if (compare) define(`i64.${name}`, [0x51 + i], ['i64', 'i64'], 'i32', (a: bigint, b: bigint) => bool(compare(a, b)));
});
for (const [type, first] of [
  ['f32', 0x5b],
  ['f64', 0x61],
] as const) {
  const compare: ((a: number, b: number) => boolean)[] = [
    (a, b) => a === b,
    (a, b) => a !== b,
    (a, b) => a < b,
    (a, b) => a > b,
    (a, b) => a <= b,
    (a, b) => a >= b,
  ];
  'eq ne lt gt le ge'.split(' ').forEach((name, i) => {
    const test = compare[i];
    if (test) define(`${type}.${name}`, [first + i], [type, type], 'i32', (a: number, b: number) => bool(test(a, b)));
  });
}

// ---- integer arithmetic
const clz64 = (a: bigint): bigint => BigInt(64 - (a === 0n ? 0 : unsigned64(a).toString(2).length));
const ctz32 = (a: number): number => (a === 0 ? 32 : 31 - Math.clz32(a & -a));
const popcount32 = (a: number): number => {
  let n = 0;
  for (let rest = a >>> 0; rest !== 0; rest &= rest - 1) n++;
  return n;
};
const ctz64 = (a: bigint): bigint => {
  const low = Number(BigInt.asIntN(32, a));
  return BigInt(low === 0 ? 32 + ctz32(Number(BigInt.asIntN(32, a >> 32n))) : ctz32(low));
};
const popcount64 = (a: bigint): bigint =>
  BigInt(popcount32(Number(BigInt.asIntN(32, a))) + popcount32(Number(BigInt.asIntN(32, a >> 32n))));

define('i32.clz', [0x67], ['i32'], 'i32', (a: number) => Math.clz32(a));
define('i32.ctz', [0x68], ['i32'], 'i32', ctz32);
define('i32.popcnt', [0x69], ['i32'], 'i32', popcount32);
integer32(0x6a, 'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr', 'i32', [
  (a, b) => (a + b) | 0,
  (a, b) => (a - b) | 0,
  (a, b) => Math.imul(a, b),
  (a, b) => (a / b) | 0,
  (a, b) => ((a >>> 0) / (b >>> 0)) | 0,
  (a, b) => (a % b) | 0,
  (a, b) => ((a >>> 0) % (b >>> 0)) | 0,
  (a, b) => a & b,
  (a, b) => a | b,
  (a, b) => a ^ b,
  (a, b) => a << b,
  (a, b) => a >> b,
  (a, b) => (a >>> b) | 0,
  (a, b) => (a << b) | (b & 31 ? a >>> (32 - (b & 31)) : 0),
  (a, b) => (a >>> b) | (b & 31 ? a << (32 - (b & 31)) : 0),
]);
define('i64.clz', [0x79], ['i64'], 'i64', clz64);
define('i64.ctz', [0x7a], ['i64'], 'i64', ctz64);
define('i64.popcnt', [0x7b], ['i64'], 'i64', popcount64);
integer64(0x7c, 'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr', [
  (a, b) => a + b,
  (a, b) => a - b,
  (a, b) => a * b,
  (a, b) => a / b,
  (a, b) => unsigned64(a) / unsigned64(b),
  (a, b) => a % b,
  (a, b) => unsigned64(a) % unsigned64(b),
  (a, b) => a & b,
  (a, b) => a | b,
  (a, b) => a ^ b,
  (a, b) => a << (b & 63n),
  (a, b) => a >> (b & 63n),
  (a, b) => unsigned64(a) >> (b & 63n),
  (a, b) => (unsigned64(a) << (b & 63n)) | (unsigned64(a) >> ((64n - (b & 63n)) & 63n)),
  (a, b) => (unsigned64(a) >> (b & 63n)) | (unsigned64(a) << ((64n - (b & 63n)) & 63n)),
]);

// ---- floating point (round to nearest even, as WebAssembly has it)
const signBit = (a: number): boolean => a < 0 || Object.is(a, -0);
const unaryFloat: [string, (a: number) => number][] = [
  ['abs', Math.abs],
  ['neg', (a) => -a],
  ['ceil', Math.ceil],
  ['floor', Math.floor],
  ['trunc', Math.trunc],
  ['nearest', nearest],
  ['sqrt', Math.sqrt],
];
const binaryFloat: [string, (a: number, b: number) => number][] = [
  ['add', (a, b) => a + b],
  ['sub', (a, b) => a - b],
  ['mul', (a, b) => a * b],
  ['div', (a, b) => a / b],
  ['min', (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.min(a, b))],
  ['max', (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.max(a, b))],
  ['copysign', (a, b) => (signBit(b) ? -Math.abs(a) : Math.abs(a))],
];
for (const [type, first, round] of [
  ['f32', 0x8b, Math.fround],
  ['f64', 0x99, (a: number) => a],
] as const) {
  unaryFloat.forEach(([name, f], i) =>
    define(`${type}.${name}`, [first + i], [type], type, (a: number) => round(f(a))),
  );
  binaryFloat.forEach(([name, f], i) =>
    define(`${type}.${name}`, [first + 7 + i], [type, type], type, (a: number, b: number) => round(f(a, b))),
  );
}

// ---- conversions
define('i32.wrap_i64', [0xa7], ['i64'], 'i32', (a: bigint) => Number(BigInt.asIntN(32, a)));
define('i64.extend_i32_s', [0xac], ['i32'], 'i64', (a: number) => BigInt(a));
define('i64.extend_i32_u', [0xad], ['i32'], 'i64', (a: number) => BigInt(a >>> 0));
define('f32.convert_i32_s', [0xb2], ['i32'], 'f32', (a: number) => Math.fround(a));
define('f32.convert_i32_u', [0xb3], ['i32'], 'f32', (a: number) => Math.fround(a >>> 0));
define('f32.demote_f64', [0xb6], ['f64'], 'f32', (a: number) => Math.fround(a));
define('f64.convert_i32_s', [0xb7], ['i32'], 'f64', (a: number) => a);
define('f64.convert_i32_u', [0xb8], ['i32'], 'f64', (a: number) => a >>> 0);
define('f64.convert_i64_s', [0xb9], ['i64'], 'f64', (a: bigint) => Number(a));
define('f64.promote_f32', [0xbb], ['f32'], 'f64', (a: number) => a);
define('i32.reinterpret_f32', [0xbc], ['f32'], 'i32', (a: number) => {
  scratch.setFloat32(0, a);
  return scratch.getInt32(0);
});
define('i64.reinterpret_f64', [0xbd], ['f64'], 'i64', (a: number) => {
  scratch.setFloat64(0, a);
  return scratch.getBigInt64(0);
});
define('f32.reinterpret_i32', [0xbe], ['i32'], 'f32', (a: number) => {
  scratch.setInt32(0, a);
  return scratch.getFloat32(0);
});
define('f64.reinterpret_i64', [0xbf], ['i64'], 'f64', (a: bigint) => {
  scratch.setBigInt64(0, a);
  return scratch.getFloat64(0);
});
define('i32.extend8_s', [0xc0], ['i32'], 'i32', (a: number) => (a << 24) >> 24);
define('i32.extend16_s', [0xc1], ['i32'], 'i32', (a: number) => (a << 16) >> 16);
define('i64.extend8_s', [0xc2], ['i64'], 'i64', (a: bigint) => BigInt.asIntN(8, a));
define('i64.extend16_s', [0xc3], ['i64'], 'i64', (a: bigint) => BigInt.asIntN(16, a));
define('i64.extend32_s', [0xc4], ['i64'], 'i64', (a: bigint) => BigInt.asIntN(32, a));
const saturate32 = (a: number): number =>
  Number.isNaN(a) ? 0 : Math.max(-0x80000000, Math.min(0x7fffffff, Math.trunc(a))) | 0;
define('i32.trunc_sat_f32_s', [0xfc, 0x00], ['f32'], 'i32', saturate32);
define('i32.trunc_sat_f64_s', [0xfc, 0x02], ['f64'], 'i32', saturate32);

Object.assign(table, simdOperators);

/** The operator called `name` (`i32.add`); undefined if there is none. */
export function operator(name: string): Operator | undefined {
  return table[name];
}

/** All there are. */
export const operatorNames = (): readonly string[] => Object.keys(table);
