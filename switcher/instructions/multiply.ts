// Multiplication and division, and the decimal adjustments.
//
// The flags that the manual leaves undefined (SF, ZF, AF, PF of a product) are those of its low half.
import type { Builder } from '../language/builder.js';
import { adjustFlag, carryFlag, flagsOfLogic, flagsOfResult, type Width } from '../language/flags.js';
import type { Value } from '../language/nodes.js';
import { bytesOf, define, widthOf } from './definition.js';
import { AH, AL, EAX, EDX } from './registers.js';

const VECTOR_DE = 0;

function flagsOfProduct(b: Builder, width: Width, low: Value, overflow: Value): void {
  flagsOfResult(b, width, low, { cf: overflow, of: overflow });
}

/** Writes a 64-bit product or a narrower one to edx:eax, dx:ax or ax. */
function setProduct(b: Builder, width: Width, product: Value): void {
  if (width === 8) {
    b.setRegister(2, EAX, b.wrap(product));
    return;
  }
  b.setRegister(bytesOf(width), EAX, b.wrap(product));
  b.setRegister(bytesOf(width), EDX, b.wrap(b.shrU(product, BigInt(width))));
}

define('mul', (b, [from]) => {
  const width = widthOf(from);
  const product = b.mul(b.extendU(b.register(bytesOf(width), EAX)), b.extendU(from.read()));
  setProduct(b, width, product);
  flagsOfProduct(b, width, b.truncate(width, b.wrap(product)), b.ne(b.shrU(product, BigInt(width)), 0n));
});

/** The signed product as i64, and whether it does not fit `width` bits. */
function signedProduct(b: Builder, width: Width, left: Value, right: Value): { product: Value; overflow: Value } {
  const product = b.mul(b.extendS(b.signExtend(width, left)), b.extendS(b.signExtend(width, right)));
  return { product, overflow: b.ne(product, b.extendS(b.signExtend(width, b.wrap(product)))) };
}

define('imul', (b, [to, from, times]) => {
  const width = widthOf(to);
  if (from.kind === 'none') {
    const { product, overflow } = signedProduct(b, width, b.register(bytesOf(width), EAX), to.read());
    setProduct(b, width, product);
    flagsOfProduct(b, width, b.truncate(width, b.wrap(product)), overflow);
    return;
  }
  const [left, right] = times.kind === 'none' ? [to.read(), from.read()] : [from.read(), times.read()];
  const { product, overflow } = signedProduct(b, width, left, right);
  const low = b.wrap(product);
  to.write(low);
  flagsOfProduct(b, width, b.truncate(width, low), overflow);
});

/** edx:eax, dx:ax or ax as i64. */
function dividend(b: Builder, width: Width, signed: boolean): Value {
  if (width === 8) {
    const ax = b.register(2, EAX);
    return signed ? b.extendS(b.signExtend(16, ax)) : b.extendU(ax);
  }
  const low = b.register(bytesOf(width), EAX);
  const high = b.register(bytesOf(width), EDX);
  if (width === 16) {
    const both = b.or(b.shl(high, 16), low);
    return signed ? b.extendS(both) : b.extendU(both);
  }
  return b.or(b.shl(b.extendU(high), 32n), b.extendU(low));
}

function setQuotient(b: Builder, width: Width, quotient: Value, remainder: Value): void {
  const bytes = bytesOf(width);
  b.setRegister(bytes, width === 8 ? AL : EAX, b.wrap(quotient));
  b.setRegister(bytes, width === 8 ? AH : EDX, b.wrap(remainder));
}

define('div', (b, [from]) => {
  const width = widthOf(from);
  const by = b.extendU(from.read());
  b.when(b.eqz(by), () => b.raise(VECTOR_DE));
  const whole = dividend(b, width, false);
  const quotient = b.divU(whole, by);
  b.when(b.ne(b.shrU(quotient, BigInt(width)), 0n), () => b.raise(VECTOR_DE));
  setQuotient(b, width, quotient, b.remU(whole, by));
});

define('idiv', (b, [from]) => {
  const width = widthOf(from);
  const by = b.extendS(b.signExtend(width, from.read()));
  const whole = dividend(b, width, true);
  // −2^63 / −1 is the one signed division that WebAssembly traps on; it overflows here too.
  const overflows = b.and(b.eq(whole, -(1n << 63n)), b.eq(by, -1n));
  b.when(b.or(b.eqz(by), overflows), () => b.raise(VECTOR_DE));
  const quotient = b.divS(whole, by);
  const fits = b.eq(quotient, b.extendS(b.signExtend(width, b.wrap(quotient))));
  b.when(b.eqz(fits), () => b.raise(VECTOR_DE));
  setQuotient(b, width, quotient, b.remS(whole, by));
});

define('aam', (b, [from]) => {
  const by = b.and(from.read(), 0xff);
  b.when(b.eqz(by), () => b.raise(VECTOR_DE));
  const al = b.register(1, AL);
  const rest = b.remU(al, by);
  b.setRegister(1, AH, b.divU(al, by));
  b.setRegister(1, AL, rest);
  flagsOfLogic(b, 8, rest);
});

define('aad', (b, [from]) => {
  const sum = b.and(b.add(b.register(1, AL), b.mul(b.register(1, AH), from.read())), 0xff);
  b.setRegister(2, EAX, sum);
  flagsOfLogic(b, 8, sum);
});

define(['aaa', 'aas'], (b, _operands, { mnemonic }) => {
  const ax = b.register(2, EAX);
  const adjust = b.or(b.gtU(b.and(ax, 15), 9), adjustFlag(b));
  // 6 in al and 1 in ah, with the carry out of al going into ah.
  const adjusted = mnemonic === 'aaa' ? b.add(ax, 0x106) : b.sub(ax, 0x106);
  const result = b.and(b.select(adjust, adjusted, ax), 0xff0f);
  b.setRegister(2, EAX, result);
  flagsOfResult(b, 8, b.and(result, 0xff), { cf: adjust, of: 0, af: adjust });
});

define(['daa', 'das'], (b, _operands, { mnemonic }) => {
  const al = b.register(1, AL);
  const carry = carryFlag(b);
  const low = b.or(b.gtU(b.and(al, 15), 9), adjustFlag(b));
  const high = b.or(b.gtU(al, 0x99), carry);
  const correction = b.add(b.select(low, 6, 0), b.select(high, 0x60, 0));
  const result = b.and(mnemonic === 'daa' ? b.add(al, correction) : b.sub(al, correction), 0xff);
  // das also borrows when taking 6 away from al does.
  const borrow = mnemonic === 'daa' ? b.i32(0) : b.and(low, b.ltU(al, 6));
  b.setRegister(1, AL, result);
  flagsOfResult(b, 8, result, { cf: b.or(high, borrow), of: 0, af: low });
});
