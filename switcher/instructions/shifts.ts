// Shifts and rotates. The count is taken modulo 32; a count of 0 changes nothing, not even flags.
import type { Builder, Term } from '../language/builder.js';
import { carryFlag, flagsOfResult, type Width } from '../language/flags.js';
import type { Value } from '../language/nodes.js';
import { define, widthOf } from './definition.js';
import type { Access } from './operands.js';

const CARRY_AND_OVERFLOW = 3 << 30;

/** With a count of 0 memory is written all the same: with what is there. */
function writeUnchanged(b: Builder, to: Access, count: Value, value: Value): void {
  if (to.kind === 'memory') b.when(b.eqz(count), () => to.write(value));
}

const msb = (b: Builder, width: Width, value: Value): Value => b.and(b.shrU(value, width - 1), 1);

/** Changes CF and OF alone, as rotates do. */
function setCarryAndOverflow(b: Builder, cf: Term, of: Value): void {
  const carry = b.term('i32', cf);
  const both = b.or(b.shl(carry, 31), b.shl(b.xor(carry, of), 30));
  b.setFlagWords(b.flagsResult(), b.or(b.and(b.flagsAux(), ~CARRY_AND_OVERFLOW), both));
}

define('shl', (b, [to, by]) => {
  const width = widthOf(to);
  const value = to.read();
  const count = b.and(by.read(), 31);
  writeUnchanged(b, to, count, value);
  b.when(count, () => {
    const shifted = b.shl(value, count);
    const result = b.truncate(width, shifted);
    // The last bit that went out on the left.
    const cf = b.and(width === 32 ? b.shrU(value, b.sub(32, count)) : b.shrU(shifted, width), 1);
    to.write(result);
    flagsOfResult(b, width, result, { cf, of: b.xor(msb(b, width, result), cf) });
  });
});

define('shr', (b, [to, by]) => {
  const width = widthOf(to);
  const value = to.read();
  const count = b.and(by.read(), 31);
  writeUnchanged(b, to, count, value);
  b.when(count, () => {
    const result = b.shrU(value, count);
    to.write(result);
    // With a count of 1 OF is the old sign; with others it is undefined, and this is what it becomes.
    const of = msb(b, width, b.xor(result, b.shl(result, 1)));
    flagsOfResult(b, width, result, { cf: b.and(b.shrU(value, b.sub(count, 1)), 1), of });
  });
});

define('sar', (b, [to, by]) => {
  const width = widthOf(to);
  const value = b.signExtend(width, to.read());
  const count = b.and(by.read(), 31);
  writeUnchanged(b, to, count, value);
  b.when(count, () => {
    const result = b.truncate(width, b.shrS(value, count));
    to.write(result);
    flagsOfResult(b, width, result, { cf: b.and(b.shrS(value, b.sub(count, 1)), 1), of: 0 });
  });
});

/** `value` rotated left by `count` modulo its width. */
function rotateLeft(b: Builder, width: Width, value: Value, count: Value): Value {
  if (width === 32) return b.rotl(value, count);
  const by = b.and(count, width - 1);
  return b.truncate(width, b.or(b.shl(value, by), b.shrU(value, b.sub(width, by))));
}

define('rol', (b, [to, by]) => {
  const width = widthOf(to);
  const value = to.read();
  const count = b.and(by.read(), 31);
  writeUnchanged(b, to, count, value);
  b.when(count, () => {
    const result = rotateLeft(b, width, value, count);
    const cf = b.and(result, 1);
    to.write(result);
    setCarryAndOverflow(b, cf, b.xor(msb(b, width, result), cf));
  });
});

define('ror', (b, [to, by]) => {
  const width = widthOf(to);
  const value = to.read();
  const count = b.and(by.read(), 31);
  writeUnchanged(b, to, count, value);
  b.when(count, () => {
    const result = rotateLeft(b, width, value, b.sub(32, count));
    const cf = msb(b, width, result);
    to.write(result);
    setCarryAndOverflow(b, cf, b.xor(cf, msb(b, width, b.shl(result, 1))));
  });
});

define(['rcl', 'rcr'], (b, [to, by], { mnemonic }) => {
  const width = widthOf(to);
  const value = to.read();
  const masked = b.and(by.read(), 31);
  const ring = width + 1;
  const count = width === 32 ? masked : b.remU(masked, ring);
  writeUnchanged(b, to, count, value);
  b.when(count, () => {
    // The operand with CF on top of it is a ring of width + 1 bits.
    const whole = b.or(b.shl(b.extendU(carryFlag(b)), BigInt(width)), b.extendU(value));
    const left = b.extendU(mnemonic === 'rcl' ? count : b.sub(ring, count));
    const turned = b.or(b.shl(whole, left), b.shrU(whole, b.sub(BigInt(ring), left)));
    const result = b.truncate(width, b.wrap(turned));
    const cf = b.and(b.wrap(b.shrU(turned, BigInt(width))), 1);
    to.write(result);
    const top = msb(b, width, result);
    setCarryAndOverflow(b, cf, b.xor(top, mnemonic === 'rcl' ? cf : msb(b, width, b.shl(result, 1))));
  });
});

define(['shld', 'shrd'], (b, [to, from, by], { mnemonic }) => {
  const width = widthOf(to);
  const value = to.read();
  const other = from.read();
  const count = b.and(by.read(), 31);
  const left = mnemonic === 'shld';
  writeUnchanged(b, to, count, value);
  b.when(count, () => {
    const [top, bottom] = [b.extendU(value), b.extendU(other)];
    const n = b.extendU(count);
    // The operand and what is shifted into it, in a row. A 16-bit operand comes round again with a count above 16.
    const row =
      width === 16
        ? b.or(b.shl(b.or(b.shl(top, 16n), bottom), 16n), top)
        : left
          ? b.or(b.shl(top, 32n), bottom)
          : b.or(b.shl(bottom, 32n), top);
    const size = width === 16 ? 48n : 64n;
    const moved = left ? b.shrU(b.shl(row, n), size - BigInt(width)) : b.shrU(row, n);
    const result = b.truncate(width, b.wrap(moved));
    const cf = b.and(b.wrap(b.shrU(row, left ? b.sub(size, n) : b.sub(n, 1n))), 1);
    to.write(result);
    flagsOfResult(b, width, result, { cf, of: msb(b, width, b.xor(result, value)) });
  });
});
