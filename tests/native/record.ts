// Records what a real CPU does with every case of the templates: `npm run record-vectors`, by hand, on an x86 machine
// with gcc -m32. Writes tests/vectors/*.jsonl.gz.
//
// Everything is run twice, the second time in reverse order: a case whose result is not always the same is no case.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Bug } from '../../lib/errors.js';
import { PAGES, PAGE_FAULT, defaultState, type MachineState, type Outcome } from '../support/machine-state.js';
import { applyDelta, toHex } from '../support/state-delta.js';
import type { VectorCase, Vectors } from '../support/cpu-vectors.js';
import { assemble } from './assemble.js';
import { NativeCpu } from './harness.js';
import { TEMPLATES } from './templates/index.js';
import type { Plan } from './templates/template.js';
import { vectorCase } from './vector-case.js';

const DIRECTORY = join(import.meta.dirname, '../../../tests/vectors');

interface Job {
  readonly plan: Plan;
  readonly code: Uint8Array;
  readonly before: MachineState;
}

function prepare(plans: readonly Plan[]): Job[] {
  const codes = assemble([...new Set(plans.map((plan) => plan.asm))]);
  return plans.map((plan) => {
    const code = codes.get(plan.asm);
    if (code === undefined || code.length === 0) throw new Bug(`no code for ${plan.asm}`);
    const before = defaultState();
    applyDelta(before, plan.in);
    before.patches = [{ address: before.eip, bytes: code }, ...before.patches];
    return { plan, code, before };
  });
}

const describe = ({ plan, code, before }: Job, outcome: Outcome): VectorCase =>
  vectorCase(plan, before, code.length, outcome);

/** A page of data that cannot be executed is something a 64-bit system has; the CPU under test has none. */
const fetchesData = ({ trap, eip }: Outcome): boolean =>
  trap.vector === PAGE_FAULT && trap.cr2 === eip && PAGES.some((page) => (page.address ^ eip) >>> 12 === 0);

function group(jobs: readonly Job[], cases: readonly VectorCase[]): Vectors[] {
  const groups = new Map<string, { vectors: Vectors; cases: VectorCase[] }>();
  jobs.forEach(({ plan, code }, i) => {
    const mnemonic = plan.mnemonic ?? plan.asm.split(' ')[0] ?? '';
    const key = `${mnemonic} ${plan.asm}`;
    const list = groups.get(key)?.cases ?? [];
    if (list.length === 0) {
      groups.set(key, { vectors: { mnemonic, asm: plan.asm, code: toHex(code), cases: list }, cases: list });
    }
    const one = cases[i];
    if (one !== undefined) list.push(one);
  });
  return [...groups.values()].map(({ vectors }) => vectors);
}

async function record(cpu: NativeCpu, family: string, plans: readonly Plan[]): Promise<string> {
  const jobs = prepare(plans);
  const states = jobs.map((job) => job.before);
  const outcomes = await cpu.run(states);
  const again = (await cpu.run(states.toReversed())).toReversed();
  const cases = jobs.flatMap((job, i) => {
    const [first, second] = [outcomes[i], again[i]];
    if (first === undefined || second === undefined) throw new Bug('an outcome is missing');
    const vector = describe(job, first);
    if (JSON.stringify(vector) !== JSON.stringify(describe(job, second)))
      throw new Bug(`not always the same: ${job.plan.asm}`);
    if (fetchesData(first)) throw new Bug(`runs into a page of data: ${job.plan.asm}`);
    if (first.trap.vector < 0) throw new Bug(`not a case: ${job.plan.asm} ${JSON.stringify(vector)}`);
    return [vector];
  });
  const lines = group(jobs, cases).map((vectors) => JSON.stringify(vectors));
  const file = gzipSync(`${lines.join('\n')}\n`, { level: 9 });
  writeFileSync(join(DIRECTORY, `${family}.jsonl.gz`), file);
  return `${family}: ${lines.length} instructions, ${cases.length} cases, ${file.length} bytes\n`;
}

const cpu = new NativeCpu();
const wanted = process.argv.slice(2);
for (const [family, plans] of Object.entries(TEMPLATES)) {
  if (wanted.length > 0 && !wanted.includes(family)) continue;
  process.stderr.write(await record(cpu, family, plans()));
}
cpu.close();
