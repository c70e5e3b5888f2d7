// Single bits and whole registers: bt bts btr btc, bsf bsr, bswap, setcc, cmovcc, and the moves that widen.
import { condition, CONDITIONS, flagsOfLogic, setCarry } from '../language/flags.js';
import { bytesOf, define, widthOf } from './definition.js';
import { linearAddress } from './operands.js';

define(['bt', 'bts', 'btr', 'btc'], (b, [to, by], { mnemonic, addressing, addressSize }) => {
  const width = widthOf(to);
  const bytes = bytesOf(width);
  const number = by.read();
  const bit = b.and(number, width - 1);
  const isFar = to.kind === 'memory' && by.kind === 'register';
  const changed = (value: typeof bit): typeof bit => {
    const mask = b.shl(1, bit);
    return mnemonic === 'bts' ? b.or(value, mask) : mnemonic === 'btr' ? b.and(value, b.not(mask)) : b.xor(value, mask);
  };
  let value;
  if (isFar) {
    // A bit number from a register reaches far beyond the operand, in both directions.
    const words = b.shrS(b.signExtend(width, number), width === 16 ? 4 : 5);
    const sum = b.add(to.offset(), b.shl(words, width === 16 ? 1 : 2));
    const offset = addressSize === 16 ? b.and(sum, 0xffff) : sum;
    const write = mnemonic === 'bt' ? 0 : 1;
    const at = addressing === 'flat' ? offset : linearAddress(b, b.field('segment'), offset, bytes, write);
    value = b.load(bytes, at);
    if (mnemonic !== 'bt') {
      b.loadedForWrite(value);
      b.store(bytes, at, changed(value));
    }
  } else {
    value = to.read();
    if (mnemonic !== 'bt') to.write(changed(value));
  }
  setCarry(b, b.and(b.shrU(value, bit), 1));
});

define(['bsf', 'bsr'], (b, [to, from], { mnemonic }) => {
  const value = b.truncate(widthOf(from), from.read());
  // With nothing to find the destination stays as it was, on every processor there has been.
  b.when(value, () => to.write(mnemonic === 'bsf' ? b.ctz(value) : b.sub(31, b.clz(value))));
  flagsOfLogic(b, 32, value);
});

define('bswap', (b, [to]) => {
  if (widthOf(to) === 16) {
    // Undefined in the manual, zero in every processor.
    to.write(b.i32(0));
    return;
  }
  const value = to.read();
  to.write(b.or(b.and(b.rotl(value, 8), 0x00ff00ff), b.and(b.rotr(value, 8), 0xff00ff00)));
});

for (const cc of CONDITIONS) {
  define(`set${cc}`, (b, [to]) => to.write(condition(b, cc)));
  define(`cmov${cc}`, (b, [to, from]) => {
    // The source is read even when it is not wanted, and may fault.
    const value = from.read();
    b.when(condition(b, cc), () => to.write(value));
  });
}

define('movzx', (_b, [to, from]) => to.write(from.read()));
define('movsx', (b, [to, from]) => to.write(b.signExtend(widthOf(from), from.read())));
