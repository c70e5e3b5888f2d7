// Comparisons of SSE: relation, minimum, maximum. Operands are raw bits (i32 or i64), as in sse.
import type { Routine } from '../../language/nodes.js';
import { f80Compare } from './compare.js';
import * as F from './format.js';
import { F32, F64, type Narrow } from './round.js';
import { asWide, bitsType, returnNarrow, sseOperand } from './sse.js';

/** The relation of two numbers, as comiss leaves it in EFLAGS: all three bits are set when they are unordered. */
export const BELOW = 0x100;
export const UNORDERED_BIT = 0x400;
export const EQUAL = 0x4000;

/**
 * (bits, bits, MXCSR, 1 if only signalling NaNs are invalid) → BELOW, EQUAL, all of the three, or 0 for above; and flags,
 * in the same word.
 */
const compare = (format: Narrow): Routine =>
  F.floatRoutine(
    `${format.name}CompareSse`,
    [bitsType(format), bitsType(format), 'i32', 'i32'],
    ['i32'],
    (b, bitsX, bitsY, mxcsr, quiet) => {
      const [x, y] = [sseOperand(b, format, bitsX, mxcsr), sseOperand(b, format, bitsY, mxcsr)];
      const word = b.call(f80Compare, x.significand, x.signExponent, y.significand, y.signExponent, quiet);
      // The operands' own denormals are normal in 80 bits: what is known of them is in their flags. A NaN comes first.
      const unordered = b.bool(b.and(word, UNORDERED_BIT));
      b.return(b.or(word, b.select(unordered, 0, b.or(x.flags, y.flags))));
    },
  );

/** (bits, bits, MXCSR) → (bits, flags): the second operand, unless the first is truly less or greater. */
const choose = (format: Narrow, largest: boolean, comparison: Routine): Routine =>
  F.floatRoutine(
    `${format.name}${largest ? 'Maximum' : 'Minimum'}Sse`,
    [bitsType(format), bitsType(format), 'i32'],
    [bitsType(format), 'i32'],
    (b, bitsX, bitsY, mxcsr) => {
      const word = b.call(comparison, bitsX, bitsY, mxcsr, 0);
      const relation = b.and(word, BELOW | UNORDERED_BIT | EQUAL);
      const first = largest ? b.eqz(relation) : b.eq(relation, BELOW);
      const chosen = b.select(first, bitsX, bitsY);
      // Denormals that are zeros come out as zeros.
      const wide = asWide(b, format, chosen);
      const exponent = b.and(b.shrU(wide, BigInt(format.fraction)), BigInt(format.exponentMask));
      const flush = b.and(b.eqz(exponent), b.bool(b.and(mxcsr, F.DENORMALS_ARE_ZEROS)));
      const kept = b.select(flush, b.and(wide, 1n << BigInt(format.bits - 1)), wide);
      returnNarrow(b, format, kept, b.and(word, F.EXCEPTIONS));
    },
  );

export const f32CompareSse = compare(F32);
export const f64CompareSse = compare(F64);
export const f32MinimumSse = choose(F32, false, f32CompareSse);
export const f32MaximumSse = choose(F32, true, f32CompareSse);
export const f64MinimumSse = choose(F64, false, f64CompareSse);
export const f64MaximumSse = choose(F64, true, f64CompareSse);
