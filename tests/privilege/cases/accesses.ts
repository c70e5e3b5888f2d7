// Memory: what segments and pages allow, to whom, and how a fault tells what it was.
import type { RingCase } from '../case.js';
import {
  CODE,
  DATA,
  KERNEL_PAGE,
  KERNEL_READ_ONLY_PAGE,
  LAST_PAGE,
  NO_PAGE,
  PAGE,
  READ_ONLY_PAGE,
  SELECTOR,
  STACK,
} from '../world.js';
import { RINGS, hex, load, loadStackPointer, push, word } from './encode.js';

/** Accesses of a kind to the address in ebx. */
const ACCESSES: Readonly<Record<string, readonly number[]>> = {
  'mov al, [ebx]': hex('8a 03'),
  'mov ax, [ebx]': hex('66 8b 03'),
  'mov eax, [ebx]': hex('8b 03'),
  'mov [ebx], al': hex('88 03'),
  'mov [ebx], eax': hex('89 03'),
  'inc dword [ebx]': hex('ff 03'),
  'add [ebx], eax': hex('01 03'),
  'add eax, [ebx]': hex('03 03'),
  'test [ebx], eax': hex('85 03'),
  'cmp dword [ebx], 0': hex('83 3b 00'),
  'xchg [ebx], eax': hex('87 03'),
  'cmpxchg [ebx], ecx': hex('0f b1 0b'),
  'bt [ebx], eax': hex('0f a3 03'),
  'bts [ebx], eax': hex('0f ab 03'),
  'push dword [ebx]': hex('ff 33'),
  'pop dword [ebx]': hex('8f 03'),
  'call [ebx]': hex('ff 13'),
  'setz [ebx]': hex('0f 94 03'),
  'fld qword [ebx]': hex('db e3 dd 03'),
  'fstp qword [ebx]': hex('db e3 d9 ee dd 1b'),
  'mov es, [ebx]': hex('8e 03'),
};

const PLACES = {
  'a page of everybody': DATA + 8,
  'a page of ring 1': KERNEL_PAGE + 8,
  'a read-only page': READ_ONLY_PAGE + 8,
  'a read-only page of ring 1': KERNEL_READ_ONLY_PAGE + 8,
  'no page': NO_PAGE + 8,
  'beyond all pages': 0x12345678,
} as const;

const pages: RingCase[] = RINGS.flatMap((ring) =>
  Object.entries(PLACES).flatMap(([place, ebx]) =>
    Object.entries(ACCESSES).map(([name, code]): RingCase => ({
      section: '4.7',
      name: `${name} on ${place}`,
      ring,
      code,
      registers: { ebx, ecx: 0x55 },
    })),
  ),
);

/** Over the edge of a page that may be accessed into one that may not, or only otherwise. */
const EDGES = {
  'into no page': NO_PAGE - 1,
  'into a page of ring 1': KERNEL_PAGE - 1,
  'into a read-only page': READ_ONLY_PAGE - 1,
  'out of no page': NO_PAGE + PAGE - 1,
  'out of a read-only page': READ_ONLY_PAGE + PAGE - 1,
} as const;
const WIDE = [
  'mov eax, [ebx]',
  'mov [ebx], eax',
  'add [ebx], eax',
  'fld qword [ebx]',
  'xchg [ebx], eax',
  'pop dword [ebx]',
];

const edges: RingCase[] = RINGS.flatMap((ring) =>
  Object.entries(EDGES).flatMap(([edge, ebx]) =>
    WIDE.map((name): RingCase => ({
      section: '4.7',
      name: `${name} ${edge}`,
      ring,
      code: ACCESSES[name] ?? [],
      registers: { ebx, eax: 1 },
    })),
  ),
);

const stringsAndStacks: RingCase[] = RINGS.flatMap((ring): RingCase[] => [
  {
    section: '4.7',
    name: 'movs from a page that may be read to one that may not be written',
    ring,
    code: hex('a5'),
    registers: { esi: DATA, edi: READ_ONLY_PAGE },
  },
  {
    section: '4.7',
    name: 'movs from no page to a read-only one',
    ring,
    code: hex('a5'),
    registers: { esi: NO_PAGE, edi: READ_ONLY_PAGE },
  },
  {
    section: '6.5',
    name: 'rep stosd into a page that is not there keeps what is done',
    ring,
    code: hex('f3 ab'),
    registers: { edi: NO_PAGE - 8, ecx: 5, eax: 0x11223344 },
  },
  {
    section: '6.5',
    name: 'rep movsb out of a page that is not there keeps what is done',
    ring,
    code: hex('f3 a4'),
    registers: { esi: NO_PAGE - 3, edi: DATA, ecx: 5 },
    memory: [[NO_PAGE - 3, [7, 8, 9]]],
  },
  { section: '4.7', name: 'push on no page', ring, code: [...loadStackPointer(NO_PAGE + 4), 0x50] },
  { section: '4.7', name: 'push on a read-only page', ring, code: [...loadStackPointer(READ_ONLY_PAGE + 8), 0x50] },
  { section: '4.7', name: 'pop from no page', ring, code: [...loadStackPointer(NO_PAGE), 0x58] },
  { section: '4.7', name: 'call on no page', ring, code: [...loadStackPointer(NO_PAGE + 4), ...hex('e8 00 00 00 00')] },
  { section: '4.7', name: 'ret from no page', ring, code: [...loadStackPointer(NO_PAGE), 0xc3] },
  { section: '4.7', name: 'enter on no page', ring, code: [...loadStackPointer(NO_PAGE + 4), ...hex('c8 10 00 00')] },
  { section: '4.7', name: 'jump to no page', ring, code: [0xbb, ...word(NO_PAGE), ...hex('ff e3')] },
  {
    section: '4.7',
    name: 'jump to a page of ring 1',
    ring,
    code: [0xbb, ...word(KERNEL_PAGE), ...hex('ff e3')],
    memory: [[KERNEL_PAGE, [0xf4]]],
  },
  {
    section: '4.7',
    name: 'an instruction that runs into no page',
    ring,
    code: [0xbb, ...word(NO_PAGE - 2), ...hex('ff e3')],
    memory: [[NO_PAGE - 2, [0xb8, 1]]],
  },
  {
    section: '4.7',
    name: 'an instruction that runs into a page of ring 1',
    ring,
    code: [0xbb, ...word(KERNEL_PAGE - 2), ...hex('ff e3')],
    memory: [[KERNEL_PAGE - 2, [0xb8, 1, 2, 3, 4, 0xf4]]],
  },
]);

/** In [disp32], [ebp] and [esp] the segment is another one; `fs:` in front says which. */
const FS = 0x64;
const SEGMENTED: Readonly<Record<string, readonly number[]>> = {
  'mov al, fs:[ebx]': [FS, ...hex('8a 03')],
  'mov ax, fs:[ebx]': [FS, ...hex('66 8b 03')],
  'mov eax, fs:[ebx]': [FS, ...hex('8b 03')],
  'mov fs:[ebx], al': [FS, ...hex('88 03')],
  'mov fs:[ebx], eax': [FS, ...hex('89 03')],
  'add fs:[ebx], eax': [FS, ...hex('01 03')],
  'fld qword fs:[ebx]': [...hex('db e3'), FS, ...hex('dd 03')],
};
const SEGMENTS_IN_FS = {
  small3: [SELECTOR.small3, [0, 0xfc, 0xfd, 0xfe, 0xff, 0x100, 0xf8, 0xf9, 0xffffffff]],
  expandDown3: [SELECTOR.expandDown3, [0x6ffc, 0x6ffd, 0x6fff, 0x7000, 0x7004, 0xffffffff]],
  expandDownSmall3: [SELECTOR.expandDownSmall3, [0x6fff, 0x7000, 0xf000, 0xfffc, 0xfffd, 0xffff, 0x10000]],
  based3: [SELECTOR.based3, [0, 0xfc, 0xfd, 0x100]],
  readOnly3: [SELECTOR.readOnly3, [DATA]],
  'code, which can be read': [SELECTOR.code3, [DATA]],
  conforming1: [SELECTOR.conforming1, [DATA]],
  'a null selector': [0, [DATA]],
  'all memory': [SELECTOR.data3, [DATA, 0xffffffff]],
} as const;

const limits: RingCase[] = Object.entries(SEGMENTS_IN_FS).flatMap(([name, [selector, offsets]]) =>
  offsets.flatMap((ebx) =>
    Object.entries(SEGMENTED).map(([access, code]): RingCase => ({
      section: '5.3',
      name: `${access} with ebx ${ebx.toString(16)} and ${name} in fs`,
      ring: 3,
      code: [...load('fs', selector), ...code],
      // Page 0 is not there, so what the segment allows is told by a page fault.
      registers: { ebx },
    })),
  ),
);

const [SS_OVERRIDE, CS_OVERRIDE, DS_OVERRIDE] = [0x36, 0x2e, 0x3e];
const SHORT = [...load('ss', SELECTOR.shortStack3 | 3)];
const which: RingCase[] = [
  ...(
    [
      ['mov eax, [ebp]', hex('8b 45 00')],
      ['mov eax, [esp + ebp]', hex('8b 04 2c')],
      ['mov eax, [ebp + ebx]', hex('8b 44 1d 00')],
      ['mov eax, [ebx + ebp]', hex('8b 04 2b')],
      ['mov eax, ss:[ebx]', [SS_OVERRIDE, ...hex('8b 03')]],
      ['mov eax, ds:[ebp]', [DS_OVERRIDE, ...hex('8b 45 00')]],
      ['mov ss:[ebx], eax', [SS_OVERRIDE, ...hex('89 03')]],
      ['mov eax, [bp]', hex('67 8b 46 00')],
      ['mov eax, [bx + si]', hex('67 8b 00')],
      ['mov eax, [bp + si]', hex('67 8b 02')],
      ['lods with ss', [SS_OVERRIDE, 0xad]],
      ['xlat with ss', [SS_OVERRIDE, 0xd7]],
    ] as const
  ).map(([name, code]): RingCase => ({
    section: '6.15',
    name: `${name} beyond the limit of ss`,
    ring: 3,
    code: [...SHORT, ...code],
    registers: { ebp: STACK, ebx: STACK, esp: DATA, esi: STACK, eax: 0 },
  })),
  ...(
    [
      ['push eax', [0x50]],
      ['pop eax', [0x58]],
      ['call', hex('e8 00 00 00 00')],
      ['ret', [0xc3]],
      ['leave', [0xc9]],
      ['enter', hex('c8 10 00 01')],
      ['pusha', [0x60]],
      ['popa', [0x61]],
      ['pushf', [0x9c]],
      ['popf', [0x9d]],
      ['push word', hex('66 50')],
    ] as const
  ).map(([name, code]): RingCase => ({
    section: '6.15',
    name: `${name} beyond the limit of ss`,
    ring: 3,
    code: [...SHORT, ...loadStackPointer(STACK + 8), ...code],
    registers: { ebp: STACK + 8 },
  })),
  {
    section: '5.5',
    name: 'mov cs:[ebx], eax',
    ring: 3,
    code: [CS_OVERRIDE, ...hex('89 03')],
    registers: { ebx: DATA },
  },
  {
    section: '5.5',
    name: 'mov eax, cs:[ebx]',
    ring: 3,
    code: [CS_OVERRIDE, ...hex('8b 03')],
    registers: { ebx: CODE },
  },
  {
    section: '5.5',
    name: 'mov eax, cs:[ebx] where code can only be run',
    ring: 3,
    code: [0xea, ...word(DATA), SELECTOR.executeOnly3, 0],
    memory: [[DATA, [CS_OVERRIDE, ...hex('8b 03')]]],
    registers: { ebx: CODE },
  },
  {
    section: 'STOS',
    name: 'stos goes to es whatever the prefix says',
    ring: 3,
    code: [...load('es', SELECTOR.readOnly3 | 3), DS_OVERRIDE, 0xab],
    registers: { edi: DATA },
  },
  {
    section: 'STOS',
    name: 'stos with a null es',
    ring: 3,
    code: [...load('es', 0), 0xab],
    registers: { edi: DATA },
  },
  {
    section: '5.4.1',
    name: 'a null ds is no harm to lea',
    ring: 3,
    code: [...load('ds', 0), ...hex('8d 43 04')],
    registers: { ebx: DATA },
  },
  {
    section: '3.2',
    name: 'a stack of 16 bits wraps',
    ring: 3,
    code: [...load('ss', SELECTOR.stack16 | 3), ...loadStackPointer(0xabcd0000), 0x50, 0x50, 0x58],
    registers: { eax: 0x12345678 },
    memory: [[LAST_PAGE, [0]]],
  },
  {
    section: '3.2',
    name: 'push and ret on a stack of 16 bits',
    ring: 3,
    code: [...load('ss', SELECTOR.stack16 | 3), ...loadStackPointer(0xabcd6000), ...push(DATA), 0xc3],
    memory: [[DATA, [0xf4]]],
  },
];

export const ACCESS_CASES: readonly RingCase[] = [...pages, ...edges, ...stringsAndStacks, ...limits, ...which];
