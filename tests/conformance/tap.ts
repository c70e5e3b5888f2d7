// Runs a file of tests and says what became of each of them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const TESTS = join(import.meta.dirname, '..');
const LINE = /^\s*(not )?ok \d+ - (.*?)(?: # (SKIP|TODO|time=).*)?$/gm;

export type State = 'kept' | 'broken' | 'skipped';

export interface Result {
  readonly name: string;
  readonly state: State;
}

/** @param file below dist/tests */
export function runTests(file: string): Result[] {
  const { stdout } = spawnSync(process.execPath, [join(TESTS, file)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, TAP_TIMEOUT: '600' },
  });
  return [...stdout.matchAll(LINE)].map(([, not, name = '', directive]) => ({
    name: name.replaceAll(/\\(.)/g, '$1'),
    state: directive === 'SKIP' ? 'skipped' : not === undefined ? 'kept' : 'broken',
  }));
}

/** Of several tests: broken if one is, missing if one is, kept if none is and one is kept. */
export function together(states: readonly (State | 'missing')[]): State | 'missing' {
  if (states.includes('broken')) return 'broken';
  if (states.includes('missing')) return 'missing';
  if (states.includes('kept')) return 'kept';
  return states[0] ?? 'missing';
}
