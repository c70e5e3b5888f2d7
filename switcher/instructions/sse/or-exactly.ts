// The end of an instruction that was tried the quick way: the result stands, or the exact routine is asked.
import type { Builder } from '../../language/builder.js';
import type { Routine, Value } from '../../language/nodes.js';
import { callPair } from '../float/format.js';
import { settle } from './exceptions.js';
import { type Format, withLane } from './format.js';

/** `result` if `quick`, else what `exact` gives, called with `args`. May end the instruction by #XF. */
export function orExactly(b: Builder, quick: Value, result: Value, exact: Routine, args: readonly Value[]): Value {
  const chosen = b.variable(result.type, result);
  b.whenSeldom(b.eqz(quick), () => {
    const [exactly, flags] = callPair(b, exact, ...args);
    settle(b, flags);
    b.set(chosen, exactly);
  });
  return b.get(chosen);
}

/** The same for the lowest lane alone: `result` is a whole vector, what `exact` gives goes into the lowest lane of `vector`. */
export function lowestOrExactly(
  b: Builder,
  format: Format,
  quick: Value,
  result: Value,
  vector: Value,
  exact: Routine,
  args: readonly Value[],
): Value {
  const chosen = b.variable('v128', result);
  b.whenSeldom(b.eqz(quick), () => {
    const [bits, flags] = callPair(b, exact, ...args);
    settle(b, flags);
    b.set(chosen, withLane(b, format, vector, 0, bits));
  });
  return b.get(chosen);
}
