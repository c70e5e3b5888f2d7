// Addition and its kin: add adc sub sbb cmp neg inc dec, and or xor not test, xadd cmpxchg cmpxchg8b xchg.
import { carryFlag, flagsOfAdd, flagsOfLogic, flagsOfStep, flagsOfSub, setZero } from '../language/flags.js';
import { bytesOf, define, widthOf } from './definition.js';
import { EAX, EBX, ECX, EDX } from './registers.js';

define('add', (b, [to, from]) => {
  const width = widthOf(to);
  const left = to.read();
  const right = from.read();
  const result = b.add(left, right);
  to.write(result);
  flagsOfAdd(b, width, left, right, result);
});

define('adc', (b, [to, from]) => {
  const width = widthOf(to);
  const left = to.read();
  const right = from.read();
  const result = b.add(b.add(left, right), carryFlag(b));
  to.write(result);
  flagsOfAdd(b, width, left, right, result, 'adc');
});

define('sub', (b, [to, from]) => {
  const width = widthOf(to);
  const left = to.read();
  const right = from.read();
  const result = b.sub(left, right);
  to.write(result);
  flagsOfSub(b, width, left, right, result);
});

define('sbb', (b, [to, from]) => {
  const width = widthOf(to);
  const left = to.read();
  const right = from.read();
  const result = b.sub(b.sub(left, right), carryFlag(b));
  to.write(result);
  flagsOfSub(b, width, left, right, result, 'sbb');
});

define('cmp', (b, [to, from]) => {
  const left = to.read();
  const right = from.read();
  flagsOfSub(b, widthOf(to), left, right, b.sub(left, right), 'cmp');
});

define('neg', (b, [to]) => {
  const width = widthOf(to);
  const right = to.read();
  const zero = b.i32(0);
  const result = b.sub(zero, right);
  to.write(result);
  flagsOfSub(b, width, zero, right, result);
});

define('inc', (b, [to]) => {
  const left = to.read();
  const result = b.add(left, 1);
  to.write(result);
  flagsOfStep(b, widthOf(to), left, result, 'inc');
});

define('dec', (b, [to]) => {
  const left = to.read();
  const result = b.sub(left, 1);
  to.write(result);
  flagsOfStep(b, widthOf(to), left, result, 'dec');
});

define(['and', 'or', 'xor'], (b, [to, from], { mnemonic }) => {
  const left = to.read();
  const right = from.read();
  const result = mnemonic === 'and' ? b.and(left, right) : mnemonic === 'or' ? b.or(left, right) : b.xor(left, right);
  to.write(result);
  flagsOfLogic(b, widthOf(to), result);
});

define('test', (b, [to, from]) => flagsOfLogic(b, widthOf(to), b.and(to.read(), from.read())));

define('not', (b, [to]) => to.write(b.not(to.read())));

define('xchg', (_b, [to, from]) => {
  const left = to.read();
  const right = from.read();
  to.write(right);
  from.write(left);
});

define('xadd', (b, [to, from]) => {
  const width = widthOf(to);
  const left = to.read();
  const right = from.read();
  const result = b.add(left, right);
  // The destination is written last, unless it is memory, which may fault: `xadd eax, eax` leaves the sum.
  if (to.kind === 'memory') to.write(result);
  from.write(left);
  if (to.kind !== 'memory') to.write(result);
  flagsOfAdd(b, width, left, right, result);
});

define('cmpxchg', (b, [to, from]) => {
  const width = widthOf(to);
  const bytes = bytesOf(width);
  const accumulator = b.register(bytes, EAX);
  const old = to.read();
  const equal = b.eq(accumulator, old);
  // The destination is written either way: a read-only page faults even when nothing is exchanged.
  to.write(b.select(equal, from.read(), old));
  b.when(b.eqz(equal), () => b.setRegister(bytes, EAX, old));
  flagsOfSub(b, width, accumulator, old, b.sub(accumulator, old), 'cmp');
});

define('cmpxchg8b', (b, [to]) => {
  const old = to.read();
  const join = (high: typeof old, low: typeof old): typeof old => b.or(b.shl(b.extendU(high), 32n), b.extendU(low));
  const equal = b.eq(old, join(b.register(4, EDX), b.register(4, EAX)));
  to.write(b.select(equal, join(b.register(4, ECX), b.register(4, EBX)), old));
  b.when(b.eqz(equal), () => {
    b.setRegister(4, EAX, b.wrap(old));
    b.setRegister(4, EDX, b.wrap(b.shrU(old, 32n)));
  });
  setZero(b, equal);
});
