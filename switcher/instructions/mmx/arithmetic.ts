// Packed integers that go straight into an operator of WebAssembly, or into a few: sums, products, comparisons, logic.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { definePacked, type PackedOperation } from './operand.js';

/** An operation that WebAssembly has under another name. */
const native =
  (operator: string): PackedOperation =>
  (b, left, right) =>
    b.apply(operator, [left, right]);

const NATIVE: Readonly<Record<string, string>> = {
  paddb: 'i8x16.add',
  paddw: 'i16x8.add',
  paddd: 'i32x4.add',
  paddq: 'i64x2.add',
  psubb: 'i8x16.sub',
  psubw: 'i16x8.sub',
  psubd: 'i32x4.sub',
  psubq: 'i64x2.sub',
  paddsb: 'i8x16.add_sat_s',
  paddsw: 'i16x8.add_sat_s',
  paddusb: 'i8x16.add_sat_u',
  paddusw: 'i16x8.add_sat_u',
  psubsb: 'i8x16.sub_sat_s',
  psubsw: 'i16x8.sub_sat_s',
  psubusb: 'i8x16.sub_sat_u',
  psubusw: 'i16x8.sub_sat_u',
  pmullw: 'i16x8.mul',
  pmaddwd: 'i32x4.dot_i16x8_s',
  pavgb: 'i8x16.avgr_u',
  pavgw: 'i16x8.avgr_u',
  pminub: 'i8x16.min_u',
  pmaxub: 'i8x16.max_u',
  pminsw: 'i16x8.min_s',
  pmaxsw: 'i16x8.max_s',
  pand: 'v128.and',
  por: 'v128.or',
  pxor: 'v128.xor',
  pcmpeqb: 'i8x16.eq',
  pcmpeqw: 'i16x8.eq',
  pcmpeqd: 'i32x4.eq',
  pcmpgtb: 'i8x16.gt_s',
  pcmpgtw: 'i16x8.gt_s',
  pcmpgtd: 'i32x4.gt_s',
};

for (const [mnemonic, operator] of Object.entries(NATIVE)) definePacked(mnemonic, native(operator));

definePacked('pandn', (b, left, right) => b.apply('v128.andnot', [right, left]));

/** The upper halves of four and four 32-bit lanes. */
const UPPER_HALVES = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31];

function upperProducts(b: Builder, left: Value, right: Value, suffix: 's' | 'u'): Value {
  const low = b.apply(`i32x4.extmul_low_i16x8_${suffix}`, [left, right]);
  const high = b.apply(`i32x4.extmul_high_i16x8_${suffix}`, [left, right]);
  return b.apply('i8x16.shuffle', [low, high], UPPER_HALVES);
}

definePacked('pmulhw', (b, left, right) => upperProducts(b, left, right, 's'));
definePacked('pmulhuw', (b, left, right) => upperProducts(b, left, right, 'u'));

/** Lanes 0 and 2 of four, in the lower half. */
const EVEN_DOUBLEWORDS = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];

definePacked('pmuludq', (b, left, right) => {
  const even = (vector: Value): Value => b.apply('i8x16.shuffle', [vector, vector], EVEN_DOUBLEWORDS);
  return b.apply('i64x2.extmul_low_i32x4_u', [even(left), even(right)]);
});

definePacked('psadbw', (b, left, right) => {
  // One of the two differences is 0 where it would be negative.
  const above = b.apply('i8x16.sub_sat_u', [left, right]);
  const below = b.apply('i8x16.sub_sat_u', [right, left]);
  const pairs = b.apply('i16x8.extadd_pairwise_i8x16_u', [b.apply('v128.or', [above, below])]);
  const fours = b.apply('i32x4.extadd_pairwise_i16x8_u', [pairs]);
  // Each sum of eight, first in the upper half of its 64 bits.
  const eights = b.apply('i32x4.add', [fours, b.apply('i64x2.shl', [fours, 32])]);
  return b.apply('i64x2.shr_u', [eights, 32]);
});
