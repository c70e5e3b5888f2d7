// From the immediate of a shuffle, four times two bits, to the places of bytes that i8x16.swizzle takes.
//
// In the interpreter the immediate is in the record, so that the places have to be worked out at run time: a 16-bit lane
// gets the immediate times a power of two, which brings its two bits to the same place in each lane.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';

/** What is shuffled: all four doublewords, or the lower or the upper four words while the other four stay. */
export type Shuffled = 'doublewords' | 'low words' | 'high words';

interface Plan {
  /** Factors that bring the two bits of each 16-bit lane to bits 6 and 7; 0 in lanes that stay. */
  readonly factors: readonly number[];
  /** log2 of the bytes of a lane. */
  readonly scale: number;
  /** Which byte says where a byte comes from. */
  readonly spread: readonly number[];
  /** What is added to that. */
  readonly base: readonly number[];
}

const FACTORS = [64, 16, 4, 1];
const BYTES = Array.from({ length: 16 }, (_, i) => i);
const ALL_PLACED = 0xc0;

const PLANS: Readonly<Record<Shuffled, Plan>> = {
  doublewords: {
    factors: FACTORS.flatMap((factor) => [factor, 0]),
    scale: 2,
    spread: BYTES.map((i) => i & ~3),
    base: BYTES.map((i) => i & 3),
  },
  'low words': {
    factors: [...FACTORS, 0, 0, 0, 0],
    scale: 1,
    spread: BYTES.map((i) => i & ~1),
    base: BYTES.map((i) => (i < 8 ? i & 1 : i)),
  },
  'high words': {
    factors: [0, 0, 0, 0, ...FACTORS],
    scale: 1,
    spread: BYTES.map((i) => i & ~1),
    base: BYTES.map((i) => (i < 8 ? i : 8 + (i & 1))),
  },
};

const words = (b: Builder, values: readonly number[]): Value =>
  b.v128(values.flatMap((value) => [value & 0xff, value >> 8]));

export function shuffleControl(b: Builder, immediate: Value, shuffled: Shuffled): Value {
  const { factors, scale, spread, base } = PLANS[shuffled];
  const placed = b.apply('i16x8.mul', [b.apply('i16x8.splat', [immediate]), words(b, factors)]);
  const selected = b.apply('v128.and', [placed, b.apply('i16x8.splat', [ALL_PLACED])]);
  const scaled = b.apply('i16x8.shr_u', [selected, 6 - scale]);
  const everywhere = b.apply('i8x16.shuffle', [scaled, scaled], spread);
  return b.apply('i8x16.add', [everywhere, b.v128(base)]);
}
