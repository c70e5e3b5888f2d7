// How many cases each instruction form has: recorded ones, and Guests that execute what no recording can tell of.
import { formExamples, newInstruction } from '../../switcher/decode/all-forms.js';
import { decode } from '../../switcher/decode/decode.js';
import type { Form } from '../../switcher/decode/instruction.js';
import { ASKING_RINGS, askedForms } from '../abi/asking.js';
import { FAMILIES, loadVectors } from '../support/cpu-vectors.js';
import { CODE_ADDRESS } from '../support/machine-state.js';
import { fromHex } from '../support/state-delta.js';

export interface MnemonicCount {
  readonly mnemonic: string;
  readonly forms: number;
  readonly cases: number;
  /** Of the form that has the fewest. */
  readonly fewest: number;
}

const FLAT = { defaultSize: 32, flat: true } as const;
const SEGMENTED = { defaultSize: 32, flat: false } as const;
const FLAT_SELECTORS = new Set([undefined, '2b']);

/** Cases by form. */
function casesByForm(): Map<Form, number> {
  const counts = new Map<Form, number>();
  const instruction = newInstruction();
  for (const { code, cases } of FAMILIES.flatMap(loadVectors)) {
    const bytes = fromHex(code);
    for (const one of cases) {
      const flat = ['ds', 'es', 'ss'].every((name) => FLAT_SELECTORS.has(one.in[name]));
      if (decode(bytes, bytes.length, CODE_ADDRESS, flat ? FLAT : SEGMENTED, instruction) !== 'ok') continue;
      counts.set(instruction.form, (counts.get(instruction.form) ?? 0) + 1);
    }
  }
  for (const { form } of askedForms()) counts.set(form, (counts.get(form) ?? 0) + ASKING_RINGS.length);
  return counts;
}

/** One row for each mnemonic that the decoder knows, in the order of the alphabet. */
export function countForms(): MnemonicCount[] {
  const counts = casesByForm();
  const rows = new Map<string, { forms: number; cases: number; fewest: number }>();
  for (const form of new Set(formExamples().map((example) => example.form))) {
    const cases = counts.get(form) ?? 0;
    const row = rows.get(form.mnemonic) ?? { forms: 0, cases: 0, fewest: Infinity };
    const fewest = Math.min(row.fewest, cases);
    rows.set(form.mnemonic, { forms: row.forms + 1, cases: row.cases + cases, fewest });
  }
  return [...rows]
    .map(([mnemonic, row]) => ({ mnemonic, ...row }))
    .toSorted((a, b) => (a.mnemonic < b.mnemonic ? -1 : 1));
}
