// Random cases on the CPU of this machine and on ours, and in what they differ.
import type { EngineName } from '../../switcher/cpu/cpu.js';
import { NativeCpu } from '../native/harness.js';
import { looseByMnemonic } from '../native/templates/forms.js';
import { writtenPlans } from '../native/templates/index.js';
import type { Plan } from '../native/templates/template.js';
import { compareOutcomes } from '../support/compare.js';
import { BREAKPOINT, type MachineState, type Outcome } from '../support/machine-state.js';
import { EmulatedCpu } from '../support/test-cpu.js';
import { randomCase, suitableExamples } from './instructions.js';
import { Random } from './random.js';
import { isHarmless, randomSequence, rowExamples } from './sequences.js';

const BATCH = 4096;
/** cmps with both operands in pages that are not there, and images of the FPU: which byte faults first is up to the CPU. */
const ANY_BYTE_FIRST = /^(cmps[bwl]|fldenv|frstor)$/;

export interface Wanted {
  readonly cases: number;
  readonly seed: number;
  readonly engine: EngineName;
  /** Rows of a few instructions instead of single ones. */
  readonly rows: boolean;
  /** One mnemonic alone. */
  readonly only?: string | undefined;
}

/** A case in which the two did not end the same. */
export interface Difference {
  readonly name: string;
  readonly code: Uint8Array;
  readonly state: MachineState;
  readonly lines: readonly string[];
}

interface Case {
  readonly name: string;
  readonly code: Uint8Array;
  readonly state: MachineState;
  readonly tolerance: Partial<Plan>;
}

function caseMaker({ seed, rows, only }: Wanted): () => Case | undefined {
  const random = new Random(seed);
  const loose = looseByMnemonic(writtenPlans());
  const all = suitableExamples();
  const examples = (rows ? rowExamples(all, loose) : all).filter(
    ({ form }) => only === undefined || form.mnemonic === only,
  );
  if (examples.length === 0) throw new RangeError(`no random cases of ${only}`);
  return () => {
    if (rows) {
      const row = randomSequence(random, examples, loose);
      return { ...row, name: row.mnemonics.join(' ') };
    }
    const example = examples[random.below(examples.length)];
    const one = example === undefined ? undefined : randomCase(random, example);
    if (one === undefined) return undefined;
    const { mnemonic } = one.form;
    const ignore = ANY_BYTE_FIRST.test(mnemonic) ? ['cr2'] : [];
    return { ...one, name: mnemonic, tolerance: { ...loose(mnemonic), ignore } };
  };
}

/** Cases and what became of them here: first here, so that only the harmless are tried on the real CPU. */
function runHere(make: () => Case | undefined, cpu: EmulatedCpu, size: number): { one: Case; here: Outcome }[] {
  const made: { one: Case; here: Outcome }[] = [];
  while (made.length < size) {
    const one = make();
    if (one === undefined) continue;
    cpu.reset(one.state);
    const here = cpu.run();
    if (isHarmless(here)) made.push({ one, here });
  }
  return made;
}

function compare({ state, tolerance }: Case, there: Outcome, here: Outcome): string[] {
  const faulted = there.trap.vector !== BREAKPOINT;
  const ignore = [...(tolerance.ignore ?? []), ...(faulted ? (tolerance.ignoreOnFault ?? []) : [])];
  return compareOutcomes(state, there, here, { ...tolerance, ignore });
}

/** Gives the differences as they are found. Throws when there is no gcc for i386. */
export async function* compareWithNative(wanted: Wanted): AsyncGenerator<Difference> {
  const make = caseMaker(wanted);
  const emulated = new EmulatedCpu(wanted.engine);
  const native = new NativeCpu();
  try {
    for (let left = wanted.cases; left > 0; left -= BATCH) {
      const cases = runHere(make, emulated, Math.min(BATCH, left));
      const outcomes = await native.run(cases.map(({ one }) => one.state));
      for (const [i, { one, here }] of cases.entries()) {
        const there = outcomes[i];
        const lines = there === undefined ? [] : compare(one, there, here);
        if (lines.length > 0) yield { name: one.name, code: one.code, state: one.state, lines };
      }
    }
  } finally {
    native.close();
  }
}
