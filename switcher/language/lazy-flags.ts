// Flags that are owed: what arithmetic they come from, and its operands, until somebody wants the words.
//
// Translated code keeps a *kind* and three words (left, right, result) in locals. Kind 0 means that `left` is the second word
// of flags already; any other says which operation at which width.
import { Bug } from '../../lib/errors.js';
import { routine } from './builder.js';
import { auxFromCarries, borrowsOfSub, carriesOfAdd, type Width, withCarry } from './flags.js';
import type { FlagsOrigin, Value } from './nodes.js';

export const WORDS = 0;

/** In the low bits of a kind: by how much a vector of carries is shifted. Above, which operation: 0 is WORDS alone. */
const SHIFT_MASK = 31;
const OPERATION_SHIFT = 5;
const OPERATIONS: Record<FlagsOrigin['operation'], number> = {
  add: 1,
  adc: 1,
  sub: 2,
  sbb: 2,
  inc: 3,
  dec: 4,
  logic: 5,
};

export function lazyKind(operation: FlagsOrigin['operation'], width: Width): number {
  return (OPERATIONS[operation] << OPERATION_SHIFT) | (32 - width);
}

/** (kind, left, right, result) → the second word of flags. */
export const lazyAux = routine('lazyAux', ['i32', 'i32', 'i32', 'i32'], ['i32'], (b, kind, left, right, result) => {
  if (!kind || !left || !right || !result) throw new Bug('lazyAux takes four values');
  b.when(b.eqz(kind), () => b.return(left));
  const operation = b.shrU(kind, OPERATION_SHIFT);
  const shift = b.and(kind, SHIFT_MASK);
  const is = (name: FlagsOrigin['operation']): Value => b.eq(operation, OPERATIONS[name]);
  b.when(is('logic'), () => b.return(b.i32(0)));
  b.when(is('sub'), () => b.return(auxFromCarries(b, shift, borrowsOfSub(b, left, right, result))));
  b.when(is('add'), () => b.return(auxFromCarries(b, shift, carriesOfAdd(b, left, right, result))));
  const one = b.i32(1);
  const carries = b.select(is('dec'), borrowsOfSub(b, left, one, result), carriesOfAdd(b, left, one, result));
  b.return(withCarry(b, auxFromCarries(b, shift, carries), right));
});
