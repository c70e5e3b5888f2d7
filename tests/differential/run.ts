// `npm run differential -- [--cases N] [--seed S] [--engine evaluate|interpret] [--only mnemonic] [--rows]`: prints in what
// the CPU of this machine and ours differ. Needs an x86 Linux with gcc -m32.
import { parseArgs } from 'node:util';
import { defaultState } from '../support/machine-state.js';
import { deltaOf, toHex } from '../support/state-delta.js';
import { ENGINES } from '../support/test-cpu.js';
import { type Difference, compareWithNative } from './compare-with-native.js';

/** How many differences are shown of each kind, and of how many kinds. */
const SHOWN_EACH = 3;
const SHOWN_KINDS = 40;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    engine: { type: 'string', default: 'interpret' },
    only: { type: 'string' },
    rows: { type: 'boolean', default: false },
  },
});
const counts = new Map<string, number>();

function report({ name, code, state, lines }: Difference): void {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  if (count > SHOWN_EACH || counts.size > SHOWN_KINDS) return;
  const before = deltaOf(defaultState(), state);
  process.stdout.write(`${name}: ${toHex(code)} ${JSON.stringify(before)}\n    ${lines.join('; ')}\n`);
}

const wanted = {
  cases: Number(values.cases),
  seed: Number(values.seed),
  engine: ENGINES.find((name) => name === values.engine) ?? 'interpret',
  rows: values.rows,
  only: values.only,
} as const;
for await (const difference of compareWithNative(wanted)) report(difference);
const different = [...counts.values()].reduce((sum, count) => sum + count, 0);
process.stdout.write(`${wanted.cases} cases with seed ${wanted.seed}, ${different} different\n`);
for (const [name, count] of counts) process.stdout.write(`  ${name}: ${count}\n`);
process.exitCode = different === 0 ? 0 : 1;
