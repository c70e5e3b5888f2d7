// The numbers on which x87 implementations come to grief, and how a case puts them on the stack.
import type { Delta } from '../../support/state-delta.js';
import { hex, once, type Plan } from './template.js';

/** Bits of the status word. */
export const C0 = 0x100;
export const C1 = 0x200;
export const C2 = 0x400;
export const C3 = 0x4000;
/** What most instructions leave undefined. */
export const CODES = C0 | C2 | C3;

/** Control words: precision 24, 53 and 64 bits; to nearest, down, up, to zero; all exceptions masked. */
export const DEFAULT = 0x37f;
export const MODES = [0, 2, 3].flatMap((pc) => [0, 1, 2, 3].map((rc) => (rc << 10) | (pc << 8) | 0x7f));
export const ROUNDINGS = [0x37f, 0x77f, 0xb7f, 0xf7f];
/** All exceptions unmasked, and each by itself: invalid, denormal, zero divide, overflow, underflow, precision. */
export const UNMASKED = [0x340, 0x37e, 0x37d, 0x37b, 0x377, 0x36f, 0x35f];

/** Sign and exponent, then the significand with its integer bit: as one reads them. */
export const ZERO = '00000000000000000000';
export const MINUS_ZERO = '80000000000000000000';
export const ONE = '3fff8000000000000000';
export const MINUS_ONE = 'bfff8000000000000000';
export const PI = '4000c90fdaa22168c235';
export const THIRD = '3ffdaaaaaaaaaaaaaaab';
export const TWO = '40008000000000000000';
export const TEN = '4002a000000000000000';
export const MAX = '7ffeffffffffffffffff';
export const MIN = '00018000000000000000';
export const DENORMAL = '00000000000000000001';
export const BIG_DENORMAL = '80007fffffffffffffff';
export const PSEUDO_DENORMAL = '00008000000000000001';
export const INFINITY = '7fff8000000000000000';
export const MINUS_INFINITY = 'ffff8000000000000000';
export const QNAN = '7fffc000000000001234';
export const MINUS_QNAN = 'ffffe000000000000000';
export const SNAN = '7fff8000000000000001';
export const BIG_SNAN = 'ffffa000000000004321';
export const INDEFINITE = 'ffffc000000000000000';
/** Encodings that no i387 and later accepts. */
export const UNNORMAL = '3fff4000000000000000';
export const PSEUDO_INFINITY = '7fff0000000000000000';
export const PSEUDO_NAN = '7fff4000000000000001';
/** Just beside what fits into a double and a single, and half way. */
export const NEAR_DOUBLE = '3fff8000000000000401';
export const HALF_DOUBLE = '40008000000000000400';
export const HALF_SINGLE = 'bfff8000008000000000';
export const ALL_ONES = '403effffffffffffffff';

export const NUMBERS = [ZERO, MINUS_ZERO, ONE, MINUS_ONE, PI, THIRD, MAX, MIN, NEAR_DOUBLE, HALF_SINGLE, ALL_ONES, TEN];
export const TINY = [DENORMAL, BIG_DENORMAL, PSEUDO_DENORMAL];
export const NOT_NUMBERS = [
  INFINITY,
  MINUS_INFINITY,
  QNAN,
  MINUS_QNAN,
  SNAN,
  BIG_SNAN,
  UNNORMAL,
  PSEUDO_INFINITY,
  PSEUDO_NAN,
];
export const ALL = [...NUMBERS, ...TINY, ...NOT_NUMBERS];

/** st(0), st(1) … hold these values, the other registers are empty. */
export function stack(values: readonly string[], fcw = DEFAULT, status = 0): Delta {
  const top = (8 - values.length) & 7;
  const registers = values.map((value, i): [string, string] => [`r${(top + i) & 7}`, value]);
  const tags = values.reduce((tag, _, i) => tag | (1 << ((top + i) & 7)), 0);
  return { fcw: hex(fcw), fsw: hex((top << 11) | status), ftw: hex(tags), ...Object.fromEntries(registers) };
}

export interface X87Options {
  readonly fcw?: readonly number[];
  /** Bits of the status word before. */
  readonly status?: number;
  /** Bits of the status word that the manual leaves undefined; C0, C2 and C3 if not said. */
  readonly undefinedStatus?: number;
  /** By how many units of the last place the result may differ from one CPU to the next. */
  readonly ulps?: number;
  readonly ignore?: readonly string[];
  readonly ignoreOnFault?: readonly string[];
  /** More of the state before. */
  readonly in?: Delta;
  readonly mnemonic?: string;
}

/** One case for each control word and each set of values on the stack. */
export const x87 = (asm: string, stacks: readonly (readonly string[])[], options: X87Options = {}): Plan[] =>
  (options.fcw ?? [DEFAULT]).flatMap((fcw) =>
    stacks.map((values) =>
      once(
        options.mnemonic ?? asm.split(' ')[0] ?? '',
        asm,
        { ...stack(values, fcw, options.status), ...options.in },
        {
          undefinedStatus: options.undefinedStatus ?? CODES,
          ...(options.ulps === undefined ? {} : { ulps: options.ulps }),
          ...(options.ignore === undefined ? {} : { ignore: options.ignore }),
          ...(options.ignoreOnFault === undefined ? {} : { ignoreOnFault: options.ignoreOnFault }),
        },
      ),
    ),
  );
