// The rules of rules.ts, under every engine.
import t from 'tap';
import { ENGINES } from '../support/test-cpu.js';
import { type RingCase, answerOf } from './case.js';
import { RingCpu } from './ring-cpu.js';
import { RULES } from './rules.js';

for (const { section, words, examples } of RULES) {
  t.test(`every engine obeys: ${words} (${section})`, async (t) => {
    for (const engine of ENGINES) {
      const cpu = new RingCpu(engine);
      for (const [ring, code, more, answer] of examples) {
        const one: RingCase = { section, name: words, ring, code, ...more };
        t.equal(answerOf(one, cpu.run(one)), answer, `ring ${ring}, under '${engine}'`);
      }
    }
  });
}
