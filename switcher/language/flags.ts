// The arithmetic flags in two words, so that setting them costs almost nothing and reading one costs little.
//
//   result:  ZF is result == 0; SF and PF come from its sign and its low byte (narrow results are sign-extended)
//   aux:     31  CF        30  CF xor OF        3  AF
//            0   flips SF                       8–15  exclusive-ored into the byte that PF is taken from
//
// Adding two numbers gives a carry out of every bit; the carries out of the top two bits are CF and what OF is made of,
// the one out of bit 3 is AF. So `aux` is the vector of carries, shifted so that the top one is bit 31, and masked. The
// two correction fields exist for flags that were loaded rather than computed: popf can set ZF and SF together.
import type { Builder, Term } from './builder.js';
import type { Value } from './nodes.js';

export type Width = 8 | 16 | 32;

const CARRY = 1 << 31;
const CARRY_AND_OVERFLOW = 3 << 30;
const AUX_AF = 8;
const AUX_SIGN_FLIP = 1;
const AUX_PARITY_SHIFT = 8;

/** EFLAGS bits, by their manual names. */
const CF = 0;
const PF = 2;
const AF = 4;
const ZF = 6;
const SF = 7;
const OF = 11;

/** Shifts a vector of carries so that the top one is bit 31, and drops what no flag is made of. */
function auxFromCarries(b: Builder, width: Width, carries: Value): Value {
  return b.or(b.and(b.shl(carries, 32 - width), CARRY_AND_OVERFLOW), b.and(carries, AUX_AF));
}

function carriesOfAdd(b: Builder, left: Value, right: Value, result: Value): Value {
  return b.or(b.and(left, right), b.and(b.or(left, right), b.not(result)));
}

function borrowsOfSub(b: Builder, left: Value, right: Value, result: Value): Value {
  return b.or(b.and(b.not(left), right), b.and(b.not(b.xor(left, right)), result));
}

/** CF, PF, AF, ZF, SF, OF of `left + right (+ carry) = result`. */
export function flagsOfAdd(b: Builder, width: Width, left: Value, right: Value, result: Value): void {
  b.setFlagWords(b.signExtend(width, result), auxFromCarries(b, width, carriesOfAdd(b, left, right, result)), {
    operation: 'add',
    width,
    left,
    right,
  });
}

/** The flags of `left − right (− borrow) = result`; also cmp. */
export function flagsOfSub(b: Builder, width: Width, left: Value, right: Value, result: Value): void {
  b.setFlagWords(b.signExtend(width, result), auxFromCarries(b, width, borrowsOfSub(b, left, right, result)), {
    operation: 'sub',
    width,
    left,
    right,
  });
}

/** and, or, xor, test: CF and OF are cleared; AF is undefined and cleared here. */
export function flagsOfLogic(b: Builder, width: Width, result: Value): void {
  b.setFlagWords(b.signExtend(width, result), 0, { operation: 'logic', width, left: result, right: result });
}

/** inc and dec: everything as add and sub of 1, but CF stays. */
export function flagsOfStep(b: Builder, width: Width, left: Value, result: Value, down: boolean): void {
  const one = b.i32(1);
  const carries = down ? borrowsOfSub(b, left, one, result) : carriesOfAdd(b, left, one, result);
  const aux = auxFromCarries(b, width, carries);
  // OF is bit 31 xor bit 30: moving CF in flips both.
  const change = b.and(b.xor(aux, b.flagsAux()), CARRY);
  b.setFlagWords(b.signExtend(width, result), b.xor(aux, b.or(change, b.shrU(change, 1))));
}

/** SF, ZF and PF from `result`, the others as given (each 0 or 1). */
export function flagsOfResult(
  b: Builder,
  width: Width,
  result: Value,
  others: { cf: Term; of: Term; af?: Term },
): void {
  const cf = b.term('i32', others.cf);
  const of = b.term('i32', others.of);
  const aux = b.or(b.shl(cf, 31), b.shl(b.xor(cf, of), 30));
  b.setFlagWords(
    b.signExtend(width, result),
    others.af === undefined ? aux : b.or(aux, b.shl(b.term('i32', others.af), 3)),
  );
}

/** Six flags, each 0 or 1, whatever they are. */
export interface SixFlags {
  cf: Value;
  pf: Value;
  af: Value;
  zf: Value;
  sf: Value;
  of: Value;
}

export function setSixFlags(b: Builder, { cf, pf, af, zf, sf, of }: SixFlags): void {
  const aux = [b.shl(cf, 31), b.shl(b.xor(cf, of), 30), b.shl(af, 3), sf, b.shl(b.xor(pf, 1), AUX_PARITY_SHIFT)].reduce(
    (all, part) => b.or(all, part),
  );
  // 0x100 is not zero, has an even low byte and no sign: the corrections in aux do the rest.
  b.setFlagWords(b.select(zf, 0, 0x100), aux);
}

/** The flags from the low byte and bit 11 of an EFLAGS image. */
export function setFlagsFromImage(b: Builder, image: Value): void {
  const bit = (n: number): Value => b.and(b.shrU(image, n), 1);
  setSixFlags(b, { cf: bit(CF), pf: bit(PF), af: bit(AF), zf: bit(ZF), sf: bit(SF), of: bit(OF) });
}

export const carryFlag = (b: Builder): Value => b.shrU(b.flagsAux(), 31);
export const zeroFlag = (b: Builder): Value => b.eqz(b.flagsResult());
export const signFlag = (b: Builder): Value => b.xor(b.shrU(b.flagsResult(), 31), b.and(b.flagsAux(), AUX_SIGN_FLIP));
export const overflowFlag = (b: Builder): Value => {
  const aux = b.flagsAux();
  return b.and(b.xor(b.shrU(aux, 31), b.shrU(aux, 30)), 1);
};
export const adjustFlag = (b: Builder): Value => b.and(b.shrU(b.flagsAux(), 3), 1);
export const parityFlag = (b: Builder): Value => {
  const byte = b.and(b.xor(b.flagsResult(), b.shrU(b.flagsAux(), AUX_PARITY_SHIFT)), 0xff);
  return b.xor(b.and(b.popcnt(byte), 1), 1);
};

export function allFlags(b: Builder): SixFlags {
  return {
    cf: carryFlag(b),
    pf: parityFlag(b),
    af: adjustFlag(b),
    zf: zeroFlag(b),
    sf: signFlag(b),
    of: overflowFlag(b),
  };
}

/** The six flags at their places in EFLAGS, all other bits 0. */
export function flagsImage(b: Builder): Value {
  const { cf, pf, af, zf, sf, of } = allFlags(b);
  return [cf, b.shl(pf, PF), b.shl(af, AF), b.shl(zf, ZF), b.shl(sf, SF), b.shl(of, OF)].reduce((all, part) =>
    b.or(all, part),
  );
}

/** Changes CF alone. */
export function setCarry(b: Builder, cf: Term): void {
  const aux = b.flagsAux();
  const change = b.xor(b.term('i32', cf), b.shrU(aux, 31));
  b.setFlagWords(b.flagsResult(), b.xor(aux, b.and(b.sub(0, change), CARRY_AND_OVERFLOW)));
}

/** Changes ZF alone. */
export function setZero(b: Builder, zf: Term): void {
  setSixFlags(b, { ...allFlags(b), zf: b.term('i32', zf) });
}

export const CONDITIONS = [
  'o',
  'no',
  'b',
  'ae',
  'z',
  'nz',
  'be',
  'a',
  's',
  'ns',
  'p',
  'np',
  'l',
  'ge',
  'le',
  'g',
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** 1 when the condition (the `cc` of jcc, setcc, cmovcc) holds, else 0. */
export function condition(b: Builder, cc: Condition): Value {
  switch (cc) {
    case 'o':
      return overflowFlag(b);
    case 'b':
      return carryFlag(b);
    case 'z':
      return zeroFlag(b);
    case 'be':
      return b.or(carryFlag(b), zeroFlag(b));
    case 's':
      return signFlag(b);
    case 'p':
      return parityFlag(b);
    case 'l':
      return b.xor(signFlag(b), overflowFlag(b));
    case 'le':
      return b.or(zeroFlag(b), b.xor(signFlag(b), overflowFlag(b)));
    case 'no':
      return b.xor(overflowFlag(b), 1);
    case 'ae':
      return b.xor(carryFlag(b), 1);
    case 'nz':
      return b.bool(b.flagsResult());
    case 'a':
      return b.xor(condition(b, 'be'), 1);
    case 'ns':
      return b.xor(signFlag(b), 1);
    case 'np':
      return b.xor(parityFlag(b), 1);
    case 'ge':
      return b.xor(condition(b, 'l'), 1);
    case 'g':
      return b.xor(condition(b, 'le'), 1);
  }
}
