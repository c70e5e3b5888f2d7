// The recorded cases can be read, and comparing with them finds what is wrong.
import t from 'tap';
import { formExamples, newInstruction } from '../../switcher/decode/all-forms.js';
import { decode } from '../../switcher/decode/decode.js';
import type { Form } from '../../switcher/decode/instruction.js';
import { FAMILIES, differences, loadVectors, stateAfter, stateBefore } from './cpu-vectors.js';
import { fromHex } from './state-delta.js';

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
    '[10000400] want 1, got 46',
    '[10000401] want e3, got 2',
  ]);
  sub.same(differences(vectors, one, { ...stateAfter(vectors, one), trap: { vector: 14, error: 4, cr2: 0x1000 } }), [
    'trap want 3, got 14 (4) at 1000',
  ]);
  sub.same(stateBefore(vectors, one).patches.length, 1);
});

/** What a CPU says about itself, or what not every system lets a program say; tested in switcher/instructions/machine.test.ts. */
const WITHOUT_CASES = new Set('cpuid rdtsc rdpmc sysenter sysexit sgdt sidt sldt str smsw int1'.split(' '));
const FLAT_SELECTORS = new Set([undefined, '2b', '23']);

t.test('every form that the decoder knows has a case', async (sub) => {
  const seen = new Set<Form>();
  const instruction = newInstruction();
  for (const vectors of FAMILIES.flatMap(loadVectors)) {
    const code = fromHex(vectors.code);
    for (const one of vectors.cases) {
      const flat = FLAT_SELECTORS.has(one.in['ds']) && FLAT_SELECTORS.has(one.in['es']);
      for (let at = 0; at < code.length; at += instruction.length) {
        if (decode(code, code.length - at, 0, { defaultSize: 32, flat }, instruction, at) !== 'ok') break;
        seen.add(instruction.form);
      }
    }
  }
  const missing = formExamples().filter(({ form }) => !seen.has(form) && !WITHOUT_CASES.has(form.mnemonic));
  sub.same(
    missing.map(({ form, bytes }) => `${form.mnemonic} ${Buffer.from(bytes).toString('hex')}`),
    [],
  );
});
