// The 128-bit operators: the part of WebAssembly's SIMD that MMX and SSE need. A v128 is a Uint8Array of 16 bytes.
import type { Concrete, Operator, ValueType } from './operators.js';

const SIMD_PREFIX = 0xfd;
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

const view = (value: Concrete | undefined): DataView => {
  const bytes = value as Uint8Array;
  return new DataView(bytes.buffer, bytes.byteOffset, 16);
};
const fresh = (fill: (to: DataView) => void): Uint8Array => {
  const bytes = new Uint8Array(16);
  fill(new DataView(bytes.buffer));
  return bytes;
};
const copy = (value: Concrete | undefined): DataView => new DataView(new Uint8Array(value as Uint8Array).buffer);

define('i64x2.splat', 0x12, ['i64'], 'v128', ([value]) =>
  fresh((to) => {
    to.setBigInt64(0, value as bigint, true);
    to.setBigInt64(8, value as bigint, true);
  }),
);
define(
  'i64x2.extract_lane',
  0x1d,
  ['v128'],
  'i64',
  ([value], [lane = 0]) => view(value).getBigInt64(lane * 8, true),
  1,
);
define(
  'i64x2.replace_lane',
  0x1e,
  ['v128', 'i64'],
  'v128',
  ([value, part], [lane = 0]) => {
    const to = copy(value);
    to.setBigInt64(lane * 8, part as bigint, true);
    return new Uint8Array(to.buffer);
  },
  1,
);

export const simdOperators: Readonly<Record<string, Operator>> = table;
