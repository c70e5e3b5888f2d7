// The recorded cases of tests/vectors, and what it takes to run them on a CPU of ours.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { compareOutcomes } from './compare.js';
import { BREAKPOINT, copyState, defaultState, type MachineState, type Outcome, type Trap } from './machine-state.js';
import { type Delta, applyDelta, fromHex } from './state-delta.js';

/** One case as it is in the file. */
export interface VectorCase {
  /** The state before, as a difference from the default state. */
  readonly in: Delta;
  /** The state after, as a difference from the state before. */
  readonly out: Delta;
  /** How it ended, if not by running into the `int3` that follows the code. */
  readonly trap?: { readonly vector: number; readonly error: string; readonly cr2: string };
  readonly undefinedFlags?: string;
  /** Bits of the x87 status word that the manual leaves undefined. */
  readonly undefinedStatus?: string;
  /** By how many units of the last place an x87 result may differ: the manual promises no more. */
  readonly ulps?: number;
  /** The single-precision lanes are approximations, good to some 11 bits. */
  readonly approximate?: boolean;
  /** Fields and memory bytes that the manual leaves undefined; `memory` for all of it, `cr2` for the place in its page. */
  readonly ignore?: readonly string[];
}

/** One line of a file: an instruction and its cases. */
export interface Vectors {
  readonly mnemonic: string;
  readonly asm: string;
  readonly code: string;
  readonly cases: readonly VectorCase[];
}

/** A CPU that can be put into a state and be run until it traps. */
export interface TestCpu {
  reset(state: MachineState): void;
  run(): Outcome;
}

/** The files. */
export const FAMILIES = [
  'arithmetic',
  'shifts',
  'data',
  'control',
  'strings',
  'x87-arithmetic',
  'x87',
  'mmx',
  'sse-arithmetic',
  'sse',
  'loops',
  'forms',
] as const;
export type RecordedFamily = (typeof FAMILIES)[number];
/** `found` is what random programs have found: written by `npm run differential -- --keep`, as plain text. */
export type Family = RecordedFamily | 'found';

const DIRECTORY = join(import.meta.dirname, '../../../tests/vectors');
export const FOUND = join(DIRECTORY, 'found.jsonl');

export function loadVectors(family: Family): Vectors[] {
  const text =
    family === 'found'
      ? readFileSync(FOUND, 'utf8')
      : gunzipSync(readFileSync(join(DIRECTORY, `${family}.jsonl.gz`))).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Vectors);
}

/** The state that a case begins with, its code in place. */
export function stateBefore(vectors: Vectors, one: VectorCase): MachineState {
  const state = defaultState();
  applyDelta(state, one.in);
  state.patches = [{ address: state.eip, bytes: fromHex(vectors.code) }, ...state.patches];
  return state;
}

/** The state that the real CPU ended with. Its patches are the bytes that changed. */
export function stateAfter(vectors: Vectors, one: VectorCase): Outcome {
  const before = stateBefore(vectors, one);
  const after = copyState(before);
  after.eip = before.eip + vectors.code.length / 2 + 1;
  applyDelta(after, one.out);
  const trap: Trap =
    one.trap === undefined
      ? { vector: BREAKPOINT, error: 0, cr2: 0 }
      : {
          vector: one.trap.vector,
          error: Number.parseInt(one.trap.error, 16),
          cr2: Number.parseInt(one.trap.cr2, 16),
        };
  // a case that ended otherwise says where; if it does not, eip is where it was
  if (one.trap !== undefined && one.out['eip'] === undefined) after.eip = before.eip;
  return { ...after, trap };
}

/** What is wrong with an outcome, a line for each thing; none if it is what the real CPU did. */
export function differences(vectors: Vectors, one: VectorCase, got: Outcome): string[] {
  return compareOutcomes(stateBefore(vectors, one), stateAfter(vectors, one), got, {
    undefinedFlags: Number.parseInt(one.undefinedFlags ?? '0', 16),
    undefinedStatus: Number.parseInt(one.undefinedStatus ?? '0', 16),
    ulps: one.ulps ?? 0,
    approximate: one.approximate ?? false,
    ignore: one.ignore ?? [],
  });
}

/** Runs one case: the differences from what the real CPU did. */
export function runCase(cpu: TestCpu, vectors: Vectors, one: VectorCase): string[] {
  cpu.reset(stateBefore(vectors, one));
  return differences(vectors, one, cpu.run());
}
