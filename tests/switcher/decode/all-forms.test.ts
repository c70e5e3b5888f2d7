// The list of every form that bytes can have is complete, and each form has an example.
import { test } from 'tap';
import { allForms, formExamples, newInstruction } from '../../../switcher/decode/all-forms.js';
import { decode } from '../../../switcher/decode/decode.js';
import { formKey } from '../../../switcher/decode/forms.js';
import type { Form } from '../../../switcher/decode/instruction.js';
import { randomBytes } from '../../support/random-bytes.js';

test('each form has an example that decodes to it', (t) => {
  const out = newInstruction();
  const wrong: string[] = [];
  for (const { form, bytes, mode } of formExamples()) {
    const result = decode(bytes, bytes.length, 0, mode, out);
    if (result !== 'ok' || out.form !== form || out.length !== bytes.length) wrong.push(formKey(form));
  }
  t.strictSame(wrong, []);
  t.strictSame(new Set(formExamples().map((example) => example.form)), new Set(allForms()));
  t.end();
});

test('forms have different keys, and numbers without gaps', (t) => {
  const forms = allForms();
  t.equal(new Set(forms.map(formKey)).size, forms.length);
  t.ok(forms.every((form, position) => form.index === position));
  t.end();
});

test('random bytes have no other forms, and never more than they say are there', (t) => {
  const known = new Set<Form>(allForms());
  const byte = randomBytes(1616);
  const bytes = new Uint8Array(20);
  const out = newInstruction();
  const wrong: string[] = [];
  let decoded = 0;
  for (let i = 0; i < 200_000; i++) {
    for (let k = 0; k < bytes.length; k++) bytes[k] = byte();
    const mode = { defaultSize: (byte() & 1) === 0 ? 32 : 16, flat: (byte() & 1) === 0 } as const;
    if (decode(bytes, 20, 0, mode, out) !== 'ok') continue;
    decoded++;
    const { form, length } = out;
    // The same with nothing behind it, and one byte less.
    const alone = decode(bytes, length, 0, mode, out) === 'ok' && out.form === form && out.length === length;
    const cut = decode(bytes, length - 1, 0, mode, out) === 'short' || form.mnemonic === 'ud';
    if (!known.has(form) || length > 15 || !alone || !cut)
      wrong.push(`${Buffer.from(bytes).toString('hex')} ${formKey(form)}`);
  }
  t.ok(decoded > 100_000);
  t.strictSame(wrong.slice(0, 20), []);
  t.end();
});
