// `npm run build` ends here: makes the interpreter module and the list of its forms.
import { writeFileSync } from 'node:fs';
import * as State from '../cpu/state.js';
import { allForms } from '../decode/all-forms.js';
import { formKey } from '../decode/forms.js';
import { InterpreterModule } from './generate.js';
import { FORMS_FILE, MODULE_FILE } from './load.js';

const WASM_PAGE = 0x10000;
const forms = allForms();
writeFileSync(MODULE_FILE, new InterpreterModule().generate(forms, State.GUEST_RAM / WASM_PAGE));
writeFileSync(FORMS_FILE, JSON.stringify(forms.map(formKey)));
