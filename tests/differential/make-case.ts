// The random cases of a seed: single instructions, or rows of a few.
import type { FormExample } from '../../switcher/decode/all-forms.js';
import { looseByMnemonic } from '../native/templates/forms.js';
import { writtenPlans } from '../native/templates/index.js';
import { copyState } from '../support/machine-state.js';
import { randomCase, suitableExamples } from './instructions.js';
import type { Case } from './judge.js';
import { type OddCase, oddCase, placed } from './oddities.js';
import { Random } from './random.js';
import { randomSequence, rowExamples, type Sequence } from './sequences.js';

/** cmps with both operands in pages that are not there, and images of the FPU: which byte faults first is up to the CPU. */
const ANY_BYTE_FIRST = /^(cmps[bwl]|fldenv|frstor)$/;

export interface WantedCases {
  readonly seed: number;
  /** Rows of a few instructions instead of single ones, each of them first up to its first instruction, and so on. */
  readonly rows: boolean;
  /** Odd ones: prefixes, segments and places that compilers do not use. */
  readonly odd?: boolean;
  /** These mnemonics alone: a regular expression for the whole of one. */
  readonly only?: string | undefined;
}

/** The row after each of its instructions, and as a whole. */
function beginningsOf({ code, ends, mnemonics, state, tolerance }: Sequence): Case[] {
  return ends.map((end) => {
    const own = copyState(state);
    const begun = placed(code.slice(0, end), own, state.eip);
    return { name: mnemonics.join(' '), code: begun, state: own, tolerance };
  });
}

function plainCase(random: Random, example: FormExample): OddCase | undefined {
  const one = randomCase(random, example);
  return one === undefined ? undefined : { ...one, mnemonic: one.form.mnemonic };
}

/** Makes the next case each time it is called; the same ones for the same seed. */
export function caseMaker({ seed, rows, odd = false, only }: WantedCases): () => Case {
  const random = new Random(seed);
  const loose = looseByMnemonic(writtenPlans());
  const all = suitableExamples();
  const isWanted = new RegExp(`^(${only ?? '.*'})$`);
  const examples = (rows ? rowExamples(all, loose) : all).filter(({ form }) => isWanted.test(form.mnemonic));
  if (examples.length === 0) throw new RangeError(`no random cases of ${only}`);
  const beginnings: Case[] = [];
  const make = (): Case | undefined => {
    if (rows) {
      if (beginnings.length === 0) beginnings.push(...beginningsOf(randomSequence(random, examples, loose, odd)));
      return beginnings.shift();
    }
    const example = examples[random.below(examples.length)];
    const one = example === undefined ? undefined : odd ? oddCase(random, example) : plainCase(random, example);
    if (one === undefined) return undefined;
    const { mnemonic, tolerance } = one;
    const ignore = [...(ANY_BYTE_FIRST.test(mnemonic) ? ['cr2'] : []), ...(tolerance?.ignore ?? [])];
    return { ...one, name: mnemonic, tolerance: { ...loose(mnemonic), ...tolerance, ignore } };
  };
  return () => {
    for (;;) {
      const one = make();
      if (one !== undefined) return one;
    }
  };
}
