// The harness that asks the real CPU, held against what is known about real CPUs.
import t from 'tap';
import { FAMILIES, differences, loadVectors, stateBefore } from '../support/cpu-vectors.js';
import { CODE_ADDRESS, TIMEOUT, defaultState } from '../support/machine-state.js';
import { fromHex } from '../support/state-delta.js';
import { NativeCpu, whyNoNativeCpu } from './harness.js';

t.test('the CPU of this machine', { skip: whyNoNativeCpu() }, async (native) => {
  const cpu = new NativeCpu();
  native.teardown(() => cpu.close());

  for (const family of FAMILIES) {
    native.test(`does with every case of ${family} what was recorded`, async (sub) => {
      const cases = loadVectors(family).flatMap((vectors) => vectors.cases.map((one) => ({ vectors, one })));
      const outcomes = await cpu.run(cases.map(({ vectors, one }) => stateBefore(vectors, one)));
      const wrong = cases.flatMap(({ vectors, one }, i) => {
        const outcome = outcomes[i];
        const lines = outcome === undefined ? ['nothing'] : differences(vectors, one, outcome);
        return lines.map((line) => `${vectors.asm} ${JSON.stringify(one.in)}: ${line}`);
      });
      sub.same(wrong.slice(0, 10), []);
      sub.ok(cases.length > 100, `${cases.length} cases`);
    });
  }

  native.test('is stopped when a case does not end, and goes on with the next one', async (sub) => {
    const forever = defaultState();
    forever.patches = [{ address: CODE_ADDRESS, bytes: fromHex('ebfe') }];
    const [first, second] = await cpu.run([forever, defaultState()]);
    sub.equal(first?.trap.vector, TIMEOUT);
    sub.equal(second?.trap.vector, 3);
  });

  native.test('is replaced when a case makes it leave', async (sub) => {
    const leave = defaultState();
    leave.registers[0] = 1;
    leave.patches = [{ address: CODE_ADDRESS, bytes: fromHex('cd80') }];
    const [first, second] = await cpu.run([leave, defaultState()]);
    sub.equal(first?.trap.vector, -2);
    sub.equal(second?.eip, CODE_ADDRESS + 1);
  });
});
