// Packed decimals of 18 digits and a sign, in 80 bits: fbld and fbstp. The low 64 bits hold 16 digits.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import * as C from './classify.js';
import { f80OfInteger, roundToInteger } from './convert.js';
import * as F from './format.js';

const DIGITS_IN_LOW = 16;
const LARGEST = 999_999_999_999_999_999n;
const INDEFINITE_LOW = 0xc000000000000000n;
const INDEFINITE_HIGH = 0xffff;

/** (low 64 bits, high 16 bits) → 80-bit number. Digits above 9 count as what they are. */
export const f80OfDecimal = F.floatRoutine('f80OfDecimal', ['i64', 'i32'], ['i64', 'i32'], (b, low, high) => {
  let sum: Value = b.extendU(b.add(b.mul(b.and(b.shrU(high, 4), 15), 10), b.and(high, 15)));
  for (let digit = DIGITS_IN_LOW - 1; digit >= 0; digit--) {
    sum = b.add(b.mul(sum, 10n), b.and(b.shrU(low, BigInt(4 * digit)), 15n));
  }
  const [significand, word] = F.callPair(b, f80OfInteger, sum);
  b.return(significand, b.or(word, b.and(high, F.SIGN)));
});

/** The lowest `count` decimal digits of `value`, four bits each, and what is above them. */
function decimalDigits(b: Builder, value: Value, count: number): { digits: Value; rest: Value } {
  const rest = b.variable('i64', value);
  const digits = b.variable('i64', 0n);
  const place = b.variable('i64', 0n);
  b.loop((loop) => {
    const now = b.get(rest);
    const above = b.divU(now, 10n);
    const digit = b.sub(now, b.mul(above, 10n));
    b.set(digits, b.or(b.get(digits), b.shl(digit, b.get(place))));
    b.set(rest, above);
    b.set(place, b.add(b.get(place), 4n));
    b.breakIf(loop, b.geU(b.get(place), BigInt(4 * count)));
  });
  return { digits: b.get(digits), rest: b.get(rest) };
}

/** (significand, sign and exponent, mode) → (low 64 bits; high 16 bits with the flags above). */
export const decimalOfF80 = F.floatRoutine(
  'decimalOfF80',
  ['i64', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, significand, word, mode) => {
    const [sign, exponent] = [C.signOf(b, word), C.exponentOf(b, word)];
    const invalid = (): void => b.return(b.i64(INDEFINITE_LOW), b.i32(INDEFINITE_HIGH | (F.INVALID << F.FLAGS_SHIFT)));
    b.when(b.or(b.geU(exponent, F.BIAS + 63), C.isUnsupported(b, exponent, significand)), invalid);
    const { magnitude, rest, up } = roundToInteger(b, { sign, exponent, significand }, F.rounding(b, mode));
    b.when(b.gtU(magnitude, LARGEST), invalid);
    const low = decimalDigits(b, magnitude, DIGITS_IN_LOW);
    const high = decimalDigits(b, low.rest, 2);
    const flags = b.or(b.select(b.ne(rest, 0n), F.PRECISION, 0), b.shl(up, 9));
    b.return(low.digits, F.packWord(b, sign, b.wrap(high.digits), flags));
  },
);
