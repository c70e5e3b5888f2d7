// Numbers that x87 instructions take from memory: fractions of 32, 64 and 80 bits, integers of 16, 32 and 64.
import { Bug } from '../../../lib/errors.js';
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import * as Convert from '../float/convert.js';
import { call80, EXPONENT_MASK, type Flagged80, INVALID, TOP_BIT, ZERO_DIVIDE } from '../float/format.js';
import type { Access } from '../operands.js';

/** An 80-bit number takes 10 bytes. */
export const F80_BYTES = 10;

/** A signed integer in memory, as an i64. */
export function loadInteger(b: Builder, from: Access): Value {
  const value = from.read();
  if (from.width === 64) return value;
  return b.extendS(from.width === 16 ? b.signExtend(16, value) : value);
}

/** The number that `fi…` instructions find in memory. */
export function integerOperand(b: Builder, from: Access): Flagged80 {
  return call80(b, Convert.f80OfInteger, loadInteger(b, from));
}

/**
 * The number that other instructions find in memory. For `fld`, a signalling NaN becomes quiet and is INVALID; for an
 * arithmetic instruction it stays as it is.
 */
export function fractionOperand(b: Builder, from: Access, loading: boolean): Flagged80 {
  switch (from.width) {
    case 32:
      return call80(b, loading ? Convert.f80OfF32 : Convert.f80OfF32Operand, from.read());
    case 64:
      return call80(b, loading ? Convert.f80OfF64 : Convert.f80OfF64Operand, from.read());
    case 80: {
      const address = from.address(F80_BYTES, false);
      const significand = b.load(8, address);
      return { significand, signExponent: b.load(2, b.add(address, 8)), flags: b.i32(0) };
    }
    default:
      throw new Bug(`no fraction has ${from.width} bits`);
  }
}

/** (flags of an operation, its result, flags of an operand) → all flags: a denormal operand comes after what is worse. */
export function withOperandFlags(b: Builder, result: Flagged80, operand: Value): Value {
  const nan = b.and(b.eq(b.and(result.signExponent, EXPONENT_MASK), EXPONENT_MASK), b.ne(result.significand, TOP_BIT));
  const worse = b.or(nan, b.and(result.flags, INVALID | ZERO_DIVIDE));
  return b.select(worse, result.flags, b.or(result.flags, operand));
}
