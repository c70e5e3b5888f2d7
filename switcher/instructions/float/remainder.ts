// The partial remainder: fprem and fprem1.
//
// A step takes away at most 63 bits of the quotient. With more to go it takes fewer, leaves a smaller number of the same
// remainder, and says by C2 that it wants to be run again.
import type { Routine, Value } from '../../language/nodes.js';
import type { Builder } from '../../language/builder.js';
import * as C from './classify.js';
import { divideWide } from './divide.js';
import { finishNormalised } from './add.js';
import * as F from './format.js';
import { outlet80 } from './outlet.js';
import { f80Round } from './round.js';

const C2 = 0x400;

/** The three lowest bits of the quotient as fprem shows them: bit 2 in C0, bit 1 in C3, bit 0 in C1. */
function quotientCodes(b: Builder, quotient: Value): Value {
  const low = b.wrap(quotient);
  const place = (bit: number, code: number): Value => b.shl(b.and(b.shrU(low, bit), 1), code);
  return b.or(b.or(place(2, 8), place(1, 14)), place(0, 9));
}

interface Step {
  readonly quotient: Value;
  readonly rest: Value;
}

/** significand · 2^distance by divisor, for a distance of 0 … 63. */
function divideShifted(b: Builder, significand: Value, distance: Value, divisor: Value): Step {
  const n = b.extendU(distance);
  const high = b.shrU(b.shrU(significand, 1n), b.sub(63n, n));
  return divideWide(b, high, b.shl(significand, n), divisor);
}

/** Returns ± rest · 2^exponent with condition codes and the flags of the operands. */
function returnRest(b: Builder, sign: Value, exponent: Value, rest: Value, codes: Value, mode: Value): void {
  b.when(b.eqz(rest), () => b.return(rest, b.or(b.shl(sign, 15), b.shl(codes, F.FLAGS_SHIFT))));
  finishNormalised(b, sign, exponent, { high: rest, low: b.i64(0) }, (s, exp, high, low) => {
    // Exact, whatever the precision: only a denormal result has anything to be said about.
    const [significand, word] = F.callPair(b, f80Round, s, exp, high, low, b.or(mode, F.NEAREST_64));
    b.return(significand, b.or(word, b.shl(codes, F.FLAGS_SHIFT)));
  });
}

/** With the quotient to nearest, half of the divisor is as much as may be left. */
function toNearest(b: Builder, step: Step, divisor: Value): Step & { negative: Value } {
  const more = b.sub(divisor, step.rest);
  const odd = b.wrap(b.and(step.quotient, 1n));
  const up = b.or(b.gtU(step.rest, more), b.and(b.eq(step.rest, more), odd));
  return {
    quotient: b.add(step.quotient, b.extendU(up)),
    rest: b.select(up, more, step.rest),
    negative: up,
  };
}

const remainder = (name: string, nearest: boolean): Routine =>
  F.floatRoutine(name, ['i64', 'i32', 'i64', 'i32', 'i32'], ['i64', 'i32'], (b, sigA, wordA, sigB, wordB, mode) => {
    const [expA, expB] = [C.exponentOf(b, wordA), C.exponentOf(b, wordB)];
    const [a, c] = [
      { significand: sigA, signExponent: wordA },
      { significand: sigB, signExponent: wordB },
    ];
    const out = outlet80(b, a, c, mode);
    b.when(b.or(C.isInfinite(b, expA), b.eqz(sigB)), () => out.invalid());
    const denormal = b.or(C.isDenormal(b, expA, sigA), C.isDenormal(b, expB, sigB));
    const flags = b.select(denormal, F.DENORMAL, 0);
    const unchanged = (): void => b.return(sigA, b.or(wordA, b.shl(flags, F.FLAGS_SHIFT)));
    b.when(b.eqz(sigA), unchanged);
    const [x, y] = [C.normalise(b, wordA, sigA), C.normalise(b, wordB, sigB)];
    b.when(C.isInfinite(b, expB), () => returnRest(b, x.sign, x.exponent, x.significand, flags, mode));
    const distance = b.sub(x.exponent, y.exponent);
    b.when(b.ltS(distance, 0), () => {
      if (nearest) {
        // Only just below the divisor a quotient can still be nearest to 1.
        b.when(b.and(b.eq(distance, -1), b.gtU(x.significand, y.significand)), () => {
          const rest = b.sub(b.shl(y.significand, 1n), x.significand);
          const codes = b.or(quotientCodes(b, b.i64(1)), flags);
          returnRest(b, b.xor(x.sign, 1), x.exponent, rest, codes, mode);
        });
      }
      returnRest(b, x.sign, x.exponent, x.significand, flags, mode);
    });
    b.when(b.geS(distance, 64), () => {
      // 32 … 63 bits, so that what is left to go is a multiple of 32.
      const some = b.add(b.and(distance, 31), 32);
      const { rest } = divideShifted(b, x.significand, some, y.significand);
      returnRest(b, x.sign, b.add(y.exponent, b.sub(distance, some)), rest, b.or(flags, C2), mode);
    });
    const step = divideShifted(b, x.significand, distance, y.significand);
    if (!nearest) returnRest(b, x.sign, y.exponent, step.rest, b.or(quotientCodes(b, step.quotient), flags), mode);
    const { quotient, rest, negative } = toNearest(b, step, y.significand);
    // A rest of nothing has the sign of the dividend.
    const sign = b.xor(x.sign, b.and(negative, b.ne(rest, 0n)));
    returnRest(b, sign, y.exponent, rest, b.or(quotientCodes(b, quotient), flags), mode);
  });

/** (a's significand, its sign and exponent, the same of b, mode) → a − b · q; above sign and exponent, flags and C0 … C3. */
export const f80Remainder = remainder('f80Remainder', false);
export const f80RemainderNearest = remainder('f80RemainderNearest', true);
