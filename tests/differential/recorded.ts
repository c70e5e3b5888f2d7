// What a real CPU made of random cases, as a checksum for each: so that a machine without such a CPU, or without a compiler,
// can hold ours against it. The cases are not recorded, they are made again from their seed.
import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.js';
import { byteBefore, masked } from '../support/compare.js';
import { BREAKPOINT, type MachineState, type Outcome } from '../support/machine-state.js';
import { addressKey, deltaOf } from '../support/state-delta.js';
import { type Case, Judge } from './judge.js';
import { caseMaker } from './make-case.js';

const FILE = join(import.meta.dirname, '../../../tests/vectors/random.bin.gz');
const RUNS = [
  { rows: false, seed: 7001, cases: 9000 },
  { rows: true, seed: 7002, cases: 3000 },
] as const;
/** No answer for this one: it is not to be tried, or the manual leaves more than some bits open. */
const NONE = 0;

export interface RecordedRun {
  readonly rows: boolean;
  readonly seed: number;
  /** A checksum of the cases themselves, to see that they are still the same. */
  readonly made: number;
  readonly answers: Uint32Array;
}

const checksumOfState = (state: MachineState, before: number): number =>
  crc32(JSON.stringify(deltaOfState(state)), before);
const deltaOfState = (state: MachineState): unknown => [
  [...state.registers],
  state.eflags,
  [...state.segments],
  Buffer.from(state.fx).toString('latin1'),
  state.patches.map(({ address, bytes }) => [address, ...bytes]),
];

/** All that is to be the same of an outcome, as a number; NONE if that is not the whole outcome. */
export function checksum({ state, tolerance }: Case, outcome: Outcome): number {
  const { trap } = outcome;
  if (trap.vector < 0 || tolerance.ulps !== undefined || tolerance.approximate === true) return NONE;
  const faulted = trap.vector !== BREAKPOINT;
  const ignore = [...(tolerance.ignore ?? []), ...(faulted ? (tolerance.ignoreOnFault ?? []) : [])];
  if (ignore.length > 0) return NONE;
  const memory = outcome.patches
    .flatMap(({ address, bytes }) => [...bytes].map((byte, i): [number, number] => [address + i, byte]))
    .filter(([address, byte]) => byte !== byteBefore(state, address))
    .toSorted(([a], [b]) => a - b);
  const fields = deltaOf(masked(state, tolerance), masked(outcome, tolerance));
  return crc32(JSON.stringify([trap.vector, trap.error, addressKey(trap.cr2), fields, memory])) || 1;
}

/** The cases of a run, in their order, with a checksum of all of them at the end. */
function casesOf({ rows, seed, cases }: { rows: boolean; seed: number; cases: number }): {
  made: number;
  cases: Case[];
} {
  const make = caseMaker({ rows, seed });
  const list = Array.from({ length: cases }, make);
  return { cases: list, made: list.reduce((sum, { state }) => checksumOfState(state, sum), 0) };
}

/** Asks the CPU of this machine, and writes the file. */
export async function record(why: string | false): Promise<void> {
  if (why !== false) throw new UserError('ERR_NO_NATIVE_CPU', `there is no CPU to record: ${why}`);
  const judge = new Judge([], true);
  const words: number[] = [];
  for (const run of RUNS) {
    const { cases, made } = casesOf(run);
    const tried = cases.map((one) => judge.admits(one));
    const outcomes = await judge.answers(cases.filter((_, i) => tried[i] === true));
    const answers = outcomes.values();
    words.push(run.rows ? 1 : 0, run.seed, made, cases.length);
    cases.forEach((one, i) => {
      const outcome = tried[i] === true ? answers.next().value : undefined;
      words.push(outcome === undefined ? NONE : checksum(one, outcome));
    });
  }
  judge.close();
  writeFileSync(FILE, gzipSync(Buffer.from(Uint32Array.from(words).buffer)));
}

export function recordedRuns(): RecordedRun[] {
  const bytes = gunzipSync(readFileSync(FILE));
  const words = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const runs: RecordedRun[] = [];
  for (let at = 0; at < words.length;) {
    const [rows = 0, seed = 0, made = 0, cases = 0] = words.subarray(at, at + 4);
    runs.push({ rows: rows === 1, seed, made, answers: words.subarray(at + 4, at + 4 + cases) });
    at += 4 + cases;
  }
  return runs;
}

/** The cases of a recorded run that have an answer. */
export function recordedCases({ rows, seed, made, answers }: RecordedRun): { one: Case; answer: number }[] {
  const { cases, made: now } = casesOf({ rows, seed, cases: answers.length });
  if (now !== made)
    throw new UserError(
      'ERR_OTHER_CASES',
      'cases are made otherwise than when they were recorded: npm run differential -- --record',
    );
  return cases.flatMap((one, i) => {
    const answer = answers[i] ?? NONE;
    return answer === NONE ? [] : [{ one, answer }];
  });
}
