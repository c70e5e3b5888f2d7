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
import type { Condition, Value } from './nodes.js';

export { CONDITIONS, type Condition } from './nodes.js';

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

/** Shifts a vector of carries left by `shift`, so that the top one is bit 31, and drops what no flag is made of. */
export function auxFromCarries(b: Builder, shift: Term, carries: Value): Value {
  return b.or(b.and(b.shl(carries, shift), CARRY_AND_OVERFLOW), b.and(carries, AUX_AF));
}

export function carriesOfAdd(b: Builder, left: Value, right: Value, result: Value): Value {
  return b.or(b.and(left, right), b.and(b.or(left, right), b.not(result)));
}

export function borrowsOfSub(b: Builder, left: Value, right: Value, result: Value): Value {
  return b.or(b.and(b.not(left), right), b.and(b.not(b.xor(left, right)), result));
}

/** CF, PF, AF, ZF, SF, OF of `left + right = result`; with a carry, `operation` is adc. */
export function flagsOfAdd(
  b: Builder,
  width: Width,
  left: Value,
  right: Value,
  result: Value,
  operation: 'add' | 'adc' = 'add',
): void {
  b.setFlags(() => [b.signExtend(width, result), auxFromCarries(b, 32 - width, carriesOfAdd(b, left, right, result))], {
    operation,
    width,
    left,
    right,
    result,
  });
}

/** The flags of `left − right = result`; `operation` is cmp when nobody keeps the result, sbb with a borrow. */
export function flagsOfSub(
  b: Builder,
  width: Width,
  left: Value,
  right: Value,
  result: Value,
  operation: 'sub' | 'cmp' | 'sbb' = 'sub',
): void {
  b.setFlags(() => [b.signExtend(width, result), auxFromCarries(b, 32 - width, borrowsOfSub(b, left, right, result))], {
    operation,
    width,
    left,
    right,
    result,
  });
}

/** and, or, xor, test: CF and OF are cleared; AF is undefined and cleared here. */
export function flagsOfLogic(b: Builder, width: Width, result: Value): void {
  b.setFlags(() => [b.signExtend(width, result), 0], {
    operation: 'logic',
    width,
    left: result,
    right: result,
    result,
  });
}

/** inc and dec: everything as add and sub of 1, but CF stays. */
export function flagsOfStep(b: Builder, width: Width, left: Value, result: Value, operation: 'inc' | 'dec'): void {
  const carry = carryFlag(b);
  b.setFlags(() => [b.signExtend(width, result), auxOfStep(b, width, left, result, carry, operation)], {
    operation,
    width,
    left,
    right: carry,
    result,
  });
}

function auxOfStep(
  b: Builder,
  width: Width,
  left: Value,
  result: Value,
  carry: Value,
  operation: 'inc' | 'dec',
): Value {
  const one = b.i32(1);
  const carries = operation === 'dec' ? borrowsOfSub(b, left, one, result) : carriesOfAdd(b, left, one, result);
  return withCarry(b, auxFromCarries(b, 32 - width, carries), carry);
}

/** `aux` with CF as in `carry`, and OF as it is. */
export function withCarry(b: Builder, aux: Value, carry: Value): Value {
  // OF is bit 31 xor bit 30: moving CF in flips both.
  const change = b.and(b.xor(aux, b.shl(carry, 31)), CARRY);
  return b.xor(aux, b.or(change, b.shrU(change, 1)));
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

/** How two numbers are to each other, as ZF, PF and CF say it, each 0 or 1: equal, unordered, less; all three when they are unordered. */
export type Relation = Pick<SixFlags, 'zf' | 'pf' | 'cf'>;

/** The two words of flags, with OF, SF and AF clear. Where it is known what a relation is not, little is left of it. */
export function wordsOfRelation(b: Builder, { zf, pf, cf }: Relation): { result: Value; aux: Value } {
  // CF sets bit 30 too, which says that OF is another. A result of 1 has an odd low byte, 0 an even one.
  const carry = b.and(b.sub(0, cf), CARRY_AND_OVERFLOW);
  return { result: b.xor(zf, 1), aux: b.or(carry, b.shl(b.xor(pf, zf), AUX_PARITY_SHIFT)) };
}

/** The flags from the low byte and bit 11 of an EFLAGS image. */
export function setFlagsFromImage(b: Builder, image: Value): void {
  const bit = (n: number): Value => b.and(b.shrU(image, n), 1);
  setSixFlags(b, { cf: bit(CF), pf: bit(PF), af: bit(AF), zf: bit(ZF), sf: bit(SF), of: bit(OF) });
}

export const carryFlag = (b: Builder): Value => condition(b, 'b');
export const zeroFlag = (b: Builder): Value => condition(b, 'z');
export const signFlag = (b: Builder): Value => condition(b, 's');
export const overflowFlag = (b: Builder): Value => condition(b, 'o');
export const parityFlag = (b: Builder): Value => condition(b, 'p');
export const adjustFlag = (b: Builder): Value => b.and(b.shrU(b.flagsAux(), 3), 1);

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

/** 1 when the condition (the `cc` of jcc, setcc, cmovcc) holds, else 0. */
export function condition(b: Builder, cc: Condition): Value {
  return b.condition(cc, () => fromWords(b, cc));
}

function fromWords(b: Builder, cc: Condition): Value {
  switch (cc) {
    case 'o': {
      const aux = b.flagsAux();
      return b.and(b.xor(b.shrU(aux, 31), b.shrU(aux, 30)), 1);
    }
    case 'b':
      return b.shrU(b.flagsAux(), 31);
    case 'z':
      return b.eqz(b.flagsResult());
    case 'be':
      return b.or(fromWords(b, 'b'), fromWords(b, 'z'));
    case 's':
      return b.xor(b.shrU(b.flagsResult(), 31), b.and(b.flagsAux(), AUX_SIGN_FLIP));
    case 'p': {
      const byte = b.and(b.xor(b.flagsResult(), b.shrU(b.flagsAux(), AUX_PARITY_SHIFT)), 0xff);
      return b.xor(b.and(b.popcnt(byte), 1), 1);
    }
    case 'l':
      return b.xor(fromWords(b, 's'), fromWords(b, 'o'));
    case 'le':
      return b.or(fromWords(b, 'z'), fromWords(b, 'l'));
    case 'nz':
      return b.bool(b.flagsResult());
    case 'no':
      return b.xor(fromWords(b, 'o'), 1);
    case 'ae':
      return b.xor(fromWords(b, 'b'), 1);
    case 'a':
      return b.xor(fromWords(b, 'be'), 1);
    case 'ns':
      return b.xor(fromWords(b, 's'), 1);
    case 'np':
      return b.xor(fromWords(b, 'p'), 1);
    case 'ge':
      return b.xor(fromWords(b, 'l'), 1);
    case 'g':
      return b.xor(fromWords(b, 'le'), 1);
  }
}
