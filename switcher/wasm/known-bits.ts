// What is known of some bits of a value when the whole of it is not: that masked exceptions leave nothing pending, that a
// comparison is 0 or 1.

/** The bits of an i32 that are 0 for sure, and those that are 1. */
export interface Bits {
  readonly zeros: number;
  readonly ones: number;
}

export const ALL = -1;
export const UNKNOWN_BITS: Bits = { zeros: 0, ones: 0 };
const BOOLEAN: Bits = { zeros: ~1, ones: 0 };

/** All bits of `value`. */
export const bitsOf = (value: number): Bits => ({ zeros: ~value, ones: value | 0 });

/** Those of `value` that are 1 in `mask`. */
export const someBitsOf = (value: number, mask: number): Bits => ({ zeros: ~value & mask, ones: value & mask });

/** Whether all that `known` says follows from what `given` says. */
export const follows = (known: Bits, given: Bits): boolean =>
  (known.zeros & ~given.zeros) === 0 && (known.ones & ~given.ones) === 0;

/** What is true of both. */
const common = (a: Bits, b: Bits): Bits => ({ zeros: a.zeros & b.zeros, ones: a.ones & b.ones });

const valueOf = ({ zeros, ones }: Bits): number | undefined => ((zeros | ones) === ALL ? ones : undefined);

const COMPARISON = /^(i32|i64|f32|f64)\.(eqz|eq|ne|[lg][te](_[su])?)$/;

export function bitsOfSelect(condition: Bits, yes: Bits, no: Bits): Bits {
  if (condition.ones !== 0) return yes;
  return valueOf(condition) === 0 ? no : common(yes, no);
}

/** What follows for the result of an operator that gives an i32; operands of other types are unknown. */
export function bitsOfOperator(name: string, operands: readonly Bits[]): Bits {
  const [a = UNKNOWN_BITS, b = UNKNOWN_BITS] = operands;
  switch (name) {
    case 'i32.and':
      return { zeros: a.zeros | b.zeros, ones: a.ones & b.ones };
    case 'i32.or':
      return { zeros: a.zeros & b.zeros, ones: a.ones | b.ones };
    case 'i32.xor':
      return {
        zeros: (a.zeros & b.zeros) | (a.ones & b.ones),
        ones: (a.zeros & b.ones) | (a.ones & b.zeros),
      };
    case 'i32.shl':
    case 'i32.shr_u':
      return shifted(name === 'i32.shl', a, valueOf(b));
    case 'i32.eqz':
      return a.ones === 0 ? BOOLEAN : bitsOf(0);
    case 'i32.eq':
    case 'i32.ne': {
      const differ = (a.zeros & b.ones) | (a.ones & b.zeros);
      return differ === 0 ? BOOLEAN : bitsOf(name === 'i32.ne' ? 1 : 0);
    }
    default:
      return COMPARISON.test(name) ? BOOLEAN : UNKNOWN_BITS;
  }
}

function shifted(left: boolean, { zeros, ones }: Bits, by: number | undefined): Bits {
  if (by === undefined) return zeros === ALL ? bitsOf(0) : UNKNOWN_BITS;
  // What comes in at the end is 0.
  if (left) return { zeros: ~(~zeros << by), ones: ones << by };
  return { zeros: ~(~zeros >>> by), ones: ones >>> by };
}
