// The recorded cases as tests: one for each mnemonic and engine, with the first differences of each in words.
import t from 'tap';
import { type Family, type Vectors, loadVectors, runCase } from './cpu-vectors.js';
import { ENGINES, EmulatedCpu } from './test-cpu.js';

/** More would not help whoever reads them. */
const SHOWN = 8;

function failures(cpu: EmulatedCpu, all: readonly Vectors[]): string[] {
  return all.flatMap((vectors) =>
    vectors.cases.flatMap((one) => {
      const lines = runCase(cpu, vectors, one);
      if (lines.length === 0) return [];
      return [`${vectors.asm} (${vectors.code}) ${JSON.stringify(one.in)}: ${lines.join('; ')}`];
    }),
  );
}

/** Defines the tests of these files of vectors. */
export function testVectors(families: readonly Family[]): void {
  const vectors = families.flatMap(loadVectors);
  const byMnemonic = new Map<string, Vectors[]>();
  for (const one of vectors) byMnemonic.set(one.mnemonic, [...(byMnemonic.get(one.mnemonic) ?? []), one]);
  for (const engine of ENGINES) {
    t.test(`under the engine '${engine}'`, async (ofEngine) => {
      const cpu = new EmulatedCpu(engine);
      for (const [mnemonic, all] of byMnemonic) {
        const cases = all.reduce((sum, one) => sum + one.cases.length, 0);
        const wrong = failures(cpu, all);
        const not = wrong.length === 0 ? '' : `, but not in ${wrong.length}`;
        ofEngine.same(wrong.slice(0, SHOWN), [], `\`${mnemonic}\` does in ${cases} cases what a real CPU did${not}`);
      }
    });
  }
}
