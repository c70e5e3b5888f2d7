// Shifts and rotations by every count that matters, and the bit instructions.
import {
  AF,
  CF,
  MEMORY,
  OF,
  PF,
  SF,
  STATUS,
  edges,
  fixed,
  imm,
  implicit,
  instruction,
  littleEndian,
  mem,
  memory,
  once,
  pairs,
  reg,
  type Plan,
  type Width,
} from './template.js';

const COUNTS = [0, 1, 2, 7, 8, 9, 15, 16, 17, 18, 24, 25, 31, 32, 33, 0xff];
const SHIFTS = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sar'] as const;
const REGISTER = { 8: 'dl', 16: 'dx', 32: 'edx' } as const;

/** What the manual leaves open after a shift of `width` bits by `count`. */
function undefinedByShift(mnemonic: string, width: Width, count: number): number {
  const masked = count & 31;
  if (masked === 0) return 0;
  const rotates = mnemonic.startsWith('r');
  const far = !rotates && mnemonic !== 'sar' && masked >= width ? CF : 0;
  return (rotates ? 0 : AF) | (masked === 1 ? 0 : OF) | far;
}

function shift(mnemonic: (typeof SHIFTS)[number]): Plan[] {
  const flags = mnemonic.startsWith('rc') ? [0, CF] : undefined;
  const byOne = { undefinedFlags: mnemonic.startsWith('r') ? 0 : AF };
  const options = (at: number, width: Width): object => ({
    ...(flags === undefined ? {} : { flags }),
    undefinedFlags: (row: readonly number[]) => undefinedByShift(mnemonic, width, row[at] ?? 0),
  });
  return ([8, 16, 32] as const).flatMap((width) => {
    const values = edges(width);
    const rows = pairs([values[6] ?? 0, values[4] ?? 0, values[3] ?? 0], COUNTS);
    const few = pairs([values[6] ?? 0], [0, 1, 5, width - 1, 31, 32, 0x80]);
    return [
      ...[reg(REGISTER[width]), mem(width)].flatMap((kind) => [
        ...instruction(
          mnemonic,
          [kind, fixed('1')],
          values.map((value) => [value]),
          { ...options(1, width), ...byOne },
        ),
        ...instruction(mnemonic, [kind, imm(8)], few, options(1, width)),
      ]),
      ...instruction(mnemonic, [reg(REGISTER[width]), reg('cl')], rows, options(1, width)),
      ...instruction(mnemonic, [mem(width), reg('cl')], few, options(1, width)),
    ];
  });
}

/** /6 is /4 again. */
const SAL: Plan[] = [
  ...instruction('shl', [implicit('ecx')], [[0x5a96c3e1]], { undefinedFlags: AF | OF }).map((plan) => ({
    ...plan,
    asm: '.byte 0xc1, 0xf1, 5',
  })),
  ...instruction('shl', [implicit('cl')], [[0xc1]], { undefinedFlags: AF }).map((plan) => ({
    ...plan,
    asm: '.byte 0xd0, 0xf1',
  })),
];

function undefinedByDoubleShift(width: Width, count: number): number {
  if ((count & 31) > width) return STATUS;
  return (count & 31) === 0 ? 0 : AF | ((count & 31) === 1 ? 0 : OF);
}

function doubleShift(mnemonic: string): Plan[] {
  return ([16, 32] as const).flatMap((width) => {
    const source = width === 16 ? 'bx' : 'ebx';
    const rows = pairs(
      [
        [0x5a96c3e1, 0x0ff0a5c3],
        [0x80008000, 0x7fff7fff],
        [0x7fff7fff, 0x80018001],
      ],
      COUNTS.filter((count) => (count & 31) <= width),
    ).map(([[a, b], count]) => [a ?? 0, b ?? 0, count]);
    return [reg(REGISTER[width]), mem(width)].flatMap((kind) =>
      [imm(8), reg('cl')].flatMap((count) =>
        instruction(mnemonic, [kind, reg(source), count], rows, {
          undefinedFlags: (row) => undefinedByDoubleShift(width, row[2] ?? 0),
        }),
      ),
    );
  });
}

/** The offset in a register reaches as far as it can say, in both directions, from a memory operand. */
function bitTest(mnemonic: string): Plan[] {
  const options = { undefinedFlags: OF | SF | AF | PF };
  const offsets = [0, 1, 7, 8, 15, 16, 31, 32, 33, 100, 4000, -1, -8, -32, -33, -4000];
  return ([16, 32] as const).flatMap((width) => {
    const [register, offset] = width === 16 ? ['dx', 'cx'] : ['edx', 'ecx'];
    const values = [0x5a96c3e1, 0xa5693c1e];
    const near = pairs(values, [0, 1, 5, 15, 16, 31, 0xff]);
    return [
      ...instruction(mnemonic, [reg(register), reg(offset)], pairs(values, offsets), options),
      ...instruction(mnemonic, [mem(width), reg(offset)], pairs(values, offsets), options),
      ...instruction(mnemonic, [reg(register), imm(8)], near, options),
      ...instruction(mnemonic, [mem(width), imm(8)], near, options),
      // one step too far: the last bit that is mapped, and the first that is not
      ...[0xdff * 8 - 0x25 * 8 - 1, (0x2000 - (MEMORY % 0x1000)) * 8].flatMap((far) =>
        instruction(
          mnemonic,
          [fixed(`${width === 16 ? 'word' : 'dword'} ptr [edi+0x25]`), reg(offset)],
          [[0, far]],
          options,
        ),
      ),
    ];
  });
}

function bitScan(mnemonic: string): Plan[] {
  const values = [1, 2, 0x80, 0x8000, 0x80000000, 0x00010000, 0x5a96c3e0, 0xffffffff];
  const options = { undefinedFlags: OF | SF | AF | PF | CF };
  return ([16, 32] as const).flatMap((width) => {
    const [to, from] = width === 16 ? ['cx', 'dx'] : ['ecx', 'edx'];
    return [reg(from), mem(width)].flatMap((kind) => [
      ...instruction(
        mnemonic,
        [reg(to), kind],
        values.map((value) => [0x1234, value]),
        options,
      ),
      // The manual leaves the destination open when there is no bit; every CPU leaves it alone.
      ...instruction(mnemonic, [reg(to), kind], [[0x1234, 0]], options),
    ]);
  });
}

const swaps = (): Plan[] =>
  ['eax', 'ebx', 'esi'].flatMap((name) => instruction('bswap', [reg(name)], [[0x12345678], [0x80ff007f]]));

function exchanges(): Plan[] {
  const widths = [
    [8, 'cl', 'dl', 'al'],
    [16, 'cx', 'dx', 'ax'],
    [32, 'ecx', 'edx', 'eax'],
  ] as const;
  return widths.flatMap(([width, to, from, accumulator]) => {
    const [zero, one, , max, min, ones] = edges(width) as [number, number, number, number, number, number];
    const sums = [
      [zero, one],
      [ones, one],
      [max, one],
      [min, min],
      [max, ones],
    ];
    const compares = [
      [one, zero, one],
      [one, zero, zero],
      [min, max, min],
      [max, min, ones],
      [ones, zero, zero],
    ];
    return [reg(to), mem(width)].flatMap((kind) => [
      ...instruction('xadd', [kind, reg(from)], sums),
      ...instruction('cmpxchg', [kind, reg(from), implicit(accumulator)], compares),
      ...(kind.memory === undefined
        ? []
        : ['add', 'xadd', 'xchg'].flatMap((name) =>
            instruction(name, [kind, reg(from)], sums.slice(0, 2), { prefix: 'lock' }),
          )),
      ...instruction('xchg', [kind, reg(from)], sums.slice(1, 3)),
    ]);
  });
}

function exchange8(): Plan[] {
  const value = memory(MEMORY, littleEndian(0x1122334455667788n, 8));
  const operand = { ...fixed('qword ptr [edi+0x25]'), memory: 8 };
  const rows = [
    [0x55667788, 0x11223344],
    [0x55667788, 0x11223345],
    [0x55667789, 0x11223344],
  ];
  const kinds = [operand, implicit('eax'), implicit('edx')];
  return ['', 'lock'].flatMap((prefix) =>
    instruction(
      'cmpxchg8b',
      kinds,
      rows.map((row) => [0, ...row]),
      {
        in: value,
        flags: [0, STATUS],
        ...(prefix === '' ? {} : { prefix }),
      },
    ),
  );
}

const xaddSame = (): Plan[] => [
  ...instruction('xadd', [fixed('ecx'), reg('ecx')], [[0, 0x40000000]]),
  ...instruction('xchg', [fixed('ah'), reg('al')], [[0, 0x40]]),
  ...instruction('xchg', [fixed('eax'), reg('ebx')], [[0, 0x40]]),
  ...instruction('xchg', [fixed('ax'), reg('si')], [[0, 0x40]]),
];

export const shifts = (): Plan[] => [
  ...SHIFTS.flatMap(shift),
  ...SAL,
  ...['shld', 'shrd'].flatMap(doubleShift),
  ...['bt', 'bts', 'btr', 'btc'].flatMap(bitTest),
  ...['bsf', 'bsr'].flatMap(bitScan),
  ...swaps(),
  ...exchanges(),
  ...exchange8(),
  ...xaddSame(),
  // lock with a register, or where nothing is written, is no instruction
  ...['0xf0, 0x01, 0xc8', '0xf0, 0x8b, 0x07', '0xf0, 0x3b, 0x07', '0xf0, 0x0f, 0xc8', '0xf0, 0x90'].map((bytes) =>
    once('lock', `.byte ${bytes}`),
  ),
  once('cmpxchg8b', '.byte 0x0f, 0xc7, 0xc8'),
  once('bt', '.byte 0x0f, 0xba, 0xd9, 1'),
];
