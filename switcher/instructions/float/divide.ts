// Division.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import * as C from './classify.js';
import * as F from './format.js';
import { type Finish, type Outlet, outlet80 } from './outlet.js';
import { finish80 } from './round.js';

const LOW_HALF = 0xffffffffn;
const HALF_BASE = 1n << 32n;

/**
 * One digit, of 32 bits, of a long division: `rest`, which is less than `divisor`, with the digit `next` behind it, by a
 * divisor with its top bit set. The digit is first guessed from the divisor's upper half, and then at most two too large.
 */
function digit(b: Builder, rest: Value, next: Value, divisor: Value): { quotient: Value; rest: Value } {
  const upper = b.shrU(divisor, 32n);
  const lower = b.and(divisor, LOW_HALF);
  const guess = b.divU(rest, upper);
  const quotient = b.variable('i64', guess);
  const left = b.variable('i64', b.sub(rest, b.mul(guess, upper)));
  const tooLarge = (): Value => {
    const q = b.get(quotient);
    return b.or(b.geU(q, HALF_BASE), b.gtU(b.mul(q, lower), b.or(b.shl(b.get(left), 32n), next)));
  };
  const lower1 = (): void => {
    b.set(quotient, b.sub(b.get(quotient), 1n));
    b.set(left, b.add(b.get(left), upper));
  };
  b.when(tooLarge(), () => {
    lower1();
    b.when(b.and(b.ltU(b.get(left), HALF_BASE), tooLarge()), lower1);
  });
  const q = b.get(quotient);
  return { quotient: q, rest: b.sub(b.or(b.shl(rest, 32n), next), b.mul(q, divisor)) };
}

/** `high` · 2^64 + `low` by `divisor`, which is larger than `high` and has its top bit set. */
export function divideWide(b: Builder, high: Value, low: Value, divisor: Value): { quotient: Value; rest: Value } {
  const first = digit(b, high, b.shrU(low, 32n), divisor);
  const second = digit(b, first.rest, b.and(low, LOW_HALF), divisor);
  return { quotient: b.or(b.shl(first.quotient, 32n), second.quotient), rest: second.rest };
}

/** Divides normalised numbers, with a remainder that is told as the low word, and finishes. */
export function divideExactly(b: Builder, x: F.Unpacked, y: F.Unpacked, finish: Finish): void {
  const n = b.extendU(b.geU(x.significand, y.significand));
  const { quotient, rest } = divideWide(
    b,
    b.shrU(x.significand, n),
    b.shl(b.and(x.significand, n), 63n),
    y.significand,
  );
  // More or less than half of the last place; exactly half it cannot be.
  const low = b.or(b.shl(b.extendU(b.gtU(rest, b.sub(y.significand, rest))), 63n), b.extendU(b.ne(rest, 0n)));
  const exponent = b.add(b.add(b.sub(x.exponent, y.exponent), F.BIAS - 1), b.wrap(n));
  finish(b.xor(x.sign, y.sign), exponent, quotient, low);
}

/** Divides any numbers, none of them a NaN or unsupported. */
export function divideNumbers(b: Builder, x: F.Float80, y: F.Float80, out: Outlet): void {
  const [expX, expY] = [C.exponentOf(b, x.signExponent), C.exponentOf(b, y.signExponent)];
  const sign = C.signOf(b, b.xor(x.signExponent, y.signExponent));
  b.when(C.isInfinite(b, expX), () => {
    b.when(C.isInfinite(b, expY), () => out.invalid());
    out.infinity(sign);
  });
  b.when(C.isInfinite(b, expY), () => out.zero(sign));
  b.when(b.eqz(y.significand), () => {
    b.when(b.eqz(x.significand), () => out.invalid());
    out.pole(sign);
  });
  b.when(b.eqz(x.significand), () => out.zero(sign));
  const [a, c] = [C.normalise(b, x.signExponent, x.significand), C.normalise(b, y.signExponent, y.significand)];
  divideExactly(b, a, c, out.number);
}

const f80DivideSpecial = F.floatRoutine(
  'f80DivideSpecial',
  ['i64', 'i32', 'i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, sigA, wordA, sigB, wordB, mode) => {
    const [x, y] = [
      { significand: sigA, signExponent: wordA },
      { significand: sigB, signExponent: wordB },
    ];
    divideNumbers(b, x, y, outlet80(b, x, y, mode));
  },
);

/** (a's significand, its sign and exponent, the same of b, mode) → a / b. */
export const f80Divide = F.floatRoutine(
  'f80Divide',
  ['i64', 'i32', 'i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, sigA, wordA, sigB, wordB, mode) => {
    const [expA, expB] = [C.exponentOf(b, wordA), C.exponentOf(b, wordB)];
    b.when(C.bothNormal(b, expA, sigA, expB, sigB), () => {
      const x = { sign: C.signOf(b, wordA), exponent: expA, significand: sigA };
      const y = { sign: C.signOf(b, wordB), exponent: expB, significand: sigB };
      divideExactly(b, x, y, (sign, exponent, high, low) => finish80(b, sign, exponent, high, low, mode));
    });
    b.return(...F.callPair(b, f80DivideSpecial, sigA, wordA, sigB, wordB, mode));
  },
);
