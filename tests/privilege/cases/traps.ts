// Single steps and what holds them back, flags that may not be changed, instructions for ring 0 alone.
import type { RingCase } from '../case.js';
import { DATA, HANDLER, NO_PAGE, SELECTOR, STACK } from '../world.js';
import {
  AC,
  IOPL,
  NOP,
  NT,
  OPERAND_16,
  PLAIN,
  POPF,
  RF,
  RINGS,
  TF,
  VM,
  codeOf,
  dataOf,
  gateTo,
  hex,
  load,
  moveTo,
  push,
  pushHalf,
  word,
} from './encode.js';

const STEPPING = PLAIN | TF;
const VECTOR = 0x80;

const steps: RingCase[] = RINGS.flatMap((ring): RingCase[] => {
  const eax = dataOf(ring);
  const stepping = { ring, eflags: STEPPING, registers: { eax } } as const;
  return [
    { ...stepping, section: '17.3.1.4', name: 'TF traps behind an instruction', code: [NOP, NOP] },
    { ...stepping, section: '17.3.1.4', name: 'TF traps behind a jump', code: hex('eb 02 90 90 90 90') },
    { ...stepping, section: '17.3.1.4', name: 'TF traps behind a load', code: [0xa1, ...word(DATA)] },
    { ...stepping, section: '17.3.1.4', name: 'a fault goes before the trap', code: [0xa1, ...word(NO_PAGE)] },
    { ...stepping, section: '17.3.1.4', name: 'so does one of ring 0’s instructions', code: [0xf4] },
    {
      ...stepping,
      section: '17.3.1.4',
      name: 'TF traps behind each turn of rep',
      code: hex('f3 aa 90'),
      registers: { edi: DATA, ecx: 3, eax: 0x11 },
    },
    {
      ...stepping,
      section: '17.3.1.4',
      name: 'rep with nothing to do is one step',
      code: hex('f3 aa 90'),
      registers: {},
    },
    {
      ...stepping,
      section: '17.3.1.4',
      name: 'popf that clears TF is trapped behind',
      code: [POPF, NOP],
      registers: { esp: STACK - 4 },
    },
    { ring, section: '17.3.1.4', name: 'popf that sets TF is not', code: [...push(STEPPING), POPF, NOP, NOP] },
    {
      ring,
      section: '17.3.1.4',
      name: 'nor is iret',
      code: [...[STEPPING, codeOf(ring), HANDLER].flatMap(push), 0xcf],
      memory: [[HANDLER, [NOP, NOP]]],
    },
    {
      ...stepping,
      section: '6.8.3',
      name: 'mov ss holds the trap back',
      code: [...moveTo('ss'), NOP, NOP],
    },
    {
      ...stepping,
      section: '6.8.3',
      name: 'pop ss holds the trap back',
      code: [0x17, NOP, NOP],
      registers: { esp: STACK - 4 },
      memory: [[STACK - 4, word(eax)]],
    },
    { ...stepping, section: '6.8.3', name: 'mov ds does not', code: [...moveTo('ds'), NOP, NOP] },
    {
      ...stepping,
      section: '6.8.3',
      name: 'lss does not',
      code: [0x0f, 0xb2, 0x25, ...word(DATA), NOP, NOP],
      memory: [[DATA, [...word(STACK), ...word(eax)]]],
    },
    { ...stepping, section: '6.8.3', name: 'mov ss before a fault', code: [...moveTo('ss'), 0xa1, ...word(NO_PAGE)] },
    { ...stepping, section: '6.8.3', name: 'a mov ss that fails', code: [...moveTo('ss'), NOP], registers: { eax: 0 } },
    {
      ...stepping,
      section: '6.8.3',
      name: 'mov ss before int',
      code: [...moveTo('ss'), 0xcd, VECTOR],
      gates: [gateTo(VECTOR, SELECTOR.code1)],
    },
    {
      ...stepping,
      section: '17.3.1.4',
      name: 'int3 while stepping',
      code: [0xcc],
      gates: [gateTo(3, SELECTOR.lguestCs)],
    },
    { ...stepping, section: '17.3.1.4', name: 'into without overflow is a step', code: [0xce, NOP] },
    {
      ...stepping,
      section: '17.3.1.4',
      name: 'a single step through a gate of the program’s own',
      code: [NOP, NOP],
      gates: [gateTo(1, SELECTOR.code1, { dpl: 0 })],
    },
    {
      ...stepping,
      section: '17.3.1.4',
      name: 'a single step through a gate that leads nowhere',
      code: [NOP, NOP],
      gates: [gateTo(1, SELECTOR.data1, { dpl: 0 })],
    },
    {
      ring,
      section: '17.3.1.1',
      name: 'RF lasts for one instruction',
      eflags: PLAIN | RF,
      code: [0x9c, NOP],
    },
    {
      ring,
      section: '17.3.1.1',
      name: 'popf does not set RF',
      code: [...push(PLAIN | RF), POPF, NOP, 0x9c],
    },
  ];
});

const outward: RingCase[] = [
  {
    ring: 1,
    section: '17.3.1.4',
    name: 'iret to ring 3 that sets TF',
    code: [...[SELECTOR.data3 | 3, STACK, STEPPING, SELECTOR.code3 | 3, HANDLER].flatMap(push), 0xcf],
    memory: [[HANDLER, [NOP, NOP]]],
  },
  {
    ring: 1,
    section: '17.3.1.4',
    name: 'iret to ring 3 while stepping, clearing TF',
    eflags: STEPPING,
    code: [0xcf],
    registers: { esp: DATA },
    memory: [[DATA, [HANDLER, SELECTOR.code3 | 3, PLAIN, STACK, SELECTOR.data3 | 3].flatMap(word)]],
  },
];

const IMAGES = [
  ...Array.from({ length: 22 }, (_, bit) => 1 << bit).filter((bit) => bit !== TF && bit !== AC),
  0,
  -1 & ~(TF | AC),
  IOPL | NT,
  VM | RF,
  0x200000 | PLAIN,
];
const flags: RingCase[] = RINGS.flatMap((ring) =>
  IMAGES.flatMap((image): RingCase[] => [
    {
      section: 'POPF',
      name: `popf of ${(image >>> 0).toString(16)}, and pushf`,
      ring,
      code: [...push(image), POPF, 0x9c],
    },
    {
      section: 'POPF',
      name: `popf of 16 bits of ${(image >>> 0).toString(16)}, and pushf`,
      ring,
      eflags: PLAIN | 0x200000,
      code: [...pushHalf(image), OPERAND_16, POPF, OPERAND_16, 0x9c],
    },
  ]),
);

/** Instructions of volume 3, 5.9, and those that IOPL and the I/O bitmap forbid. */
const PRIVILEGED: Readonly<Record<string, string>> = {
  hlt: 'f4',
  cli: 'fa',
  sti: 'fb',
  clts: '0f 06',
  invd: '0f 08',
  wbinvd: '0f 09',
  wrmsr: '0f 30',
  rdmsr: '0f 32',
  'mov cr3, eax': '0f 22 d8',
  'mov cr0, eax': '0f 22 c0',
  'mov eax, cr0': '0f 20 c0',
  'mov eax, cr2': '0f 20 d0',
  'mov eax, cr4': '0f 20 e0',
  'mov eax, dr0': '0f 21 c0',
  'mov dr7, eax': '0f 23 f8',
  'in al, 0x60': 'e4 60',
  'in eax, 0x60': 'e5 60',
  'in al, dx': 'ec',
  'in ax, dx': '66 ed',
  'out 0x60, al': 'e6 60',
  'out dx, al': 'ee',
  'out dx, eax': 'ef',
  insb: '6c',
  insd: '6d',
  outsb: '6e',
  'rep insb': 'f3 6c',
  'lgdt [eax]': '0f 01 10',
  'lidt [eax]': '0f 01 18',
  'lmsw ax': '0f 01 f0',
  'invlpg [eax]': '0f 01 38',
  'ltr ax': '0f 00 d8',
  'lldt ax': '0f 00 d0',
};
const privileged: RingCase[] = RINGS.flatMap((ring) =>
  Object.entries(PRIVILEGED).map(([name, code]): RingCase => ({
    section: '5.9',
    name: `${name} is for ring 0`,
    ring,
    code: hex(code),
    registers: { eax: DATA, esi: DATA, edi: DATA, edx: 0x60, ecx: 1 },
  })),
);

const undefinedOnes: RingCase[] = RINGS.flatMap((ring) =>
  ['0f 0b', '0f ff', 'f0 90', 'f0 40', '8d c0', '0f 01 d0', 'fe f8', 'c4 c0'].map((code): RingCase => ({
    section: '6.15',
    name: `${code} is no instruction`,
    ring,
    code: hex(code),
  })),
);

const others: RingCase[] = RINGS.flatMap((ring): RingCase[] => [
  { section: 'ARPL', name: 'arpl raises an RPL', ring, code: hex('63 c8'), registers: { eax: 0x10, ecx: 3 } },
  { section: 'ARPL', name: 'arpl lowers none', ring, code: hex('63 c8'), registers: { eax: 0x13, ecx: 1 } },
  { section: '6.15', name: 'an instruction of sixteen bytes', ring, code: [...Array<number>(15).fill(0x66), NOP] },
  { section: 'BOUND', name: 'bound within', ring, code: [0x62, 0x05, ...word(DATA)] },
  { section: 'SLDT', name: 'sldt says that there is no LDT', ring, code: hex('0f 00 c0'), registers: { eax: -1 } },
  { section: '5.6', name: 'ds is checked when it is loaded', ring, code: load('ds', SELECTOR.lguestDs) },
]);

export const TRAPS: readonly RingCase[] = [...steps, ...outward, ...flags, ...privileged, ...undefinedOnes, ...others];
