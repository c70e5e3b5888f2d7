// Branches, calls, software interrupts, segments, and what a program must not do.
import { CODE_ADDRESS } from '../../support/machine-state.js';
import { CONDITIONS, SOME_FLAGS } from './data.js';
import {
  CF,
  FLAGS,
  MEMORY,
  OF,
  STATUS,
  TF,
  ZF,
  hex,
  littleEndian,
  memory,
  once,
  pairs,
  places,
  type Plan,
} from './template.js';

const CS = 0x23;

const jumps = (): Plan[] =>
  CONDITIONS.flatMap((condition, i) => {
    const near = `.byte 0x0f, ${0x80 + i}`;
    return [
      ...SOME_FLAGS.flatMap((flags) => [
        once(`j${condition}`, `j${condition} .+0x22`, { eflags: hex(FLAGS | flags) }),
        once(`j${condition}`, `j${condition} .-0x40`, { eflags: hex(FLAGS | flags) }),
        once(`j${condition}`, `${near}, 0x00, 0x01, 0, 0`, { eflags: hex(FLAGS | flags) }),
      ]),
      // with a 16-bit operand size eip is cut to 16 bits if the jump is taken: into a page that is not mapped
      ...[0, STATUS].flatMap((flags) => [
        once(`j${condition}`, `.byte 0x66, 0x0f, ${0x80 + i}, 0, 1`, { eflags: hex(FLAGS | flags) }),
        once(`j${condition}`, `.byte 0x66, ${0x70 + i}, 0x10`, { eflags: hex(FLAGS | flags) }),
      ]),
    ];
  });

/** loop, loope, loopne, jecxz with counters of both sizes. */
const loops = (): Plan[] =>
  pairs(['.byte 0xe0, 0x10', '.byte 0xe1, 0x10', '.byte 0xe2, 0x10', '.byte 0xe3, 0x10'], ['', '.byte 0x67; ']).flatMap(
    ([loop, size]) =>
      pairs(['0', '1', '2', '10000', '10001', 'ffff0000'], [0, ZF]).map(([ecx, flags]) =>
        once({ '0': 'loopne', '1': 'loope', '2': 'loop', '3': 'jecxz' }[loop.charAt(8)] ?? '', `${size}${loop}`, {
          ecx,
          eflags: hex(FLAGS | flags),
        }),
      ),
  );

const target = hex(CODE_ADDRESS + 0x123);
const pointer = memory(MEMORY, littleEndian(CODE_ADDRESS + 0x321, 4));
const top = memory(0x10000c00, littleEndian(CODE_ADDRESS + 0x222, 4));
/** A far pointer and what else may be on the stack. */
const words = (address: number, ...values: number[]): Plan['in'] =>
  memory(address, values.map((value) => littleEndian(value, 4)).join(''));
const FULL = { esp: '10000002' };

const branches = (): Plan[] => [
  once('jmp', 'jmp .+0x30'),
  once('jmp', 'jmp .+0x300'),
  once('jmp', 'jmp .-0x300'),
  once('jmp', '.byte 0x66, 0xe9, 0, 1'),
  once('jmp', '.byte 0x66, 0xeb, 0x10'),
  once('jmp', '.byte 0xe9, 0, 0, 0, 0x10'),
  once('jmp', 'jmp ecx', { ecx: target }),
  once('jmp', 'jmp cx', { ecx: target }),
  once('jmp', 'jmp dword ptr [edi+0x25]', pointer),
  once('jmp', 'jmp word ptr [edi+0x25]', pointer),
  ...places(4).map((edi) => once('jmp', 'jmp dword ptr [edi+0x25]', { edi: hex(edi) })),
  once('call', 'call .+0x30'),
  once('call', 'call .-0x300'),
  once('call', '.byte 0x66, 0xe8, 0, 1'),
  once('call', 'call ecx', { ecx: target }),
  once('call', 'call cx', { ecx: target }),
  once('call', 'call esp', { esp: target }),
  once('call', 'call dword ptr [edi+0x25]', pointer),
  once('call', 'call word ptr [edi+0x25]', pointer),
  once('call', 'call dword ptr [esp]', top),
  once('call', 'call .+0x30', FULL),
  once('call', 'call ecx', { ...FULL, ecx: target }),
  once('call', 'call dword ptr [edi+0x25]', { ...FULL, ...pointer }),
  ...places(4).map((edi) => once('call', 'call dword ptr [edi+0x25]', { edi: hex(edi) })),
  once('ret', 'ret', top),
  once('ret', 'ret 0x10', top),
  once('ret', 'ret 0xfffc', top),
  once('ret', 'retw', top),
  once('ret', 'retw 6', top),
  once('ret', 'ret', { esp: '10001ffe' }),
  once('ret', 'ret', { esp: '10002000' }),
  once('call', 'call .+5; pop ecx'),
  once('jmp', 'jmp ecx', { ecx: 'fffffff0' }),
];

const farBranches = (): Plan[] => [
  ...['jmp', 'call'].flatMap((name) => [
    once(`${name}f`, `${name} far ptr ${CS}:${CODE_ADDRESS + 0x111}`),
    ...[CS, 0x2b, 0, 3, 0x18, 0x83, 0x27, 0xfff3].flatMap((selector) => [
      once(`${name}f`, `${name} fword ptr [edi+0x25]`, words(MEMORY, CODE_ADDRESS + 0x111, selector)),
    ]),
    once(`${name}f`, `.byte 0x66; ${name} far ptr [edi+0x25]`, words(MEMORY, (CS << 16) | 0x1234)),
    once(`${name}f`, `${name} fword ptr [edi+0x25]`, { ...FULL, ...words(MEMORY, CODE_ADDRESS + 0x111, CS) }),
    ...places(6).map((edi) => once(`${name}f`, `${name} fword ptr [edi+0x25]`, { edi: hex(edi) })),
    once(`${name}f`, `.byte 0xff, ${name === 'jmp' ? 0xe9 : 0xd9}`),
  ]),
  ...[CS, 0x2b, 0, 0x20, 0x18, 0x83, 0x27].flatMap((selector) => [
    once('retf', 'retf', words(0x10000c00, CODE_ADDRESS + 0x77, selector)),
    once('retf', 'retf 8', words(0x10000c00, CODE_ADDRESS + 0x77, selector)),
  ]),
  once('retf', '.byte 0x66, 0xcb', words(0x10000c00, (CS << 16) | 0x1234)),
  once('retf', 'retf', { esp: '10001ffc' }),
  ...[CS, 0x2b, 0, 0x18, 0x83].flatMap((selector) => [
    once('iret', 'iretd', words(0x10000c00, CODE_ADDRESS + 0x77, selector, FLAGS | STATUS)),
  ]),
  ...[0, 0xffffffff & ~TF & ~0x60000, 0x3000].map((flags) =>
    once('iret', 'iretd', words(0x10000c00, CODE_ADDRESS + 0x77, CS, flags)),
  ),
  once('iret', 'iretw', words(0x10000c00, (CS << 16) | 0x1234, FLAGS | CF)),
  once('iret', 'iretd', { esp: '10001ff8' }),
];

const interrupts = (): Plan[] => [
  once('int3', 'int3'),
  once('int', '.byte 0xcd, 3'),
  once('int', 'int 4'),
  once('int', 'int 0x40'),
  once('int', 'int 0xe'),
  once('int', 'int 0'),
  once('into', 'into', { eflags: hex(FLAGS | OF) }),
  once('into', 'into', { eflags: hex(FLAGS | (STATUS & ~OF)) }),
  once('ud2', 'ud2'),
  once('nop', 'nop; nop', { eflags: hex(FLAGS | TF) }),
  once('ud2', 'ud2', { eflags: hex(FLAGS | TF) }),
  ...(
    [
      [5, 0, 10],
      [0, 0, 0],
      [-1, 0, 10],
      [11, 0, 10],
      [-3, -5, -2],
    ] as const
  ).flatMap(([index, low, high]) => [
    once('bound', 'bound ecx, [edi+0x25]', { ecx: hex(index), ...words(MEMORY, low, high) }),
    once('bound', 'bound cx, [edi+0x25]', { ecx: hex(index), ...words(MEMORY, (low & 0xffff) | (high << 16)) }),
  ]),
  ...places(8).map((edi) => once('bound', 'bound ecx, [edi+0x25]', { edi: hex(edi) })),
  once('bound', '.byte 0x62, 0x07', { edi: '10001ffc' }),
];

/** With TF set there is a trap after one instruction, wherever that leads; not after one that loads SS, nor after a fault. */
const steps = (): Plan[] => {
  const stepping = { eflags: hex(FLAGS | TF) };
  const counter = (ecx: string): Plan['in'] => ({ ...stepping, ecx });
  return [
    ...['', 'rep ', 'repne '].map((prefix) => once('step', `${prefix}movsb; nop`, counter('3'))),
    once('step', 'rep movsb; nop', counter('1')),
    once('step', 'rep movsb; nop', counter('0')),
    once('step', 'rep movsb; nop', { ...counter('3'), esi: '10001fff' }),
    once('step', 'repe cmpsb; nop', counter('3')),
    once('step', 'repe scasb; nop', { ...counter('3'), eax: '46' }),
    once('step', 'mov ss, ecx; nop; nop; nop', counter('2b')),
    once('step', 'pop ss; nop; nop; nop', { ...stepping, ...words(0x10000c00, 0x2b) }),
    once('step', 'mov ds, ecx; nop; nop', counter('2b')),
    once('step', 'mov gs, ecx; nop; nop', counter('63')),
    once('step', 'mov ds, ecx; nop; nop', counter('63')),
    once('step', 'mov ecx, [edi]; nop', { ...stepping, edi: '10002000' }),
    once('step', 'jmp .+0x40', stepping),
    once('step', 'call .+0x40', stepping),
    once('step', 'ret', { ...stepping, ...top }),
    once('step', 'retf', { ...stepping, ...words(0x10000c00, CODE_ADDRESS + 0x77, CS) }),
    once('step', 'loop .+0x20', counter('5')),
    once('step', 'jz .+0x20', stepping),
    once('step', 'jnz .+0x20', stepping),
    once('step', 'pushfd; nop', stepping),
    once('step', 'popfd; nop', { ...stepping, ...memory(0x10000c00, littleEndian(FLAGS, 4)) }),
    once('step', 'popfd; nop', { ...stepping, ...memory(0x10000c00, littleEndian(FLAGS | TF, 4)) }),
    once('step', 'iretd', { ...stepping, ...words(0x10000c00, CODE_ADDRESS + 0x77, CS, FLAGS) }),
    once('step', 'iretd', words(0x10000c00, CODE_ADDRESS + 0x77, CS, FLAGS | TF)),
    once('step', 'popfd; mov ss, ecx; nop; nop', { ecx: '2b', ...memory(0x10000c00, littleEndian(FLAGS | TF, 4)) }),
    once('step', 'popfd; jmp .+0x40', memory(0x10000c00, littleEndian(FLAGS | TF, 4))),
    once('step', 'popfd; rep movsb; nop', { ecx: '5', ...memory(0x10000c00, littleEndian(FLAGS | TF, 4)) }),
    once('step', 'int3', stepping),
    once('step', 'into; nop', { eflags: hex(FLAGS | TF | OF) }),
    once('step', 'into; nop', stepping),
    once('step', 'int 0x40', stepping),
    once('step', 'div cl', counter('0')),
    once('step', 'fld1; nop', stepping),
    once('step', 'addps xmm0, xmm1; nop', stepping),
    once('step', 'xchg ecx, [edi]; nop', stepping),
  ];
};

/** Instructions that ring 3 may not execute. */
const privileged = (): Plan[] => [
  ...['hlt', 'cli', 'sti', 'clts', 'invd', 'wbinvd', 'rdmsr', 'wrmsr', 'invlpg [edi]'].map((asm) =>
    once(asm.split(' ')[0] ?? '', asm),
  ),
  ...['in al, 0x70', 'in eax, 0x70', 'in ax, dx', 'out 0x80, al', 'out dx, eax', 'insb', 'insd', 'outsb', 'outsw'].map(
    (asm) => once(asm.slice(0, 3).trim(), asm),
  ),
  ...['cr0', 'cr2', 'cr3', 'cr4', 'dr0', 'dr7'].flatMap((name) => [
    once('mov', `mov ecx, ${name}`),
    once('mov', `mov ${name}, ecx`),
  ]),
  ...['lgdt [edi]', 'lidt [edi]', 'lldt cx', 'ltr cx', 'lmsw cx'].map((asm) => once(asm.split(' ')[0] ?? '', asm)),
  once('rep ins', 'rep insb', { ecx: '0' }),
];

const SELECTORS = ['0', '3', '2b', '63', '6b', '73', '23', '18', '83', '27', 'fff8'];

const segmentLoads = (): Plan[] => [
  ...['ds', 'es', 'fs', 'gs', 'ss'].flatMap((segment) =>
    SELECTORS.filter((selector) => segment !== 'ss' || !['63', '6b', '73'].includes(selector)).flatMap((ecx) => [
      once('mov', `mov ${segment}, ecx`, { ecx }),
      once('pop', `pop ${segment}`, words(0x10000c00, Number.parseInt(ecx, 16))),
      once(
        `l${segment}`,
        segment === 'ds' || segment === 'es' ? `l${segment} ecx, [edi+0x25]` : `l${segment} ecx, [edi+0x25]`,
        words(MEMORY, 0x12345678, Number.parseInt(ecx, 16)),
      ),
    ]),
  ),
  ...['mov cs, ecx', '.byte 0x8e, 0xf1', '.byte 0x8c, 0xf1', '.byte 0xc5, 0xc1', '.byte 0x0f, 0xb4, 0xc1'].map((asm) =>
    once('mov', asm === 'mov cs, ecx' ? '.byte 0x8e, 0xc9' : asm),
  ),
  ...['es', 'cs', 'ss', 'ds', 'fs', 'gs'].flatMap((segment) => [
    once('mov', `mov ecx, ${segment}`),
    once('mov', `mov cx, ${segment}`),
    once('mov', `mov word ptr [edi+0x25], ${segment}`),
  ]),
  once('mov', 'mov word ptr [edi+0x25], ds', { edi: hex(0x10002000 - 0x26) }),
  once('mov', 'mov ds, word ptr [edi+0x25]', { edi: hex(0x10002000 - 0x26) }),
  ...places(6).map((edi) => once('lgs', 'lgs ecx, [edi+0x25]', { edi: hex(edi) })),
  once('les', '.byte 0x66; les ecx, [edi+0x25]', words(MEMORY, 0x002b5678)),
  once('pop', 'pop gs', { esp: '10002000' }),
  once('pop', '.byte 0x66, 0x0f, 0xa9', words(0x10000c00, 0x63)),
];

/** Through gs with a base, through one of 256 bytes, through one that grows down, through none. */
const overrides = (): Plan[] => [
  ...(['63', '6b', '73', '0'] as const).flatMap((gs) =>
    ['0', '4', 'fc', 'fd', 'ff', '100', 'fff', '1000', '1001', 'ffffff00', 'fffffffc'].flatMap((esi) => [
      once('mov', 'mov ecx, gs:[esi]', { gs, esi }),
      once('mov', 'mov gs:[esi], cl', { gs, esi }),
      once('add', 'add word ptr gs:[esi], 1', { gs, esi }),
    ]),
  ),
  once('mov', 'mov ecx, fs:[esi]', { fs: '6b', esi: '10' }),
  once('mov', 'mov eax, fs:[0x10]', { fs: '6b' }),
  once('mov', 'mov fs:[0x10], eax', { fs: '6b' }),
  once('mov', 'mov ecx, gs:[bx+si]', { gs: '63', ebx: '123', esi: '1' }),
  ...['cs', 'ss', 'es', 'ds'].flatMap((segment) => [
    once('mov', `mov ecx, ${segment}:[edi+1]`),
    once('mov', `mov ${segment}:[edi+1], ecx`),
    once('push', `push dword ptr ${segment}:[edi+1]`),
  ]),
  // a store through cs is refused, code pages or not
  once('mov', 'mov byte ptr cs:[edi], 1'),
  // the last of several prefixes counts
  once('mov', '.byte 0x65, 0x3e, 0x8b, 0x0f', { gs: '63' }),
  once('mov', '.byte 0x3e, 0x65, 0x8b, 0x0f', { gs: '63', edi: '30' }),
  once('mov', 'mov ecx, [edi]', { ds: '0' }),
  once('mov', 'mov ecx, [esp]', { ds: '0' }),
  once('mov', 'mov ecx, [ebp]', { ds: '0' }),
  once('mov', 'mov ecx, ds:[ebp]', { ds: '0' }),
  once('stos', 'stosd', { es: '0' }),
  once('lods', 'lodsd', { ds: '6b', esi: 'fd' }),
  once('lods', 'lodsd', { ds: '6b', esi: 'fc' }),
  once('lea', '.byte 0x65, 0x8d, 0x4e, 4', { gs: '0' }),
];

const descriptors = (): Plan[] => [
  ...SELECTORS.flatMap((ecx) =>
    // four bits of what lar gives are undefined
    [
      'lar edx, ecx; setz al; and edx, 0xfff0ffff',
      'lsl edx, ecx',
      'lar dx, cx',
      'lsl dx, cx',
      'verr cx',
      'verw cx',
    ].map((asm) => once(asm.split(' ')[0] ?? '', asm, { ecx })),
  ),
  ...pairs(['0', '1', '2', '3', 'fff8'], ['0', '3', '2']).flatMap(([ecx, edx]) =>
    [0, STATUS].map((flags) => once('arpl', 'arpl cx, dx', { ecx, edx, eflags: hex(FLAGS | flags) })),
  ),
  once('arpl', 'arpl word ptr [edi+0x25], dx', { edi: '10003fdb' }),
  once('arpl', 'arpl word ptr [edi+0x25], dx', { ...memory(MEMORY, '0100'), edx: '2' }),
];

const prefixes = (count: number): string => `.byte ${Array.from({ length: count }, () => '0x3e').join(', ')}`;

const lengths = (): Plan[] => {
  const last = { eip: '20004fff' };
  return [
    once('nop', `${prefixes(14)}; nop`),
    once('nop', `${prefixes(15)}; nop`),
    once('add', `${prefixes(13)}; add eax, ecx`),
    once('add', `${prefixes(14)}; add eax, ecx`),
    // an instruction that goes over the edge of what is mapped
    once('nop', '.byte 0x90', last),
    once('mov', '.byte 0xb8', last),
    once('mov', '.byte 0xb8, 1, 2', { eip: '20004ffd' }),
    once('mov', '.byte 0x66', last),
    once('mov', 'mov eax, 0x12345678', { eip: '20003ffd' }),
    once('nop', '.byte 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0'),
    once('nop', '.byte 0x0f, 0x1f, 0', { eax: '0' }),
    once('nop', '.byte 0x66, 0x90'),
    once('pause', 'pause'),
    // undefined in every i686
    ...['0xff, 0xf8', '0xfe, 0xd0', '0x0f, 0xff', '0x0f, 0x0b', '0x0f, 0x24, 0', '0x8f, 0xc8', '0x0f, 0x0a'].map(
      (bytes) => once('ud', `.byte ${bytes}`),
    ),
    // an instruction that changes the next one
    once('mov', 'mov byte ptr [ecx+8], 0x42; nop; nop; nop; nop; nop; inc ecx; nop', { ecx: hex(CODE_ADDRESS) }),
  ];
};

export const control = (): Plan[] => [
  ...jumps(),
  ...loops(),
  ...branches(),
  ...farBranches(),
  ...interrupts(),
  ...steps(),
  ...privileged(),
  ...segmentLoads(),
  ...overrides(),
  ...descriptors(),
  ...lengths(),
];
