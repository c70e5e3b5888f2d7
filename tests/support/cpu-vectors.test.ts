import t from 'tap';
import { FAMILIES, differences, loadVectors, stateAfter, stateBefore } from './cpu-vectors.js';

for (const family of FAMILIES) {
  t.test(`every case of ${family} differs from nothing when the outcome is the recorded one`, async (sub) => {
    for (const vectors of loadVectors(family)) {
      const wrong = vectors.cases.flatMap((one) => differences(vectors, one, stateAfter(vectors, one)));
      if (wrong.length > 0) sub.fail(vectors.asm, { wrong });
    }
    sub.pass();
  });
}

t.test('a wrong register, flag, byte or trap is found and named; an undefined flag is not', async (sub) => {
  const vectors = {
    mnemonic: 'imul',
    asm: 'imul ecx, edx',
    code: '0fafca',
    cases: [{ in: { ecx: '2', edx: '3' }, out: { ecx: '6', '10000400': '01' }, undefinedFlags: 'd4' }],
  };
  const [one] = vectors.cases;
  if (one === undefined) throw new Error('no case');
  const got = stateAfter(vectors, one);
  got.eflags |= 0x80;
  sub.same(differences(vectors, one, got), []);
  got.registers[1] = 7;
  got.eflags |= 0x800;
  sub.same(differences(vectors, one, { ...got, patches: [{ address: 0x10000401, bytes: Uint8Array.of(2) }] }), [
    'ecx want 6, got 7',
    'eflags want 202, got a02',
    '[10000400] want 1, got unchanged',
    '[10000401] want unchanged, got 2',
  ]);
  sub.same(differences(vectors, one, { ...stateAfter(vectors, one), trap: { vector: 14, error: 4, cr2: 0x1000 } }), [
    'trap want 3, got 14 (4) at 1000',
  ]);
  sub.same(stateBefore(vectors, one).patches.length, 1);
});
