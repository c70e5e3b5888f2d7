// Plain numbers of the x87: zero, and those normal ones that are nowhere near the ends of the range. Arithmetic on them is what
// `quick` says, unless the result is not one of them.
//
// That operands are plain is known, in translated code, of what was a result before; what else there is is looked at once. When
// something turns out not to be plain, which doubles are not only if they are infinite or NaN, that code is left.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { EXPONENT_MASK, type Float80, topBit } from './format.js';

/** With this added, exponents of plain numbers have RANGE, and no others. A sign in front of them does not matter. */
export const STEP = 0x2000;
export const RANGE = 0x4000;

const isZero = (b: Builder, { significand, signExponent }: Float80): Value =>
  b.eqz(b.or(significand, b.extendU(b.and(signExponent, EXPONENT_MASK))));

/** 1 if the exponent is that of a plain number, but for zero: of what is known to be a number otherwise. */
export const isInRange = (b: Builder, { signExponent }: Float80): Value =>
  b.bool(b.and(b.add(signExponent, STEP), RANGE));

const isNumber = (b: Builder, x: Float80): Value => b.and(isInRange(b, x), topBit(b, x.significand));

/** 1 for what is plain. */
export const looksPlain = (b: Builder, x: Float80): Value => b.or(isNumber(b, x), isZero(b, x));

/** 1 for what is known to be plain, or is and is not zero. */
export const isSurelyPlain = (b: Builder, x: Float80): Value => b.or(b.assured(x.significand, 0), isNumber(b, x));

/** 1 for what is known to be plain, or is. */
export const isPlain = (b: Builder, x: Float80): Value => b.or(b.assured(x.significand, 0), looksPlain(b, x));
