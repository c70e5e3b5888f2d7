// Comparison of 80-bit numbers, and what fxam says of one.
import * as C from './classify.js';
import * as F from './format.js';

/** Condition codes, at their places in the status word. */
const C0 = 0x100;
const C1 = 0x200;
const C2 = 0x400;
const C3 = 0x4000;
const UNORDERED = C3 | C2 | C0;

/**
 * (significand, sign and exponent) twice, and 1 if a quiet NaN is no matter (fucom) → C0 for less, C3 for equal, all three
 * for unordered, 0 for greater; and flags, in the same word.
 */
export const f80Compare = F.floatRoutine(
  'f80Compare',
  ['i64', 'i32', 'i64', 'i32', 'i32'],
  ['i32'],
  (b, sigA, wordA, sigB, wordB, quiet) => {
    const [expA, expB] = [C.exponentOf(b, wordA), C.exponentOf(b, wordB)];
    b.when(b.or(C.isNoNumber(b, expA, sigA), C.isNoNumber(b, expB, sigB)), () => {
      const unsupported = b.or(C.isUnsupported(b, expA, sigA), C.isUnsupported(b, expB, sigB));
      const signals = b.or(C.isSignalling(b, expA, sigA), C.isSignalling(b, expB, sigB));
      b.return(b.or(b.or(b.or(unsupported, signals), b.eqz(quiet)), UNORDERED));
    });
    const denormal = b.or(C.isDenormal(b, expA, sigA), C.isDenormal(b, expB, sigB));
    const flags = b.shl(denormal, 1);
    b.when(b.eqz(b.or(sigA, sigB)), () => b.return(b.or(flags, C3)));
    const signA = C.signOf(b, wordA);
    b.when(b.ne(signA, C.signOf(b, wordB)), () => b.return(b.or(flags, b.select(signA, C0, 0))));
    // With the top bit, an exponent of 0 means what 1 means.
    const realA = b.add(expA, b.and(b.eqz(expA), F.topBit(b, sigA)));
    const realB = b.add(expB, b.and(b.eqz(expB), F.topBit(b, sigB)));
    const sameExponent = b.eq(realA, realB);
    b.when(b.and(sameExponent, b.eq(sigA, sigB)), () => b.return(b.or(flags, C3)));
    const smaller = b.select(sameExponent, b.ltU(sigA, sigB), b.ltU(realA, realB));
    b.return(b.or(flags, b.shl(b.xor(smaller, signA), 8)));
  },
);

/** (significand, sign and exponent) → the class of a register that is not empty, in C3, C2, C0, and its sign in C1. */
export const f80Examine = F.floatRoutine('f80Examine', ['i64', 'i32'], ['i32'], (b, significand, word) => {
  const exponent = C.exponentOf(b, word);
  const sign = b.select(C.signOf(b, word), C1, 0);
  b.when(C.isUnsupported(b, exponent, significand), () => b.return(sign));
  b.when(C.isNoNumber(b, exponent, significand), () => b.return(b.or(sign, C0)));
  b.when(C.isInfinite(b, exponent), () => b.return(b.or(sign, C2 | C0)));
  b.when(b.eqz(significand), () => b.return(b.or(sign, C3)));
  b.return(b.or(sign, b.select(exponent, C2, C3 | C2)));
});
