// Where the results of operations go: rounded to a format, packed, and returned from the routine with their flags.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import * as C from './classify.js';
import * as F from './format.js';
import { finish80 } from './round.js';

/** Takes an exact result, rounds it and returns it. */
export type Finish = (sign: Value, exponent: Value, high: Value, low: Value) => void;

/** Each of these leaves the routine. */
export interface Outlet {
  readonly number: Finish;
  zero(sign: Value): void;
  infinity(sign: Value): void;
  /** The infinity that division by zero gives. */
  pole(sign: Value): void;
  /** An invalid operation: there is no such number. */
  invalid(): void;
}

/** f80Round behind the check for the usual case: for routines that have more to say after it. */
export const f80RoundUsual = F.floatRoutine(
  'f80RoundUsual',
  ['i32', 'i32', 'i64', 'i64', 'i32'],
  ['i64', 'i32'],
  (b, sign, exponent, high, low, mode) => finish80(b, sign, exponent, high, low, mode),
);

/**
 * The outlet of 80-bit operations on `x` and `y` (one operand twice, if there is but one), none of which has to be normal.
 * If one of them is no number, the routine is left here already.
 */
export function outlet80(b: Builder, x: F.Float80, y: F.Float80, mode: Value): Outlet {
  const [expX, expY] = [C.exponentOf(b, x.signExponent), C.exponentOf(b, y.signExponent)];
  b.when(b.or(C.isNoNumber(b, expX, x.significand), C.isNoNumber(b, expY, y.significand)), () => {
    b.return(...F.callPair(b, C.f80Propagate, x.significand, x.signExponent, y.significand, y.signExponent));
  });
  const denormal = b.or(C.isDenormal(b, expX, x.significand), C.isDenormal(b, expY, y.significand));
  const flags = b.shl(b.select(denormal, F.DENORMAL, 0), F.FLAGS_SHIFT);
  return {
    number: (sign, exponent, high, low) => {
      const [significand, word] = F.callPair(b, f80RoundUsual, sign, exponent, high, low, mode);
      b.return(significand, b.or(word, flags));
    },
    zero: (sign) => b.return(b.i64(0n), b.or(b.shl(sign, 15), flags)),
    infinity: (sign) => b.return(b.i64(F.TOP_BIT), b.or(F.packWord(b, sign, F.EXPONENT_MASK, 0), flags)),
    // A denormal operand is of no interest then.
    pole: (sign) => b.return(b.i64(F.TOP_BIT), F.packWord(b, sign, F.EXPONENT_MASK, F.ZERO_DIVIDE)),
    invalid: () => C.returnIndefinite(b),
  };
}
