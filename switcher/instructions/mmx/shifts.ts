// Packed shifts, by a count that is an immediate or the low 64 bits of the second operand, and shifts by whole bytes.
//
// WebAssembly takes counts modulo the width of a lane. Here a count that is too large leaves nothing, or nothing but signs.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import { type Access } from '../operands.js';
import { checkSse, quadword, readVector, VECTOR_BYTES, zeroVector } from '../sse/operand.js';
import { asVector, checkMmx, readMmxOperand, writeMmxOperand } from './operand.js';

type Direction = 'shl' | 'shr_u' | 'shr_s';

/** `vector` shifted by `count`, which is at most twice the width. */
function shifted(b: Builder, shape: string, bits: number, direction: Direction, vector: Value, count: Value): Value {
  const tooFar = b.gtU(count, bits - 1);
  if (direction === 'shr_s') return b.apply(`${shape}.shr_s`, [vector, b.select(tooFar, bits - 1, count)]);
  return b.select(tooFar, zeroVector(b), b.apply(`${shape}.${direction}`, [vector, count]));
}

/** The count as an i32: whatever has more than 8 bits is too much for every lane. */
const countOf = (b: Builder, quad: Value): Value => b.wrap(b.select(b.gtU(quad, 0xffn), 0xffn, quad));

function readCount(b: Builder, from: Access): Value {
  switch (from.kind) {
    case 'immediate':
      return from.read();
    case 'xmm':
      return countOf(b, quadword(b, from.read(), 0));
    default:
      return countOf(b, readMmxOperand(b, from));
  }
}

for (const [mnemonic, shape, bits, direction] of [
  ['psllw', 'i16x8', 16, 'shl'],
  ['pslld', 'i32x4', 32, 'shl'],
  ['psllq', 'i64x2', 64, 'shl'],
  ['psrlw', 'i16x8', 16, 'shr_u'],
  ['psrld', 'i32x4', 32, 'shr_u'],
  ['psrlq', 'i64x2', 64, 'shr_u'],
  ['psraw', 'i16x8', 16, 'shr_s'],
  ['psrad', 'i32x4', 32, 'shr_s'],
] as const) {
  define(mnemonic, (b, [to, by]) => {
    if (to.kind === 'mmx') {
      checkMmx(b);
      const count = readCount(b, by);
      const value = asVector(b, readMmxOperand(b, to));
      writeMmxOperand(b, to, quadword(b, shifted(b, shape, bits, direction, value, count), 0));
    } else {
      checkSse(b);
      const count = by.kind === 'memory' ? countOf(b, quadword(b, readVector(b, by), 0)) : readCount(b, by);
      to.write(shifted(b, shape, bits, direction, to.read(), count));
    }
  });
}

const PLACES = Array.from({ length: VECTOR_BYTES }, (_, i) => i);

define(['pslldq', 'psrldq'], (b, [to, by], { mnemonic }) => {
  checkSse(b);
  // A place outside the vector gives 0; 16 is as far as it has to go, and does not bring anything back.
  const count = by.read();
  const distance = b.apply('i8x16.splat', [b.select(b.gtU(count, VECTOR_BYTES), VECTOR_BYTES, count)]);
  const operator = mnemonic === 'pslldq' ? 'i8x16.sub' : 'i8x16.add';
  to.write(b.apply('i8x16.swizzle', [to.read(), b.apply(operator, [b.v128(PLACES), distance])]));
});
