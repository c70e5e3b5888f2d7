// WebAssembly that is compiled before anybody waits for it.
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { compileFile } from '../../lib/compile.js';

/** A module with nothing in it. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

t.test('who needs a module finds what somebody else has begun', async (t) => {
  const file = join(t.testdir({}), 'empty.wasm');
  writeFileSync(file, EMPTY);
  const begun = compileFile(file);
  t.equal(compileFile(file), begun);
  t.ok((await begun) instanceof WebAssembly.Module);
});

t.test('that there is no such file, or no module in it, is told to whoever waits, and to nobody else', async (t) => {
  const folder = t.testdir({ 'text.wasm': 'no module' });
  void compileFile(join(folder, 'nothing.wasm'));
  void compileFile(join(folder, 'text.wasm'));
  await new Promise(setImmediate);
  await t.rejects(compileFile(join(folder, 'nothing.wasm')), { code: 'ENOENT' });
  await t.rejects(compileFile(join(folder, 'text.wasm')), { name: 'CompileError' });
});
