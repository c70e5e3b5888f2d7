// What takes long costs more than a jump, so that whoever does it for ever is interrupted as soon as others.
import * as State from '../cpu/state.js';
import type { Builder } from '../language/builder.js';
import type { Value } from '../language/nodes.js';

/** Takes `jumps` from the budget: about as many as could have been made meanwhile, at a nanosecond each. */
export function charge(b: Builder, jumps: Value | number): void {
  b.setState(4, State.BUDGET, b.sub(b.state(4, State.BUDGET), jumps));
  // It makes no place of the code a hot one.
  b.setState(4, State.CHARGED, b.add(b.state(4, State.CHARGED), jumps));
}
