// Flags that are owed: what arithmetic they come from, and its operands, until somebody wants the words.
//
// Translated code keeps a *kind* and three words (left, right, result) in locals. Kind 0 means that `left` is the second word
// of flags already; any other says which operation at which width.
import { Bug } from '../../lib/errors.js';
import { routine } from './builder.js';
import { auxOf, type Width } from './flags.js';
import type { FlagsOrigin } from './nodes.js';

const OPERATIONS = ['add', 'sub', 'adc', 'sbb', 'inc', 'dec', 'logic'] as const satisfies FlagsOrigin['operation'][];
const WIDTHS = [8, 16, 32] as const satisfies Width[];

export const WORDS = 0;

export function lazyKind(operation: FlagsOrigin['operation'], width: Width): number {
  return 1 + OPERATIONS.indexOf(operation) * WIDTHS.length + WIDTHS.indexOf(width);
}

/** (kind, left, right, result) → the second word of flags. */
export const lazyAux = routine('lazyAux', ['i32', 'i32', 'i32', 'i32'], ['i32'], (b, kind, left, right, result) => {
  if (!kind || !left || !right || !result) throw new Bug('lazyAux takes four values');
  b.when(b.eqz(kind), () => b.return(left));
  for (const operation of OPERATIONS) {
    for (const width of WIDTHS) {
      b.when(b.eq(kind, lazyKind(operation, width)), () => b.return(auxOf(b, operation, width, left, right, result)));
    }
  }
  b.return(b.i32(0));
});
