// What SSE does to the bits of floating-point lanes without looking at the numbers: and, or, xor; unpack and shuffle.
import { define } from '../definition.js';
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { checkSse, quadword, readVector, vectorOf, withQuadword } from './operand.js';
import { shuffleControl } from './shuffle-control.js';

/** (destination, source) → result. */
type Operation = (b: Builder, left: Value, right: Value) => Value;

function defineLogic(mnemonics: readonly string[], operation: Operation): void {
  define(mnemonics, (b, [to, from]) => {
    checkSse(b);
    const right = readVector(b, from);
    to.write(operation(b, to.read(), right));
  });
}

defineLogic(['andps', 'andpd'], (b, left, right) => b.apply('v128.and', [left, right]));
defineLogic(['andnps', 'andnpd'], (b, left, right) => b.apply('v128.andnot', [right, left]));
defineLogic(['orps', 'orpd'], (b, left, right) => b.apply('v128.or', [left, right]));
defineLogic(['xorps', 'xorpd'], (b, left, right) => b.apply('v128.xor', [left, right]));

const LOW_LANES = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const HIGH_LANES = LOW_LANES.map((place) => place + 8);

defineLogic(['unpcklps'], (b, left, right) => b.apply('i8x16.shuffle', [left, right], LOW_LANES));
defineLogic(['unpckhps'], (b, left, right) => b.apply('i8x16.shuffle', [left, right], HIGH_LANES));
defineLogic(['unpcklpd'], (b, left, right) => withQuadword(b, left, 1, quadword(b, right, 0)));
defineLogic(['unpckhpd'], (b, left, right) => withQuadword(b, right, 0, quadword(b, left, 1)));

/** Two lanes of the destination, then two of the source. */
define('shufps', (b, [to, from, order]) => {
  checkSse(b);
  const right = readVector(b, from);
  const control = shuffleControl(b, order.read(), 'doublewords');
  const low = b.apply('i8x16.swizzle', [to.read(), control]);
  const high = b.apply('i8x16.swizzle', [right, control]);
  to.write(withQuadword(b, low, 1, quadword(b, high, 1)));
});

define('shufpd', (b, [to, from, order]) => {
  checkSse(b);
  const right = readVector(b, from);
  const left = to.read();
  const choice = order.read();
  const half = (bit: number, vector: Value): Value =>
    b.select(b.and(choice, bit), quadword(b, vector, 1), quadword(b, vector, 0));
  to.write(vectorOf(b, half(1, left), half(2, right)));
});
