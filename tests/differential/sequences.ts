// A few random instructions in a row: what one leaves behind in an engine (flags not yet worked out, a place on the x87
// stack) is there for the next one to find.
import type { FormExample } from '../../switcher/decode/all-forms.js';
import type { Plan } from '../native/templates/template.js';
import { CODE_ADDRESS, type MachineState, type Outcome, PAGE_FAULT } from '../support/machine-state.js';
import { mutate } from './instructions.js';
import type { Random } from './random.js';
import { randomState } from './states.js';

const LONGEST = 6;
/** With these the rest would run in another way, or what is undefined would be seen. */
const LEFT_OUT =
  /^(popf|cmps[bwl]|shld|shrd|loop|bound|into|int3|fnst|fldenv|frstor|hlt|cli|sti|clts|mov[cd]r|in[bwl]?|out[bwl]?)/;
const READS_FLAGS =
  /^(j|set|cmov|fcmov|adc|sbb|rc[lr]|pushf|lahf|salc|da[as]|aa[as]|cmc|sahf|cl[cd]|st[cd]|into|fnsts)/;
export interface Sequence {
  readonly code: Uint8Array;
  readonly mnemonics: readonly string[];
  readonly state: MachineState;
  readonly tolerance: Partial<Plan>;
}

type Loose = (mnemonic: string) => Partial<Plan>;

/** The examples that can stand in a row with others. */
export const rowExamples = (examples: readonly FormExample[], loose: Loose): FormExample[] =>
  examples.filter(({ form, mode }) => {
    const { ulps, approximate } = loose(form.mnemonic);
    return mode.flat && !LEFT_OUT.test(form.mnemonic) && ulps === undefined && approximate === undefined;
  });

export function randomSequence(random: Random, examples: readonly FormExample[], loose: Loose): Sequence {
  const pieces: Uint8Array[] = [];
  const mnemonics: string[] = [];
  let [undefinedFlags, undefinedStatus] = [0, 0];
  const ignore = new Set<string>();
  const wanted = 2 + random.below(LONGEST - 1);
  while (pieces.length < wanted) {
    const example = examples[random.below(examples.length)];
    if (example === undefined) break;
    const { mnemonic } = example.form;
    // What looks at flags does not come after what leaves some undefined.
    if (undefinedFlags !== 0 && READS_FLAGS.test(mnemonic)) continue;
    const rules = loose(mnemonic);
    undefinedFlags |= rules.undefinedFlags ?? 0;
    undefinedStatus |= rules.undefinedStatus ?? 0;
    for (const name of rules.ignoreOnFault ?? []) ignore.add(name);
    pieces.push(mutate(random, example, true));
    mnemonics.push(mnemonic);
  }
  const code = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
  const state = randomState(random);
  state.patches = [{ address: CODE_ADDRESS, bytes: code }];
  return { code, mnemonics, state, tolerance: { undefinedFlags, undefinedStatus, ignoreOnFault: [...ignore] } };
}

/** Whether what happened here can be tried on the real CPU: it touched the pages, or what surely is no memory there. */
export function isHarmless({ trap }: Outcome): boolean {
  if (trap.vector !== PAGE_FAULT) return trap.vector >= 0;
  return trap.cr2 < 0x10000 || (trap.cr2 >= 0x0ff00000 && trap.cr2 < 0x40000000);
}
