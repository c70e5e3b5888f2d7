// The interpreter module on disk is made by the build, not by the compiler: whoever only compiles has an old one, which runs and
// computes something else.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { PAGE_SIZE } from '../../../guest-abi/addresses.js';
import * as State from '../../../switcher/cpu/state.js';
import { allForms } from '../../../switcher/decode/all-forms.js';
import { formKey } from '../../../switcher/decode/forms.js';
import { EVERYDAY_FORMS } from '../../../switcher/interpreter/everyday-forms.js';
import { InterpreterModule } from '../../../switcher/interpreter/generate.js';
import { wholeTable } from '../../../switcher/decode/lookup.js';
import { MODULE_FILE, OPCODES_FILE } from '../../../switcher/interpreter/load.js';

const WASM_PAGE = 16 * PAGE_SIZE;
/** As V8 has it: eagerly, and by the better compiler. */
const COMPILED_FIRST = 0x2a;

t.test('the interpreter module is what the sources make', async (t) => {
  const made = new InterpreterModule().generate(allForms(), State.GUEST_RAM / WASM_PAGE);
  t.ok(Buffer.from(made).equals(readFileSync(MODULE_FILE)), 'npm run build makes it');
});

t.test('the table of opcodes is what the opcode map says', async (t) => {
  t.ok(Buffer.from(wholeTable()).equals(readFileSync(OPCODES_FILE)), 'npm run build makes it');
});

t.test('everyday forms are forms, and V8 is told to compile them first', async (t) => {
  const keys = new Set(allForms().map(formKey));
  t.strictSame(
    [...EVERYDAY_FORMS].filter((key) => !keys.has(key)),
    [],
  );
  const [hints] = WebAssembly.Module.customSections(
    new WebAssembly.Module(readFileSync(MODULE_FILE)),
    'compilationHints',
  );
  const first = new Uint8Array(hints ?? new ArrayBuffer(0)).filter((hint) => hint === COMPILED_FIRST);
  t.ok(first.length >= EVERYDAY_FORMS.size && first.length < EVERYDAY_FORMS.size + 10, `${first.length} functions`);
});
