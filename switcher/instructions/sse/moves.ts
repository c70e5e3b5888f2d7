// SSE moves: whole registers, halves, lowest lanes, signs.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import type { Access } from '../operands.js';
import {
  checkSse,
  quadword,
  readDoubleword,
  readQuadword,
  readUnaligned,
  readVector,
  withDoubleword,
  withQuadword,
  writeUnaligned,
  writeVector,
  zeroVector,
} from './operand.js';

define(['movaps', 'movapd', 'movdqa', 'movntps', 'movntpd', 'movntdq'], (b, [to, from]) => {
  checkSse(b);
  writeVector(b, to, readVector(b, from));
});

define(['movups', 'movupd', 'movdqu', 'lddqu'], (b, [to, from]) => {
  checkSse(b);
  writeUnaligned(b, to, readUnaligned(b, from));
});

/** From memory the rest of the register becomes 0, from another register it stays. */
define('movss', (b, [to, from]) => {
  checkSse(b);
  const value = readDoubleword(b, from);
  if (to.kind === 'memory') to.write(value);
  else to.write(withDoubleword(b, from.kind === 'memory' ? zeroVector(b) : to.read(), 0, value));
});

define('movsd', (b, [to, from]) => {
  checkSse(b);
  const value = readQuadword(b, from);
  if (to.kind === 'memory') to.write(value);
  else to.write(withQuadword(b, from.kind === 'memory' ? zeroVector(b) : to.read(), 0, value));
});

/** Between memory and half `lane` of a register. */
function moveHalf(b: Builder, to: Access, from: Access, lane: 0 | 1): void {
  checkSse(b);
  if (to.kind === 'memory') {
    to.write(quadword(b, from.read(), lane));
  } else {
    const value: Value = from.read();
    to.write(withQuadword(b, to.read(), lane, value));
  }
}

define(['movlps', 'movlpd'], (b, [to, from]) => moveHalf(b, to, from, 0));
define(['movhps', 'movhpd'], (b, [to, from]) => moveHalf(b, to, from, 1));

define('movhlps', (b, [to, from]) => {
  checkSse(b);
  to.write(withQuadword(b, to.read(), 0, quadword(b, from.read(), 1)));
});

define('movlhps', (b, [to, from]) => {
  checkSse(b);
  to.write(withQuadword(b, to.read(), 1, quadword(b, from.read(), 0)));
});

define('movddup', (b, [to, from]) => {
  checkSse(b);
  to.write(b.apply('i64x2.splat', [readQuadword(b, from)]));
});

const EVEN_LANES = [0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11];
const ODD_LANES = EVEN_LANES.map((place) => place + 4);

define(['movsldup', 'movshdup'], (b, [to, from], { mnemonic }) => {
  checkSse(b);
  const vector = readVector(b, from);
  to.write(b.apply('i8x16.shuffle', [vector, vector], mnemonic === 'movsldup' ? EVEN_LANES : ODD_LANES));
});

define(['movmskps', 'movmskpd'], (b, [to, from], { mnemonic }) => {
  checkSse(b);
  to.write(b.apply(mnemonic === 'movmskps' ? 'i32x4.bitmask' : 'i64x2.bitmask', [from.read()]));
});

/** A general register to memory: nothing of SSE's state is touched, and nobody asks whose it is. */
define('movnti', (_b, [to, from]) => to.write(from.read()));
