// `npm run differential -- --boot [--kernel K --initrd I --cmdline C] [--memory MB] [--engine E --engine E] [--instructions N]`:
// compares whole boots.
// `npm run differential -- [--cases N] [--seed S] [--engine E] [--only mnemonics] [--rows] [--odd] [--minutes M] [--keep] [--note] [--record]`:
// prints in what the CPU of this machine and ours differ, each difference made small, as a case for tests/vectors.
import { appendFileSync } from 'node:fs';
import { whyNoNativeCpu } from '../native/harness.js';
import { FOUND } from '../support/cpu-vectors.js';
import { ENGINES } from '../support/test-cpu.js';
import { runBoot } from './boots/run-boot.js';
import { compare, type Difference } from './compare.js';
import { Judge } from './judge.js';
import { disassembled, minimise } from './minimise.js';
import { noteRun } from './noted.js';
import { record } from './recorded.js';
import { parseOptions } from '../support/options.js';

/** How many differences are made small of each kind, and of how many kinds. */
const SHOWN_EACH = 2;
const SHOWN_KINDS = 20;
const LONGEST_TEXT = 400;
const MILLISECONDS_PER_MINUTE = 60_000;

const values = parseOptions({
  cases: { type: 'string', default: '100000' },
  seed: { type: 'string', default: '1' },
  engine: { type: 'string', multiple: true },
  only: { type: 'string' },
  rows: { type: 'boolean', default: false },
  odd: { type: 'boolean', default: false },
  minutes: { type: 'string' },
  keep: { type: 'boolean', default: false },
  note: { type: 'boolean', default: false },
  record: { type: 'boolean', default: false },
  boot: { type: 'boolean', default: false },
  kernel: { type: 'string' },
  initrd: { type: 'string' },
  cmdline: { type: 'string' },
  memory: { type: 'string' },
  after: { type: 'string' },
  instructions: { type: 'string' },
});
const why = whyNoNativeCpu();
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const counts = new Map<string, number>();

async function report(judge: Judge, { case: one, engine, lines }: Difference): Promise<void> {
  const kind = `${engine}: ${one.name}`;
  const count = (counts.get(kind) ?? 0) + 1;
  counts.set(kind, count);
  if (count > SHOWN_EACH || counts.size > SHOWN_KINDS) return;
  say(`${kind} (${disassembled(one.code)})\n    ${lines.join('; ').slice(0, LONGEST_TEXT)}`);
  const small = await minimise(judge, one);
  if (small === undefined) {
    say('    and not another time: it depends on what ran before');
    return;
  }
  say(JSON.stringify(small));
  if (values.keep) appendFileSync(FOUND, `${JSON.stringify(small)}\n`);
}

async function run(): Promise<void> {
  const engines = ENGINES.filter((name) => values.engine === undefined || values.engine.includes(name));
  if (engines.length === 0) throw new RangeError(`--engine is one of ${ENGINES.join(', ')}`);
  if (why !== false) say(`skipped: the CPU of this machine, because ${why}; the evaluator is the judge`);
  const end = values.minutes === undefined ? Infinity : Date.now() + Number(values.minutes) * MILLISECONDS_PER_MINUTE;
  const cases = values.minutes === undefined ? Number(values.cases) : Infinity;
  const { rows, odd, only } = values;
  const seed = Number(values.seed);
  const judge = new Judge(engines, why === false);
  const found = compare(
    { cases, seed, rows, odd, only, engines, native: why === false, isOver: () => Date.now() > end },
    judge,
  );
  for (;;) {
    const next = await found.next();
    if (next.done === true) {
      const different = [...counts.values()].reduce((sum, count) => sum + count, 0);
      say(
        `${next.value} ${odd ? 'odd ' : ''}${rows ? 'rows' : 'cases'} with seed ${seed}, under ${engines.join(', ')}: ${different} different`,
      );
      if (values.note && why === false) noteRun({ rows, odd, seed, cases: next.value, engines, different });
      break;
    }
    await report(judge, next.value);
  }
  for (const [name, count] of counts) say(`  ${name}: ${count}`);
  judge.close();
  process.exitCode = counts.size === 0 ? 0 : 1;
}

if (values.boot) process.exitCode = (await runBoot(values, say)) ? 0 : 1;
else if (values.record) await record(why);
else await run();
