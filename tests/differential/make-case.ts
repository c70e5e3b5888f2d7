// The random cases of a seed: single instructions, or rows of a few.
import { looseByMnemonic } from '../native/templates/forms.js';
import { writtenPlans } from '../native/templates/index.js';
import { CODE_ADDRESS, copyState } from '../support/machine-state.js';
import { randomCase, suitableExamples } from './instructions.js';
import type { Case } from './judge.js';
import { Random } from './random.js';
import { randomSequence, rowExamples, type Sequence } from './sequences.js';

/** cmps with both operands in pages that are not there, and images of the FPU: which byte faults first is up to the CPU. */
const ANY_BYTE_FIRST = /^(cmps[bwl]|fldenv|frstor)$/;

export interface WantedCases {
  readonly seed: number;
  /** Rows of a few instructions instead of single ones, each of them first up to its first instruction, and so on. */
  readonly rows: boolean;
  /** One mnemonic alone. */
  readonly only?: string | undefined;
}

/** The row after each of its instructions, and as a whole. */
function beginningsOf({ code, ends, mnemonics, state, tolerance }: Sequence): Case[] {
  return ends.map((end) => {
    const begun = code.slice(0, end);
    const [, ...others] = state.patches;
    const patches = [{ address: CODE_ADDRESS, bytes: begun }, ...others];
    return { name: mnemonics.join(' '), code: begun, state: { ...copyState(state), patches }, tolerance };
  });
}

/** Makes the next case each time it is called; the same ones for the same seed. */
export function caseMaker({ seed, rows, only }: WantedCases): () => Case {
  const random = new Random(seed);
  const loose = looseByMnemonic(writtenPlans());
  const all = suitableExamples();
  const examples = (rows ? rowExamples(all, loose) : all).filter(
    ({ form }) => only === undefined || form.mnemonic === only,
  );
  if (examples.length === 0) throw new RangeError(`no random cases of ${only}`);
  const beginnings: Case[] = [];
  const make = (): Case | undefined => {
    if (rows) {
      if (beginnings.length === 0) beginnings.push(...beginningsOf(randomSequence(random, examples, loose)));
      return beginnings.shift();
    }
    const example = examples[random.below(examples.length)];
    const one = example === undefined ? undefined : randomCase(random, example);
    if (one === undefined) return undefined;
    const { mnemonic } = one.form;
    const ignore = ANY_BYTE_FIRST.test(mnemonic) ? ['cr2'] : [];
    return { ...one, name: mnemonic, tolerance: { ...loose(mnemonic), ignore } };
  };
  return () => {
    for (;;) {
      const one = make();
      if (one !== undefined) return one;
    }
  };
}
