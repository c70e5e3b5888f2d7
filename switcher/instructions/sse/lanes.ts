// Operations in full, lane by lane: routines for the packed instructions, made from those for one lane.
import type { Builder } from '../../language/builder.js';
import type { Routine, Value } from '../../language/nodes.js';
import { callPair, floatRoutine } from '../float/format.js';
import { mxcsr } from './exceptions.js';
import { type Format, laneOf, withLane } from './format.js';

/** Gives bits and flags of one lane. */
export type LaneOperation = (lane: number) => readonly [bits: Value, flags: Value];

/** `vector` with the results of `operation` in its first `count` lanes; and the flags of all of them. */
export function inEachLane(
  b: Builder,
  format: Format,
  vector: Value,
  count: number,
  operation: LaneOperation,
): [Value, Value] {
  const result = b.variable('v128', vector);
  const flags = b.variable('i32', 0);
  for (let lane = 0; lane < count; lane++) {
    const [bits, met] = operation(lane);
    b.set(result, withLane(b, format, b.get(result), lane, bits));
    b.set(flags, b.or(b.get(flags), met));
  }
  return [b.get(result), b.get(flags)];
}

/** (x, y) → (result, flags), from routines that take two lanes and MXCSR: `even` for lanes 0 and 2, `odd` for 1 and 3. */
export const lanesOfTwo = (name: string, format: Format, even: Routine, odd = even): Routine =>
  floatRoutine(name, ['v128', 'v128'], ['v128', 'i32'], (b, x, y) => {
    const mode = mxcsr(b);
    const [result, flags] = inEachLane(b, format, x, format.lanes, (lane) =>
      callPair(b, lane % 2 === 0 ? even : odd, laneOf(b, format, x, lane), laneOf(b, format, y, lane), mode),
    );
    b.return(result, flags);
  });

/** (x) → (result, flags), from a routine that takes one lane and MXCSR. */
export const lanesOfOne = (name: string, format: Format, one: Routine): Routine =>
  floatRoutine(name, ['v128'], ['v128', 'i32'], (b, x) => {
    const mode = mxcsr(b);
    const [result, flags] = inEachLane(b, format, x, format.lanes, (lane) =>
      callPair(b, one, laneOf(b, format, x, lane), mode),
    );
    b.return(result, flags);
  });
