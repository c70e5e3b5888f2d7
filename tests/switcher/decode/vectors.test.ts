// tests/vectors/decode.txt has an instruction of each form, with what objdump says of it too (objdump.test.ts holds the
// list against it). After a change of the map ACCEPT=1 writes the list anew: look at the difference before it is committed.
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'tap';
import { formExamples, newInstruction } from '../../../switcher/decode/all-forms.js';
import type { FormExample } from '../../../switcher/decode/all-forms.js';
import { decode } from '../../../switcher/decode/decode.js';
import { disassemble } from '../../../switcher/decode/disassemble.js';
import { formKey } from '../../../switcher/decode/forms.js';
import { randomBytes } from '../../support/random-bytes.js';

const FILE = new URL('../../../../tests/vectors/decode.txt', import.meta.url);
const FLAT = { defaultSize: 32, flat: true } as const;
const EIP = 0xc0100000;

const byte = randomBytes(80386);

/** Other bytes of the same form: random behind the first few, if that can be. */
function varied({ form, bytes }: FormExample): Uint8Array {
  const out = newInstruction();
  for (let kept = 1; kept < bytes.length; kept++) {
    for (let attempt = 0; attempt < 200; attempt++) {
      const other = Uint8Array.from({ length: 15 }, (_, i) => (i < kept ? (bytes[i] ?? 0) : byte()));
      if (decode(other, 15, EIP, FLAT, out) === 'ok' && out.form === form) return other.slice(0, out.length);
    }
  }
  return bytes;
}

function describe(bytes: Uint8Array): string {
  const out = newInstruction();
  const result = decode(bytes, bytes.length, EIP, FLAT, out);
  if (result !== 'ok') return result;
  return `${Buffer.from(bytes.subarray(0, out.length)).toString('hex')}\t${disassemble(out)}\t${formKey(out.form)}`;
}

const decodesFlat = ({ form, bytes }: FormExample): boolean => {
  const out = newInstruction();
  return decode(bytes, bytes.length, EIP, FLAT, out) === 'ok' && out.form === form;
};

if (process.env['ACCEPT'] !== undefined) {
  const lines = formExamples()
    .filter(decodesFlat)
    .map((example) => describe(varied(example)));
  writeFileSync(FILE, `${lines.join('\n')}\n`);
}

test('instructions of each form are decoded as binutils decode them', (t) => {
  const lines = readFileSync(FILE, 'utf8').trimEnd().split('\n');
  const wrong = lines.flatMap((line) => {
    const [hex = ''] = line.split('\t');
    const ours = describe(Buffer.from(hex, 'hex'));
    return ours === line ? [] : [`${line} is now ${ours}`];
  });
  t.strictSame(wrong, []);
  const keys = new Set(lines.map((line) => line.split('\t')[2]));
  const missing = formExamples().filter((example) => decodesFlat(example) && !keys.has(formKey(example.form)));
  t.strictSame(
    missing.map((example) => formKey(example.form)),
    [],
  );
  t.end();
});
