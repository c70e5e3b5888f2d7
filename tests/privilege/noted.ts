// Long runs of random programs that have been noted (`npm run privilege -- --note`).
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, '../../../tests/privilege/runs.jsonl');

export interface NotedTravel {
  readonly seed: number;
  readonly cases: number;
  readonly engines: readonly string[];
  /** Whether an emulated PC was asked, too. */
  readonly pc: boolean;
  readonly different: number;
}

export const noteTravel = (run: NotedTravel): void => appendFileSync(FILE, `${JSON.stringify(run)}\n`);

export const notedTravels = (): NotedTravel[] =>
  existsSync(FILE)
    ? readFileSync(FILE, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as NotedTravel)
    : [];
