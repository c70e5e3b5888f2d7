// `npm run conformance`: runs the tests that hold promises and programs, and writes docs/CONFORMANCE.md.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { notedRuns } from '../differential/noted.js';
import { recordedRuns } from '../differential/recorded.js';
import { documentOf } from './document.js';
import { countForms } from './forms.js';
import { STATEMENTS } from './statements.js';
import { PROGRAMS } from './programs.js';
import { type Result, runTests, together } from './tap.js';

const DOCUMENT = join(import.meta.dirname, '../../../docs/CONFORMANCE.md');

const results = new Map<string, Result[]>();
function resultsOf(file: string): Result[] {
  const known = results.get(file);
  if (known !== undefined) return known;
  process.stderr.write(`${file}\n`);
  const made = runTests(file);
  results.set(file, made);
  return made;
}
const stateOf = ({ file, test }: { file: string; test: string }): string =>
  together(resultsOf(file).filter(({ name }) => name.startsWith(test)));

const broken = Object.values(STATEMENTS)
  .flat()
  .filter((statement) => !['kept', 'skipped'].includes(stateOf(statement)));
const text = documentOf({
  runs: notedRuns(),
  recorded: recordedRuns().map(({ rows, seed, answers }) => ({ rows, seed, cases: answers.length })),
  forms: countForms(),
  programs: PROGRAMS.map((program) => ({ name: program.text, state: stateOf(program) })),
  stateOf,
});
writeFileSync(DOCUMENT, text);
for (const { text: promise, test } of broken) process.stderr.write(`not kept: ${promise} (${test})\n`);
process.exitCode = broken.length === 0 ? 0 : 1;
