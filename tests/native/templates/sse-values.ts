// Floating-point lanes of MMX and SSE registers: the values that matter, and how a case puts them there.
import type { Delta } from '../../support/state-delta.js';
import { hex, littleEndian, memory, once, pairs, places, type Plan } from './template.js';

/** MXCSR: all masked, nearest. */
export const MXCSR = 0x1f80;
export const ROUNDINGS = [0x1f80, 0x3f80, 0x5f80, 0x7f80];
/** Flush to zero, denormals are zero, both, and flush to zero with underflow unmasked (which wins). */
export const FLUSHING = [0x9f80, 0x1fc0, 0x9fc0, 0x9780];
/** All unmasked; invalid, denormal, zero divide, overflow, underflow, precision unmasked by itself. */
export const UNMASKED = [0x0000, 0x1f00, 0x1e80, 0x1d80, 0x1b80, 0x1780, 0x0f80];

export type Format = 'single' | 'double';
export const BYTES = { single: 4, double: 8 } as const;

interface Values {
  readonly numbers: readonly bigint[];
  readonly tiny: readonly bigint[];
  readonly notNumbers: readonly bigint[];
}

/** zero, minus zero, one, minus one, pi, a third, the greatest, the least normal, one and a bit, large odd, 1e-30, minus ten. */
export const VALUES: Readonly<Record<Format, Values>> = {
  single: {
    numbers: [
      0n,
      0x80000000n,
      0x3f800000n,
      0xbf800000n,
      0x40490fdbn,
      0x3eaaaaabn,
      0x7f7fffffn,
      0x00800000n,
      0x3f800001n,
      0x4b7fffffn,
      0x0da24260n,
      0xc1200000n,
    ],
    tiny: [0x00000001n, 0x807fffffn],
    notNumbers: [0x7f800000n, 0xff800000n, 0x7fc12345n, 0xffe00000n, 0x7f800001n, 0xffa54321n],
  },
  double: {
    numbers: [
      0n,
      0x8000000000000000n,
      0x3ff0000000000000n,
      0xbff0000000000000n,
      0x400921fb54442d18n,
      0x3fd5555555555555n,
      0x7fefffffffffffffn,
      0x0010000000000000n,
      0x3ff0000000000001n,
      0x433fffffffffffffn,
      0x01b0000000000001n,
      0xc024000000000000n,
    ],
    tiny: [0x0000000000000001n, 0x800fffffffffffffn],
    notNumbers: [
      0x7ff0000000000000n,
      0xfff0000000000000n,
      0x7ff8123456789abcn,
      0xfffc000000000000n,
      0x7ff0000000000001n,
      0xfff4000012345678n,
    ],
  },
};

export const all = (format: Format): bigint[] => [
  ...VALUES[format].numbers,
  ...VALUES[format].tiny,
  ...VALUES[format].notNumbers,
];

/** Pairs that round, overflow, underflow, divide by zero or are no numbers. */
export function telling(format: Format): [bigint, bigint][] {
  const [zero, minusZero, one, minusOne, pi, third, max, min, more, odd, small, ten] = VALUES[format].numbers;
  const [denormal, bigDenormal] = VALUES[format].tiny;
  const [infinity, minusInfinity, quiet, , signalling] = VALUES[format].notNumbers;
  return [
    [one, zero],
    [zero, zero],
    [zero, minusZero],
    [one, third],
    [pi, ten],
    [max, max],
    [max, third],
    [min, third],
    [min, min],
    [small, small],
    [small, pi],
    [odd, more],
    [odd, third],
    [min, bigDenormal],
    [one, denormal],
    [denormal, third],
    [bigDenormal, minusOne],
    [infinity, minusInfinity],
    [infinity, zero],
    [quiet, one],
    [signalling, denormal],
  ].map(([a, b]) => [a ?? 0n, b ?? 0n]);
}

/** 128 bits from lanes, the lowest first, as a delta has them. */
export const lanes = (values: readonly bigint[], bytes: number): string =>
  values
    .reduce((sum, value, i) => sum | (BigInt.asUintN(bytes * 8, value) << BigInt(i * bytes * 8)), 0n)
    .toString(16)
    .padStart(32, '0');

/** What is in the lanes that an instruction does not look at. */
export const REST = 0x0123456789abcdeffedcba9876543210n;

/** One lane with `value`, the others with something else. */
export function lane(value: bigint, bytes: number): string {
  const bits = BigInt(bytes * 8);
  return (((REST >> bits) << bits) | BigInt.asUintN(bytes * 8, value)).toString(16).padStart(32, '0');
}

/** Where an aligned operand in memory is: `[edi+0x30]`. */
export const ALIGNED = 0x10000430;
export const at = (address: number, register: string): Delta =>
  memory(address, littleEndian(BigInt(`0x${register}`), 16));

export interface SseOptions {
  readonly mxcsr?: readonly number[];
  readonly approximate?: boolean;
  readonly ignore?: readonly string[];
  readonly ignoreOnFault?: readonly string[];
  readonly mnemonic?: string;
}

/** One case for each MXCSR and each state. */
export const sse = (asm: string, states: readonly Delta[], options: SseOptions = {}): Plan[] =>
  (options.mxcsr ?? [MXCSR]).flatMap((mxcsr) =>
    states.map((state) =>
      once(
        options.mnemonic ?? asm.split(' ')[0] ?? '',
        asm,
        { mxcsr: hex(mxcsr), ...state },
        {
          ...(options.approximate === true ? { approximate: true } : {}),
          ...(options.ignore === undefined ? {} : { ignore: options.ignore }),
          ...(options.ignoreOnFault === undefined ? {} : { ignoreOnFault: options.ignoreOnFault }),
        },
      ),
    ),
  );

/** The places where an operand `[edi+0x30]` of so many bytes is not aligned, or where it faults. */
export const badPlaces = (bytes: number): Delta[] => [
  ...places(bytes).map((edi) => ({ edi: hex(edi - 0x30 + 0x25) })),
  { edi: hex(0x10000401) },
  { edi: hex(0x10000408) },
  { edi: hex(0x10002000 - 0x30) },
  { edi: hex(0x10004000 - 0x30) },
  { edi: hex(0x10002000 - 0x30 - bytes) },
];

export const grid = <T>(values: readonly T[]): [T, T][] => pairs(values, values);

/** Lists of `size` neighbours. */
export const chunks = <T>(values: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.floor(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
