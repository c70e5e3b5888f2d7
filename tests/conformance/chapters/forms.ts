// The recorded cases of each instruction.
import type { Chapter } from '../chapter.js';
import { ASK_THE_MACHINE, countForms } from '../forms.js';
import { code, number, sum, table } from '../markdown.js';

function body(): string {
  const all = countForms();
  const asked = all.filter(({ mnemonic }) => ASK_THE_MACHINE.has(mnemonic));
  const compared = all.filter(({ mnemonic }) => !ASK_THE_MACHINE.has(mnemonic));
  const cells = compared.map(({ mnemonic, forms, cases, fewest }) => [
    code(mnemonic),
    String(forms),
    String(cases),
    String(fewest),
  ]);
  const without = compared.filter(({ fewest }) => fewest === 0);
  return [
    `${number(sum(all.map(({ forms }) => forms)))} forms of ${all.length} instructions, ` +
      `${number(sum(compared.map(({ cases }) => cases)))} recorded cases, each run under every engine. ` +
      `Forms without a case: ${without.length === 0 ? 'none' : without.map(({ mnemonic }) => mnemonic).join(', ')}.`,
    `Not recorded, since they ask the machine what it is: ${asked.map(({ mnemonic }) => code(mnemonic)).join(', ')}.`,
    table(['instruction', 'forms', 'cases', 'fewest for a form'], cells),
  ].join('\n\n');
}

export const forms: Chapter = { title: 'Instruction forms', claims: [], body };
