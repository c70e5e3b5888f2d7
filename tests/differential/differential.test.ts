// A short run of what `npm run differential` does at length.
import t from 'tap';
import { whyNoNativeCpu } from '../native/harness.js';
import { toHex } from '../support/state-delta.js';
import { ENGINES } from '../support/test-cpu.js';
import { compareWithNative } from './compare-with-native.js';

const CASES = 3000;

for (const engine of ENGINES) {
  for (const rows of [false, true]) {
    const what = rows ? 'rows of instructions' : 'instructions';
    t.test(
      `random ${what} end under '${engine}' as on the CPU of this machine`,
      { skip: whyNoNativeCpu() },
      async (sub) => {
        const found: string[] = [];
        for await (const { name, code, lines } of compareWithNative({ cases: CASES, seed: 20, engine, rows })) {
          found.push(`${name} ${toHex(code)}: ${lines.join('; ')}`);
        }
        sub.same(found, []);
      },
    );
  }
}
