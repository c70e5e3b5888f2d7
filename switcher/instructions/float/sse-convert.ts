// Conversions of SSE: between 32 and 64 bits, from and to integers of 32 bits. Operands are raw bits, as in sse.
import type { Routine } from '../../language/nodes.js';
import * as C from './classify.js';
import { f80OfInteger, integerOfF80, narrowNaN } from './convert.js';
import * as F from './format.js';
import { F32, F64, type Narrow } from './round.js';
import { bitsType, outletNarrow, returnNarrow, sseOperand } from './sse.js';

/** (bits, MXCSR) → (bits in the other format, flags). */
const change = (name: string, from: Narrow, to: Narrow): Routine =>
  F.floatRoutine(name, [bitsType(from), 'i32'], [bitsType(to), 'i32'], (b, bits, mxcsr) => {
    const x = sseOperand(b, from, bits, mxcsr);
    const [sign, exponent] = [C.signOf(b, x.signExponent), C.exponentOf(b, x.signExponent)];
    b.when(C.isNoNumber(b, exponent, x.significand), () => {
      const signals = C.isSignalling(b, exponent, x.significand);
      returnNarrow(b, to, narrowNaN(b, to, sign, x.significand), signals);
    });
    const out = outletNarrow(b, to, x.flags, F.modeOfMxcsr(b, mxcsr));
    b.when(C.isInfinite(b, exponent), () => out.infinity(sign));
    b.when(b.eqz(x.significand), () => out.zero(sign));
    out.number(sign, exponent, x.significand, b.i64(0));
  });

export const f64OfF32Sse = change('f64OfF32Sse', F32, F64);
export const f32OfF64Sse = change('f32OfF64Sse', F64, F32);

/** (signed integer, MXCSR) → (bits of 32, flags). Into 64 bits every such integer goes exactly: `f64.convert_i32_s`. */
export const f32OfIntegerSse = F.floatRoutine('f32OfIntegerSse', ['i32', 'i32'], ['i32', 'i32'], (b, value, mxcsr) => {
  const x = F.call80(b, f80OfInteger, b.extendS(value));
  const out = outletNarrow(b, F32, b.i32(0), F.modeOfMxcsr(b, mxcsr));
  b.when(b.eqz(value), () => out.zero(b.i32(0)));
  out.number(C.signOf(b, x.signExponent), C.exponentOf(b, x.signExponent), x.significand, b.i64(0));
});

const CHOP = 3 << F.ROUNDING_SHIFT;

/** (bits, MXCSR, 1 to chop) → (signed integer of 32 bits, flags). What does not fit is INVALID and gives 80000000h. */
const integer = (format: Narrow): Routine =>
  F.floatRoutine(
    `integerOf${format.bits === 32 ? 'F32' : 'F64'}Sse`,
    [bitsType(format), 'i32', 'i32'],
    ['i32', 'i32'],
    (b, bits, mxcsr, chop) => {
      const x = sseOperand(b, format, bits, mxcsr);
      const mode = b.or(F.modeOfMxcsr(b, mxcsr), b.select(chop, CHOP, 0));
      const [value, flags] = F.callPair(b, integerOfF80, x.significand, x.signExponent, mode, 32);
      b.return(b.wrap(value), b.and(flags, F.EXCEPTIONS));
    },
  );

export const integerOfF32Sse = integer(F32);
export const integerOfF64Sse = integer(F64);
