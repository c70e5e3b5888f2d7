// `npm run differential -- [--cases N] [--seed S] [--engine evaluate|interpret] [--only mnemonic]`: random instructions on
// the CPU of this machine and on ours, until they differ. Needs an x86 Linux with gcc -m32.
import { parseArgs } from 'node:util';
import type { EngineName } from '../../switcher/cpu/cpu.js';
import { NativeCpu } from '../native/harness.js';
import { looseByMnemonic } from '../native/templates/forms.js';
import { writtenPlans } from '../native/templates/index.js';
import { compareOutcomes } from '../support/compare.js';
import { defaultState } from '../support/machine-state.js';
import { deltaOf, toHex } from '../support/state-delta.js';
import { EmulatedCpu } from '../support/test-cpu.js';
import { type RandomCase, randomCase, suitableExamples } from './instructions.js';
import { Random } from './random.js';

const BATCH = 4096;
const SHOWN = 40;
const BREAKPOINT = 3;
/** cmps with both operands in pages that are not there, and images of the FPU: which byte faults first is up to the CPU. */
const ANY_BYTE_FIRST = /^(cmps[bwl]|fldenv|frstor)$/;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    engine: { type: 'string', default: 'interpret' },
    only: { type: 'string' },
  },
});
const engine: EngineName = values.engine === 'evaluate' ? 'evaluate' : 'interpret';
const random = new Random(Number(values.seed));
const examples = suitableExamples().filter(({ form }) => values.only === undefined || form.mnemonic === values.only);
const loose = looseByMnemonic(writtenPlans());
const native = new NativeCpu();
const emulated = new EmulatedCpu(engine);
const counts = new Map<string, number>();

function* batch(size: number): Generator<RandomCase> {
  for (let made = 0; made < size;) {
    const example = examples[random.below(examples.length)];
    const one = example === undefined ? undefined : randomCase(random, example);
    if (one === undefined) continue;
    made++;
    yield one;
  }
}

function report({ form, code, state }: RandomCase, lines: readonly string[]): void {
  const count = (counts.get(form.mnemonic) ?? 0) + 1;
  counts.set(form.mnemonic, count);
  if (count > 3 || counts.size > SHOWN) return;
  const before = deltaOf(defaultState(), state);
  process.stdout.write(`${form.mnemonic} ${toHex(code)} ${JSON.stringify(before)}\n    ${lines.join('; ')}\n`);
}

let done = 0;
for (const wanted = Number(values.cases); done < wanted;) {
  const cases = [...batch(Math.min(BATCH, wanted - done))];
  const outcomes = await native.run(cases.map(({ state }) => state));
  cases.forEach((one, i) => {
    const outcome = outcomes[i];
    if (outcome === undefined) return;
    emulated.reset(one.state);
    const rules = loose(one.form.mnemonic);
    const faulted = outcome.trap.vector !== BREAKPOINT;
    const place = ANY_BYTE_FIRST.test(one.form.mnemonic) ? ['cr2'] : [];
    const ignore = [...place, ...(rules.ignore ?? []), ...(faulted ? (rules.ignoreOnFault ?? []) : [])];
    const lines = compareOutcomes(one.state, outcome, emulated.run(), { ...rules, ignore });
    if (lines.length > 0) report(one, lines);
  });
  done += cases.length;
}
native.close();
const different = [...counts.values()].reduce((sum, count) => sum + count, 0);
process.stdout.write(`${done} cases with seed ${values.seed}, ${different} different\n`);
for (const [mnemonic, count] of counts) process.stdout.write(`  ${mnemonic}: ${count}\n`);
process.exitCode = different === 0 ? 0 : 1;
