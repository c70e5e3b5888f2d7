// MMX, and the same instructions on xmm registers in SSE2: packed integers.
import type { Delta } from '../../support/state-delta.js';
import { hex, littleEndian, memory, once, pairs, places, type Plan } from './template.js';
import { ALIGNED, at, badPlaces, sse } from './sse-values.js';
import { PI, ZERO, stack } from './x87-values.js';

/** Pairs of 64-bit values: edges of every lane width, and some that look like nothing. */
const PAIRS: readonly (readonly [string, string])[] = [
  ['0000000000000000', 'ffffffffffffffff'],
  ['7fff80007f80ff00', '0001ffff017f80ff'],
  ['8000000080008080', '8000000080008080'],
  ['7fffffff7fff7f7f', '7fffffff7fff7f7f'],
  ['0123456789abcdef', 'fedcba9876543210'],
  ['80ff7f0100fe8001', 'ff80017fff01fe02'],
  ['ffff0000ffff0001', '00010002ffff8000'],
  ['a5c3e1f05a3c1e0f', 'a5c3e1f05a3c1e0f'],
];

const ARITHMETIC =
  'paddb paddw paddd paddq psubb psubw psubd psubq paddsb paddsw paddusb paddusw psubsb psubsw psubusb psubusw ' +
  'pmullw pmulhw pmulhuw pmuludq pmaddwd psadbw pavgb pavgw pminub pminsw pmaxub pmaxsw pand pandn por pxor ' +
  'pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw pcmpgtd packsswb packssdw packuswb punpckhbw punpckhwd punpckhdq';
const LOW = ['punpcklbw', 'punpcklwd', 'punpckldq'];
const SHIFTS = ['psllw', 'pslld', 'psllq', 'psrlw', 'psrld', 'psrlq', 'psraw', 'psrad'];
const COUNTS = [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 255];

/** An MMX register as the x87 register that it is. */
const mm = (number: number, value: string): Delta => ({ [`r${number}`]: `ffff${value}` });
/** The x87 stack as it must not stay: TOP is 5 and there are tags of all kinds. */
const BEFORE: Delta = { ...stack([PI, ZERO, PI]), fcw: '37f' };
const mmPair = ([a, b]: readonly [string, string]): Delta => ({ ...BEFORE, ...mm(0, a), ...mm(1, b) });
const mmMemory = ([a, b]: readonly [string, string]): Delta => ({
  ...BEFORE,
  ...mm(0, a),
  ...memory(0x10000425, littleEndian(BigInt(`0x${b}`), 8)),
});

const XMM_PAIRS = PAIRS.map(([a, b], i): readonly [string, string] => {
  const [c, d] = PAIRS[(i + 5) % PAIRS.length] ?? ['', ''];
  return [`${c}${a}`, `${d}${b}`];
});
const xmmPair = ([xmm0, xmm1]: readonly [string, string]): Delta => ({ xmm0, xmm1 });
const xmmMemory = ([xmm0, b]: readonly [string, string]): Delta => ({ xmm0, ...at(ALIGNED, b) });

const mmx = (name: string, bytes: 4 | 8): Plan[] => {
  const asm = `${name} mm0, ${bytes === 4 ? 'dword' : 'qword'} ptr [edi+0x25]`;
  return [
    ...sse(`${name} mm0, mm1`, PAIRS.map(mmPair)),
    ...sse(asm, PAIRS.slice(3, 6).map(mmMemory)),
    ...sse(
      asm,
      places(bytes).map((edi) => ({ ...BEFORE, edi: hex(edi) })),
    ),
  ];
};

const xmm = (name: string): Plan[] => [
  ...sse(`${name} xmm0, xmm1`, XMM_PAIRS.map(xmmPair)),
  ...sse(`${name} xmm0, xmmword ptr [edi+0x30]`, XMM_PAIRS.slice(3, 6).map(xmmMemory)),
  ...sse(
    `${name} xmm0, xmmword ptr [edi+0x30]`,
    badPlaces(16).map((place) => ({ xmm0: '5'.repeat(32), ...place })),
  ),
];

const arithmetic = (): Plan[] => [
  ...ARITHMETIC.split(' ').flatMap((name) => [...mmx(name, 8), ...xmm(name)]),
  ...LOW.flatMap((name) => [...mmx(name, 4), ...xmm(name)]),
  ...['punpcklqdq', 'punpckhqdq'].flatMap(xmm),
];

const shifts = (): Plan[] => [
  ...pairs(SHIFTS, COUNTS).flatMap(([name, count]) => {
    const value = PAIRS[1]?.[0] ?? '';
    const counter = count.toString(16).padStart(16, '0');
    return [
      ...sse(`${name} mm0, ${count}`, [mmPair([value, value]), mmPair(['8765432112345678', value])]),
      ...sse(`${name} xmm0, ${count}`, XMM_PAIRS.slice(1, 3).map(xmmPair)),
      ...sse(`${name} mm0, mm1`, [mmPair([value, counter])]),
      ...sse(`${name} xmm0, xmm1`, [xmmPair([XMM_PAIRS[1]?.[0] ?? '', `${'f'.repeat(16)}${counter}`])]),
      ...sse(`${name} mm0, qword ptr [edi+0x25]`, [mmMemory([value, counter])]),
      ...sse(`${name} xmm0, xmmword ptr [edi+0x30]`, [
        xmmMemory([XMM_PAIRS[1]?.[0] ?? '', `${'0'.repeat(16)}${counter}`]),
      ]),
    ];
  }),
  ...SHIFTS.flatMap((name) => [
    // the count is 64 bits wide
    ...sse(`${name} mm0, mm1`, [mmPair(['8765432112345678', '0000000100000001'])]),
    ...sse(`${name} xmm0, xmm1`, [xmmPair(['8'.repeat(32), '00000000000000000000000100000001'])]),
    ...sse(
      `${name} mm0, qword ptr [edi+0x25]`,
      places(8).map((edi) => ({ ...BEFORE, edi: hex(edi) })),
    ),
    ...sse(`${name} xmm0, xmmword ptr [edi+0x30]`, badPlaces(16)),
  ]),
  ...pairs(['pslldq', 'psrldq'], [0, 1, 7, 8, 9, 15, 16, 255]).flatMap(([name, count]) =>
    sse(`${name} xmm0, ${count}`, XMM_PAIRS.slice(4, 6).map(xmmPair)),
  ),
];

const SHUFFLES = [0x00, 0x1b, 0xe4, 0xff, 0x93, 0x4e];
const LEFT = '00112233445566778899aabbccddeeff';

const shuffles = (): Plan[] =>
  SHUFFLES.flatMap((imm) => [
    ...sse(`pshufw mm0, mm1, ${imm}`, [mmPair(['0000000000000000', '0123456789abcdef'])]),
    ...sse(`pshufw mm0, qword ptr [edi+0x25], ${imm}`, [mmMemory(['0000000000000000', '0123456789abcdef'])]),
    ...['pshufd', 'pshufhw', 'pshuflw'].flatMap((name) => [
      ...sse(`${name} xmm0, xmm1, ${imm}`, [{ xmm1: LEFT }]),
      ...sse(`${name} xmm0, xmmword ptr [edi+0x30], ${imm}`, [xmmMemory(['0', LEFT]), ...badPlaces(16).slice(0, 2)]),
    ]),
    ...sse(`pinsrw mm0, ecx, ${imm}`, [{ ...BEFORE, ...mm(0, 'fedcba9876543210') }]),
    ...sse(`pinsrw mm0, word ptr [edi+0x25], ${imm}`, [
      { ...BEFORE, ...mm(0, 'fedcba9876543210') },
      ...places(2).map((edi) => ({ edi: hex(edi) })),
    ]),
    ...sse(`pinsrw xmm0, ecx, ${imm}`, [{ xmm0: LEFT }]),
    ...sse(`pinsrw xmm0, word ptr [edi+0x25], ${imm}`, [{ xmm0: LEFT }]),
    ...sse(`pextrw ecx, mm1, ${imm}`, [{ ...BEFORE, ...mm(1, 'fedcba9876543210') }]),
    ...sse(`pextrw ecx, xmm1, ${imm}`, [{ xmm1: LEFT }]),
  ]);

const moves = (): Plan[] => {
  const value = { ...BEFORE, ...mm(0, '0123456789abcdef'), ...mm(1, 'fedcba9876543210') };
  const at8 = places(8).map((edi) => ({ ...value, edi: hex(edi) }));
  const at4 = places(4).map((edi) => ({ ...value, edi: hex(edi) }));
  const source = memory(0x10000425, '1032547698badcfe');
  return [
    ...sse('movd mm0, ecx', [value]),
    ...sse('movd ecx, mm1', [value]),
    ...sse('movd mm0, dword ptr [edi+0x25]', [{ ...value, ...source }, ...at4]),
    ...sse('movd dword ptr [edi+0x25], mm0', [value, ...at4]),
    ...sse('movq mm0, mm1', [value]),
    ...sse('{store} movq mm0, mm1', [value], { mnemonic: 'movq' }),
    ...sse('movq mm0, qword ptr [edi+0x25]', [{ ...value, ...source }, ...at8]),
    ...sse('movq qword ptr [edi+0x25], mm0', [value, ...at8]),
    ...sse('movntq qword ptr [edi+0x25], mm0', [value, ...at8]),
    ...sse('movq2dq xmm0, mm1', [{ ...value, xmm0: LEFT }]),
    ...sse('movdq2q mm0, xmm1', [{ ...value, xmm1: LEFT }]),
    ...sse('pmovmskb ecx, mm1', [value, { ...value, ...mm(1, 'ffffffffffffffff') }]),
    ...sse('pmovmskb ecx, xmm1', [{ xmm1: LEFT }, { xmm1: '80'.repeat(16) }]),
    ...sse('emms', [value, {}]),
    ...sse('paddb mm7, mm6; emms', [{ ...BEFORE, ...mm(7, '0123456789abcdef'), ...mm(6, '0101010101010101') }]),
    ...['8080808080808080', '00ff00800000ff7f', '0000000000000000'].flatMap((mask) => [
      ...sse('maskmovq mm0, mm1', [{ ...value, ...mm(1, mask) }]),
      ...sse('maskmovdqu xmm0, xmm1', [{ xmm0: LEFT, xmm1: `${mask}ff00000000000080` }]),
      ...sse('addr16 maskmovq mm0, mm1', [{ ...value, ...mm(1, mask), edi: 'abcdf123' }]),
    ]),
    // it may have made the registers MMX's by the time it faults
    ...sse(
      'maskmovq mm0, mm1',
      [
        { ...value, edi: '10002000' },
        { ...value, edi: '10004000' },
      ],
      { ignoreOnFault: ['fsw', 'ftw'] },
    ),
    ...sse('maskmovdqu xmm0, xmm1', [{ xmm0: LEFT, xmm1: 'f'.repeat(32), edi: '10002000' }]),
    ...sse('.byte 0x65, 0x0f, 0xf7, 0xc1', [{ ...value, edi: '20', gs: '63' }], { mnemonic: 'maskmovq' }),
    ...[
      '0x0f, 0xe7, 0xc1',
      '0x0f, 0x6c, 0xc1',
      '0xf3, 0x0f, 0x60, 0xc1',
      '0x0f, 0x71, 0xc9, 1',
      '0x0f, 0x71, 0x17, 1',
      '0x0f, 0xf7, 0x07',
    ].map((bytes) => once('ud', `.byte ${bytes}`)),
  ];
};

export const packedIntegers = (): Plan[] => [...arithmetic(), ...shifts(), ...shuffles(), ...moves()];
