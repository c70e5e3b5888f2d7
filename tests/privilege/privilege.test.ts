// What no program can see, case by case: every engine gives the recorded answers, and so does an emulated PC where there is
// one, but for what `differences` lists.
import t from 'tap';
import { LGUEST_CS } from '../../guest-abi/x86/descriptors.js';
import { ENGINES } from '../support/test-cpu.js';
import { readAnswers } from './answers.js';
import { type RingCase, answerOf, titleOf } from './case.js';
import { CASES } from './cases/index.js';
import { PAGE_CASES, byTheManual } from './cases/pages.js';
import { DoorCpu } from './door-cpu.js';
import { DIFFERENCES, comparable, differs } from './differences.js';
import { type PcOutcome, askPc, missingTool } from './qemu.js';
import { caseOf, randomProgram } from './random-cases.js';
import { RingCpu } from './ring-cpu.js';
import { Travel } from './travel.js';
import { DATA, PAGE } from './world.js';

const RANDOM_PROGRAMS = 1000;
const SLICED_PROGRAMS = 200;

const answers = readAnswers();
const all = Object.values(CASES).flat();

t.test('every case has one title and one answer', async (t) => {
  const titles = all.map(titleOf);
  t.same(
    titles.filter((title, i) => titles.indexOf(title) !== i),
    [],
  );
  t.same([...answers.keys()], titles);
});

for (const [chapter, cases] of Object.entries(CASES)) {
  for (const engine of ENGINES) {
    t.test(`recorded answers under '${engine}': ${chapter}, ${cases.length} cases`, async (t) => {
      const cpu = new RingCpu(engine);
      const wrong = cases
        .map((one) => ({ case: titleOf(one), answer: answerOf(one, cpu.run(one)), right: answers.get(titleOf(one)) }))
        .filter(({ answer, right }) => answer !== right);
      t.same(wrong, []);
    });
  }
}

const missing = missingTool();
const skip = missing === undefined ? false : `${missing} is not installed`;
// A loaded machine has time.
t.setTimeout(300_000);
t.test('an emulated PC gives the same answers', { skip }, async (t) => {
  const cpu = new RingCpu('evaluate');
  const theirs = new Map(askPc(all).map((outcome, i) => [all[i], outcome]));
  t.equal(theirs.size, all.length);
  const wrong = all.flatMap((one) => {
    const pc = comparable(one, theirs.get(one) ?? nothing);
    const ours = comparable(one, cpu.run(one));
    return differs(one) || pc === ours ? [] : [{ case: titleOf(one), pc, ours }];
  });
  t.same(wrong, []);
  const flags = PAGE_CASES.filter((one) => !differs(one)).map((one) => ({
    case: titleOf(one),
    pc: theirs.get(one)?.pageTable[DATA / PAGE],
    right: byTheManual(one).flags,
  }));
  t.same(
    flags.filter(({ pc, right }) => pc !== right),
    [],
    'ACCESSED and DIRTY, too',
  );
});

t.test('random programs travel through the rings alike, under every engine and on an emulated PC', async (t) => {
  const travel = new Travel(ENGINES, missing === undefined);
  t.same(travel.run(1, RANDOM_PROGRAMS), []);
});

/** With gates as a Guest's are. */
const inGuest = (one: RingCase): RingCase => ({
  ...one,
  gates: (one.gates ?? []).map((gate) => ({ ...gate, type: gate.selector === LGUEST_CS ? 'interrupt' : 'trap' })),
});

for (const engine of ENGINES) {
  t.test(`a random program ends alike in one go and in slices through the door, under '${engine}'`, async (t) => {
    const cpu = new RingCpu('evaluate');
    for (const budget of [0, 1, 5]) {
      const door = new DoorCpu(engine, budget);
      const wrong = Array.from({ length: SLICED_PROGRAMS }, (_, i) => inGuest(caseOf(randomProgram(i)))).flatMap(
        (one) => {
          const [atOnce, inSlices] = [cpu.run(one), door.run(one)].map((outcome) => answerOf(one, outcome));
          return atOnce === inSlices ? [] : [{ case: titleOf(one), atOnce, inSlices }];
        },
      );
      t.same(wrong, [], `slices of ${budget}`);
    }
  });
}

t.test('no difference is listed for nothing', async (t) => {
  for (const { cases, why } of DIFFERENCES)
    t.ok(
      all.some((one) => cases.test(titleOf(one))),
      why,
    );
});

const nothing: PcOutcome = {
  vector: undefined,
  error: 0,
  cr2: 0,
  eip: 0,
  eflags: 0,
  registers: [],
  segments: [],
  memory: [],
  pageTable: [],
};
