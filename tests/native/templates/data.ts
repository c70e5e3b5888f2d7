// Moves, conversions, addresses, the stack.
import { addressKey } from '../../support/state-delta.js';
import {
  CF,
  DF,
  FLAGS,
  MEMORY,
  OF,
  PF,
  SF,
  STATUS,
  TF,
  ZF,
  edges,
  fixed,
  hex,
  imm,
  implicit,
  instruction,
  littleEndian,
  mem,
  memory,
  once,
  pairs,
  places,
  reg,
  type Plan,
  type Width,
} from './template.js';

export const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];

/** All of the 32 ways in which a condition can find the flags. */
const ALL_FLAGS = Array.from(
  { length: 32 },
  (_, i) => (i & 1 ? CF : 0) | (i & 2 ? ZF : 0) | (i & 4 ? SF : 0) | (i & 8 ? OF : 0) | (i & 16 ? PF : 0),
);
export const SOME_FLAGS = [0, CF, ZF, SF, OF, PF, SF | OF, STATUS];

const REGISTERS: Readonly<Record<Width, readonly string[]>> = {
  8: ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'],
  16: ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'],
  32: ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'],
};

const POINTER = { 8: 'byte', 16: 'word', 32: 'dword' } as const;

const moves = (): Plan[] =>
  ([8, 16, 32] as const).flatMap((width) => {
    const names = REGISTERS[width];
    const value = edges(width)[6] ?? 0;
    const at = `${POINTER[width]} ptr ds:[${MEMORY}]`;
    const contents = memory(MEMORY, littleEndian(value, 4));
    return [
      ...names.flatMap((name, i) => [
        ...instruction('mov', [fixed(name), reg(names[(i + 3) % 8] ?? '')], [[0, value]]),
        ...instruction('mov', [fixed(name), reg(names[(i + 5) % 8] ?? '')], [[0, value]], { prefix: '{load}' }),
        ...instruction('mov', [fixed(name), imm(width)], [[0, value]]),
      ]),
      ...instruction('mov', [mem(width), reg(names[1] ?? '')], [[0, value]]),
      ...instruction('mov', [reg(names[2] ?? ''), mem(width)], [[0, value]]),
      ...instruction('mov', [mem(width), imm(width)], [[0, value]]),
      ...instruction('mov', [fixed(names[0] ?? ''), fixed(at)], [[]], { in: contents }),
      ...instruction('mov', [fixed(at), reg(names[0] ?? '')], [[0, value]], { in: contents }),
      ...instruction('mov', [fixed(names[0] ?? ''), fixed(`${POINTER[width]} ptr ds:[0x10001fff]`)], [[]]),
      ...instruction('mov', [fixed(`${POINTER[width]} ptr ds:[0x10001fff]`), fixed(names[0] ?? '')], [[]]),
      ...instruction('mov', [fixed(`${POINTER[width]} ptr ds:[0x10004010]`), fixed(names[0] ?? '')], [[]]),
    ];
  });

/** c6 and c7 into a register are mov as well; their other extensions are not. */
const oddMoves = (): Plan[] => [
  once('mov', '.byte 0xc6, 0xc1, 0x5a'),
  once('mov', '.byte 0xc7, 0xc1, 1, 2, 3, 4'),
  once('mov', '.byte 0xc6, 0xc9, 0x5a'),
  once('mov', '.byte 0xc7, 0xd1, 1, 2, 3, 4'),
];

const extensions = (): Plan[] =>
  ['movzx', 'movsx'].flatMap((mnemonic) =>
    (
      [
        ['cx', 'dl', 8],
        ['ecx', 'dh', 8],
        ['ecx', 'dx', 16],
      ] as const
    ).flatMap(([to, from, width]) =>
      [reg(from), mem(width)].flatMap((kind) =>
        instruction(
          mnemonic,
          [fixed(to), kind],
          [0, 0x7f80, 0x80, 0x8000, 0x7f, 0xffff].map((value) => [0, value]),
        ),
      ),
    ),
  );

const conversions = (): Plan[] =>
  ['cbw', 'cwde', 'cwd', 'cdq'].flatMap((mnemonic) =>
    instruction(mnemonic, [implicit('eax')], [[0x12345678], [0x80000080], [0x7fff8000], [0xffff7f7f]]),
  );

const flagInstructions = (): Plan[] => [
  ...['clc', 'stc', 'cmc', 'cld', 'std', 'lahf', 'salc'].flatMap((mnemonic) =>
    [0, STATUS, DF | CF].map((flags) =>
      once(mnemonic, mnemonic === 'salc' ? '.byte 0xd6' : mnemonic, { eflags: hex(FLAGS | flags) }),
    ),
  ),
  ...instruction('sahf', [implicit('ah')], [[0], [0xff], [0xd5], [0x2a]], { flags: [0, STATUS] }),
];

const conditional = (): Plan[] =>
  CONDITIONS.flatMap((condition) => [
    ...instruction(`set${condition}`, [fixed('cl')], [[]], { flags: ALL_FLAGS }),
    ...instruction(`set${condition}`, [mem(8)], [[0x5a]], { flags: SOME_FLAGS }),
    ...instruction(`cmov${condition}`, [fixed('ecx'), fixed('edx')], [[]], { flags: SOME_FLAGS }),
    ...instruction(`cmov${condition}`, [fixed('cx'), fixed('dx')], [[]], { flags: SOME_FLAGS.slice(0, 4) }),
    ...instruction(`cmov${condition}`, [fixed('ecx'), mem(32)], [[0, 0x12345678]], { flags: SOME_FLAGS }),
    ...instruction(`cmov${condition}`, [fixed('cx'), mem(16)], [[0, 0x1234]], { flags: SOME_FLAGS.slice(0, 3) }),
    // the operand is read whether it is wanted or not
    ...instruction(`cmov${condition}`, [fixed('ecx'), fixed('dword ptr [edi+0x25]')], [[]], {
      flags: [0, STATUS],
      in: { edi: hex(places(4)[0] ?? 0) },
    }),
  ]);

/** Every form of an address. Registers hold small numbers, so that most sums stay within the data. */
const ADDRESSES = [
  ...['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'].flatMap((base) => [
    `[${base}]`,
    `[${base}+0x12]`,
    `[${base}-0x80]`,
    `[${base}+0x123]`,
  ]),
  ...['eax', 'ecx', 'edx', 'ebx', 'ebp', 'esi', 'edi'].flatMap((index) => [
    `[esi+${index}*2]`,
    `[ebp+${index}*4-5]`,
    `[esp+${index}*8+0x100]`,
    `[${index}*4+0x10000000]`,
  ]),
  '[0x10000123]',
];
const ADDRESSES_16 = ['bx+si', 'bx+di', 'bp+si', 'bp+di', 'si', 'di', 'bp', 'bx'].flatMap((sum) => [
  `[${sum}]`,
  `[${sum}+0x12]`,
  `[${sum}-0x23]`,
  `[${sum}+0x1234]`,
]);
const INDICES = { eax: '30', ecx: '9f', edx: '21' };

function addresses(): Plan[] {
  const pointers = { ...INDICES, ebx: '10000600', ebp: '10000a00', esi: '10000200', edi: '10000400' };
  const low = { ebx: 'abcdf123', ebp: '1000f230', esi: '1000fe01', edi: 'ffff0c02' };
  return [
    ...ADDRESSES.flatMap((address) => [
      once('lea', `lea ecx, ${address}`, pointers),
      once('lea', `lea cx, ${address}`, pointers),
      once('mov', `mov ecx, dword ptr ds:${address}`, pointers),
      once('mov', `mov byte ptr ds:${address}, al`, pointers),
    ]),
    ...ADDRESSES_16.flatMap((address) => [
      once('lea', `lea ecx, ${address}`, low),
      once('lea', `lea cx, ${address}`, low),
      once('mov', `mov ecx, dword ptr ${address}`, low),
      once('mov', `mov word ptr ${address}, ax`, { ...low, ebx: '1ff3', ebp: 'f3f0', esi: 'e0', edi: '13' }),
    ]),
    once('lea', 'addr16 lea ecx, [0x1234]'),
    // the effective address wraps at 16 bits, an operand that begins before the end does not
    ...['byte', 'word', 'dword'].flatMap((size, i) => [
      once('mov', `mov ${['cl', 'cx', 'ecx'][i]}, ${size} ptr [bx+si]`, { ebx: 'ffff', esi: '0' }),
      once('mov', `mov ${['cl', 'cx', 'ecx'][i]}, ${size} ptr [bx+si]`, { ebx: 'ffff', esi: '1' }),
      once('mov', `mov ${['cl', 'cx', 'ecx'][i]}, ${size} ptr [bx+si]`, { ebx: 'fffe', esi: '0' }),
    ]),
    once('lea', '.byte 0x8d, 0xc8'),
  ];
}

const translate = (): Plan[] => [
  ...instruction(
    'xlat',
    [implicit('al'), implicit('ebx')],
    [
      [0, 0x10000100],
      [0xff, 0x10000100],
      [1, 0x10001fff],
    ],
  ),
  once('xlat', 'addr16 xlat', { eax: 'ff', ebx: '1000f0f0' }),
  once('xlat', 'addr16 xlat', { eax: '11', ebx: 'fff0' }),
  once('xlat', 'addr16 xlat', { eax: '10', ebx: 'fff0' }),
  once('xlat', 'xlat byte ptr gs:[ebx]', { eax: '10', ebx: '123', gs: '63' }),
];

/** Tops of the stack: in a page, over the edge between two, at the first mapped byte, at the last, in a read-only page. */
const STACKS = ['10000c00', '10001002', '10000002', '10002000', '10001ffe', '10004004', '10000001'].map((esp) => ({
  esp,
}));

const PUSHED = 'eax ecx edx ebx esp ebp esi edi ax cx dx bx sp bp si di 5 -5 0x12345678 es cs ss ds fs gs'.split(' ');
const POPPED = PUSHED.slice(0, 16);
const MEMORY_OPERANDS = [
  'dword ptr [ebx]',
  'word ptr [ebx]',
  'dword ptr [esp]',
  'dword ptr [esp+4]',
  'word ptr [esp-2]',
];

const pushes = (): Plan[] =>
  pairs([...PUSHED, ...MEMORY_OPERANDS], STACKS).map(([operand, stack]) =>
    once('push', `push ${operand}`, stack, upperHalf(operand, stack.esp)),
  );

/** A segment register is pushed as 32 bits or as 16 with the rest left as it was: the manual allows both. */
const upperHalf = (operand: string, esp: string): Partial<Plan> => {
  const top = Number.parseInt(esp, 16);
  return /^[ecsdfg]s$/.test(operand) ? { ignore: [addressKey(top - 2), addressKey(top - 1)] } : {};
};

const pops = (): Plan[] =>
  pairs([...POPPED, ...MEMORY_OPERANDS], STACKS).map(([operand, stack]) => once('pop', `pop ${operand}`, stack));

/** A pusha or popa that faults half way may have stored or loaded some registers or none. */
const SOME_DONE = { ignoreOnFault: ['memory', 'eax', 'ecx', 'edx', 'ebx', 'ebp', 'esi', 'edi'] };

const wideStack = (): Plan[] => [
  // a word pushed or popped with the other size of operand
  ...['.byte 0x66, 0x6a, 0xfb', '.byte 0x66, 0x68, 0x34, 0x12', '.byte 0x66, 0x0e', '.byte 0x66, 0x0f, 0xa0'].flatMap(
    (asm) => STACKS.map((stack) => once('push', asm, stack)),
  ),
  once('pop', '.byte 0x8f, 0xc1'),
  once('pop', '.byte 0x8f, 0xc9'),
  // where the destination cannot be written, esp stays
  once('pop', 'pop dword ptr [ebx]', { ebx: '10001ffe' }),
  once('pop', 'pop dword ptr [ebx]', { ebx: '10004000' }),
  once('push', 'push dword ptr [ebx]', { ebx: '10001ffe' }),
  ...['pushad', 'pushaw', 'popad', 'popaw'].flatMap((asm) =>
    [
      ...STACKS,
      { esp: '10000010' },
      { esp: '10001ff2' },
      { esp: '10000ff4' },
      { esp: '10001010' },
      { esp: '10004010' },
    ].map((stack) => once(asm.slice(0, -1), asm, stack, SOME_DONE)),
  ),
  ...['pushfd', 'pushfw'].flatMap((asm) =>
    [...STACKS, { eflags: hex(FLAGS | STATUS) }, { eflags: hex(FLAGS | DF | CF) }].map((stack) =>
      once(asm.slice(0, -1), asm, stack),
    ),
  ),
];

/** What popf may change at ring 3: not IF, not IOPL, not VM or RF. */
const popFlags = (): Plan[] =>
  ['popfd', 'popfw'].flatMap((asm) => [
    ...[
      0,
      FLAGS | STATUS | DF,
      0xffffffff & ~TF & ~0x40000,
      0x3000,
      0x4000,
      0x20000,
      0x200000,
      0x10000,
      0x180000,
      0x40000,
    ].map((flags) => once('popf', asm, memory(0x10000c00, littleEndian(flags, 4)))),
    // single step: the trap comes after the instruction that follows
    once('popf', `${asm}; nop; nop`, memory(0x10000c00, littleEndian(FLAGS | TF, 4))),
    ...STACKS.slice(1).map((stack) => once('popf', asm, stack)),
  ]);

const frames = (): Plan[] => [
  ...pairs([0, 1, 2, 5, 31, 32, 0xff], [0, 0x10, 0x200]).flatMap(([level, size]) => [
    once('enter', `enter ${size}, ${level}`, { ebp: '10000b00' }),
    once('enter', `enterw ${size}, ${level}`, { ebp: '10000b00' }),
  ]),
  once('enter', 'enter 0xffff, 0', {}, { ignoreOnFault: ['memory'] }),
  // the new top of the stack is tried before anything changes
  once('enter', 'enter 0x1000, 0', {}, { ignoreOnFault: ['memory'] }),
  once('enter', 'enter 4, 3', { ebp: '10000004' }, { ignoreOnFault: ['memory'] }),
  once('enter', 'enter 4, 3', { esp: '10000008' }, { ignoreOnFault: ['memory'] }),
  once('enter', 'enter 0, 0', { esp: '10000002' }),
  ...['leave', 'leavew'].flatMap((asm) =>
    ['10000a00', '10001ffe', '10000ffe', '10002000'].map((ebp) => once('leave', asm, { ebp })),
  ),
];

const alignment = (): Plan[] =>
  ['mov ecx, [edi+1]', 'mov cx, [edi+1]', 'mov [edi+2], ecx', 'push ecx', 'mov cl, [edi+1]', 'add [edi+4], ecx'].map(
    (asm) => once('mov', asm, { eflags: hex(FLAGS | 0x40000), esp: '10000c02' }),
  );

export const data = (): Plan[] => [
  ...moves(),
  ...oddMoves(),
  ...extensions(),
  ...conversions(),
  ...flagInstructions(),
  ...conditional(),
  ...addresses(),
  ...translate(),
  ...pushes(),
  ...pops(),
  ...wideStack(),
  ...popFlags(),
  ...frames(),
  ...alignment(),
];
