// The recorded cases of tests/vectors, and what it takes to run them on a CPU of ours.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  BREAKPOINT,
  CODE_FILL,
  FX,
  PAGES,
  copyState,
  defaultState,
  pattern,
  type MachineState,
  type Outcome,
  type Patch,
  type Trap,
} from './machine-state.js';
import { addressKey, applyDelta, deltaOf, fromHex, sameFields, type Delta } from './state-delta.js';

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

/** What a byte was before the case. */
function byteBefore(before: MachineState, address: number): number {
  const patch = before.patches.find((one) => address >= one.address && address < one.address + one.bytes.length);
  if (patch !== undefined) return patch.bytes[address - patch.address] ?? 0;
  return PAGES.some((page) => page.code && (page.address ^ address) >>> 12 === 0) ? CODE_FILL : pattern(address);
}

function memoryDifferences(before: MachineState, want: Outcome, got: Outcome, ignore: readonly string[]): string[] {
  if ((want.patches.length === 0 && got.patches.length === 0) || ignore.includes('memory')) return [];
  const [wanted, found] = [bytesOf(want.patches), bytesOf(got.patches)];
  return [...new Set([...wanted.keys(), ...found.keys()])]
    .toSorted((a, b) => a - b)
    .map((address) => {
      const was = byteBefore(before, address);
      return { address, wanted: wanted.get(address) ?? was, found: found.get(address) ?? was };
    })
    .filter((byte) => byte.wanted !== byte.found && !ignore.includes(addressKey(byte.address)))
    .map((byte) => `[${addressKey(byte.address)}] want ${byte.wanted.toString(16)}, got ${byte.found.toString(16)}`);
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
  // Which byte of an operand of hundreds is tried first is up to the CPU; which page is not.
  const address = ignore.includes('cr2') ? ~0xfff : -1;
  const [wanted, found] = [want.trap, got.trap].map((trap) => trapText({ ...trap, cr2: (trap.cr2 & address) >>> 0 }));
  const same = sameFields(a, b);
  const [wrong, right] = same ? [{}, {}] : [deltaOf(a, b), deltaOf(b, a)];
  return [
    ...(wanted === found ? [] : [`trap want ${wanted}, got ${found}`]),
    ...Object.entries(wrong)
      .filter(([name, text]) => !ignore.includes(name) && !isClose(name, right[name] ?? '', text, one.ulps ?? 0))
      .filter(([name, text]) => one.approximate !== true || !isApproximately(name, right[name] ?? '', text))
      .map(([name, text]) => `${name} want ${right[name]}, got ${text}`),
    ...memoryDifferences(stateBefore(vectors, one), want, got, ignore),
  ];
}

/** Runs one case: the differences from what the real CPU did. */
export function runCase(cpu: TestCpu, vectors: Vectors, one: VectorCase): string[] {
  cpu.reset(stateBefore(vectors, one));
  return differences(vectors, one, cpu.run());
}
