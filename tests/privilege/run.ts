// `npm run privilege -- [--cases N] [--seed S] [--engine E] [--note]`: random programs through the rings; prints what
// engines, or an emulated PC where there is one, disagree about.
import { ENGINES } from '../support/test-cpu.js';
import { noteTravel } from './noted.js';
import { missingTool } from './qemu.js';
import { listing } from './listing.js';
import { Travel } from './travel.js';
import { parseOptions } from '../support/options.js';

const AT_ONCE = 1000;

const values = parseOptions({
  cases: { type: 'string', default: '10000' },
  seed: { type: 'string', default: '1' },
  engine: { type: 'string', multiple: true },
  note: { type: 'boolean', default: false },
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const missing = missingTool();
if (missing !== undefined) say(`without ${missing} there is no PC to compare with`);
const engines = ENGINES.filter((name) => values.engine === undefined || values.engine.includes(name));
const travel = new Travel(engines, missing === undefined);
const [first, end] = [Number(values.seed), Number(values.seed) + Number(values.cases)];
let different = 0;
for (let seed = first; seed < end; seed += AT_ONCE) {
  for (const one of travel.run(seed, Math.min(AT_ONCE, end - seed))) {
    different++;
    say(`${one.seed}: ${one.who} differs\n${listing(one.case)}\n    ours   ${one.ours}\n    theirs ${one.theirs}`);
  }
}
say(`${end - first} programs from ${first} on: ${different} different`);
if (values.note) noteTravel({ seed: first, cases: end - first, engines, pc: missing === undefined, different });
process.exitCode = different === 0 ? 0 : 1;
