// x87: loads and stores, constants, what is left of arithmetic, control, environment.
import { addressKey } from '../../support/state-delta.js';
import { MEMORY, hex, littleEndian, memory, once, pairs, places, type Plan } from './template.js';
import {
  ALL,
  ALL_ONES,
  BIG_DENORMAL,
  BIG_SNAN,
  C0,
  C1,
  C3,
  CODES,
  DEFAULT,
  DENORMAL,
  HALF_DOUBLE,
  HALF_SINGLE,
  INDEFINITE,
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
  ROUNDINGS,
  SNAN,
  TEN,
  THIRD,
  TWO,
  UNMASKED,
  UNNORMAL,
  ZERO,
  stack,
  x87,
} from './x87-values.js';

const FULL = [ONE, TWO, PI, TEN, ZERO, QNAN, THIRD, MAX];
const single = (values: readonly string[]): string[][] => values.map((value) => [value]);
const negative = (value: string): string => (Number.parseInt(value.slice(0, 1), 16) ^ 8).toString(16) + value.slice(1);

/** Numbers that a store to a narrower format rounds, overflows or makes denormal; integers and halves around them. */
const STORED = [
  ...ALL,
  NEAR_DOUBLE,
  HALF_DOUBLE,
  HALF_SINGLE,
  '3fff8000000000000800',
  '3fff8000000000000c00',
  '3fffffffffffffffffff',
  '3fffffffff8000000000',
  '407effffff0000000000',
  '407effffff7fffffffff',
  '407effffff8000000000',
  '43fefffffffffffff800',
  '43fefffffffffffffc00',
  '3f81fffffe8000000000',
  '3f80ffffffffffffffff',
  '3f80ffffff0000000000',
  '3f6a8000000000000000',
  '3f698000000000000001',
  '3f698000000000000000',
  '3c00ffffffffffffffff',
  '3bcd8000000000000000',
  '3bcc8000000000000001',
  '3bcc8000000000000000',
];
const INTEGRAL = [
  ...ALL,
  '3ffe8000000000000000',
  '3ffe8000000000000001',
  '3ffeffffffffffffffff',
  '3fffc000000000000000',
  '4000a000000000000000',
  'bffe8000000000000000',
  'bfffc000000000000000',
  '400dfffe000000000000',
  '400dffff000000000000',
  'c00e8000000000000000',
  'c00e8000800000000000',
  '401dfffffffc00000000',
  '401dfffffffe00000000',
  '401dffffffff00000000',
  'c01e8000000000000000',
  'c01e8000000080000000',
  'c01e8000000100000000',
  '403dffffffffffffffff',
  '403dfffffffffffffffe',
  '403e8000000000000000',
  'c03e8000000000000000',
  'c03e8000000000000001',
  '403cffffffffffffffff',
  '403ab000000000000007',
];
/** Around the largest 18-digit number. */
const DECIMAL = [
  '403ade0b6b3a763fffff',
  '403ade0b6b3a76400000',
  '403ade0b6b3a763ffff0',
  'c03ade0b6b3a763ffff7',
  '4019b7e41ce37f2a9c00',
  ...INTEGRAL,
];

const loads = (): Plan[] => {
  const at = '[edi+0x25]';
  const from = (asm: string, bytes: number, contents: readonly string[]): Plan[] => [
    ...contents.flatMap((value) => x87(asm, [[]], { fcw: [DEFAULT, 0x340], in: memory(MEMORY, value) })),
    ...x87(asm, [FULL], { fcw: [DEFAULT, 0x340], in: memory(MEMORY, contents[1] ?? '') }),
    ...places(bytes).flatMap((edi) => x87(asm, [[ONE]], { in: { edi: hex(edi) } })),
  ];
  const singles = [
    0, 0x3f800000, 0x80000000, 1, 0x807fffff, 0x00800000, 0x7f7fffff, 0xff800000, 0x7f800001, 0xffc12345,
  ];
  const doubles = [
    0n,
    0x3ff0000000000000n,
    1n << 63n,
    1n,
    0x800fffffffffffffn,
    0x7fefffffffffffffn,
    0x7ff0000000000000n,
  ];
  const notNumbers = [0x7ff0000000000001n, 0xfff8123456789abcn, 0x7ff7ffffffffffffn];
  const integers = [
    0n,
    1n,
    -1n,
    0x7fffn,
    -0x8000n,
    0x7fffffffn,
    -0x80000000n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    0x5a96c3e1n,
  ];
  const decimals = ['00000000000000000000', '99999999999999999900', '99999999999999999980', '00000000000000000080'];
  const oddDecimals = ['21436587092143658700', '0000000000000000007f', '0a0b0c0d0e0f00000000', '000000000000000000ff'];
  return [
    ...from(
      `fld dword ptr ${at}`,
      4,
      singles.map((value) => littleEndian(value, 4)),
    ),
    ...from(
      `fld qword ptr ${at}`,
      8,
      [...doubles, ...notNumbers].map((value) => littleEndian(value, 8)),
    ),
    ...from(
      `fld tbyte ptr ${at}`,
      10,
      ALL.map((value) => littleEndian(BigInt(`0x${value}`), 10)),
    ),
    ...from(
      `fild word ptr ${at}`,
      2,
      integers.map((value) => littleEndian(value, 2)),
    ),
    ...from(
      `fild dword ptr ${at}`,
      4,
      integers.map((value) => littleEndian(value, 4)),
    ),
    ...from(
      `fild qword ptr ${at}`,
      8,
      integers.map((value) => littleEndian(value, 8)),
    ),
    ...from(`fbld tbyte ptr ${at}`, 10, [...decimals, ...oddDecimals]),
    ...x87('fld st(0)', [[], [PI], [SNAN], [DENORMAL], FULL, FULL.slice(1)], { fcw: [DEFAULT, 0x340] }),
    ...x87('fld st(2)', [[], [PI, ONE, TEN], [PI, ONE], FULL], { fcw: [DEFAULT, 0x340] }),
    // nothing to load and no room for it
    ...x87('fld st(2)', [FULL], { fcw: [DEFAULT, 0x340], in: { ftw: 'fb' }, undefinedStatus: CODES }),
    ...['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz'].flatMap((name) => [
      ...x87(name, [[]], { fcw: MODES }),
      ...x87(name, [FULL], { fcw: [DEFAULT, 0x340] }),
    ]),
  ];
};

const store = (asm: string, bytes: number, values: readonly string[], fcw: readonly number[]): Plan[] => [
  ...x87(asm, single(values), { fcw: [...fcw, ...UNMASKED] }),
  ...x87(asm, [[]], { fcw: [DEFAULT, 0x340] }),
  ...places(bytes).flatMap((edi) => x87(asm, [[ONE], [MAX], []], { fcw: [DEFAULT, 0x340], in: { edi: hex(edi) } })),
];

const stores = (): Plan[] => {
  const widths = { word: 2, dword: 4, qword: 8, tbyte: 10 };
  const forms = (
    name: string,
    sizes: readonly (keyof typeof widths)[],
    values: readonly string[],
    fcw: readonly number[],
  ): Plan[] => sizes.flatMap((size) => store(`${name} ${size} ptr [edi+0x25]`, widths[size], values, fcw));
  return [
    ...forms('fst', ['dword', 'qword'], STORED, ROUNDINGS),
    ...forms('fstp', ['dword', 'qword'], STORED, [DEFAULT, 0x7f, 0xc7f]),
    ...forms('fstp', ['tbyte'], ALL, [DEFAULT]),
    ...forms('fist', ['word', 'dword'], INTEGRAL, ROUNDINGS),
    ...forms('fistp', ['word', 'dword'], INTEGRAL, [DEFAULT, 0x7f]),
    ...forms('fistp', ['qword'], INTEGRAL, ROUNDINGS),
    ...forms('fisttp', ['word', 'dword', 'qword'], INTEGRAL, [DEFAULT, 0xb7f]),
    ...forms('fbstp', ['tbyte'], DECIMAL, ROUNDINGS),
    ...x87('fst st(1)', [[PI, ONE], [SNAN, ONE], [PI], []], { fcw: [DEFAULT, 0x340] }),
    ...x87('fstp st(1)', [[PI, ONE], [SNAN, ONE], [PI], []], { fcw: [DEFAULT, 0x340] }),
    ...x87('fstp st(0)', [[PI, ONE], []], { fcw: [DEFAULT, 0x340] }),
    ...x87('fst st(7)', [[PI, ONE]], { fcw: [DEFAULT, 0x340] }),
  ];
};

const CONDITIONS = ['b', 'e', 'be', 'u', 'nb', 'ne', 'nbe', 'nu'];
const moves = (): Plan[] => [
  // C1 is 0 after an underflow; otherwise some CPUs clear it and some do not
  ...pairs(CONDITIONS, ['202', '203', '242', '206', '247']).flatMap(([condition, eflags]) => [
    ...x87(`fcmov${condition} st, st(1)`, [[ONE, PI]], { in: { eflags }, undefinedStatus: CODES | C1 }),
    ...x87(`fcmov${condition} st, st(2)`, [[ONE, PI]], {
      in: { eflags },
      fcw: [DEFAULT, 0x340],
      undefinedStatus: CODES | C1,
    }),
    ...x87(`fcmov${condition} st, st(1)`, [[], [SNAN, DENORMAL]], { in: { eflags }, undefinedStatus: CODES | C1 }),
  ]),
  ...x87('fxch st(1)', [[ONE, PI], [ONE], [], [SNAN, UNNORMAL]], { fcw: [DEFAULT, 0x340] }),
  ...x87('fxch st(3)', [FULL, [ONE]], { fcw: [DEFAULT, 0x340] }),
  ...x87('fxch st(0)', [[ONE]]),
];

const unary = (): Plan[] => [
  ...['fchs', 'fabs'].flatMap((name) =>
    x87(name, [...single([...ALL, INDEFINITE]), []], { fcw: [DEFAULT, 0x340], undefinedStatus: CODES }),
  ),
  ...x87('fsqrt', single([...ALL, TWO, '4001b504f333f9de6484', '3fbeffffffffffffffff', '0000c000000000000001']), {
    fcw: MODES,
  }),
  ...x87('fsqrt', [...single(ALL), []], { fcw: UNMASKED }),
  ...x87('frndint', single(INTEGRAL), { fcw: ROUNDINGS }),
  ...x87('frndint', [...single(INTEGRAL), []], { fcw: UNMASKED }),
  ...x87('frndint', single([PI, '400dfffe800000000000', '403cffffffffffffffff']), { fcw: MODES }),
  ...x87('fxtract', [...single([...ALL, TWO, negative(TEN)]), [], FULL], { fcw: [DEFAULT, 0x340, 0xf7f] }),
];

const SCALES = [
  ZERO,
  ONE,
  negative(ONE),
  TEN,
  THIRD,
  '3fffffffffffffffffff',
  '400dfffe000000000000',
  'c00dfffe000000000000',
];
const MORE_SCALES = [
  '400c8000000000000000',
  'c00ca000000000000000',
  MAX,
  negative(MAX),
  DENORMAL,
  INFINITY,
  MINUS_INFINITY,
];

const scaling = (): Plan[] => [
  ...x87('fscale', pairs([...ALL, negative(THIRD)], [...SCALES, ...MORE_SCALES, SNAN, QNAN, UNNORMAL])),
  ...x87('fscale', pairs([ONE, THIRD, MIN, MAX, negative(PI), DENORMAL], [...SCALES, ...MORE_SCALES]), {
    fcw: [0x77f, 0xb7f, 0xf7f, 0x07f, 0x340],
  }),
  ...x87('fscale', [[ONE], []], { fcw: [DEFAULT, 0x340] }),
];

/** Remainders that end at once, that end with quotient bits of every value, that need several rounds. */
const DIVIDENDS = [
  PI,
  TEN,
  negative(TEN),
  '4003b800000000000000',
  MAX,
  ALL_ONES,
  MIN,
  DENORMAL,
  '403fffffffffffffffff',
  '407e8000000000000001',
];
const DIVISORS = [
  ONE,
  TWO,
  THIRD,
  negative(PI),
  DENORMAL,
  MIN,
  '4000c000000000000000',
  BIG_DENORMAL,
  '3fff8000000000000001',
  TEN,
];
/** From 1.5 up, so that the low bits of the quotient take every value. */
const QUOTIENTS = [
  '3fffc',
  '4000b',
  '4000e',
  '40019',
  '4001b',
  '4001d',
  '4001f',
  '40028',
  '40029',
  '4002a',
  '4002b',
].map((start) => start.padEnd(20, '0'));
const remainders = (): Plan[] =>
  ['fprem', 'fprem1'].flatMap((name) => [
    ...x87(name, pairs(DIVIDENDS, DIVISORS), { undefinedStatus: 0 }),
    ...x87(name, pairs(ALL, [...ALL.slice(12), ZERO, ONE]), { undefinedStatus: CODES }),
    ...x87(name, [[ONE], [], [ZERO, ZERO], [DENORMAL, ONE], [INFINITY, ONE], [PI, TWO], [MIN, THIRD]], {
      fcw: UNMASKED,
    }),
    ...x87(name, pairs(QUOTIENTS, [ONE, '3fffc000000000000000', MINUS_ONE]), { undefinedStatus: 0 }),
  ]);

/** Arguments of the transcendental instructions; results may differ in the last place from one make of CPU to the next. */
const ANGLES = [
  ONE,
  MINUS_ONE,
  THIRD,
  PI,
  TEN,
  '3ffec90fdaa22168c235',
  '3fffc90fdaa22168c235',
  '3fe08000000000000001',
  '400b9c40000000000000',
];
const UNIT = [
  ONE,
  MINUS_ONE,
  THIRD,
  negative(THIRD),
  '3ffe8000000000000000',
  '3fe08000000000000001',
  '3ffeffffffffffffffff',
  '3fbfc000000000000000',
];
const POSITIVE = [
  ONE,
  TWO,
  TEN,
  PI,
  THIRD,
  '3fff8000000000000001',
  '3ffeffffffffffffffff',
  MAX,
  MIN,
  '3ffd9a209a84fbcff799',
];
const SMALL = [
  ZERO,
  MINUS_ZERO,
  '3ffd9000000000000000',
  'bffd9000000000000000',
  '3fe08000000000000001',
  'bfbfc000000000000000',
];
const HUGE = ['403dffffffffffffffff', '403e8000000000000000', 'c03e8000000000000000', MAX];
const SPECIAL = ALL.filter((value) => ![PI, THIRD, MAX, TEN, ALL_ONES].includes(value));

const transcendental = (): Plan[] => {
  const close = { ulps: 1, undefinedStatus: C0 | C1 | C3 };
  const codes = { ulps: 1, undefinedStatus: CODES | C1 };
  return [
    ...['fsin', 'fcos', 'fsincos', 'fptan'].flatMap((name) => [
      ...x87(name, single([...ANGLES, ...HUGE, ...SPECIAL]), close),
      ...x87(name, [...single([ONE, ...NOT_REAL]), [], FULL], { ...close, fcw: [0x340] }),
      ...x87(name, [[], FULL], close),
    ]),
    ...x87('f2xm1', single([...UNIT, ...SPECIAL]), codes),
    ...x87('f2xm1', [...single([THIRD, ...NOT_REAL]), []], { ...codes, fcw: [0x340] }),
    ...['fpatan', 'fyl2x'].flatMap((name) => [
      ...x87(
        name,
        pairs([...POSITIVE, ...SPECIAL], [ONE, MINUS_ONE, PI, ...SPECIAL.filter((_, i) => i % 2 === 0)]),
        codes,
      ),
      ...x87(name, [...pairs([ONE, THIRD, ZERO, ...NOT_REAL], [TWO, ZERO, ...NOT_REAL]), [ONE], []], {
        ...codes,
        fcw: [0x340],
      }),
      ...x87(name, [[ONE], []], codes),
    ]),
    ...x87('fpatan', pairs([PI, negative(PI)], [TEN, negative(TEN)]), codes),
    ...x87(
      'fyl2xp1',
      pairs([...SMALL, QNAN, SNAN, DENORMAL], [ONE, PI, ZERO, INFINITY, SNAN, QNAN, negative(TEN)]),
      codes,
    ),
    ...x87('fyl2xp1', [[ONE], [], [SMALL[2] ?? '', SNAN], [SNAN, SNAN]], { ...codes, fcw: [0x340] }),
  ];
};
const NOT_REAL = [SNAN, INFINITY, DENORMAL, UNNORMAL];

const control = (): Plan[] => [
  ...x87('fincstp', [[], [ONE], FULL], { status: 0x4700 }),
  ...x87('fdecstp', [[], [ONE], FULL], { status: 0x4700 }),
  ...x87('ffree st(0)', [[ONE, PI], []], { status: 0x4700 }),
  ...x87('ffree st(2)', [FULL], { status: 0x4700 }),
  ...x87('.byte 0xdf, 0xc1', [[ONE, PI, TEN], [ONE]], { mnemonic: 'ffreep' }),
  ...x87('fnop', [[ONE]], { status: 0x4700, undefinedStatus: 0 }),
  ...x87('fninit', [FULL, []], { fcw: [0x340, 0x7f], status: 0x47ff & ~0x80, undefinedStatus: 0 }),
  ...x87('fnclex', [FULL, []], { fcw: [0x340], status: 0xc7ff, undefinedStatus: CODES }),
  ...x87('fnclex', [[]], { status: 0x477f, undefinedStatus: CODES }),
  ...x87('.byte 0xdb, 0xe0', [[ONE]], { mnemonic: 'fneni', undefinedStatus: 0 }),
  ...x87('.byte 0xdb, 0xe1', [[ONE]], { mnemonic: 'fndisi', undefinedStatus: 0 }),
  ...x87('.byte 0xdb, 0xe4', [[ONE]], { mnemonic: 'fnsetpm', undefinedStatus: 0 }),
  ...[0x37f, 0x340, 0, 0xffff, 0x1f7f, 0x340].flatMap((fcw) =>
    [0, 0x3f].flatMap((status) =>
      x87('fldcw [edi+0x25]', [[ONE]], { in: memory(MEMORY, littleEndian(fcw, 2)), status, undefinedStatus: CODES }),
    ),
  ),
  ...['fnstcw [edi+0x25]', 'fnstsw [edi+0x25]', 'fnstsw ax'].flatMap((asm) =>
    x87(asm, [FULL, [], [PI]], { fcw: [DEFAULT, 0xf40], status: 0x4700, undefinedStatus: 0 }),
  ),
  ...['fldcw [edi+0x25]', 'fnstcw [edi+0x25]', 'fnstsw [edi+0x25]'].flatMap((asm) =>
    places(2).flatMap((edi) => x87(asm, [[ONE]], { in: { edi: hex(edi) }, undefinedStatus: 0 })),
  ),
  ...x87('fwait', [[]], { undefinedStatus: 0 }),
  // a pending exception, and what waits for it
  ...[
    'fwait',
    'fld1',
    'fnop',
    'fadd st, st(1)',
    'fldcw [edi]',
    'fxch st(1)',
    'fincstp',
    'ffree st(1)',
    'frndint',
  ].flatMap((asm) => x87(asm, [[ONE, PI]], { fcw: [0x340], status: 0x8081, undefinedStatus: 0 })),
  ...[
    'fnstsw ax',
    'fnclex',
    'fninit',
    'fnstcw [edi+0x25]',
    'fnstsw [edi+0x25]',
    'emms',
    'paddb mm0, mm1',
    'movups xmm0, [edi]',
  ].flatMap((asm) => x87(asm, [[ONE, PI]], { fcw: [0x340], status: 0x8081 })),
];

/** Instruction and operand pointers are not compared: not every CPU keeps them when nothing is pending. */
const pointers = (at: number, size: 16 | 32): string[] =>
  Array.from({ length: size === 32 ? 16 : 8 }, (_, i) => addressKey(at + (size === 32 ? 12 : 6) + i));

const image = (size: 16 | 32, words: readonly number[], registers: readonly string[] = []): Plan['in'] =>
  memory(
    MEMORY,
    words.map((value) => littleEndian(size === 32 ? value | 0xffff0000 : value, size / 8)).join('') +
      registers.map((value) => littleEndian(BigInt(`0x${value}`), 10)).join(''),
  );

const environment = (): Plan[] => {
  const words = [0x0f7f, 0x3841, 0xe4d2, 0x1234, 0x5678, 0x9abc, 0xdef0];
  const pending = [0x0340, 0x3881, 0x0000, 0, 0, 0, 0];
  return ([16, 32] as const).flatMap((size) => {
    const prefix = size === 16 ? '.byte 0x66; ' : '';
    const ignore = pointers(MEMORY, size);
    const bytes = size === 16 ? 14 : 28;
    return [
      ...x87(`${prefix}fnstenv [edi+0x25]`, [FULL, [], [PI, ZERO], [SNAN, UNNORMAL, DENORMAL, INFINITY]], {
        fcw: [DEFAULT, 0x740],
        status: 0x4700,
        ignore,
        mnemonic: 'fnstenv',
        undefinedStatus: 0,
      }),
      ...x87(`${prefix}fnsave [edi+0x25]`, [FULL, [], [PI, ZERO], [BIG_SNAN, MINUS_ZERO, PSEUDO_DENORMAL]], {
        fcw: [DEFAULT, 0x740],
        status: 0x4700,
        ignore,
        mnemonic: 'fnsave',
        undefinedStatus: 0,
      }),
      ...[words, pending].flatMap((values) => [
        ...x87(`${prefix}fldenv [edi+0x25]`, [FULL, [PI]], {
          in: image(size, values),
          mnemonic: 'fldenv',
          undefinedStatus: 0,
        }),
        ...x87(`${prefix}frstor [edi+0x25]`, [FULL, []], {
          in: image(size, values, FULL.toReversed()),
          mnemonic: 'frstor',
          undefinedStatus: 0,
        }),
      ]),
      ...pairs(['fnstenv', 'fnsave', 'fldenv', 'frstor'], places(bytes)).flatMap(([name, edi]) =>
        x87(`${prefix}${name} [edi+0x25]`, [FULL], {
          in: { edi: hex(edi) },
          mnemonic: name,
          ignore: name.startsWith('fn') ? pointers(edi + 0x25, size) : [],
          ignoreOnFault: ['memory'],
          undefinedStatus: 0,
        }),
      ),
    ];
  });
};

/** Encodings that are older names of other instructions, and some that are none. */
const aliases = (): Plan[] => [
  ...[
    ['fcom', '0xdc, 0xd1'],
    ['fcomp', '0xdc, 0xd9'],
    ['fcomp', '0xde, 0xd1'],
    ['fxch', '0xdd, 0xc9'],
    ['fxch', '0xdf, 0xc9'],
    ['fstp', '0xd9, 0xd9'],
    ['fstp', '0xdf, 0xd1'],
    ['fstp', '0xdf, 0xd9'],
  ].flatMap(([mnemonic, bytes]) =>
    x87(`.byte ${bytes}`, [[PI, TEN, ONE]], {
      mnemonic: mnemonic ?? '',
      undefinedStatus: mnemonic?.startsWith('fcom') ? 0 : CODES,
    }),
  ),
  ...[
    '0xd9, 0xd1',
    '0xd9, 0xe2',
    '0xd9, 0xe6',
    '0xd9, 0xef',
    '0xd9, 0x0f',
    '0xda, 0xe8',
    '0xda, 0xf0',
    '0xdb, 0xe5',
    '0xdb, 0xf8',
    '0xdb, 0x27',
    '0xdd, 0xf0',
    '0xdd, 0x2f',
    '0xde, 0xd8',
    '0xdf, 0xe1',
    '0xdf, 0xf8',
  ].map((bytes) => once('ud', `.byte ${bytes}`, stack([PI, TEN]))),
];

export const x87Rest = (): Plan[] => [
  ...loads(),
  ...stores(),
  ...moves(),
  ...unary(),
  ...scaling(),
  ...remainders(),
  ...transcendental(),
  ...control(),
  ...environment(),
  ...aliases(),
];
