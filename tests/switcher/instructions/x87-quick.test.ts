// The quick ways through the x87's arithmetic against the routines that take any number: where one is open, it says the same,
// to the last bit and flag.
import t from 'tap';
import { f80Add, f80Subtract } from '../../../switcher/instructions/float/add.js';
import { f80Compare } from '../../../switcher/instructions/float/compare.js';
import * as Convert from '../../../switcher/instructions/float/convert.js';
import { FLAGS_SHIFT, type Float80, PRECISION, ROUNDED_UP } from '../../../switcher/instructions/float/format.js';
import { f80Multiply } from '../../../switcher/instructions/float/multiply.js';
import * as Quick from '../../../switcher/instructions/float/quick.js';
import { F32, F64, type Narrow } from '../../../switcher/instructions/float/round.js';
import { type Builder, routine } from '../../../switcher/language/builder.js';
import type { Routine, Value } from '../../../switcher/language/nodes.js';
import { randomBytes } from '../../support/random-bytes.js';
import { compileRoutines } from '../../support/routines.js';

const ROUNDS = 100_000;
const CONTROL = 0x037f;
const TOP_BIT = 1n << 63n;
const ONES = (1n << 64n) - 1n;
const BIAS = 0x3fff;

const random = randomBytes(11);
const word = (): number => (random() | (random() << 8) | (random() << 16) | (random() << 24)) >>> 0;
const below = (n: number): number => word() % n;
const wide = (): bigint => (BigInt(word()) << 32n) | BigInt(word());
const pick = <T>(...choices: readonly T[]): T => choices[below(choices.length)] as T;

const significand = (): bigint => {
  const few = (wide() << BigInt(below(64))) & ONES;
  return pick(wide(), wide(), few, ONES << BigInt(below(64)), ONES >> BigInt(below(64)), 1n << BigInt(below(64)));
};

/** Two numbers with exponents alike, far apart, or of any size, and significands that are often alike, too. */
function pair(): readonly [bigint, number, bigint, number] {
  const sign = (): number => below(2) << 15;
  const exponent = pick(BIAS + below(200) - 100, BIAS + below(4000) - 2000, below(0x8000), pick(0, 1, 0x7ffe, 0x7fff));
  const apart = pick(0, 0, 1, -1, below(8) - 4, below(140) - 70, below(1000) - 500);
  const first = significand() | (below(32) === 0 ? 0n : TOP_BIT);
  const second = pick(significand(), first, first + 1n, first - 1n) | (below(32) === 0 ? 0n : TOP_BIT);
  const other = Math.max(0, Math.min(0x7fff, exponent + apart));
  return [first & ONES, exponent | sign(), second & ONES, other | sign()];
}

const unsigned = (value: unknown): unknown => (typeof value === 'bigint' ? BigInt.asUintN(64, value) : value);
/** How it was rounded, as the routines tell it. */
const flags = (b: Builder, { lost, up }: Quick.Rounding): Value =>
  b.or(b.select(b.ne(lost, 0n), PRECISION, 0), b.select(up, ROUNDED_UP, 0));

/** (two numbers) → 1 if the way is open, and what it gives. */
const binary = (name: string, quick: (b: Builder, x: Float80, y: Float80) => Quick.Rounded80): Routine =>
  routine(name, ['i64', 'i32', 'i64', 'i32'], ['i32', 'i64', 'i32'], (b, sigX, wordX, sigY, wordY) => {
    const x = { significand: sigX as Value, signExponent: wordX as Value };
    const y = { significand: sigY as Value, signExponent: wordY as Value };
    const result = quick(b, x, y);
    b.return(
      Quick.areQuick(b, x, y),
      result.significand,
      b.or(result.signExponent, b.shl(flags(b, result), FLAGS_SHIFT)),
    );
  });

const memory = new WebAssembly.Memory({ initial: 1 });

for (const [name, quick, any] of [
  ['addition', Quick.quickSum, f80Add],
  ['subtraction', Quick.quickDifference, f80Subtract],
  ['multiplication', Quick.quickProduct, f80Multiply],
] as const) {
  t.test(`a quick ${name} gives what the routine gives`, async (sub) => {
    const compiled = compileRoutines([binary('quick', quick), any], memory);
    let open = 0;
    for (let i = 0; i < ROUNDS; i++) {
      const operands = pair();
      const [isOpen, ...result] = compiled['quick']?.(...operands) as unknown[];
      if (isOpen !== 1) continue;
      open++;
      const expected = compiled[any.name]?.(...operands, CONTROL) as unknown[];
      if (String(result) !== String(expected)) sub.same(result, expected, `${operands.join(' ')}`);
    }
    sub.ok(open > ROUNDS / 3, `${open} of ${ROUNDS} were open to it`);
  });
}

t.test('a quick comparison gives what the routine gives', async (sub) => {
  const quick = routine('quick', ['i64', 'i32', 'i64', 'i32'], ['i32', 'i32'], (b, sigX, wordX, sigY, wordY) => {
    const x = { significand: sigX as Value, signExponent: wordX as Value };
    const y = { significand: sigY as Value, signExponent: wordY as Value };
    const { less, equal } = Quick.quickOrder(b, x, y);
    b.return(Quick.areOrdered(b, x, y), b.or(b.shl(less, 8), b.shl(equal, 14)));
  });
  const compiled = compileRoutines([quick, f80Compare], memory);
  let open = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const [sigX, wordX, sigY, wordY] = pair();
    const zero = below(8);
    const operands = [zero & 1 ? 0n : sigX, zero & 1 ? wordX & 0x8000 : wordX, zero & 2 ? 0n : sigY, wordY] as const;
    const [isOpen, codes] = compiled['quick']?.(...operands) as unknown[];
    if (isOpen !== 1) continue;
    open++;
    const expected = compiled['f80Compare']?.(...operands, 0);
    if (codes !== expected) sub.same(codes, expected, `${operands.join(' ')}`);
  }
  sub.ok(open > ROUNDS / 3, `${open} of ${ROUNDS} were open to it`);
});

for (const [format, type, widen, narrow] of [
  [F32, 'i32', Convert.f80OfF32, Convert.f32OfF80],
  [F64, 'i64', Convert.f80OfF64, Convert.f64OfF80],
] as const) {
  t.test(`numbers of ${format.bits} bits become 80 and come back as by the routines`, async (sub) => {
    const wider = routine('wider', [type], ['i32', 'i64', 'i32'], (b, bits) => {
      const { significand: high, signExponent } = Quick.widened(b, format, bits as Value);
      b.return(Quick.isNormal(b, format, bits as Value), high, signExponent);
    });
    const narrower = routine('narrower', ['i64', 'i32'], ['i32', 'i64', 'i32'], (b, high, signExponent) => {
      const x = { significand: high as Value, signExponent: signExponent as Value };
      const narrow = Quick.narrowed(b, format, x);
      const whole = type === 'i64' ? narrow.bits : b.extendU(narrow.bits);
      b.return(Quick.fits(b, format, x), whole, flags(b, narrow));
    });
    const compiled = compileRoutines([wider, narrower, widen, narrow], memory);
    let open = 0;
    for (let i = 0; i < ROUNDS; i++) {
      const bits = type === 'i32' ? word() | 0 : wide();
      const [isOpen, ...result] = compiled['wider']?.(bits) as unknown[];
      if (isOpen === 1) {
        open++;
        const expected = compiled[widen.name]?.(bits) as unknown[];
        if (String(result) !== String(expected)) sub.same(result, expected, `${bits}`);
      }
      const number = nearFormat(format);
      const [fits, ...rounded] = compiled['narrower']?.(...number) as unknown[];
      if (fits !== 1) continue;
      open++;
      const expected = compiled[narrow.name]?.(...number, CONTROL) as unknown[];
      if (String(rounded) !== String(expected)) sub.same(rounded, expected, `${number.join(' ')}`);
    }
    sub.ok(open > ROUNDS, `${open} of ${2 * ROUNDS} were open to it`);
  });
}

/** A number near the format's range, with a significand that is often just between two of the format's. */
function nearFormat({ fraction, least, exponentMask }: Narrow): readonly [bigint, number] {
  const half = 1n << BigInt(62 - fraction);
  const kept = (wide() >> BigInt(63 - fraction)) << BigInt(63 - fraction);
  const high = pick(wide(), significand(), kept, kept | half, kept | (half - 1n), kept | (half + 1n), ONES - half);
  const exponent = pick(least + below(exponentMask), least + below(4) - 2, least + exponentMask - 2 + below(4) - 2);
  return [(high | TOP_BIT) & ONES, exponent | (below(2) << 15)];
}

t.test('numbers become integers as by the routine, however they are to be rounded', async (sub) => {
  const control = routine('quick', ['i64', 'i32', 'i32'], ['i64', 'i32'], (b, high, signExponent, mode) => {
    const x = { significand: high as Value, signExponent: signExponent as Value };
    const integer = Quick.toInteger(b, x, mode as Value);
    b.return(integer.bits, flags(b, integer));
  });
  const fits = [16, 32, 64].map((bits) =>
    routine(`fits${bits}`, ['i64', 'i32'], ['i32'], (b, high, signExponent) => {
      b.return(Quick.fitsInteger(b, bits, { significand: high as Value, signExponent: signExponent as Value }));
    }),
  );
  const compiled = compileRoutines([control, ...fits, Convert.integerOfF80], memory);
  let open = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const bits = pick(16, 32, 64);
    const few = (wide() >> BigInt(below(62))) << BigInt(below(63));
    const high = (pick(significand(), few, ONES) | pick(TOP_BIT, TOP_BIT, TOP_BIT, 0n)) & ONES;
    const number = [high, pick(BIAS + below(70) - 5, below(0x8000)) | (below(2) << 15)] as const;
    if (compiled[`fits${bits}`]?.(...number) !== 1) continue;
    open++;
    const mode = CONTROL | (below(4) << 10);
    const result = compiled['quick']?.(...number, mode) as unknown[];
    const expected = compiled['integerOfF80']?.(...number, mode, bits) as unknown[];
    if (String(result) !== String(expected))
      sub.same(result, expected, `${number.join(' ')} ${mode.toString(16)} ${bits}`);
  }
  sub.ok(open > ROUNDS / 4, `${open} of ${ROUNDS} were open to it`);
});

t.test('integers become numbers of 80 bits as by the routine', async (sub) => {
  const quick = routine('quick', ['i64'], ['i64', 'i32'], (b, value) => {
    const { significand: high, signExponent } = Quick.ofInteger(b, value as Value);
    b.return(high, signExponent);
  });
  const compiled = compileRoutines([quick, Convert.f80OfInteger], memory);
  for (let i = 0; i < ROUNDS; i++) {
    const value = BigInt.asIntN(64, pick(wide(), significand(), -significand(), BigInt(below(9)) - 4n));
    const result = compiled['quick']?.(value) as unknown[];
    const expected = compiled['f80OfInteger']?.(value) as unknown[];
    if (String(result.map(unsigned)) !== String(expected.map(unsigned))) sub.same(result, expected, `${value}`);
  }
  sub.pass(`${ROUNDS} of them`);
});
