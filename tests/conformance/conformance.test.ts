// What docs/CONFORMANCE.md says is about things that exist: forms with cases, tests with the names that it gives.
import t from 'tap';
import { read } from '../support/sources.js';
import { ASK_THE_MACHINE, countForms } from './forms.js';
import { PROGRAMS } from './programs.js';
import { STATEMENTS } from './statements.js';

t.test('every instruction form has a recorded case, but those that ask the machine what it is', async (sub) => {
  const rows = countForms();
  sub.ok(rows.length > 400);
  const without = rows.filter(({ mnemonic, fewest }) => fewest === 0 && !ASK_THE_MACHINE.has(mnemonic));
  sub.same(without, []);
});

t.test('every promise has its test', async (sub) => {
  const all = [...Object.values(STATEMENTS).flat(), ...PROGRAMS];
  sub.ok(all.length > 68);
  const missing = all.filter(({ file, test }) => !read(`tests/${file.replace(/\.js$/, '.ts')}`).includes(test));
  sub.same(missing, []);
});

t.test('the document has a line for every promise', async (sub) => {
  const text = read('docs/CONFORMANCE.md');
  const statements = Object.values(STATEMENTS).flat();
  sub.same(
    statements.filter((statement) => !text.includes(statement.text)),
    [],
  );
});
