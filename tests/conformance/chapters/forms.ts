// The recorded cases of each instruction.
import { ASKED } from '../../abi/asking.js';
import { type Chapter, type Claim, type Evidence, from } from '../chapter.js';
import { countForms } from '../forms.js';
import { code, number, sum, table } from '../markdown.js';

const claim: Claim = {
  text: 'What asks the machine gets the Switcher’s answer',
  proofs: [from('abi/asking')('what asks the machine gets')],
};

function body({ stateOf }: Evidence): string {
  const all = countForms();
  const cells = all.map(({ mnemonic, forms, cases, fewest }) => [
    code(mnemonic),
    String(forms),
    String(cases),
    String(fewest),
  ]);
  const without = all.filter(({ fewest }) => fewest === 0);
  return [
    `${number(sum(all.map(({ forms }) => forms)))} forms of ${all.length} instructions, ` +
      `${number(sum(all.map(({ cases }) => cases)))} cases, each run under every engine. ` +
      `Forms without a case: ${without.length === 0 ? 'none' : without.map(({ mnemonic }) => mnemonic).join(', ')}.`,
    `Cases are recorded from a real CPU, but for those of ${ASKED.map(code).join(', ')}, which ask the machine what it is: ` +
      `Guests execute each form of them in both rings (${stateOf(claim.proofs)}).`,
    table(['instruction', 'forms', 'cases', 'fewest for a form'], cells),
  ].join('\n\n');
}

export const forms: Chapter = { title: 'Instruction forms', claims: [claim], body };
