// `npm run build` ends here: makes the interpreter module, the list of its forms, and the tables by which opcodes are decoded.
import { writeFileSync } from 'node:fs';
import * as State from '../cpu/state.js';
import { allForms } from '../decode/all-forms.js';
import { wholeTable } from '../decode/lookup.js';
import { formKey } from '../decode/forms.js';
import { InterpreterModule, inOrder } from './generate.js';
import type { Form } from '../decode/instruction.js';
import { meaning } from '../instructions/index.js';
import { flowOf } from '../instructions/form-facts.js';
import { FORMS_FILE, type FormsFile, MODULE_FILE, OPCODES_FILE, TEMPLATES_FILE } from './load.js';
import { allTemplates } from './templates.js';

/** True when what the form means surely leads elsewhere. */
function endsBlock(form: Form): boolean {
  const last = meaning(form).statements.at(-1);
  return last?.kind === 'jump' || last?.kind === 'raise' || (last?.kind === 'delegate' && last.jumps);
}

const forms = inOrder(allForms());
const file: FormsFile = {
  forms: forms.map(formKey),
  ends: forms.filter(endsBlock).map(formKey),
  flows: forms.map((form) => flowOf(form)),
};
writeFileSync(MODULE_FILE, new InterpreterModule().generate(forms, State.LEAST_WASM_PAGES));
writeFileSync(FORMS_FILE, JSON.stringify(file));
writeFileSync(OPCODES_FILE, wholeTable());
writeFileSync(TEMPLATES_FILE, allTemplates());
