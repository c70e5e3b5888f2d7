// Addition and subtraction.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import * as C from './classify.js';
import * as F from './format.js';
import { type Finish, type Outlet, outlet80 } from './outlet.js';
import { finish80 } from './round.js';

/** high · 2^64 + low. */
interface Wide {
  readonly high: Value;
  readonly low: Value;
}

/** `significand` shifted right by `distance`, with what falls out of the 128 bits as the last bit. */
function align(b: Builder, significand: Value, distance: Value): Wide {
  const high = b.variable('i64', 0n);
  const low = b.variable('i64', 0n);
  b.when(
    b.ltU(distance, 64),
    () => {
      const n = b.extendU(distance);
      b.set(high, b.shrU(significand, n));
      b.set(low, b.shl(b.shl(significand, 1n), b.sub(63n, n)));
    },
    () => {
      // Far below the last place it is only a question of there being something.
      const far = b.gtU(distance, 66);
      const n = b.extendU(b.sub(distance, 64));
      const near = b.or(b.shrU(significand, n), b.extendU(b.ne(b.and(significand, 3n), 0n)));
      b.set(low, b.select(far, 1n, near));
    },
  );
  return { high: b.get(high), low: b.get(low) };
}

/** Adds normalised numbers exactly, and finishes what is not zero. An exact zero falls through to the end. */
export function addExactly(b: Builder, x: F.Unpacked, y: F.Unpacked, finish: Finish): void {
  const swap = b.or(
    b.ltS(x.exponent, y.exponent),
    b.and(b.eq(x.exponent, y.exponent), b.ltU(x.significand, y.significand)),
  );
  const exponent = b.select(swap, y.exponent, x.exponent);
  const sign = b.select(swap, y.sign, x.sign);
  const large = b.select(swap, y.significand, x.significand);
  const small = align(
    b,
    b.select(swap, x.significand, y.significand),
    b.sub(exponent, b.select(swap, x.exponent, y.exponent)),
  );
  b.when(
    b.eq(x.sign, y.sign),
    () => {
      const sum = b.add(large, small.high);
      const carried = b.ltU(sum, large);
      const n = b.extendU(carried);
      const low = b.or(b.shrU(small.low, n), b.and(small.low, n));
      const high = b.or(b.shrU(sum, n), b.shl(n, 63n));
      finish(sign, b.add(exponent, carried), high, b.or(low, b.and(b.shl(sum, 63n), b.sub(0n, n))));
    },
    () => {
      const low = b.sub(0n, small.low);
      const high = b.sub(b.sub(large, small.high), b.extendU(b.ne(low, 0n)));
      b.when(b.ne(b.or(high, low), 0n), () => finishNormalised(b, sign, exponent, { high, low }, finish));
    },
  );
}

/** Shifts 128 bits that are not zero left until the top one is set, and finishes. */
export function finishNormalised(b: Builder, sign: Value, exponent: Value, wide: Wide, finish: Finish): void {
  const none = b.eqz(wide.high);
  const upper = b.select(none, wide.low, wide.high);
  const lower = b.select(none, 0n, wide.low);
  const n = b.clz(upper);
  const high = b.or(b.shl(upper, n), b.shrU(b.shrU(lower, 1n), b.sub(63n, n)));
  const lost = b.add(b.wrap(n), b.shl(none, 6));
  finish(sign, b.sub(exponent, lost), high, b.shl(lower, n));
}

/** Adds any numbers, none of them a NaN or unsupported. */
export function addNumbers(b: Builder, x: F.Float80, y: F.Float80, rounding: Value, out: Outlet): void {
  const [expX, expY] = [C.exponentOf(b, x.signExponent), C.exponentOf(b, y.signExponent)];
  const [signX, signY] = [C.signOf(b, x.signExponent), C.signOf(b, y.signExponent)];
  const differ = b.xor(signX, signY);
  b.when(C.isInfinite(b, expX), () => {
    b.when(b.and(C.isInfinite(b, expY), differ), () => out.invalid());
    out.infinity(signX);
  });
  b.when(C.isInfinite(b, expY), () => out.infinity(signY));
  const [zeroX, zeroY] = [b.eqz(x.significand), b.eqz(y.significand)];
  const down = b.eq(rounding, F.ROUND_DOWN);
  b.when(b.and(zeroX, zeroY), () => out.zero(b.select(differ, down, signX)));
  const a = C.normalise(b, x.signExponent, x.significand);
  const c = C.normalise(b, y.signExponent, y.significand);
  // What is added to zero is rounded all the same: to 24 or 53 bits.
  b.when(zeroX, () => out.number(c.sign, c.exponent, c.significand, b.i64(0n)));
  b.when(zeroY, () => out.number(a.sign, a.exponent, a.significand, b.i64(0n)));
  addExactly(b, a, c, out.number);
  out.zero(down);
}

/** (operands as they are, 1 to subtract, mode): all but two normal operands. */
const f80AddSpecial = F.floatRoutine(
  'f80AddSpecial',
  ['i64', 'i32', 'i64', 'i32', 'i32', 'i32'],
  ['i64', 'i32'],
  (b, sigA, wordA, sigB, wordB, subtract, mode) => {
    const x = { significand: sigA, signExponent: wordA };
    const out = outlet80(b, x, { significand: sigB, signExponent: wordB }, mode);
    addNumbers(b, x, { significand: sigB, signExponent: b.xor(wordB, b.shl(subtract, 15)) }, F.rounding(b, mode), out);
  },
);

const addition = (name: string, subtract: 0 | 1) =>
  F.floatRoutine(name, ['i64', 'i32', 'i64', 'i32', 'i32'], ['i64', 'i32'], (b, sigA, wordA, sigB, wordB, mode) => {
    const [expA, expB] = [C.exponentOf(b, wordA), C.exponentOf(b, wordB)];
    b.when(C.bothNormal(b, expA, sigA, expB, sigB), () => {
      const signB = b.xor(C.signOf(b, wordB), subtract);
      const a = { sign: C.signOf(b, wordA), exponent: expA, significand: sigA };
      addExactly(b, a, { sign: signB, exponent: expB, significand: sigB }, (sign, exponent, high, low) =>
        finish80(b, sign, exponent, high, low, mode),
      );
      b.return(b.i64(0n), b.shl(b.eq(F.rounding(b, mode), F.ROUND_DOWN), 15));
    });
    b.return(...F.callPair(b, f80AddSpecial, sigA, wordA, sigB, wordB, subtract, mode));
  });

/** (a's significand, its sign and exponent, the same of b, mode) → a + b and a − b. */
export const f80Add = addition('f80Add', 0);
export const f80Subtract = addition('f80Subtract', 1);
