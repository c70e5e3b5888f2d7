// Long runs of the differential that have been noted (`--note`): seeds, counts and what they found.
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, '../../../tests/differential/runs.jsonl');

export interface NotedRun {
  readonly rows: boolean;
  readonly odd?: boolean;
  readonly seed: number;
  readonly cases: number;
  readonly engines: readonly string[];
  readonly different: number;
}

export const noteRun = (run: NotedRun): void => appendFileSync(FILE, `${JSON.stringify(run)}\n`);

export const notedRuns = (): NotedRun[] =>
  readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NotedRun);
