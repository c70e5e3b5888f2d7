// Numbers that x87 instructions take from memory: fractions of 32, 64 and 80 bits, integers of 16, 32 and 64.
import { Bug } from '../../../lib/errors.js';
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import * as Convert from '../float/convert.js';
import { call80, EXPONENT_MASK, type Flagged80, type Float80, INVALID, TOP_BIT, ZERO_DIVIDE } from '../float/format.js';
import * as Quick from '../float/quick.js';
import { F32, F64 } from '../float/round.js';
import type { Access } from '../operands.js';

/** An 80-bit number takes 10 bytes. */
export const F80_BYTES = 10;

/** A signed integer in memory, as an i64. */
export function loadInteger(b: Builder, from: Access): Value {
  const value = from.read();
  if (from.width === 64) return value;
  return b.extendS(from.width === 16 ? b.signExtend(16, value) : value);
}

/** A number that an instruction takes from memory. */
export interface MemoryNumber {
  /** Whether `quick` is the number, and has the moderate exponent that quick arithmetic wants. */
  isQuick(): Value;
  quick(): Float80;
  /** The number, whatever it is. */
  any(): Flagged80;
}

/** The number that `fi…` instructions find in memory. */
export function integerOperand(b: Builder, from: Access): MemoryNumber {
  const value = loadInteger(b, from);
  return {
    isQuick: () => b.ne(value, 0n),
    quick: () => Quick.ofInteger(b, value),
    any: () => call80(b, Convert.f80OfInteger, value),
  };
}

/**
 * The number that other instructions find in memory, in 32 or 64 bits. For `fld`, a signalling NaN becomes quiet and is
 * INVALID; for an arithmetic instruction it stays as it is.
 */
export function fractionOperand(b: Builder, from: Access, loading: boolean): MemoryNumber {
  if (from.width !== 32 && from.width !== 64) throw new Bug(`no fraction has ${from.width} bits`);
  const format = from.width === 32 ? F32 : F64;
  const bits = from.read();
  const any = {
    32: loading ? Convert.f80OfF32 : Convert.f80OfF32Operand,
    64: loading ? Convert.f80OfF64 : Convert.f80OfF64Operand,
  }[from.width];
  return {
    isQuick: () => Quick.isNormal(b, format, bits),
    quick: () => Quick.widened(b, format, bits),
    any: () => call80(b, any, bits),
  };
}

/** The number in 80 bits that fld finds in memory: as it is, whatever it is. */
export function wholeOperand(b: Builder, from: Access): Float80 {
  const address = from.address(F80_BYTES, false);
  const significand = b.load(8, address);
  return { significand, signExponent: b.load(2, b.add(address, 8)) };
}

/** (flags of an operation, its result, flags of an operand) → all flags: a denormal operand comes after what is worse. */
export function withOperandFlags(b: Builder, result: Flagged80, operand: Value): Value {
  const nan = b.and(b.eq(b.and(result.signExponent, EXPONENT_MASK), EXPONENT_MASK), b.ne(result.significand, TOP_BIT));
  const worse = b.or(nan, b.and(result.flags, INVALID | ZERO_DIVIDE));
  return b.select(worse, result.flags, b.or(result.flags, operand));
}
