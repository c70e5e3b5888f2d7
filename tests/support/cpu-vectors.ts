// The recorded cases of tests/vectors, and what it takes to run them on a CPU of ours.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  BREAKPOINT,
  FX,
  copyState,
  defaultState,
  type MachineState,
  type Outcome,
  type Patch,
  type Trap,
} from './machine-state.js';
import { applyDelta, deltaOf, fromHex, sameFields, type Delta } from './state-delta.js';

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
  /** Fields and memory bytes that the manual leaves undefined; `memory` for all of it. */
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
  'forms',
] as const;
export type Family = (typeof FAMILIES)[number];

const DIRECTORY = join(import.meta.dirname, '../../../tests/vectors');

export function loadVectors(family: Family): Vectors[] {
  const text = gunzipSync(readFileSync(join(DIRECTORY, `${family}.jsonl.gz`))).toString();
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

const trapText = ({ vector, error, cr2 }: Trap): string =>
  `${vector}${error === 0 ? '' : ` (${error.toString(16)})`}${cr2 === 0 ? '' : ` at ${cr2.toString(16)}`}`;

/** Memory as single bytes, so that two ways of cutting it into patches compare equal. */
function bytesOf(patches: readonly Patch[]): Map<number, number> {
  return new Map(
    patches.flatMap((patch) => [...patch.bytes].map((byte, i): [number, number] => [patch.address + i, byte])),
  );
}

function memoryDifferences(want: readonly Patch[], got: readonly Patch[], ignore: readonly string[]): string[] {
  if (want.length === 0 && got.length === 0) return [];
  const [wanted, found] = [bytesOf(want), bytesOf(got)];
  return [...new Set([...wanted.keys(), ...found.keys()])]
    .toSorted((a, b) => a - b)
    .map((address) => [address.toString(16).padStart(8, '0'), wanted.get(address), found.get(address)] as const)
    .filter(([name, a, b]) => a !== b && !ignore.includes(name) && !ignore.includes('memory'))
    .map(([name, a, b]) => `[${name}] want ${a?.toString(16) ?? 'unchanged'}, got ${b?.toString(16) ?? 'unchanged'}`);
}

/** An x87 number without its integer bit: neighbours are one apart. */
const ordinal = (text: string): bigint => {
  const bits = BigInt(`0x${text}`);
  return ((bits >> 64n) << 63n) | (bits & ((1n << 63n) - 1n));
};

function isClose(name: string, want: string, got: string, ulps: number): boolean {
  if (ulps === 0 || !/^r\d$/.test(name)) return false;
  const distance = ordinal(want) - ordinal(got);
  return distance <= BigInt(ulps) && -distance <= BigInt(ulps);
}

/** What rcpps and rsqrtps promise: a relative error of 1.5 * 2^-12. */
const APPROXIMATION = 1.5 * 2 ** -12;

function isApproximately(name: string, want: string, got: string): boolean {
  if (!name.startsWith('xmm')) return false;
  const [a, b] = [Buffer.from(want, 'hex'), Buffer.from(got, 'hex')];
  return [0, 1, 2, 3].every(
    (lane) =>
      a.readUInt32BE(lane * 4) === b.readUInt32BE(lane * 4) ||
      Math.abs(b.readFloatBE(lane * 4) / a.readFloatBE(lane * 4) - 1) < 2 * APPROXIMATION,
  );
}

/** A state without what the manual leaves undefined after this case. */
function masked(state: MachineState, one: VectorCase): MachineState {
  const copy = {
    ...copyState(state),
    eflags: state.eflags & ~Number.parseInt(one.undefinedFlags ?? '0', 16),
    patches: [],
  };
  const status = Number.parseInt(one.undefinedStatus ?? '0', 16);
  const at = FX.fsw + 1; // all of these bits are in the upper byte
  copy.fx[at] = (copy.fx[at] ?? 0) & ~(status >> 8);
  return copy;
}

/** What is wrong with an outcome, a line for each thing; none if it is what the real CPU did. */
export function differences(vectors: Vectors, one: VectorCase, got: Outcome): string[] {
  const want = stateAfter(vectors, one);
  const ignore = one.ignore ?? [];
  const [a, b] = [masked(want, one), masked(got, one)];
  const same = sameFields(a, b);
  const [wrong, right] = same ? [{}, {}] : [deltaOf(a, b), deltaOf(b, a)];
  return [
    ...(trapText(want.trap) === trapText(got.trap)
      ? []
      : [`trap want ${trapText(want.trap)}, got ${trapText(got.trap)}`]),
    ...Object.entries(wrong)
      .filter(([name, text]) => !ignore.includes(name) && !isClose(name, right[name] ?? '', text, one.ulps ?? 0))
      .filter(([name, text]) => one.approximate !== true || !isApproximately(name, right[name] ?? '', text))
      .map(([name, text]) => `${name} want ${right[name]}, got ${text}`),
    ...memoryDifferences(want.patches, got.patches, ignore),
  ];
}

/** Runs one case: the differences from what the real CPU did. */
export function runCase(cpu: TestCpu, vectors: Vectors, one: VectorCase): string[] {
  cpu.reset(stateBefore(vectors, one));
  return differences(vectors, one, cpu.run());
}
