// An outcome of the real CPU as a case of tests/vectors.
import { BREAKPOINT, type MachineState, type Outcome } from '../support/machine-state.js';
import type { VectorCase } from '../support/cpu-vectors.js';
import { deltaOf } from '../support/state-delta.js';
import type { Plan } from './templates/template.js';

/** The outcome, less what every outcome has: the trap that follows the code. */
export function vectorCase(
  plan: Omit<Plan, 'asm'>,
  before: MachineState,
  codeBytes: number,
  { trap, ...after }: Outcome,
): VectorCase {
  const ran = trap.vector === BREAKPOINT && after.eip === before.eip + codeBytes + 1;
  const out = deltaOf(before, ran ? { ...after, eip: before.eip } : after);
  const faulted = !ran && trap.vector !== BREAKPOINT;
  const ignore = [...(plan.ignore ?? []), ...((faulted ? plan.ignoreOnFault : undefined) ?? [])];
  return {
    in: plan.in,
    out,
    ...(ran ? {} : { trap: { vector: trap.vector, error: trap.error.toString(16), cr2: trap.cr2.toString(16) } }),
    ...(plan.undefinedFlags ? { undefinedFlags: plan.undefinedFlags.toString(16) } : {}),
    ...(plan.undefinedStatus ? { undefinedStatus: plan.undefinedStatus.toString(16) } : {}),
    ...(plan.ulps === undefined ? {} : { ulps: plan.ulps }),
    ...(plan.approximate === true ? { approximate: true } : {}),
    ...(ignore.length === 0 ? {} : { ignore }),
  };
}
