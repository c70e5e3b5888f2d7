// What an outcome has that another has not, in words, with the tolerance that the manual asks for.
import {
  CODE_FILL,
  FX,
  PAGES,
  copyState,
  pattern,
  type MachineState,
  type Outcome,
  type Patch,
  type Trap,
} from './machine-state.js';
import { addressKey, deltaOf, sameFields } from './state-delta.js';

/** In what CPUs may differ. */
export interface Tolerance {
  /** Bits of eflags. */
  readonly undefinedFlags?: number;
  /** Bits of the x87 status word. */
  readonly undefinedStatus?: number;
  /** Units of the last place of an x87 result. */
  readonly ulps?: number;
  /** The single-precision lanes are approximations, good to some 11 bits. */
  readonly approximate?: boolean;
  /** Fields and memory bytes; `memory` for all of it, `cr2` for the place in its page. */
  readonly ignore?: readonly string[];
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
export function byteBefore(before: MachineState, address: number): number {
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

/** A state without what the manual leaves undefined. */
export function masked(state: MachineState, { undefinedFlags = 0, undefinedStatus = 0 }: Tolerance): MachineState {
  const copy = { ...copyState(state), eflags: state.eflags & ~undefinedFlags, patches: [] };
  const at = FX.fsw + 1; // all of these bits are in the upper byte
  copy.fx[at] = (copy.fx[at] ?? 0) & ~(undefinedStatus >> 8);
  return copy;
}

/** A line for each thing in which `got` is not `want`; none if they are the same. */
export function compareOutcomes(before: MachineState, want: Outcome, got: Outcome, tolerance: Tolerance): string[] {
  const { ignore = [], ulps = 0, approximate = false } = tolerance;
  const [a, b] = [masked(want, tolerance), masked(got, tolerance)];
  // Which byte of an operand of hundreds is tried first is up to the CPU; which page is not.
  const address = ignore.includes('cr2') ? ~0xfff : -1;
  const [wanted, found] = [want.trap, got.trap].map((trap) => trapText({ ...trap, cr2: (trap.cr2 & address) >>> 0 }));
  const same = sameFields(a, b);
  const [wrong, right] = same ? [{}, {}] : [deltaOf(a, b), deltaOf(b, a)];
  return [
    ...(wanted === found ? [] : [`trap want ${wanted}, got ${found}`]),
    ...Object.entries(wrong)
      .filter(([name, text]) => !ignore.includes(name) && !isClose(name, right[name] ?? '', text, ulps))
      .filter(([name, text]) => !approximate || !isApproximately(name, right[name] ?? '', text))
      .map(([name, text]) => `${name} want ${right[name]}, got ${text}`),
    ...memoryDifferences(before, want, got, ignore),
  ];
}
