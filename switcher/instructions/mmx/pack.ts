// Packed integers made narrower, interleaved, and shuffled: packss… packus… punpck… pshuf… pinsrw pextrw.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import { checkSse, quadword, readVector, VECTOR_BYTES, vectorOf, withQuadword } from '../sse/operand.js';
import { shuffleControl } from '../sse/shuffle-control.js';
import { markMmx, readMmx } from '../x87/mmx-state.js';
import { asVector, checkMmx, definePacked, definePackedPair, readMmxOperand, writeMmxOperand } from './operand.js';

// ---------------------------------------------------------------- narrower, with saturation

for (const [mnemonic, operator] of [
  ['packsswb', 'i8x16.narrow_i16x8_s'],
  ['packuswb', 'i8x16.narrow_i16x8_u'],
  ['packssdw', 'i16x8.narrow_i32x4_s'],
] as const) {
  definePackedPair(
    mnemonic,
    (b, left, right) => b.apply(operator, [left, right]),
    (b, left, right) => {
      const both = vectorOf(b, left, right);
      return quadword(b, b.apply(operator, [both, both]), 0);
    },
  );
}

// ---------------------------------------------------------------- interleaved

/** For lanes of `bytes`: one of the left and one of the right by turns, from byte `first` of both on. */
function interleaved(bytes: number, first: number): number[] {
  return Array.from({ length: VECTOR_BYTES }, (_, i) => {
    const lane = Math.floor(i / bytes);
    return first + Math.floor(lane / 2) * bytes + (i % bytes) + (lane % 2) * VECTOR_BYTES;
  });
}

for (const [suffix, bytes] of [
  ['bw', 1],
  ['wd', 2],
  ['dq', 4],
] as const) {
  const low = interleaved(bytes, 0);
  const high = interleaved(bytes, VECTOR_BYTES / 2);
  definePacked(`punpckl${suffix}`, (b, left, right) => b.apply('i8x16.shuffle', [left, right], low));
  definePackedPair(
    `punpckh${suffix}`,
    (b, left, right) => b.apply('i8x16.shuffle', [left, right], high),
    // The upper halves of 64 bits follow the lower ones.
    (b, left, right) => quadword(b, b.apply('i8x16.shuffle', [asVector(b, left), asVector(b, right)], low), 1),
  );
}
definePacked('punpcklqdq', (b, left, right) => withQuadword(b, left, 1, quadword(b, right, 0)));
definePacked('punpckhqdq', (b, left, right) => withQuadword(b, right, 0, quadword(b, left, 1)));

// ---------------------------------------------------------------- shuffled by an immediate

define(['pshufd', 'pshuflw', 'pshufhw'], (b, [to, from, order], { mnemonic }) => {
  checkSse(b);
  const vector = readVector(b, from);
  const part = mnemonic === 'pshufd' ? 'doublewords' : mnemonic === 'pshuflw' ? 'low words' : 'high words';
  to.write(b.apply('i8x16.swizzle', [vector, shuffleControl(b, order.read(), part)]));
});

define('pshufw', (b, [to, from, order]) => {
  checkMmx(b);
  const value = asVector(b, readMmxOperand(b, from));
  const shuffled = b.apply('i8x16.swizzle', [value, shuffleControl(b, order.read(), 'low words')]);
  writeMmxOperand(b, to, quadword(b, shuffled, 0));
});

// ---------------------------------------------------------------- one word in or out

/** The word `number` (0 … 3, as a bit count of an i64) of 64 bits. */
const wordShift = (b: Builder, number: Value): Value => b.extendU(b.shl(b.and(number, 3), 4));

function wordOf(b: Builder, value: Value, number: Value): Value {
  return b.and(b.wrap(b.shrU(value, wordShift(b, number))), 0xffff);
}

function withWord(b: Builder, value: Value, number: Value, word: Value): Value {
  const shift = wordShift(b, number);
  const place = b.shl(0xffffn, shift);
  return b.or(b.and(value, b.not(place)), b.shl(b.extendU(b.and(word, 0xffff)), shift));
}

define('pextrw', (b, [to, from, number]) => {
  const n = number.read();
  if (from.kind === 'mmx') {
    checkMmx(b);
    const value = readMmx(b, from.read());
    markMmx(b);
    to.write(wordOf(b, value, n));
  } else {
    checkSse(b);
    const vector = from.read();
    const half = b.select(b.and(n, 4), quadword(b, vector, 1), quadword(b, vector, 0));
    to.write(wordOf(b, half, n));
  }
});

define('pinsrw', (b, [to, from, number]) => {
  const n = number.read();
  if (to.kind === 'mmx') {
    checkMmx(b);
    const word = from.read();
    writeMmxOperand(b, to, withWord(b, readMmx(b, to.read()), n, word));
  } else {
    checkSse(b);
    const word = from.read();
    const vector = to.read();
    const isHigh = b.and(n, 4);
    const [low, high] = [quadword(b, vector, 0), quadword(b, vector, 1)];
    const changed = withWord(b, b.select(isHigh, high, low), n, word);
    to.write(vectorOf(b, b.select(isHigh, low, changed), b.select(isHigh, changed, high)));
  }
});
