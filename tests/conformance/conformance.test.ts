// What docs/CONFORMANCE.md says is about things that exist: forms with cases, tests with the names that it gives.
import t from 'tap';
import { read } from '../support/sources.js';
import { CHAPTERS } from './document.js';
import { countForms } from './forms.js';
import { CHECKLIST_LENGTH, STATEMENTS } from './statements.js';

const statements = Object.values(STATEMENTS).flat();
const text = read('docs/CONFORMANCE.md');

t.test('every instruction form has a case', async (sub) => {
  const rows = countForms();
  sub.ok(rows.length > 400);
  const without = rows.filter(({ fewest }) => fewest === 0);
  sub.same(without, []);
  const unlisted = rows.filter(({ mnemonic }) => !text.includes(`\`${mnemonic}\``));
  sub.same(unlisted, [], 'and a place in the document');
});

t.test('every claim has its tests', async (sub) => {
  const claims = CHAPTERS.flatMap((chapter) => chapter.claims);
  sub.same(
    claims.filter(({ proofs }) => proofs.length === 0),
    [],
  );
  const missing = claims
    .flatMap(({ proofs }) => proofs)
    .filter(({ file, test }) => !read(`tests/${file.replace(/\.js$/, '.ts')}`).includes(test));
  sub.same(missing, []);
});

t.test('the whole checklist is in the document, in its order, and nothing in it is broken', async (sub) => {
  const numbers = Array.from({ length: CHECKLIST_LENGTH }, (_, i) => i + 1);
  sub.same(
    statements.flatMap(({ number }) => number ?? []),
    numbers,
  );
  sub.same(
    statements.filter((statement) => !text.includes(`| ${statement.text} |`)),
    [],
  );
  sub.notMatch(text, /\| (broken|missing) \|/);
});

t.test('the document has all its chapters', async (sub) => {
  sub.same(
    [...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title),
    CHAPTERS.map(({ title }) => title),
  );
});
