// String instructions: each with and without repetition, in both directions, with both sizes of address.
import { DF, FLAGS, STATUS, hex, memory, once, type Plan } from './template.js';

const SIZES = [
  ['b', 1],
  ['w', 2],
  ['d', 4],
] as const;
const COUNTS = ['0', '1', '3', '11'];

/** Places for source and destination: apart, overlapping both ways, over page edges, into what is not mapped. */
const PLACES = [
  { esi: '10000200', edi: '10000400' },
  { esi: '10000200', edi: '10000203' },
  { esi: '10000203', edi: '10000200' },
  { esi: '10000ff5', edi: '100003fd' },
  { esi: '100003fd', edi: '10000ff5' },
];
/** After some elements, forwards and backwards, a page that is not there, or that cannot be written. */
const BAD_PLACES = [
  { esi: '10001ff5', edi: '10000400' },
  { esi: '10000400', edi: '10001ff6' },
  { esi: '10000400', edi: '10003ff7' },
];
const BAD_BACKWARDS = [
  { esi: '10000007', edi: '10000400' },
  { esi: '10000400', edi: '10000006' },
  { esi: '10000400', edi: '10003007' },
];
/** Far enough apart or near enough that runs of many elements end at the edges of both pages, and may not be runs. */
const LONG_PLACES = [
  { esi: '10000203', edi: '10000204' },
  { esi: '10000204', edi: '10000203' },
  { esi: '10000a03', edi: '10000201' },
  { esi: '10000200', edi: '10000a02' },
];
const LONG_BACKWARDS = [
  { esi: '10001a03', edi: '10001a04' },
  { esi: '10001a04', edi: '10001a03' },
  { esi: '10001e03', edi: '10001601' },
  { esi: '10001600', edi: '10001e02' },
];
const LONG = '3e3';
const LOW = { esi: '1000fffb', edi: 'abcd0010' };
const LOW_END = { esi: '10000010', edi: 'abcdfff9' };

const flags = (value: number): Plan['in'] => ({ eflags: hex(FLAGS | value) });

function plain(name: string): Plan[] {
  return SIZES.flatMap(([size, bytes]) => {
    const asm = `${name}${size}`;
    const backwards = [...PLACES, ...BAD_PLACES.map(({ esi }) => ({ esi, edi: '10000400' }))];
    return [
      ...[...PLACES, ...BAD_PLACES].map((place) => once(name, asm, { ...place, ...flags(STATUS) })),
      ...backwards.map((place) => once(name, asm, { ...place, ...flags(DF) })),
      once(name, asm, { esi: hex(0x10002000 - bytes), edi: hex(0x10002000 - bytes) }),
      once(name, asm, { esi: hex(0x10002001 - bytes), edi: '10000400' }),
      once(name, asm, { esi: '10000400', edi: hex(0x10002001 - bytes) }),
      once(name, `addr16 ${asm}`, LOW),
      once(name, `addr16 ${asm}`, { ...LOW, ...flags(DF) }),
      once(name, `addr16 ${asm}`, { esi: '1000ffff', edi: 'abcdffff' }),
    ];
  });
}

function repeated(name: string, prefix: string): Plan[] {
  return SIZES.flatMap(([size]) => {
    const asm = `${prefix} ${name}${size}`;
    const over = (places: readonly Plan['in'][], direction: number): Plan[] =>
      places.map((place) => once(name, asm, { ecx: '9', ...place, ...flags(direction) }));
    return [
      ...COUNTS.flatMap((ecx) => PLACES.map((place) => once(name, asm, { ecx, ...place, ...flags(STATUS) }))),
      ...COUNTS.flatMap((ecx) => PLACES.slice(1, 3).map((place) => once(name, asm, { ecx, ...place, ...flags(DF) }))),
      ...LONG_PLACES.map((place) => once(name, asm, { ecx: LONG, ...place })),
      ...LONG_BACKWARDS.map((place) => once(name, asm, { ecx: LONG, ...place, ...flags(DF) })),
      ...over(BAD_PLACES, 0),
      ...over(BAD_BACKWARDS, DF),
      // ecx = 0 touches nothing
      once(name, asm, { ecx: '0', esi: '0fffffff', edi: '0fffffff' }),
      ...['70000', '30003', 'ffff0002'].map((ecx) => once(name, `addr16 ${asm}`, { ecx, ...LOW })),
      once(name, `addr16 ${asm}`, { ecx: '40009', ...LOW_END, ...flags(DF) }),
      once(name, `addr16 ${asm}`, { ecx: '40009', ...LOW_END }),
    ];
  });
}

/** By the manual flags are as before when cmps or scas faults; some CPUs leave those of the last comparison. */
const flagsOnFault = (plan: Plan): Plan => ({ ...plan, ignoreOnFault: ['eflags'] });

const EQUAL = '00112233445566778899aabbccddeeff';

/** cmps and scas end at a difference or at an equality, with its flags. */
function searches(name: string): Plan[] {
  return ['repe', 'repne'].flatMap((prefix) =>
    SIZES.flatMap(([size]) => {
      const asm = `${prefix} ${name}${size}`;
      const equal = { ...memory(0x10000200, EQUAL), ...memory(0x10000400, EQUAL) };
      const differs = { ...memory(0x10000200, EQUAL), ...memory(0x10000400, EQUAL.replace('99', '98')) };
      const same = memory(0x10000400, '5a5a5a5a5a5a5a5a5a5a5a5a00000000');
      return [
        ...[equal, differs, same].flatMap((contents) => [
          once(name, asm, { ecx: '4', ...contents, ...flags(0) }),
          once(name, asm, { ecx: '10', eax: '5a5a5a5a', ...contents, ...flags(STATUS) }),
          once(name, asm, { ecx: '10', eax: '33221100', ...contents }),
        ]),
        once(name, asm, { ecx: '3', eax: '5a5a5a5a', esi: '10000208', edi: '10000408', ...same, ...flags(DF) }),
        once(name, asm, { ecx: '0', esi: '0fffffff', edi: '0fffffff', ...flags(STATUS) }),
      ];
    }),
  );
}

const segments = (): Plan[] => [
  once('movs', 'movs dword ptr es:[edi], dword ptr gs:[esi]', { esi: '20', gs: '63' }),
  once('lods', 'lods eax, dword ptr gs:[esi]', { esi: '20', gs: '63' }),
  once('cmps', 'cmps byte ptr gs:[esi], byte ptr es:[edi]', { esi: '20', gs: '63' }),
  once('movs', 'rep movs dword ptr es:[edi], dword ptr fs:[esi]', { esi: 'f1', ecx: '8', fs: '6b' }),
  once('movs', 'rep movsb', { es: '6b', edi: 'f9', ecx: '20' }),
  // the destination has no override
  once('stos', '.byte 0x65, 0xab', { gs: '63' }),
  once('scas', '.byte 0x65, 0xaf', { gs: '63' }),
  // rep before what does not repeat
  once('add', '.byte 0xf3, 0x01, 0xc8', { ecx: '5' }),
];

export const strings = (): Plan[] => [
  ...['movs', 'stos', 'lods', 'cmps', 'scas'].flatMap(plain),
  ...['movs', 'stos', 'lods'].flatMap((name) => [...repeated(name, 'rep'), ...repeated(name, 'repne').slice(0, 12)]),
  ...['cmps', 'scas'].flatMap((name) => [...repeated(name, 'repe').map(flagsOnFault), ...searches(name)]),
  ...segments(),
];
