// The interpreter module on disk is made by the build, not by the compiler: whoever only compiles has an old one, which runs and
// computes something else.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { PAGE_SIZE } from '../../../guest-abi/addresses.js';
import * as State from '../../../switcher/cpu/state.js';
import { allForms } from '../../../switcher/decode/all-forms.js';
import { formKey } from '../../../switcher/decode/forms.js';
import { EVERYDAY_FORMS } from '../../../switcher/interpreter/everyday-forms.js';
import { InterpreterModule, inOrder } from '../../../switcher/interpreter/generate.js';
import { wholeTable } from '../../../switcher/decode/lookup.js';
import { MODULE_FILE, OPCODES_FILE } from '../../../switcher/interpreter/load.js';

const WASM_PAGE = 16 * PAGE_SIZE;
/** As V8 has it: eagerly, and by the better compiler. */
const COMPILED_FIRST = 0x2a;

t.test('the interpreter module is what the sources make', async (t) => {
  const made = new InterpreterModule().generate(inOrder(allForms()), State.GUEST_RAM / WASM_PAGE);
  t.ok(Buffer.from(made).equals(readFileSync(MODULE_FILE)), 'npm run build makes it');
});

t.test('the table of opcodes is what the opcode map says', async (t) => {
  t.ok(Buffer.from(wholeTable()).equals(readFileSync(OPCODES_FILE)), 'npm run build makes it');
});

t.test(
  'everyday forms are forms, their handlers are numbered first, and V8 is told to compile the loop first',
  async (t) => {
    const inTheLoop = inOrder(allForms()).slice(0, EVERYDAY_FORMS.size).map(formKey);
    t.strictSame(new Set(inTheLoop), EVERYDAY_FORMS);
    const [hints] = WebAssembly.Module.customSections(
      new WebAssembly.Module(readFileSync(MODULE_FILE)),
      'compilationHints',
    );
    const first = new Uint8Array(hints ?? new ArrayBuffer(0)).filter((hint) => hint === COMPILED_FIRST);
    t.equal(first.length, 4, 'with the ways from an eip to a record');
  },
);
