// Differences between machine states as small records of hexadecimal text: the language of the vector files.
//
//     {"ecx":"7fffffff","eflags":"ad7","10000424":"00ff"}
//
// Keys are registers, `fcw fsw ftw mxcsr`, `r0 … r7` (the x87 registers by their physical number, which is also the
// number of the MMX register; sign and exponent first), `xmm0 … xmm7` (most significant byte first), or the address of
// bytes in memory (in their order in memory).
import { Bug } from '../../lib/errors.js';
import { FX, FX_BYTES, REGISTERS, SEGMENTS, type MachineState, type Patch } from './machine-state.js';

export type Delta = Readonly<Record<string, string>>;

interface Field {
  readonly name: string;
  read(state: MachineState): string;
  write(state: MachineState, text: string): void;
}

const parse = (text: string): number => Number.parseInt(text, 16);
const word = (state: MachineState): DataView => new DataView(state.fx.buffer, state.fx.byteOffset, state.fx.byteLength);

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** A number in the fxsave image that is written most significant byte first, as one reads numbers. */
function wide(name: string, length: number, at: (state: MachineState) => number): Field {
  return {
    name,
    read: (state) => toHex(state.fx.slice(at(state), at(state) + length).toReversed()),
    write: (state, text) => state.fx.set(fromHex(text.padStart(length * 2, '0')).toReversed(), at(state)),
  };
}

const fxWord = (name: string, offset: number): Field => ({
  name,
  read: (state) => word(state).getUint16(offset, true).toString(16),
  write: (state, text) => word(state).setUint16(offset, parse(text), true),
});

/** TOP, the physical number of st(0), must be known before any physical register: `fsw` stands before them. */
const top = (state: MachineState): number => (word(state).getUint16(FX.fsw, true) >>> 11) & 7;

export const FIELDS: readonly Field[] = [
  ...REGISTERS.map((name, i) => ({
    name,
    read: (state: MachineState) => (state.registers[i] ?? 0).toString(16),
    write: (state: MachineState, text: string) => void (state.registers[i] = parse(text)),
  })),
  {
    name: 'eip',
    read: (state) => state.eip.toString(16),
    write: (state, text) => void (state.eip = parse(text)),
  },
  {
    name: 'eflags',
    read: (state) => state.eflags.toString(16),
    write: (state, text) => void (state.eflags = parse(text)),
  },
  ...SEGMENTS.map((name, i) => ({
    name,
    read: (state: MachineState) => (state.segments[i] ?? 0).toString(16),
    write: (state: MachineState, text: string) => void (state.segments[i] = parse(text)),
  })),
  fxWord('fcw', FX.fcw),
  fxWord('fsw', FX.fsw),
  {
    name: 'ftw',
    read: (state) => (state.fx[FX.ftw] ?? 0).toString(16),
    write: (state, text) => void (state.fx[FX.ftw] = parse(text)),
  },
  ...Array.from({ length: 8 }, (_, i) => wide(`r${i}`, 10, (state) => FX.st + 16 * ((i - top(state)) & 7))),
  {
    name: 'mxcsr',
    read: (state) => word(state).getUint32(FX.mxcsr, true).toString(16),
    write: (state, text) => word(state).setUint32(FX.mxcsr, parse(text), true),
  },
  ...Array.from({ length: 8 }, (_, i) => wide(`xmm${i}`, 16, () => FX.xmm + 16 * i)),
];

/** Moves the x87 registers from where they are under one TOP to where they are under another. */
function rotate(state: MachineState, from: number, to: number): void {
  const was = state.fx.slice(FX.st, FX.xmm);
  for (let r = 0; r < 8; r++) {
    const at = 16 * ((r - from) & 7);
    state.fx.set(was.subarray(at, at + 16), FX.st + 16 * ((r - to) & 7));
  }
}

/** An address as a delta has it. */
export const addressKey = (value: number): string => value.toString(16).padStart(8, '0');

const isAddress = (key: string): boolean => /^[0-9a-f]{8}$/.test(key);

const patchesOf = (delta: Delta): Patch[] =>
  Object.entries(delta)
    .filter(([key]) => isAddress(key))
    .map(([key, text]) => ({ address: parse(key), bytes: fromHex(text) }));

const BY_NAME = new Map(FIELDS.map((field) => [field.name, field]));

/** Changes `state` as `delta` says. Its patches are the delta's alone. */
export function applyDelta(state: MachineState, delta: Delta): void {
  const status = delta['fsw'];
  if (status !== undefined) {
    const before = top(state);
    BY_NAME.get('fsw')?.write(state, status);
    rotate(state, before, top(state));
  }
  for (const [key, text] of Object.entries(delta)) {
    if (key === 'fsw' || isAddress(key)) continue;
    const field = BY_NAME.get(key);
    if (field === undefined) throw new Bug(`no such field of a machine state: ${key}`);
    field.write(state, text);
  }
  state.patches = patchesOf(delta);
}

/** Bytes of the fxsave image that no field shows: pointers to the last instruction, the mask of MXCSR, padding. */
const SHOWN = Uint8Array.from({ length: FX_BYTES }, (_, i) => {
  if (i < FX.st) return i <= FX.ftw || (i >= FX.mxcsr && i < FX.mxcsr + 4) ? 1 : 0;
  return i >= FX.xmm || i % 16 < 10 ? 1 : 0;
});

const sameNumbers = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

/** Whether the fields are all equal: what `deltaOf` would find out, but quickly. Memory aside. */
export function sameFields(a: MachineState, b: MachineState): boolean {
  if (a.eip !== b.eip || a.eflags !== b.eflags) return false;
  if (!sameNumbers(a.registers, b.registers) || !sameNumbers(a.segments, b.segments)) return false;
  for (let i = 0; i < FX_BYTES; i++) if (a.fx[i] !== b.fx[i] && SHOWN[i] === 1) return false;
  return true;
}

/** What must be applied to `before` to get `after`. */
export function deltaOf(before: MachineState, after: MachineState): Record<string, string> {
  const delta: Record<string, string> = {};
  for (const field of FIELDS) {
    const text = field.read(after);
    if (text !== field.read(before)) delta[field.name] = text;
  }
  for (const { address, bytes } of after.patches) delta[addressKey(address)] = toHex(bytes);
  return delta;
}
