// Arithmetic on 32 and 64 bits as SSE does it, with MXCSR. Every routine takes the raw bits of its operands (i32 or i64),
// then MXCSR, and gives the bits of the result and the exceptions, at their places in MXCSR.
//
// WebAssembly's own arithmetic rounds to nearest and tells no exceptions. It serves when that is the rounding and there is
// nothing to tell: the result is normal, the operands are not denormal, and either it is exact or PE is set already, as it
// is in nearly every program after its first division.
import type { Builder } from '../../language/builder.js';
import type { Routine, Value } from '../../language/nodes.js';
import { addNumbers } from './add.js';
import * as C from './classify.js';
import { f80OfF32Operand, f80OfF64Operand, narrowNaN, narrowParts } from './convert.js';
import { divideNumbers } from './divide.js';
import * as F from './format.js';
import { multiplyNumbers } from './multiply.js';
import type { Outlet } from './outlet.js';
import { F32, F64, f32Round, f64Round, type Narrow, packNarrow } from './round.js';
import { rootOfNumber } from './square-root.js';

const MXCSR_ROUNDING = 0x6000;
const MXCSR_FLUSH_TO_ZERO = 0x8000;
/** PE set and masked: that another result is not exact makes no difference. */
const INEXACT_IS_KNOWN = 0x1000 | F.PRECISION;
/** With these bits set, WebAssembly's arithmetic will not do. */
const UNUSUAL = MXCSR_ROUNDING | MXCSR_FLUSH_TO_ZERO | F.DENORMALS_ARE_ZEROS;

export const bitsType = (format: Narrow): 'i32' | 'i64' => (format.bits === 32 ? 'i32' : 'i64');
export const asWide = (b: Builder, format: Narrow, bits: Value): Value => (format.bits === 32 ? b.extendU(bits) : bits);
/** Returns `bits`, an i64, as the format's type. */
export const returnNarrow = (b: Builder, format: Narrow, bits: Value, flags: Value): void =>
  b.return(format.bits === 32 ? b.wrap(bits) : bits, flags);

/** A narrow operand as an 80-bit number, with DENORMAL; or zero, if MXCSR says so. */
export function sseOperand(b: Builder, format: Narrow, bits: Value, mxcsr: Value): F.Flagged80 {
  const wide = F.call80(b, format.bits === 32 ? f80OfF32Operand : f80OfF64Operand, bits);
  const isZero = b.and(b.bool(wide.flags), b.bool(b.and(mxcsr, F.DENORMALS_ARE_ZEROS)));
  return {
    significand: b.select(isZero, 0n, wide.significand),
    signExponent: b.and(wide.signExponent, b.select(isZero, F.SIGN, 0xffff)),
    flags: b.select(isZero, 0, wide.flags),
  };
}

const isNaN80 = (b: Builder, x: F.Float80): Value => C.isNoNumber(b, C.exponentOf(b, x.signExponent), x.significand);
const isSignalling80 = (b: Builder, x: F.Float80): Value =>
  C.isSignalling(b, C.exponentOf(b, x.signExponent), x.significand);

/** Leaves with a NaN if there is one: the first operand that is one, made quiet. */
function leaveWithNaN(b: Builder, format: Narrow, x: F.Float80, y: F.Float80): void {
  const nanX = isNaN80(b, x);
  b.when(b.or(nanX, isNaN80(b, y)), () => {
    const significand = b.select(nanX, x.significand, y.significand);
    const sign = C.signOf(b, b.select(nanX, x.signExponent, y.signExponent));
    const flags = b.or(isSignalling80(b, x), isSignalling80(b, y));
    returnNarrow(b, format, narrowNaN(b, format, sign, significand), flags);
  });
}

/** The outlet of an operation whose operands met `flags`. */
export function outletNarrow(b: Builder, format: Narrow, flags: Value, mode: Value): Outlet {
  const round = format.bits === 32 ? f32Round : f64Round;
  const special = (sign: Value, exponent: number): Value => packNarrow(b, format, sign, b.i32(exponent), b.i64(0));
  return {
    number: (sign, exponent, high, low) => {
      const [bits, met] = F.callPair(b, round, sign, exponent, high, low, mode);
      returnNarrow(b, format, bits, b.or(b.and(met, F.EXCEPTIONS), flags));
    },
    zero: (sign) => returnNarrow(b, format, special(sign, 0), flags),
    infinity: (sign) => returnNarrow(b, format, special(sign, format.exponentMask), flags),
    pole: (sign) => returnNarrow(b, format, special(sign, format.exponentMask), b.i32(F.ZERO_DIVIDE)),
    invalid: () =>
      returnNarrow(b, format, narrowNaN(b, format, b.i32(1), b.i64(F.INDEFINITE_SIGNIFICAND)), b.i32(F.INVALID)),
  };
}

const inexactIsKnown = (b: Builder, mxcsr: Value): Value => b.eq(b.and(mxcsr, INEXACT_IS_KNOWN), INEXACT_IS_KNOWN);

type Binary = 'add' | 'sub' | 'mul' | 'div';

/** The operation in full. */
const exactBinary = (format: Narrow, operation: Binary): Routine =>
  F.floatRoutine(
    `${format.name}${operation}Exact`,
    [bitsType(format), bitsType(format), 'i32'],
    [bitsType(format), 'i32'],
    (b, bitsX, bitsY, mxcsr) => {
      const [x, y] = [sseOperand(b, format, bitsX, mxcsr), sseOperand(b, format, bitsY, mxcsr)];
      leaveWithNaN(b, format, x, y);
      const mode = F.modeOfMxcsr(b, mxcsr);
      const out = outletNarrow(b, format, b.or(x.flags, y.flags), mode);
      switch (operation) {
        case 'add':
          addNumbers(b, x, y, F.rounding(b, mode), out);
          return;
        case 'sub':
          addNumbers(b, x, { ...y, signExponent: b.xor(y.signExponent, F.SIGN) }, F.rounding(b, mode), out);
          return;
        case 'mul':
          multiplyNumbers(b, x, y, out);
          return;
        case 'div':
          divideNumbers(b, x, y, out);
      }
    },
  );

/** Neither denormal, infinite nor NaN; and with an exponent of at least `least`, or zero if that is allowed. */
function isPlain(b: Builder, format: Narrow, bits: Value, zeroToo: boolean, least = 1): Value {
  const { exponent, fraction } = narrowParts(b, format, asWide(b, format, bits));
  const normal = b.ltU(b.sub(exponent, least), format.exponentMask - least);
  return zeroToo ? b.or(normal, b.and(b.eqz(exponent), b.eqz(fraction))) : normal;
}

/** 1 only if WebAssembly's operation lost nothing. Operands and result are plain. */
function isExact(b: Builder, operation: Binary, x: Value, y: Value, result: Value): Value {
  const op = (name: string, ...args: Value[]): Value => b.apply(`${result.type}.${name}`, args);
  switch (operation) {
    case 'add':
    case 'sub': {
      // Knuth's sum of two: what each operand lost, computed without error.
      const other = operation === 'add' ? y : op('neg', y);
      const seen = op('sub', result, x);
      const lostX = op('sub', x, op('sub', result, seen));
      return op('eq', op('add', lostX, op('sub', other, seen)), op('sub', x, x));
    }
    case 'mul':
      return fitsTogether(b, x, y);
    case 'div':
      return b.and(fitsTogether(b, result, y), op('eq', op('mul', result, y), x));
  }
}

/** 1 only if the product of two numbers needs no more bits than there are. */
function fitsTogether(b: Builder, x: Value, y: Value): Value {
  if (x.type === 'f32') return fitsInFraction(b, x, y, 'i32.reinterpret_f32', b.i32(1 << 23), 24);
  return fitsInFraction(b, x, y, 'i64.reinterpret_f64', b.i64(1n << 52n), 53);
}

function fitsInFraction(b: Builder, x: Value, y: Value, bits: string, visible: Value, precision: number): Value {
  const zeros = (value: Value): Value => b.ctz(b.or(b.apply(bits, [value]), visible));
  return b.geU(b.add(zeros(x), zeros(y)), precision);
}

/** (bits, bits, MXCSR) → (bits, flags), quickly if WebAssembly can. */
const binary = (format: Narrow, operation: Binary): Routine => {
  const exact = exactBinary(format, operation);
  const asFloat = (b: Builder, bits: Value): Value => b.apply(`${format.name}.reinterpret_i${format.bits}`, [bits]);
  return F.floatRoutine(
    `${format.name}${operation}`,
    [bitsType(format), bitsType(format), 'i32'],
    [bitsType(format), 'i32'],
    (b, bitsX, bitsY, mxcsr) => {
      const [x, y] = [asFloat(b, bitsX), asFloat(b, bitsY)];
      const result = b.apply(`${format.name}.${operation}`, [x, y]);
      const bits = b.apply(`i${format.bits}.reinterpret_${format.name}`, [result]);
      // Only products and quotients become too small, and one that is the smallest normal number was smaller. A sum that is
      // zero is zero.
      const sum = operation === 'add' || operation === 'sub';
      const plain = b.and(
        b.and(isPlain(b, format, bitsX, true), isPlain(b, format, bitsY, operation !== 'div')),
        isPlain(b, format, bits, sum, sum ? 1 : 2),
      );
      b.when(b.and(plain, b.eqz(b.and(mxcsr, UNUSUAL))), () => {
        b.when(inexactIsKnown(b, mxcsr), () => b.return(bits, b.i32(0)));
        b.when(isExact(b, operation, x, y, result), () => b.return(bits, b.i32(0)));
      });
      b.return(...F.callPair(b, exact, bitsX, bitsY, mxcsr));
    },
  );
};

/** (bits, MXCSR) → (bits, flags). */
const squareRoot = (format: Narrow): Routine =>
  F.floatRoutine(`${format.name}sqrt`, [bitsType(format), 'i32'], [bitsType(format), 'i32'], (b, bits, mxcsr) => {
    const usual = b.and(b.eqz(b.and(mxcsr, UNUSUAL)), inexactIsKnown(b, mxcsr));
    const positive = b.geS(bits, 0);
    b.when(b.and(b.and(usual, positive), isPlain(b, format, bits, false)), () => {
      const root = b.apply(`${format.name}.sqrt`, [b.apply(`${format.name}.reinterpret_i${format.bits}`, [bits])]);
      b.return(b.apply(`i${format.bits}.reinterpret_${format.name}`, [root]), b.i32(0));
    });
    const x = sseOperand(b, format, bits, mxcsr);
    leaveWithNaN(b, format, x, x);
    rootOfNumber(b, x, outletNarrow(b, format, x.flags, F.modeOfMxcsr(b, mxcsr)));
  });

export const f32AddSse = binary(F32, 'add');
export const f32SubtractSse = binary(F32, 'sub');
export const f32MultiplySse = binary(F32, 'mul');
export const f32DivideSse = binary(F32, 'div');
export const f32SquareRootSse = squareRoot(F32);
export const f64AddSse = binary(F64, 'add');
export const f64SubtractSse = binary(F64, 'sub');
export const f64MultiplySse = binary(F64, 'mul');
export const f64DivideSse = binary(F64, 'div');
export const f64SquareRootSse = squareRoot(F64);
