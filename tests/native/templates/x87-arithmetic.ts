// x87 arithmetic: every pair of special values, every precision and rounding, every exception masked and not.
import { MEMORY, hex, littleEndian, memory, pairs, places, type Plan } from './template.js';
import {
  ALL,
  ALL_ONES,
  BIG_DENORMAL,
  C1,
  CODES,
  DEFAULT,
  DENORMAL,
  HALF_DOUBLE,
  HALF_SINGLE,
  INFINITY,
  MAX,
  MIN,
  MINUS_INFINITY,
  MINUS_ONE,
  MINUS_ZERO,
  MODES,
  NEAR_DOUBLE,
  ONE,
  PI,
  PSEUDO_DENORMAL,
  QNAN,
  SNAN,
  TEN,
  THIRD,
  TWO,
  UNMASKED,
  UNNORMAL,
  ZERO,
  x87,
} from './x87-values.js';

/** Pairs whose results round, overflow, underflow or cancel differently in each mode. */
const ROUNDED: [string, string][] = [
  [ONE, THIRD],
  [PI, THIRD],
  [PI, PI],
  [ONE, NEAR_DOUBLE],
  [HALF_DOUBLE, ONE],
  [HALF_SINGLE, ONE],
  [HALF_SINGLE, '3fde8000000000000001'],
  [ONE, DENORMAL],
  [MINUS_ONE, DENORMAL],
  [ALL_ONES, ALL_ONES],
  [ALL_ONES, ONE],
  [ALL_ONES, MINUS_ONE],
  [MAX, MAX],
  [MAX, `f${MAX.slice(1)}`],
  [MAX, THIRD],
  [MIN, THIRD],
  [MIN, MIN],
  [MIN, MAX],
  [MIN, BIG_DENORMAL],
  [MIN, TWO],
  [DENORMAL, TWO],
  [DENORMAL, BIG_DENORMAL],
  [PSEUDO_DENORMAL, TWO],
  ['0003a000000000000001', '0003a000000000000000'],
  ['3fffffffffffffffffff', '3fbe8000000000000000'],
  ['bfffffffffffffffffff', 'bfbe8000000000000001'],
  ['3f81ffffff0000000000', '3f80ffffff7fffffffff'],
  ['1fff8000000000000001', '20018000000000000001'],
  ['5fffc000000000000000', '5fffaaaaaaaaaaaaaaab'],
  [PI, `c${PI.slice(1)}`],
  [ZERO, MINUS_ZERO],
];
const EXCEPTIONAL: [string, string][] = [
  [ONE, ZERO],
  [ZERO, ONE],
  [ZERO, ZERO],
  [INFINITY, INFINITY],
  [INFINITY, MINUS_INFINITY],
  [INFINITY, ZERO],
  [SNAN, ONE],
  [ONE, QNAN],
  [UNNORMAL, ONE],
  [DENORMAL, ONE],
  [ONE, BIG_DENORMAL],
  [MAX, MAX],
  [MIN, MIN],
  [MIN, THIRD],
  ['0001c000000000000001', TWO],
  [ONE, THIRD],
  [TEN, TWO],
];

const OPERATIONS = ['fadd', 'fsub', 'fsubr', 'fmul', 'fdiv', 'fdivr'];
const COMPARISONS = ['fcom', 'fcomp', 'fucom', 'fucomp', 'fcomi', 'fcomip', 'fucomi', 'fucomip'];
const FEW: [string, string][] = [...EXCEPTIONAL.slice(0, 10), [PI, TEN], [TEN, PI]];

const operations = (): Plan[] =>
  OPERATIONS.flatMap((name) => [
    ...x87(`${name} st, st(1)`, pairs(ALL, ALL)),
    ...x87(`${name} st, st(1)`, ROUNDED, { fcw: MODES }),
    ...x87(`${name} st, st(1)`, [...EXCEPTIONAL, ...ROUNDED.slice(12, 23)], { fcw: UNMASKED }),
    ...x87(`${name} st(1), st`, FEW, { fcw: [DEFAULT, 0x340] }),
    ...x87(`${name}p st(1), st`, FEW, { fcw: [DEFAULT, 0x340], mnemonic: `${name}p` }),
    ...x87(`${name} st, st`, [[PI], [SNAN], []], { fcw: [DEFAULT, 0x340] }),
    ...x87(
      `${name} st, st(3)`,
      [
        [PI, ONE, TWO, THIRD],
        [PI, ONE, TWO],
      ],
      { fcw: [DEFAULT, 0x340] },
    ),
    ...x87(
      `${name}p st(3), st`,
      [
        [PI, ONE, TWO, THIRD],
        [PI, ONE, TWO],
      ],
      { fcw: [DEFAULT, 0x340], mnemonic: `${name}p` },
    ),
    // the exception is raised by the next instruction that waits
    ...x87(`${name} st, st(1); fwait`, EXCEPTIONAL, { fcw: [0x340] }),
    ...x87(`${name} st, st(1); fld1`, EXCEPTIONAL.slice(0, 3), { fcw: [0x340] }),
  ]);

const SINGLES = [0, 0x80000000, 0x3f800000, 0x40490fdb, 1, 0x807fffff, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc12345];
const DOUBLES = [
  0n,
  0x8000000000000000n,
  0x3ff0000000000000n,
  0x400921fb54442d18n,
  1n,
  0x800fffffffffffffn,
  0x7fefffffffffffffn,
  0x7ff0000000000000n,
  0x7ff0000000000001n,
  0x7ff8123456789abcn,
];
const INTEGERS = [0, 1, -1, 100, 0x7fff, -0x8000, 0x7fffffff, -0x80000000];

/** Operands in memory: the text that names one, and its contents. */
const MEMORY_OPERANDS: readonly (readonly [
  text: string,
  prefix: string,
  bytes: number,
  contents: readonly string[],
])[] = [
  ['dword ptr [edi+0x25]', 'f', 4, SINGLES.map((value) => littleEndian(value, 4))],
  ['qword ptr [edi+0x25]', 'f', 8, DOUBLES.map((value) => littleEndian(value, 8))],
  ['word ptr [edi+0x25]', 'fi', 2, INTEGERS.slice(0, 6).map((value) => littleEndian(value, 2))],
  ['dword ptr [edi+0x25]', 'fi', 4, INTEGERS.map((value) => littleEndian(value, 4))],
];

const withMemory = (names: readonly string[], undefinedStatus: number): Plan[] =>
  pairs(names, MEMORY_OPERANDS).flatMap(([name, [text, prefix, bytes, contents]]) => {
    const mnemonic = `${prefix}${name}`;
    const asm = `${mnemonic} ${text}`;
    return [
      ...contents.flatMap((value) =>
        x87(asm, [[PI], [ZERO], [INFINITY], [SNAN], [DENORMAL]], { in: memory(MEMORY, value), undefinedStatus }),
      ),
      ...contents.flatMap((value) =>
        x87(asm, [[PI], []], { fcw: [0x340], in: memory(MEMORY, value), undefinedStatus }),
      ),
      ...places(bytes).flatMap((edi) => x87(asm, [[PI]], { in: { edi: hex(edi) }, undefinedStatus })),
    ];
  });

const comparisons = (): Plan[] =>
  COMPARISONS.flatMap((name) => {
    const flags = name.includes('i');
    const asm = flags ? `${name} st, st(1)` : `${name} st(1)`;
    const options = { undefinedStatus: flags ? CODES | C1 : 0, in: { eflags: 'ad7' } };
    return [
      ...x87(
        asm,
        pairs(ALL, ALL).filter((_, i) => i % 3 !== 1 || i < 80),
        options,
      ),
      ...x87(asm, EXCEPTIONAL, { ...options, fcw: UNMASKED }),
      ...x87(
        asm.replace('(1)', '(2)'),
        [
          [ONE, PI],
          [ONE, PI, TWO],
        ],
        { ...options, fcw: [DEFAULT, 0x340] },
      ),
    ];
  });

const both = (): Plan[] =>
  ['fcompp', 'fucompp'].flatMap((name) => x87(name, [...FEW, [PI], []], { undefinedStatus: 0, fcw: [DEFAULT, 0x340] }));

export const x87Arithmetic = (): Plan[] => [
  ...operations(),
  ...withMemory(
    OPERATIONS.map((name) => name.slice(1)),
    CODES,
  ),
  ...comparisons(),
  ...both(),
  ...withMemory(['com', 'comp'], 0),
  ...['ftst', 'fxam'].flatMap((name) =>
    x87(name, [...ALL.map((value) => [value]), []], { undefinedStatus: 0, fcw: [DEFAULT, 0x340] }),
  ),
];
