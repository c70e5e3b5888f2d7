// What becomes of the exceptions that an SSE instruction met: MXCSR remembers them, and one that is unmasked is #XF.
import * as State from '../../cpu/state.js';
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { BEFORE_RESULT, floatRoutine, PRECISION } from '../float/format.js';

const VECTOR_XF = 19;
const MASKS_SHIFT = 7;
const ROUNDING = 0x6000;
const PRECISION_MASK = PRECISION << MASKS_SHIFT;

/**
 * (exceptions of all lanes together) → those that are unmasked. Invalid operands, denormal ones and zero divisors are seen
 * before anything is computed: if one of these is unmasked, in whatever lane, the others have not happened.
 */
const noteExceptions = floatRoutine('noteExceptions', ['i32'], ['i32'], (b, flags) => {
  const mxcsr = b.state(4, State.MXCSR);
  const unmasked = b.and(flags, b.not(b.shrU(mxcsr, MASKS_SHIFT)));
  const seen = b.select(b.and(unmasked, BEFORE_RESULT), b.and(flags, BEFORE_RESULT), flags);
  b.setState(4, State.MXCSR, b.or(mxcsr, seen));
  b.return(unmasked);
});

/** Ends the instruction by #XF if an exception is unmasked. Comes before the result is written, and nothing faults after. */
export function settle(b: Builder, flags: Value): void {
  b.when(flags, () => {
    b.when(b.call(noteExceptions, flags), () => b.raise(VECTOR_XF));
  });
}

export const mxcsr = (b: Builder): Value => b.state(4, State.MXCSR);

/** 1 if it makes no difference that another result is not exact: PE is set, and masked. */
export const inexactIsKnown = (b: Builder): Value =>
  b.eq(b.and(mxcsr(b), PRECISION_MASK | PRECISION), PRECISION_MASK | PRECISION);

/** What of MXCSR is looked at to see whether it is as usual, and what it is then. */
export const USUAL_BITS = ROUNDING | PRECISION_MASK | PRECISION;
export const USUAL = PRECISION_MASK | PRECISION;

/** The same, and rounding is to nearest: what is left to look at is only how large the numbers are. */
export const isUsual = (b: Builder): Value => b.eq(b.and(mxcsr(b), USUAL_BITS), USUAL);

export const roundsToNearest = (b: Builder): Value => b.eqz(b.and(mxcsr(b), ROUNDING));
