// Floating-point operations in bulk: operands that look for trouble, and a few bits to remember the results by.
//
// A real CPU's results of thousands of operations each would be megabytes of noise. What is kept (tests/vectors/float.json)
// is a checksum for each hundred of them; the operands come from a generator that gives the same ones every time.

/** One case, as tests/native/float.c reads it: 24 bytes. */
export interface FloatCase {
  /** Significands, raw bits or integers, as the instruction has it. */
  readonly x: bigint;
  readonly y: bigint;
  /** Of 80-bit operands. */
  readonly xWord: number;
  readonly yWord: number;
  /** The x87 control word or MXCSR. */
  readonly control: number;
}

/** One answer: 16 bytes. */
export interface FloatAnswer {
  readonly value: bigint;
  readonly word: number;
  readonly status: number;
}

export const CASE_BYTES = 24;
export const ANSWER_BYTES = 16;
/** Cases behind one checksum. */
export const CHUNK = 100;
export const CASES = 10_000;

/** What kind of operands an instruction takes, and how much of the answer counts. */
export interface FloatInstruction {
  readonly name: string;
  readonly x: Kind;
  readonly y: Kind;
  readonly control: 'x87' | 'x87-masked' | 'sse';
  /** Bits of the value that count. */
  readonly bits: 32 | 64;
  /** Bits of the status that count. */
  readonly status: number;
}

export type Kind = 'f80' | 'f64' | 'f32' | 'i64' | 'decimal' | 'near-integer' | 'near-f32' | 'near-f64' | 'scale';

const X87_FLAGS = 0x027f;
const X87_CODES = 0x477f;
const SSE_FLAGS = 0xffff;
const COMPARED = 0x0045ffff;

const x87 = (name: string, y: Kind = 'f80', x: Kind = 'f80', status = X87_FLAGS): FloatInstruction => {
  return { name, x, y, control: 'x87', bits: 64, status };
};
const stores = (name: string, x: Kind): FloatInstruction => {
  return { name, x, y: 'f80', control: 'x87-masked', bits: 64, status: X87_FLAGS };
};
const sse = (name: string, kind: 'f32' | 'f64', x: Kind = kind, bits: 32 | 64 = kind === 'f32' ? 32 : 64) => {
  return { name, x, y: kind, control: 'sse', bits, status: SSE_FLAGS } as const;
};
const toInteger = (name: string, kind: 'f32' | 'f64'): FloatInstruction => ({ ...sse(name, kind), bits: 32 });
const compares = (name: string, kind: 'f32' | 'f64'): FloatInstruction => ({ ...sse(name, kind), status: COMPARED });

export const FLOAT_INSTRUCTIONS: readonly FloatInstruction[] = [
  ...['fadd', 'fsub', 'fmul', 'fdiv', 'fsqrt', 'fxtract'].map((name) => x87(name)),
  x87('frndint', 'f80', 'near-integer'),
  x87('fscale', 'scale'),
  ...['fprem', 'fprem1', 'fcom', 'fucom', 'fxam'].map((name) => x87(name, 'f80', 'f80', X87_CODES)),
  x87('fld32', 'f32'),
  x87('fld64', 'f64'),
  ...['fild16', 'fild32', 'fild64'].map((name) => x87(name, 'i64')),
  x87('fbld', 'decimal'),
  stores('fst32', 'near-f32'),
  stores('fst64', 'near-f64'),
  ...['fist16', 'fist32', 'fistp64', 'fbstp'].map((name) => stores(name, 'near-integer')),
  ...['addss', 'subss', 'mulss', 'divss', 'sqrtss', 'minss', 'maxss'].map((name) => sse(name, 'f32')),
  ...['addsd', 'subsd', 'mulsd', 'divsd', 'sqrtsd', 'minsd', 'maxsd'].map((name) => sse(name, 'f64')),
  ...['comiss', 'ucomiss'].map((name) => compares(name, 'f32')),
  ...['comisd', 'ucomisd'].map((name) => compares(name, 'f64')),
  ...['cvtss2si', 'cvttss2si'].map((name) => toInteger(name, 'f32')),
  ...['cvtsd2si', 'cvttsd2si'].map((name) => toInteger(name, 'f64')),
  sse('cvtsi2ss', 'f32', 'i64'),
  sse('cvtss2sd', 'f32', 'f32', 64),
  sse('cvtsd2ss', 'f64', 'f64', 32),
];

// ---------------------------------------------------------------- operands

const BIAS = 0x3fff;
const TOP = 1n << 63n;
const ALL = (1n << 64n) - 1n;

/** Marsaglia's xorshift of 128 bits, in four words. */
class Dice {
  #a = 0x9e3779b9;
  #b = 0x243f6a88;
  #c = 0xb7e15162;
  #d: number;

  constructor(seed: number) {
    this.#d = seed | 1;
    for (let i = 0; i < 20; i++) this.word();
  }

  word(): number {
    const t = this.#a ^ (this.#a << 11);
    this.#a = this.#b;
    this.#b = this.#c;
    this.#c = this.#d;
    this.#d = this.#d ^ (this.#d >>> 19) ^ t ^ (t >>> 8);
    return this.#d >>> 0;
  }

  below(limit: number): number {
    return this.word() % limit;
  }

  long(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }
}

/** Significands as rounding and normalising dislike them. */
function significand(dice: Dice): bigint {
  const any = dice.long();
  switch (dice.below(11)) {
    case 0:
      return TOP;
    case 1:
      return ALL - (any & 3n);
    case 2:
      return TOP | (1n << BigInt(dice.below(63)));
    case 3:
      return ((ALL << BigInt(dice.below(64))) & ALL) | TOP;
    case 4:
      return ((any << BigInt(dice.below(60))) & ALL) | TOP;
    case 5:
      return TOP | (any >> BigInt(1 + dice.below(63)));
    case 6:
      // about half of the last place of 24 bits, and of 53
      return TOP | (any & ~0xff_ffff_ffffn) | (any & 1n ? 0x80_0000_0000n : 0n) | (any & 3n);
    case 7:
      return TOP | (any & ~0x7ffn) | (any & 1n ? 0x400n : 0n) | (any & 3n);
    default:
      return any | TOP;
  }
}

interface Float80 {
  readonly significand: bigint;
  readonly word: number;
}

function float80(dice: Dice, spread: number): Float80 {
  const sign = (dice.word() & 1) << 15;
  const sig = significand(dice);
  const kind = dice.below(100);
  const near = BIAS + dice.below(2 * spread + 1) - spread;
  if (kind < 70) return { significand: sig, word: sign | near };
  if (kind < 78) return { significand: sig, word: sign | (1 + dice.below(0x7ffe)) };
  if (kind < 81) return { significand: sig, word: sign | (1 + dice.below(70)) };
  if (kind < 84) return { significand: sig, word: sign | (0x7ffe - dice.below(70)) };
  if (kind < 87) return { significand: 0n, word: sign };
  if (kind < 90) return { significand: TOP, word: sign | 0x7fff };
  if (kind < 94) return { significand: sig >> BigInt(dice.below(64)), word: sign };
  if (kind < 97) return { significand: dice.word() & 1 ? sig : sig & ~(1n << 62n), word: sign | 0x7fff };
  if (kind < 98) return { significand: sig & ~TOP, word: sign | dice.below(0x8000) };
  return { significand: sig, word: sign | (BIAS + dice.below(64)) };
}

/** The raw bits of a narrow number. */
function narrow(dice: Dice, fraction: number, exponentMask: number): bigint {
  const places = BigInt(fraction);
  const all = (1n << places) - 1n;
  const sign = BigInt(dice.word() & 1) << BigInt(fraction === 23 ? 31 : 63);
  const some = [0n, all, dice.long() & (all << BigInt(dice.below(fraction))) & all, dice.long() & all];
  const bits = some[dice.below(some.length)] ?? 0n;
  const kind = dice.below(100);
  const near = (exponentMask >> 1) + dice.below(61) - 30;
  const edge = dice.below(fraction + 3);
  const exponent =
    kind < 65 ? near : kind < 72 ? dice.below(exponentMask + 1) : kind < 78 ? 1 + edge : exponentMask - 1 - edge;
  if (kind < 84) return sign | (BigInt(exponent) << places) | bits;
  if (kind < 87) return sign;
  if (kind < 90) return sign | (BigInt(exponentMask) << places);
  return sign | (BigInt(kind < 96 ? 0 : exponentMask) << places) | bits;
}

/** Half of the time a number whose exponent is in `from` … `from + count − 1`. */
function aimed(dice: Dice, from: number, count: number): Float80 {
  const any = float80(dice, 70);
  if (dice.word() & 1) return any;
  return { significand: any.significand | TOP, word: (any.word & 0x8000) | (from + dice.below(count)) };
}

function decimal(dice: Dice): Float80 {
  let digits = 0n;
  for (let i = dice.below(19); i > 0; i--) digits = (digits << 4n) | BigInt(dice.below(10));
  return { significand: digits & ALL, word: Number(digits >> 64n) | ((dice.word() & 1) << 15) };
}

function operand(dice: Dice, kind: Kind): Float80 {
  switch (kind) {
    case 'f80':
      return float80(dice, 70);
    case 'f64':
      return { significand: narrow(dice, 52, 0x7ff), word: 0 };
    case 'f32':
      return { significand: narrow(dice, 23, 0xff), word: 0 };
    case 'i64':
      return { significand: BigInt.asUintN(64, BigInt.asIntN(64, dice.long()) >> BigInt(dice.below(64))), word: 0 };
    case 'decimal':
      return decimal(dice);
    case 'near-integer':
      return aimed(dice, BIAS - 1, 67);
    case 'near-f32':
      return dice.word() & 1 ? aimed(dice, BIAS - 152, 30) : aimed(dice, BIAS + 124, 6);
    case 'near-f64':
      return dice.word() & 1 ? aimed(dice, BIAS - 1077, 60) : aimed(dice, BIAS + 1020, 6);
    case 'scale':
      return aimed(dice, BIAS - 1, 17);
  }
}

function controlOf(dice: Dice, control: FloatInstruction['control']): number {
  if (control === 'sse') {
    const one = (chance: number, bits: number): number => (dice.below(chance) === 0 ? bits : 0);
    return 0x1f80 | one(2, 0x20) | one(3, dice.word() & 0x6000) | one(6, 0x8000) | one(6, 0x40);
  }
  const precision = [0, 2, 3, 3][dice.below(4)] ?? 3;
  const word = dice.below(10) < 4 ? 0x37f : 0x7f | (precision << 8) | (dice.word() & 0xc00);
  // Invalid operands, denormal ones and division by zero stay masked: unmasked, there is no result to compare.
  return control === 'x87' && dice.below(4) === 0 ? (word & ~0x38) | (dice.word() & 0x38) : word;
}

/** The cases of an instruction: the same ones every time. */
export function* floatCases(instruction: FloatInstruction, count = CASES): Generator<FloatCase> {
  const dice = new Dice([...instruction.name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7));
  for (let i = 0; i < count; i++) {
    const x = operand(dice, instruction.x);
    let y = operand(dice, instruction.y);
    // Operands that are equal, or nearly so, or opposite.
    if (dice.below(12) === 0 && instruction.x === instruction.y) y = { ...x, word: y.word & 0x8000 ? x.word : y.word };
    const control = controlOf(dice, instruction.control);
    yield { x: x.significand, y: y.significand, xWord: x.word, yWord: y.word, control };
  }
}

// ---------------------------------------------------------------- answers

/** Adds an answer to a checksum, by FNV-1a over the words that count. */
export function checksum(sum: number, instruction: FloatInstruction, { value, word, status }: FloatAnswer): number {
  const low = Number(BigInt.asUintN(32, value));
  const high = instruction.bits === 64 ? Number(BigInt.asUintN(32, value >> 32n)) : 0;
  return [low, high, word, status & instruction.status].reduce(
    (hash, part) => Math.imul(hash ^ part, 0x01000193) ^ (hash >>> 15),
    sum,
  );
}

export const FIRST_CHECKSUM = 0x811c9dc5;

/** One checksum for each hundred answers, in hexadecimal. */
export function checksums(instruction: FloatInstruction, answers: Iterable<FloatAnswer>): string[] {
  const sums: string[] = [];
  let sum = FIRST_CHECKSUM;
  let count = 0;
  for (const answer of answers) {
    sum = checksum(sum, instruction, answer);
    if (++count % CHUNK !== 0) continue;
    sums.push((sum >>> 0).toString(16).padStart(8, '0'));
    sum = FIRST_CHECKSUM;
  }
  return sums;
}
