// How the templates speak: an instruction's mnemonic, its kinds of operands, and rows of values to put there.
import { addressKey, toHex, type Delta } from '../../support/state-delta.js';

/** One case before it has been run: assembler text and what differs from the default state. */
export interface Plan {
  readonly asm: string;
  /** Under which name it is reported; the first word of `asm` if it has none. */
  readonly mnemonic?: string;
  readonly in: Delta;
  /** Flags that Intel's manual leaves undefined. */
  readonly undefinedFlags?: number;
  /** Bits of the x87 status word that it leaves undefined. */
  readonly undefinedStatus?: number;
  /** By how many units of the last place an x87 result may differ from one make of CPU to the next. */
  readonly ulps?: number;
  /** The single-precision lanes of the result are approximations. */
  readonly approximate?: boolean;
  /** Fields, or addresses of memory bytes, that the manual leaves undefined; `memory` for all of it. */
  readonly ignore?: readonly string[];
  /** The same for a case that ends in a fault, where CPUs differ in what they have done by then. */
  readonly ignoreOnFault?: readonly string[];
}

export const CF = 0x1;
export const PF = 0x4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const TF = 0x100;
export const DF = 0x400;
export const OF = 0x800;
export const STATUS = CF | PF | AF | ZF | SF | OF;
/** eflags of every program: bit 1 and IF. */
export const FLAGS = 0x202;

export type Width = 8 | 16 | 32;

/** Where the memory operand of most cases is: not aligned to anything, in the middle of a page. */
export const MEMORY = 0x10000425;
const MEMORY_TEXT = '[edi+0x25]';
/** For each width a value of edi that puts the operand half over the end of the mapped pages, … */
const straddling = (bytes: number): number => 0x10002000 - 0x25 - Math.ceil(bytes / 2);
/** … with which it begins in a writable page and ends in a read-only one, … */
const halfWritable = (bytes: number): number => 0x10004000 - 0x25 - Math.floor(bytes / 2);
/** … or crosses from one page to the next with nothing wrong about it. */
const crossing = (bytes: number): number => 0x10001000 - 0x25 - Math.floor(bytes / 2);

export const hex = (value: number | bigint): string => (typeof value === 'number' ? value >>> 0 : value).toString(16);

/** The bytes of a value as they are in memory. */
export function littleEndian(value: number | bigint, bytes: number): string {
  const digits = BigInt.asUintN(bytes * 8, BigInt(value))
    .toString(16)
    .padStart(bytes * 2, '0');
  return toHex(Uint8Array.from(Buffer.from(digits, 'hex')).toReversed());
}

export const memory = (at: number, contents: string): Delta => ({ [addressKey(at)]: contents });

/** A kind of operand: how it is written, and what puts a value there. */
export interface Kind {
  readonly text: (value: number) => string;
  readonly delta: (value: number, soFar: Delta) => Delta;
  /** Bytes, for operands in memory. */
  readonly memory?: number;
}

const NAMES = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
/** What is in the parts of a register that an operand does not touch. */
const REST: Readonly<Record<string, number>> = { eax: 0xa5a51234, ecx: 0x5c5c8001, edx: 0x3d3d7f0e, ebx: 0x10000600 };

/** A register operand by its name: `al`, `ah`, `cx`, `esi`. */
export function reg(name: string): Kind {
  const high = /^[abcd]h$/.test(name);
  const byte = high || /^[abcd]l$/.test(name);
  const full = name.length === 3 ? name : byte ? `e${name[0] ?? ''}x` : `e${name}`;
  if (!NAMES.includes(full)) throw new Error(`no such register: ${name}`);
  const [mask, shift] = high ? [0xff00, 8] : byte ? [0xff, 0] : name === full ? [0xffffffff, 0] : [0xffff, 0];
  return {
    text: () => name,
    delta: (value, soFar) => {
      const rest = Number.parseInt(soFar[full] ?? hex(REST[full] ?? 0), 16);
      return { [full]: hex((rest & ~mask) | ((value << shift) & mask)) };
    },
  };
}

const POINTER = { 8: 'byte', 16: 'word', 32: 'dword' } as const;

export const mem = (width: Width): Kind => ({
  text: () => `${POINTER[width]} ptr ${MEMORY_TEXT}`,
  delta: (value) => memory(MEMORY, littleEndian(value >>> 0, width / 8)),
  memory: width / 8,
});

export const imm = (width: Width): Kind => ({
  text: (value) => String(width === 32 ? value >>> 0 : value & (width === 16 ? 0xffff : 0xff)),
  delta: () => ({}),
});

/** An immediate that is written as the signed number it is. */
export const simm: Kind = { text: (value) => String(value | 0), delta: () => ({}) };

/** An operand that is always the same and has no value of its own. */
export const fixed = (text: string): Kind => ({ text: () => text, delta: () => ({}) });

/** A register that is used without being named in the text. */
export const implicit = (name: string): Kind => ({ ...reg(name), text: () => '' });

export interface Options {
  readonly undefinedFlags?: number | ((row: readonly number[]) => number);
  readonly ignore?: readonly string[];
  /** Written before the mnemonic: `lock`, `{load}`. */
  readonly prefix?: string;
  /** Status flags before: one case for each. */
  readonly flags?: readonly number[];
  /** More of the state before. */
  readonly in?: Delta;
  /** Does the instruction touch its memory operand, so that a bad address faults? */
  readonly touches?: boolean;
}

const BOTH = [0, STATUS];

/** One case per row of operand values; then, with an operand in memory, the ways in which its address can be bad. */
export function instruction(
  mnemonic: string,
  kinds: readonly Kind[],
  rows: readonly (readonly number[])[],
  options: Options = {},
): Plan[] {
  const flags = options.flags ?? [];
  const plan = (row: readonly number[], eflags: number, more: Delta): Plan => {
    let state: Delta = { ...options.in, eflags: hex(FLAGS | eflags) };
    kinds.forEach((kind, i) => (state = { ...state, ...kind.delta(row[i] ?? 0, state) }));
    const texts = kinds.map((kind, i) => kind.text(row[i] ?? 0)).filter((text) => text !== '');
    const undefinedFlags =
      typeof options.undefinedFlags === 'function' ? options.undefinedFlags(row) : (options.undefinedFlags ?? 0);
    return {
      asm: `${options.prefix === undefined ? '' : `${options.prefix} `}${mnemonic} ${texts.join(', ')}`.trim(),
      mnemonic,
      in: { ...state, ...more },
      undefinedFlags,
      ...(options.ignore === undefined ? {} : { ignore: options.ignore }),
    };
  };
  const cases = rows.flatMap((row, i) =>
    (flags.length > 0 ? flags : [BOTH[i % 2] ?? 0]).map((eflags) => plan(row, eflags, {})),
  );
  const bytes = kinds.find((kind) => kind.memory !== undefined)?.memory;
  const row = rows[0];
  if (bytes === undefined || row === undefined || options.touches === false) return cases;
  return [...cases, ...places(bytes).map((edi) => withoutMemory(plan(row, STATUS, { edi: hex(edi) })))];
}

/** A case all by itself. */
export const once = (mnemonic: string, asm: string, delta: Delta = {}, more: Partial<Plan> = {}): Plan => ({
  asm,
  mnemonic,
  in: delta,
  ...more,
});

/** Values of edi for the addresses at which an access of so many bytes is interesting. */
export const places = (bytes: number): number[] =>
  bytes === 1
    ? [0x10002000 - 0x25, 0x10004000 - 0x25]
    : [straddling(bytes), halfWritable(bytes), crossing(bytes), 0x10004000 - 0x25, 0x10002000 - 0x25];

/** At a bad place the memory keeps its pattern. */
export const withoutMemory = (plan: Plan): Plan => ({
  ...plan,
  in: Object.fromEntries(Object.entries(plan.in).filter(([key]) => !/^[0-9a-f]{8}$/.test(key))),
});

/** All pairs of the members of two lists. */
export const pairs = <A, B>(a: readonly A[], b: readonly B[]): [A, B][] =>
  a.flatMap((x) => b.map((y): [A, B] => [x, y]));

export const edges = (width: Width): number[] => ({ 8: EDGES_8, 16: EDGES_16, 32: EDGES_32 })[width];

const EDGES_8 = [0, 1, 0x0f, 0x7f, 0x80, 0xff, 0x5a];
const EDGES_16 = [0, 1, 0x00ff, 0x7fff, 0x8000, 0xffff, 0x5a96];
const EDGES_32 = [0, 1, 0x0000ffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x5a96c3e1];

/** Pairs that meet every carry and overflow: fewer than all. */
export function edgePairs(width: Width): [number, number][] {
  const [zero, one, half, max, min, ones, some] = edges(width) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return [
    [zero, zero],
    [zero, one],
    [ones, one],
    [max, one],
    [min, one],
    [min, min],
    [max, min],
    [ones, ones],
    [half, one],
    [some, half],
    [some, ones],
    [one, some],
  ];
}
