// The two formats of floating-point lanes, and how they are called in instructions and in WebAssembly.
import type { Builder, Term } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import type { Access } from '../operands.js';

export interface Format {
  readonly bits: 32 | 64;
  readonly lanes: 4 | 2;
  /** A lane as a number, and as bits. */
  readonly float: 'f32' | 'f64';
  readonly integer: 'i32' | 'i64';
  readonly shape: 'f32x4' | 'f64x2';
  readonly integerShape: 'i32x4' | 'i64x2';
  /** The smallest normal and the largest number, and infinity, as bits; and the first two as numbers. */
  readonly leastBits: bigint;
  readonly infinityBits: bigint;
  readonly least: number;
  readonly most: number;
}

export const SINGLE: Format = {
  bits: 32,
  lanes: 4,
  float: 'f32',
  integer: 'i32',
  shape: 'f32x4',
  integerShape: 'i32x4',
  leastBits: 1n << 23n,
  infinityBits: 0xffn << 23n,
  least: 2 ** -126,
  most: 2 ** 128 - 2 ** 104,
};

export const DOUBLE: Format = {
  bits: 64,
  lanes: 2,
  float: 'f64',
  integer: 'i64',
  shape: 'f64x2',
  integerShape: 'i64x2',
  leastBits: 1n << 52n,
  infinityBits: 0x7ffn << 52n,
  least: 2 ** -1022,
  most: Number.MAX_VALUE,
};

/** What the end of a mnemonic says: packed or scalar, single or double. */
export const KINDS = [
  { suffix: 'ss', format: SINGLE, isPacked: false },
  { suffix: 'sd', format: DOUBLE, isPacked: false },
  { suffix: 'ps', format: SINGLE, isPacked: true },
  { suffix: 'pd', format: DOUBLE, isPacked: true },
] as const;

/** A constant in the type of the format's bits. */
export const bitsConstant = (format: Format, bits: bigint): number | bigint =>
  format.bits === 32 ? Number(BigInt.asIntN(32, bits)) : BigInt.asIntN(64, bits);

export const laneOf = (b: Builder, format: Format, vector: Value, lane: number): Value =>
  b.apply(`${format.integerShape}.extract_lane`, [vector], [lane]);

export const withLane = (b: Builder, format: Format, vector: Value, lane: number, bits: Term): Value =>
  b.apply(`${format.integerShape}.replace_lane`, [vector, bits], [lane]);

/** A lane as bits and as a number: which of the two is at hand costs nothing, going from one to the other does. */
export interface Scalar {
  readonly bits: Value;
  readonly float: Value;
}

export const asFloat = (b: Builder, format: Format, bits: Value): Value =>
  b.apply(`${format.float}.reinterpret_${format.integer}`, [bits]);

/** The lowest lane of a vector. */
export const lowest = (b: Builder, format: Format, vector: Value): Scalar => ({
  bits: laneOf(b, format, vector, 0),
  float: b.apply(`${format.shape}.extract_lane`, [vector], [0]),
});

/** The lowest lane of a register, or as much memory. */
export function readScalar(b: Builder, format: Format, from: Access): Scalar {
  if (from.kind !== 'memory') return lowest(b, format, from.read());
  const bytes = format.bits === 32 ? 4 : 8;
  const bits = b.load(bytes, from.address(bytes, false));
  return { bits, float: asFloat(b, format, bits) };
}

/** `vector` with `float` in its lowest lane. */
export const withLowest = (b: Builder, format: Format, vector: Value, float: Value): Value =>
  b.apply(`${format.shape}.replace_lane`, [vector, float], [0]);

export const asBits = (b: Builder, format: Format, float: Value): Value =>
  b.apply(`${format.integer}.reinterpret_${format.float}`, [float]);

/** `number` in every lane: a constant. */
export function everywhere(b: Builder, format: Format, number: number): Value {
  const lanes = format.bits === 32 ? new Float32Array(format.lanes) : new Float64Array(format.lanes);
  return b.v128([...new Uint8Array(lanes.fill(number).buffer)]);
}
