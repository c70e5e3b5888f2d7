// `npm run differential -- [--cases N] [--seed S] [--engine evaluate|interpret] [--only mnemonic] [--rows]`: random
// instructions, or rows of them, on the CPU of this machine and on ours. Needs an x86 Linux with gcc -m32.
import { parseArgs } from 'node:util';
import type { EngineName } from '../../switcher/cpu/cpu.js';
import { NativeCpu } from '../native/harness.js';
import { looseByMnemonic } from '../native/templates/forms.js';
import { writtenPlans } from '../native/templates/index.js';
import type { Plan } from '../native/templates/template.js';
import { compareOutcomes } from '../support/compare.js';
import { BREAKPOINT, type MachineState, type Outcome, defaultState } from '../support/machine-state.js';
import { deltaOf, toHex } from '../support/state-delta.js';
import { EmulatedCpu } from '../support/test-cpu.js';
import { randomCase, suitableExamples } from './instructions.js';
import { Random } from './random.js';
import { isHarmless, randomSequence, rowExamples } from './sequences.js';

const BATCH = 4096;
/** How many differences are shown of each kind, and of how many kinds. */
const SHOWN_EACH = 3;
const SHOWN_KINDS = 40;
/** cmps with both operands in pages that are not there, and images of the FPU: which byte faults first is up to the CPU. */
const ANY_BYTE_FIRST = /^(cmps[bwl]|fldenv|frstor)$/;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    engine: { type: 'string', default: 'interpret' },
    only: { type: 'string' },
    rows: { type: 'boolean', default: false },
  },
});
const engine: EngineName = values.engine === 'evaluate' ? 'evaluate' : 'interpret';
const random = new Random(Number(values.seed));
const loose = looseByMnemonic(writtenPlans());
const all = suitableExamples();
const examples = (values.rows ? rowExamples(all, loose) : all).filter(
  ({ form }) => values.only === undefined || form.mnemonic === values.only,
);
const native = new NativeCpu();
const emulated = new EmulatedCpu(engine);
const counts = new Map<string, number>();

interface Case {
  readonly name: string;
  readonly code: Uint8Array;
  readonly state: MachineState;
  readonly tolerance: Partial<Plan>;
}

function makeCase(): Case | undefined {
  if (values.rows) {
    const row = randomSequence(random, examples, loose);
    return { ...row, name: row.mnemonics.join(' ') };
  }
  const example = examples[random.below(examples.length)];
  const one = example === undefined ? undefined : randomCase(random, example);
  if (one === undefined) return undefined;
  const { mnemonic } = one.form;
  const ignore = ANY_BYTE_FIRST.test(mnemonic) ? ['cr2'] : [];
  return { ...one, name: mnemonic, tolerance: { ...loose(mnemonic), ignore } };
}

/** Cases and what became of them here: first here, so that only the harmless are tried there. */
function batch(size: number): { one: Case; here: Outcome }[] {
  const made: { one: Case; here: Outcome }[] = [];
  while (made.length < size) {
    const one = makeCase();
    if (one === undefined) continue;
    emulated.reset(one.state);
    const here = emulated.run();
    if (isHarmless(here)) made.push({ one, here });
  }
  return made;
}

function report({ name, code, state }: Case, lines: readonly string[]): void {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  if (count > SHOWN_EACH || counts.size > SHOWN_KINDS) return;
  const before = deltaOf(defaultState(), state);
  process.stdout.write(`${name}: ${toHex(code)} ${JSON.stringify(before)}\n    ${lines.join('; ')}\n`);
}

let done = 0;
for (const wanted = Number(values.cases); done < wanted;) {
  const cases = batch(Math.min(BATCH, wanted - done));
  const outcomes = await native.run(cases.map(({ one }) => one.state));
  cases.forEach(({ one, here }, i) => {
    const there = outcomes[i];
    if (there === undefined) return;
    const { tolerance } = one;
    const faulted = there.trap.vector !== BREAKPOINT;
    const ignore = [...(tolerance.ignore ?? []), ...(faulted ? (tolerance.ignoreOnFault ?? []) : [])];
    const lines = compareOutcomes(one.state, there, here, { ...tolerance, ignore });
    if (lines.length > 0) report(one, lines);
  });
  done += cases.length;
}
native.close();
const different = [...counts.values()].reduce((sum, count) => sum + count, 0);
process.stdout.write(`${done} cases with seed ${values.seed}, ${different} different\n`);
for (const [name, count] of counts) process.stdout.write(`  ${name}: ${count}\n`);
process.exitCode = different === 0 ? 0 : 1;
