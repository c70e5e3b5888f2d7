// SSE, SSE2 and SSE3 on floating-point numbers: arithmetic, comparisons, conversions, moves, MXCSR.
import { addressKey, type Delta } from '../../support/state-delta.js';
import { hex, littleEndian, memory, once, pairs, places, type Plan } from './template.js';
import {
  ALIGNED,
  BYTES,
  FLUSHING,
  REST,
  ROUNDINGS,
  UNMASKED,
  all,
  at,
  badPlaces,
  chunks,
  grid,
  lane,
  lanes,
  sse,
  telling,
  type Format,
  type SseOptions,
} from './sse-values.js';

const SUFFIXES = [
  ['ss', 'single'],
  ['sd', 'double'],
  ['ps', 'single'],
  ['pd', 'double'],
] as const;

const REST_TEXT = REST.toString(16).padStart(32, '0');
const POINTER = { ss: 'dword', sd: 'qword', ps: 'xmmword', pd: 'xmmword' } as const;
const MEMORY_BYTES = { ss: 4, sd: 8, ps: 16, pd: 16 } as const;
type Suffix = keyof typeof POINTER;

/** xmm0 and xmm1 from pairs of values: one pair a case for scalars, all lanes filled with pairs for the packed. */
function operands(suffix: Suffix, format: Format, values: readonly (readonly [bigint, bigint])[]): Delta[] {
  const bytes = BYTES[format];
  if (suffix === 'ss' || suffix === 'sd') {
    return values.map(([a, b]) => ({ xmm0: lane(a, bytes), xmm1: lane(b, bytes) }));
  }
  return chunks(values, 16 / bytes).map((group) => ({
    xmm0: lanes(
      group.map(([a]) => a),
      bytes,
    ),
    xmm1: lanes(
      group.map(([, b]) => b),
      bytes,
    ),
  }));
}

/** The same with the second operand in memory. */
const inMemory = (state: Delta): Delta => ({ xmm0: state['xmm0'] ?? '', ...at(ALIGNED, state['xmm1'] ?? '0') });

/** With a register and with memory, in every mode, at good and bad addresses. */
function binary(name: string, suffix: Suffix, format: Format, imm = ''): Plan[] {
  const mnemonic = `${name}${suffix}`;
  const asm = `${mnemonic} xmm0, xmm1${imm}`;
  const asmMemory = `${mnemonic} xmm0, ${POINTER[suffix]} ptr [edi+0x30]${imm}`;
  const some = operands(suffix, format, telling(format));
  const every = operands(suffix, format, grid(all(format)));
  return [
    ...sse(asm, imm === '' ? every : every.filter((_, i) => i % 3 === 0)),
    ...sse(asm, some, { mxcsr: imm === '' ? [...ROUNDINGS, ...FLUSHING, ...UNMASKED] : [0, 0x1fc0] }),
    ...sse(asmMemory, some.map(inMemory)),
    ...sse(
      asmMemory,
      [...badPlaces(MEMORY_BYTES[suffix])].map((place) => ({ xmm0: some[0]?.['xmm0'] ?? '', ...place })),
    ),
  ];
}

const arithmetic = (): Plan[] =>
  pairs(['add', 'sub', 'mul', 'div', 'min', 'max'], SUFFIXES).flatMap(([name, [suffix, format]]) =>
    binary(name, suffix, format),
  );

const horizontal = (): Plan[] =>
  pairs(['addsub', 'hadd', 'hsub'], SUFFIXES.slice(2)).flatMap(([name, [suffix, format]]) =>
    binary(name, suffix, format),
  );

const compares = (): Plan[] => [
  ...pairs([0, 1, 2, 3, 4, 5, 6, 7], SUFFIXES).flatMap(([predicate, [suffix, format]]) =>
    binary('cmp', suffix, format, `, ${predicate}`),
  ),
  ...pairs(['comi', 'ucomi'], SUFFIXES.slice(0, 2)).flatMap(([name, [suffix, format]]) =>
    binary(name, suffix, format).map((plan) => ({ ...plan, in: { ...plan.in, eflags: 'ad7' } })),
  ),
];

/** The square roots, and the two approximations. */
function unary(name: string, suffix: Suffix, format: Format, options: SseOptions = {}): Plan[] {
  const values = [
    ...all(format),
    ...(format === 'single' ? [0x41100000n, 0x40000000n] : [0x4022000000000000n, 2n << 61n]),
  ];
  const states = operands(
    suffix,
    format,
    values.map((value) => [0x5a5an, value]),
  );
  const mnemonic = `${name}${suffix}`;
  const mxcsr = options.approximate === true ? [0x1f80, 0x1fc0] : [...ROUNDINGS, ...FLUSHING, ...UNMASKED];
  return [
    ...sse(`${mnemonic} xmm0, xmm1`, states, { ...options, mxcsr }),
    ...sse(`${mnemonic} xmm0, ${POINTER[suffix]} ptr [edi+0x30]`, states.slice(0, 6).map(inMemory), options),
    ...sse(`${mnemonic} xmm0, ${POINTER[suffix]} ptr [edi+0x30]`, badPlaces(MEMORY_BYTES[suffix]), options),
  ];
}

const roots = (): Plan[] => [
  ...SUFFIXES.flatMap(([suffix, format]) => unary('sqrt', suffix, format)),
  ...pairs(['rcp', 'rsqrt'], ['ss', 'ps'] as const).flatMap(([name, suffix]) =>
    unary(name, suffix, 'single', { approximate: true }),
  ),
];

const BITS = [0x00ff00ff12345678n, 0xf0f0f0f0ffffffffn, 0x8000000080000000n, 0x7fffffff7fc00001n];
const logic = (): Plan[] =>
  pairs(['and', 'andn', 'or', 'xor', 'unpckl', 'unpckh'], ['ps', 'pd'] as const).flatMap(([name, suffix]) => {
    const states = operands(suffix, 'double', grid(BITS));
    const asm = `${name}${suffix} xmm0, xmmword ptr [edi+0x30]`;
    return [
      ...sse(`${name}${suffix} xmm0, xmm1`, states),
      ...sse(asm, states.slice(0, 2).map(inMemory)),
      ...sse(
        asm,
        badPlaces(16).map((place) => ({ xmm0: REST_TEXT, ...place })),
      ),
    ];
  });

const shuffles = (): Plan[] =>
  pairs(['shufps', 'shufpd'], [0, 1, 2, 3, 0x1b, 0xe4, 0x93, 0xff]).flatMap(([name, imm]) => [
    ...sse(`${name} xmm0, xmm1, ${imm}`, [
      { xmm0: REST_TEXT, xmm1: REST_TEXT.toUpperCase().split('').toReversed().join('').toLowerCase() },
    ]),
    ...sse(`${name} xmm0, xmmword ptr [edi+0x30], ${imm}`, [
      { xmm0: REST_TEXT, ...at(ALIGNED, REST_TEXT) },
      ...badPlaces(16).slice(0, 2),
    ]),
  ]);

/** Numbers at the edges of 32-bit integers, and those that round to them. */
const TO_INTEGER: Readonly<Record<Format, readonly bigint[]>> = {
  single: [
    0x3f000000n,
    0xbf000000n,
    0x3fc00000n,
    0x40200000n,
    0x4effffffn,
    0x4f000000n,
    0xcf000000n,
    0xcf000001n,
    0x3effffffn,
  ],
  double: [
    0x3fe0000000000000n,
    0xbfe0000000000000n,
    0x3ff8000000000000n,
    0x4004000000000000n,
    0x41dfffffffc00000n,
    0x41dfffffffdfffffn,
    0x41dfffffffe00000n,
    0x41e0000000000000n,
    0xc1e0000000000000n,
    0xc1e0000000100000n,
    0xc1e0000000200000n,
  ],
};
/** Doubles at the edges of singles. */
const TO_SINGLE = [
  0x3ff0000010000000n,
  0x3ff0000030000000n,
  0x47efffffe0000000n,
  0x47efffffefffffffn,
  0x47effffff0000000n,
  0x380fffffe0000000n,
  0x380ffffff0000000n,
  0x3690000000000000n,
  0x3690000000000001n,
  0x36a0000000000000n,
  0xb6a0000000000001n,
  0x36b8000000000000n,
];
const INTEGERS = [0n, 1n, -1n, 0x7fffffffn, -0x80000000n, 0x01000001n, 0x01000003n, -0x7fffffc0n, 0x7fffffbfn, 100n];

/** What an instruction on MMX registers does to the x87 state may be done by the time it faults. */
const MMX_STATE = ['fsw', 'ftw'];

/** From floating-point lanes in xmm1 (or memory): results in whatever `to` is. */
function conversion(
  mnemonic: string,
  to: string,
  format: Format,
  memoryBytes: 4 | 8 | 16,
  extra: readonly bigint[],
): Plan[] {
  const pointer = { 4: 'dword', 8: 'qword', 16: 'xmmword' }[memoryBytes];
  const bytes = BYTES[format];
  const count = Math.max(1, memoryBytes / bytes);
  const values = [...all(format), ...extra];
  const groups = count === 1 ? values.map((value) => [value]) : chunks([...values, ...values.slice(0, 4)], count);
  const one = format === 'single' ? 0x3f800000n : 0x3ff0000000000000n;
  const states = groups.map((group) => ({
    xmm0: REST_TEXT,
    // the lanes above those that are converted are numbers that raise nothing
    xmm1: lanes([...group, ...Array.from({ length: 16 / bytes - group.length }, () => one)], bytes),
  }));
  const asm = `${mnemonic} ${to}, ${pointer} ptr [edi+0x30]`;
  return [
    ...sse(`${mnemonic} ${to}, xmm1`, states, {
      mxcsr: [...ROUNDINGS, ...FLUSHING.slice(0, 3), ...UNMASKED],
      ignoreOnFault: to === 'mm2' ? MMX_STATE : [],
    }),
    ...sse(asm, states.map(inMemory)),
    ...sse(
      asm,
      badPlaces(memoryBytes).map((place) => ({ xmm0: REST_TEXT, ...place })),
    ),
  ];
}

/** From integers: in a register, an MMX register, the low or all lanes of xmm1, or memory. */
function fromIntegers(
  mnemonic: string,
  from: 'ecx' | 'mm1' | 'xmm1',
  memoryBytes: 4 | 8 | 16,
  pointer: string,
): Plan[] {
  const groups = memoryBytes === 4 ? INTEGERS.map((value) => [value]) : chunks(INTEGERS, memoryBytes / 4);
  const register = (group: readonly bigint[]): Delta => {
    if (from === 'ecx') return { ecx: hex(BigInt.asUintN(32, group[0] ?? 0n)) };
    if (from === 'mm1') return { r1: `ffff${lanes(group, 4).slice(16)}`, fsw: '3800' };
    return { xmm1: lanes([...group, ...(group.length < 4 ? [0x7fn, 0x7fn] : [])], 4) };
  };
  const asm = `${mnemonic} xmm0, ${pointer} ptr [edi+0x30]`;
  return [
    ...sse(
      `${mnemonic} xmm0, ${from}`,
      groups.map((group) => ({ xmm0: REST_TEXT, ...register(group) })),
      {
        mxcsr: [...ROUNDINGS, 0x0f80],
      },
    ),
    ...sse(
      asm,
      groups.map((group) => ({ xmm0: REST_TEXT, ...at(ALIGNED, lanes(group, 4)) })),
    ),
    ...sse(
      asm,
      badPlaces(memoryBytes).map((place) => ({ xmm0: REST_TEXT, ...place })),
    ),
  ];
}

const conversions = (): Plan[] => {
  const { single, double } = TO_INTEGER;
  return [
    ...['cvtps2pi', 'cvttps2pi'].flatMap((name) => conversion(name, 'mm2', 'single', 8, single)),
    ...['cvtpd2pi', 'cvttpd2pi'].flatMap((name) => conversion(name, 'mm2', 'double', 16, double)),
    ...['cvtss2si', 'cvttss2si'].flatMap((name) => conversion(name, 'ecx', 'single', 4, single)),
    ...['cvtsd2si', 'cvttsd2si'].flatMap((name) => conversion(name, 'ecx', 'double', 8, double)),
    ...['cvtps2dq', 'cvttps2dq'].flatMap((name) => conversion(name, 'xmm0', 'single', 16, single)),
    ...['cvtpd2dq', 'cvttpd2dq'].flatMap((name) => conversion(name, 'xmm0', 'double', 16, double)),
    ...conversion('cvtps2pd', 'xmm0', 'single', 8, []),
    ...conversion('cvtpd2ps', 'xmm0', 'double', 16, TO_SINGLE),
    ...conversion('cvtss2sd', 'xmm0', 'single', 4, []),
    ...conversion('cvtsd2ss', 'xmm0', 'double', 8, TO_SINGLE),
    ...fromIntegers('cvtpi2ps', 'mm1', 8, 'qword'),
    ...fromIntegers('cvtpi2pd', 'mm1', 8, 'qword'),
    ...fromIntegers('cvtsi2ss', 'ecx', 4, 'dword'),
    ...fromIntegers('cvtsi2sd', 'ecx', 4, 'dword'),
    ...fromIntegers('cvtdq2ps', 'xmm1', 16, 'xmmword'),
    ...fromIntegers('cvtdq2pd', 'xmm1', 8, 'qword'),
  ];
};

const LEFT = '00112233445566778899aabbccddeeff';
const RIGHT = 'f0e1d2c3b4a5968778695a4b3c2d1e0f';
const both: Delta = { xmm0: LEFT, xmm1: RIGHT };

/** Loads, stores and register moves of all widths. */
const moves = (): Plan[] => {
  const full = ['movaps', 'movapd', 'movdqa', 'movups', 'movupd', 'movdqu'];
  const load = (name: string, pointer: string, bytes: number): Plan[] =>
    sse(`${name} xmm0, ${pointer} ptr [edi+0x30]`, [
      { ...both, ...at(ALIGNED, RIGHT) },
      ...badPlaces(bytes).map((place) => ({ ...both, ...place })),
    ]);
  const store = (name: string, pointer: string, bytes: number): Plan[] =>
    sse(`${name} ${pointer} ptr [edi+0x30], xmm0`, [both, ...badPlaces(bytes).map((place) => ({ ...both, ...place }))]);
  return [
    ...full.flatMap((name) => [
      ...sse(`${name} xmm0, xmm1`, [both]),
      ...sse(`{store} ${name} xmm0, xmm1`, [both], { mnemonic: name }),
      ...load(name, 'xmmword', 16),
      ...store(name, 'xmmword', 16),
    ]),
    ...['movntps', 'movntpd', 'movntdq'].flatMap((name) => store(name, 'xmmword', 16)),
    ...['lddqu', 'movsldup', 'movshdup'].flatMap((name) => load(name, 'xmmword', 16)),
    ...['movlps', 'movlpd', 'movhps', 'movhpd', 'movsd', 'movq'].flatMap((name) => [
      ...load(name, 'qword', 8),
      ...store(name, 'qword', 8),
    ]),
    ...['movss', 'movd'].flatMap((name) => [...load(name, 'dword', 4), ...store(name, 'dword', 4)]),
    ...load('movddup', 'qword', 8),
    ...['movss', 'movsd', 'movhlps', 'movlhps', 'movsldup', 'movshdup', 'movddup', 'movq'].flatMap((name) =>
      sse(`${name} xmm0, xmm1`, [both]),
    ),
    ...['movss', 'movsd', 'movq'].flatMap((name) => sse(`{store} ${name} xmm0, xmm1`, [both], { mnemonic: name })),
    ...sse('movd xmm0, ecx', [both]),
    ...sse('movd ecx, xmm1', [both]),
    ...['movmskps', 'movmskpd'].flatMap((name) =>
      sse(`${name} ecx, xmm1`, [both, { xmm1: '8'.repeat(32) }, { xmm1: LEFT }]),
    ),
    ...sse('movnti dword ptr [edi+0x30], ecx', [{}, ...badPlaces(4)]),
    ...sse('movss xmm7, xmm3', [{ xmm7: LEFT, xmm3: RIGHT }]),
    ...sse('movaps xmm5, xmm5', [{ xmm5: LEFT }]),
    ...sse('addps xmm6, xmm6', [{ xmm6: '3f800000400000007f80000000000001' }]),
  ];
};

const state = (): Plan[] => [
  ...[0x1f80, 0, 0xffff, 0x9fff, 0x10000, 0x80000000, 0x1fbf].flatMap((value) =>
    sse('ldmxcsr [edi+0x25]', [memory(0x10000425, littleEndian(value, 4))]),
  ),
  ...sse('stmxcsr [edi+0x25]', [{}], { mxcsr: [0x1f80, 0xffff, 0] }),
  ...places(4).flatMap((edi) => [
    ...sse('stmxcsr [edi+0x25]', [{ edi: hex(edi) }]),
    ...sse('ldmxcsr [edi+0x25]', [{ edi: hex(edi) }]),
  ]),
  // unmasking what is already raised raises nothing; the next operation does only for what itself raises
  ...sse('ldmxcsr [edi+0x25]; addss xmm0, xmm1', [{ ...memory(0x10000425, '3f000000'), ...both }]),
  ...['sfence', 'lfence', 'mfence', 'pause'].flatMap((name) => sse(name, [{}])),
  ...['prefetchnta', 'prefetcht0', 'prefetcht1', 'prefetcht2'].flatMap((name) =>
    sse(`${name} [edi]`, [{}, { edi: '10002000' }]),
  ),
  ...sse('clflush [edi]', [{}, { edi: '10002000' }, { edi: '10004000' }]),
];

/** fxsave leaves the pointers alone if nothing is pending, or does not; the mask of MXCSR is the CPU's own. */
const NOT_COMPARED = [...Array.from({ length: 18 }, (_, i) => 6 + i), 28, 29, 30, 31];
const fxState: Delta = {
  fcw: '27f',
  fsw: '3041',
  ftw: 'c7',
  r0: 'ffff0123456789abcdef',
  r6: '3fff8000000000000000',
  r7: '4000c90fdaa22168c235',
  xmm0: LEFT,
  xmm3: REST_TEXT,
  xmm7: RIGHT,
};

const image = (mxcsr: number, fcw = 0x37f, fsw = 0x3800): string =>
  littleEndian(fcw, 2) +
  littleEndian(fsw, 2) +
  '8100' +
  '00'.repeat(18) +
  littleEndian(mxcsr, 4) +
  'ffff0000' +
  Array.from({ length: 8 }, (_, i) => `${`${i}1`.repeat(10)}000000000000`).join('') +
  Array.from({ length: 8 }, (_, i) => `a${i}`.repeat(16)).join('');

const images = (): Plan[] => {
  const here = 0x10000430;
  return [
    ...sse('fxsave [edi+0x30]', [fxState, {}, { ...fxState, fcw: '340', fsw: 'b081' }], {
      mxcsr: [0x1f80, 0x7fbf],
      ignore: NOT_COMPARED.map((offset) => addressKey(here + offset)),
    }),
    ...[image(0x1f80), image(0xffbf, 0x40, 0), image(0x10000), image(0x1fa0, 0x340, 0x8081)].flatMap((bytes) =>
      sse('fxrstor [edi+0x30]', [{ ...fxState, ...memory(here, bytes) }]),
    ),
    ...pairs(['fxsave', 'fxrstor'], ['10000401', '10000408', '10001fd0', '10001ec0', '10003fd0', '10003ec0']).flatMap(
      ([name, edi]) => sse(`${name} [edi+0x30]`, [{ ...fxState, edi }], { ignoreOnFault: ['memory', 'cr2'] }),
    ),
  ];
};

const undefinedForms = (): Plan[] =>
  [
    '0xf3, 0x0f, 0x54, 0xc1',
    '0xf2, 0x0f, 0x14, 0xc1',
    '0x66, 0x0f, 0x52, 0xc1',
    '0xf3, 0x0f, 0x2e, 0xc1',
    '0x0f, 0xae, 0xd0',
    '0x0f, 0xc3, 0xc1',
  ].map((bytes) => once('ud', `.byte ${bytes}`));

export const sseFloat = (): Plan[] => [
  ...arithmetic(),
  ...horizontal(),
  ...compares(),
  ...roots(),
  ...logic(),
  ...shuffles(),
];

export const sseRest = (): Plan[] => [...conversions(), ...moves(), ...state(), ...images(), ...undefinedForms()];
