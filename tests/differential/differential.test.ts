// Random instructions under every engine: against the CPU of this machine, as `npm run differential` does at length, and against
// what one has answered before.
import t from 'tap';
import { whyNoNativeCpu } from '../native/harness.js';
import { defaultState } from '../support/machine-state.js';
import { deltaOf } from '../support/state-delta.js';
import { ENGINES, EmulatedCpu } from '../support/test-cpu.js';
import { testVectors } from '../support/vector-tests.js';
import { compare } from './compare.js';
import { Judge } from './judge.js';
import { minimise } from './minimise.js';
import { caseMaker } from './make-case.js';
import { checksum, recordedCases, recordedRuns } from './recorded.js';

/** With other tests beside it, a machine may take long. */
const PATIENCE = 240_000;
t.setTimeout(PATIENCE);

const KINDS = [
  { what: 'instructions', rows: false, odd: false, cases: 1500 },
  { what: 'rows of instructions', rows: true, odd: false, cases: 600 },
  { what: 'odd instructions', rows: false, odd: true, cases: 1000 },
  { what: 'rows of instructions in odd places', rows: true, odd: true, cases: 400 },
] as const;
const SHOWN = 5;
const SEED = 20;
/** Engines that take long for a case get through fewer of the recorded ones. */
const SHARE = { evaluate: 3, interpret: 1, translate: 6 } as const;

for (const { what, rows, odd, cases } of KINDS) {
  t.test(
    `random ${what} end under every engine as on the CPU of this machine`,
    { skip: whyNoNativeCpu() },
    async (sub) => {
      const judge = new Judge(ENGINES, true);
      sub.teardown(() => judge.close());
      const found: string[] = [];
      const wanted = { cases, seed: SEED, engines: ENGINES, rows, odd, native: true };
      for await (const { case: one, engine, lines } of compare(wanted, judge)) {
        if (found.length < SHOWN)
          found.push(`${engine}: ${JSON.stringify(await minimise(judge, one))} ${lines.join('; ')}`);
      }
      sub.same(found, []);
    },
  );
}

const recorded = recordedRuns().map((run) => ({ run, all: recordedCases(run) }));

for (const engine of ENGINES) {
  for (const { run, all } of recorded) {
    const what = run.rows ? 'rows' : 'instructions';
    t.test(`random ${what} end under '${engine}' as they did on a real CPU`, async (sub) => {
      const cpu = new EmulatedCpu(engine);
      const cases = all.filter((_, i) => i % SHARE[engine] === 0);
      const wrong = cases.filter(({ one, answer }) => {
        cpu.reset(one.state);
        return checksum(one, cpu.run()) !== answer;
      });
      const texts = wrong.map(({ one }) => `${one.name} ${JSON.stringify(deltaOf(defaultState(), one.state))}`);
      sub.same(texts.slice(0, SHOWN), [], `${cases.length} cases, not in ${wrong.length}`);
      sub.ok(cases.length > 200);
    });
  }
}

t.test('a failing case is made small', async (sub) => {
  // A judge that is wrong about the evaluator: under its rules nothing must ever be done to ecx.
  const judge = new Judge(['evaluate'], false);
  const differing = judge.differences.bind(judge);
  judge.differences = (one, there) => {
    const before = one.state.registers[1];
    return there.registers[1] === before ? differing(one, there) : [['evaluate', ['ecx']]];
  };
  const make = caseMaker({ seed: SEED, rows: true });
  let one = make();
  while ((await judge.try(one)).differences.length === 0) one = make();
  const small = await minimise(judge, one);
  sub.ok(small);
  sub.notMatch(small?.asm, / .*; .*; /, 'one instruction, or two, is all that it takes');
  sub.ok(Object.keys(small?.cases[0]?.in ?? {}).length < 6);
});

testVectors(['found']);
