// `npm run record-privilege`: writes the answers anew, of the emulated CPU as it is now. Where an emulated PC can be asked and
// disagrees for a reason that is not in `differences`, nothing is written.
import { writeFileSync } from 'node:fs';
import { ANSWERS, lineOf } from './answers.js';
import { answerOf, titleOf } from './case.js';
import { CASES } from './cases/index.js';
import { comparable, differs } from './differences.js';
import { askPc, missingTool } from './qemu.js';
import { RingCpu } from './ring-cpu.js';

const cases = Object.values(CASES).flat();
const cpu = new RingCpu('evaluate');
const outcomes = cases.map((one) => cpu.run(one));
const missing = missingTool();
const pc = missing === undefined ? askPc(cases) : [];
const wrong = cases.filter((one, i) => {
  const [ours, theirs] = [outcomes[i], pc[i]];
  return ours && theirs && !differs(one) && comparable(one, ours) !== comparable(one, theirs);
});
for (const one of wrong) process.stderr.write(`${titleOf(one)}: QEMU disagrees\n`);
if (missing !== undefined) process.stderr.write(`without ${missing} nothing is compared\n`);
if (wrong.length === 0)
  writeFileSync(
    ANSWERS,
    cases.map((one, i) => lineOf(titleOf(one), outcomes[i] ? answerOf(one, outcomes[i]) : '')).join(''),
  );
process.exitCode = wrong.length === 0 ? 0 : 1;
