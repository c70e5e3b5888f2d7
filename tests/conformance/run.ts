// `npm run conformance`: runs the tests that are named as proofs, and writes docs/CONFORMANCE.md.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Evidence, Proof } from './chapter.js';
import { CHAPTERS, documentOf } from './document.js';
import { type Result, runTests, type State, together } from './tap.js';

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

const statesOf = ({ file, test }: Proof): State[] =>
  resultsOf(file)
    .filter(({ name }) => name.startsWith(test))
    .map(({ state }) => state);

const evidence: Evidence = {
  stateOf: (proofs) => together(proofs.map((proof) => together(statesOf(proof)))),
};

writeFileSync(DOCUMENT, documentOf(evidence));
const broken = CHAPTERS.flatMap(({ claims }) => claims).filter(
  ({ proofs }) => !['kept', 'skipped'].includes(evidence.stateOf(proofs)),
);
for (const { text, proofs } of broken)
  process.stderr.write(`not kept: ${text} (${proofs.map(({ test }) => test).join('; ')})\n`);
process.exitCode = broken.length === 0 ? 0 : 1;
