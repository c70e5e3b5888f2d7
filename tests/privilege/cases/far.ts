// Far jumps and calls: they stay in their ring, whatever the selector says.
import type { RingCase } from '../case.js';
import { CODE, DATA, HANDLER, KERNEL_PAGE, NO_PAGE, READ_ONLY_PAGE, SELECTOR, STACK, selectorName } from '../world.js';
import { CODE_SELECTORS, OPERAND_16, RINGS, codeOf, half, load, loadStackPointer, word } from './encode.js';

const FAR = 0x11000;
const jump = (selector: number, eip = HANDLER): number[] => [0xea, ...word(eip), ...half(selector)];
const call = (selector: number, eip = HANDLER): number[] => [0x9a, ...word(eip), ...half(selector)];
/** `jmp far [DATA]`, `call far [DATA]` */
const JUMP_BY_MEMORY = [0xff, 0x2d, ...word(DATA)];
const CALL_BY_MEMORY = [0xff, 0x1d, ...word(DATA)];

const selectors: RingCase[] = RINGS.flatMap((ring) =>
  CODE_SELECTORS.flatMap((selector): RingCase[] => [
    { section: '5.8.1', name: `jmp far to ${selectorName(selector)}`, ring, code: jump(selector) },
    { section: '5.8.1', name: `call far to ${selectorName(selector)}`, ring, code: call(selector) },
  ]),
);

const forms: RingCase[] = RINGS.flatMap((ring): RingCase[] => {
  const cs = codeOf(ring);
  const pointer = [[DATA, [...word(HANDLER), ...half(cs)]]] as const;
  return [
    { section: 'JMP', name: 'jmp far by memory', ring, code: JUMP_BY_MEMORY, memory: pointer },
    { section: 'CALL', name: 'call far by memory', ring, code: CALL_BY_MEMORY, memory: pointer },
    {
      section: 'JMP',
      name: 'jmp far of 16 bits',
      ring,
      code: [OPERAND_16, 0xea, ...half(HANDLER), ...half(cs)],
    },
    {
      section: 'CALL',
      name: 'call far of 16 bits',
      ring,
      code: [OPERAND_16, 0x9a, ...half(HANDLER), ...half(cs)],
    },
    {
      section: 'JMP',
      name: 'jmp far of 16 bits by memory',
      ring,
      code: [OPERAND_16, ...JUMP_BY_MEMORY],
      memory: [[DATA, [...half(HANDLER), ...half(cs)]]],
    },
    {
      section: 'JMP',
      name: 'jmp far by memory that is not there',
      ring,
      code: [0xff, 0x2d, ...word(NO_PAGE)],
    },
    {
      section: 'CALL',
      name: 'call far by memory that ends',
      ring,
      code: [0xff, 0x1d, ...word(NO_PAGE - 4)],
      memory: [[NO_PAGE - 4, word(HANDLER)]],
    },
    { section: 'JMP', name: 'jmp far to a page that is not there', ring, code: jump(cs, NO_PAGE) },
    { section: 'JMP', name: 'jmp far to no address at all', ring, code: jump(cs, FAR) },
    {
      section: 'JMP',
      name: 'jmp far to a kernel’s page',
      ring,
      code: jump(cs, KERNEL_PAGE),
      memory: [[KERNEL_PAGE, [0xf4]]],
    },
    {
      section: 'CALL',
      name: 'call far with its stack on no page',
      ring,
      code: [...loadStackPointer(NO_PAGE + 0x100), ...call(cs)],
    },
    {
      section: 'CALL',
      name: 'call far with its stack on a read-only page',
      ring,
      code: [...loadStackPointer(READ_ONLY_PAGE + 0x100), ...call(cs)],
    },
    {
      section: 'CALL',
      name: 'call far with its stack on the code’s page',
      ring,
      code: [...loadStackPointer(CODE + 0x800), ...call(cs)],
    },
  ];
});

const limits: RingCase[] = [
  {
    section: 'JMP',
    name: 'jmp far beyond the limit',
    ring: 3,
    code: jump(SELECTOR.shortCode3 | 3, CODE + 0x80),
  },
  {
    section: 'JMP',
    name: 'jmp far to the last byte',
    ring: 3,
    code: jump(SELECTOR.shortCode3 | 3, CODE + 0x7f),
    memory: [[CODE + 0x7f, [0xf4]]],
  },
  {
    section: 'CALL',
    name: 'call far beyond the limit',
    ring: 3,
    code: call(SELECTOR.shortCode3 | 3, CODE + 0x80),
  },
  {
    section: 'CALL',
    name: 'call far beyond the limit of its stack',
    ring: 3,
    code: [...load('ss', SELECTOR.shortStack3 | 3), ...loadStackPointer(STACK + 4), ...call(SELECTOR.code3 | 3)],
  },
  {
    section: 'CALL',
    name: 'call far on a stack of 16 bits',
    ring: 3,
    code: [...load('ss', SELECTOR.stack16 | 3), ...loadStackPointer(0xabcd6000), ...call(SELECTOR.code3 | 3)],
  },
  {
    section: '5.3',
    name: 'an instruction that runs over the limit of cs',
    ring: 3,
    code: jump(SELECTOR.shortCode3 | 3, CODE + 0x7e),
    memory: [[CODE + 0x7e, [0xb8, 1, 2, 3, 4]]],
  },
  {
    section: '5.3',
    name: 'instructions up to the limit of cs, and on',
    ring: 3,
    code: jump(SELECTOR.shortCode3 | 3, CODE + 0x7c),
    memory: [[CODE + 0x7c, [0x40, 0x40, 0x40, 0x40, 0x40, 0x40]]],
  },
  {
    section: '5.3',
    name: 'code of 16 bits',
    ring: 3,
    code: jump(SELECTOR.code16 | 3),
    memory: [[HANDLER, [0xb8, 1, 2, 0x66, 0xb9, 1, 2, 3, 4, 0x67, 0x8b, 0x18, 0x0f, 0x0b]]],
  },
];

export const FAR_TRANSFERS: readonly RingCase[] = [...selectors, ...forms, ...limits];
