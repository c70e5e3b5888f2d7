// The interpreter module on disk is made by the build, not by the compiler: whoever only compiles has an old one, which runs and
// computes something else.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { PAGE_SIZE } from '../../../guest-abi/addresses.js';
import * as State from '../../../switcher/cpu/state.js';
import { allForms } from '../../../switcher/decode/all-forms.js';
import { InterpreterModule } from '../../../switcher/interpreter/generate.js';
import { wholeTable } from '../../../switcher/decode/lookup.js';
import { MODULE_FILE, OPCODES_FILE } from '../../../switcher/interpreter/load.js';

const WASM_PAGE = 16 * PAGE_SIZE;

t.test('the interpreter module is what the sources make', async (t) => {
  const made = new InterpreterModule().generate(allForms(), State.GUEST_RAM / WASM_PAGE);
  t.ok(Buffer.from(made).equals(readFileSync(MODULE_FILE)), 'npm run build makes it');
});

t.test('the table of opcodes is what the opcode map says', async (t) => {
  t.ok(Buffer.from(wholeTable()).equals(readFileSync(OPCODES_FILE)), 'npm run build makes it');
});
