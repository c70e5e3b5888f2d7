// Out of a handler: `iret` and `retf`, to the same ring and to an outer one, with everything that a frame can have wrong.
import type { RingCase, Segment } from '../case.js';
import {
  CODE,
  DATA,
  HANDLER,
  KERNEL_PAGE,
  KERNEL_READ_ONLY_PAGE,
  NO_PAGE,
  SELECTOR,
  STACK,
  selectorName,
  selectorsOf,
} from '../world.js';
import {
  AC,
  CODE_SELECTORS,
  NT,
  OPERAND_16,
  PLAIN,
  RF,
  RINGS,
  TF,
  VM,
  codeOf,
  dataOf,
  load,
  loadStackPointer,
  push,
  pushHalf,
  withEveryRpl,
  word,
} from './encode.js';

const IRET = [0xcf];
const IRET_16 = [OPERAND_16, 0xcf];
const RETF = [0xcb];
const RETF_16 = [OPERAND_16, 0xcb];
const retfDropping = (bytes: number): number[] => [0xca, bytes & 0xff, bytes >> 8];

/** Frames by which `iret` and `retf` return, pushed on the stack; the last is popped first. */
const iretFrame = (cs: number, ss: number, flags = PLAIN, eip = HANDLER): number[] =>
  [ss, STACK - 0x100, flags, cs, eip].flatMap(push);
const retfFrame = (cs: number, ss: number, eip = HANDLER): number[] => [ss, STACK - 0x100, cs, eip].flatMap(push);
const halves = (...values: readonly number[]): number[] => values.flatMap(pushHalf);

const STACK_SELECTORS = withEveryRpl(
  selectorsOf(
    'data1 data2 data3 readOnly3 absentData3 absentData1 code3 expandDown3 stack16 small3 reserved3 0 2c 100',
  ),
);

const codeSegments: RingCase[] = RINGS.flatMap((ring) =>
  CODE_SELECTORS.flatMap((cs): RingCase[] => [
    {
      section: 'IRET',
      name: `iret to ${selectorName(cs)}`,
      ring,
      code: [...iretFrame(cs, SELECTOR.data3 | 3), ...IRET],
    },
    {
      section: 'RET',
      name: `retf to ${selectorName(cs)}`,
      ring,
      code: [...retfFrame(cs, SELECTOR.data3 | 3), ...RETF],
    },
  ]),
);

const stackSegments: RingCase[] = STACK_SELECTORS.flatMap((ss): RingCase[] => [
  {
    section: 'IRET',
    name: `iret to ring 3 with its stack in ${selectorName(ss)}`,
    ring: 1,
    code: [...iretFrame(SELECTOR.code3 | 3, ss), ...IRET],
  },
  {
    section: 'RET',
    name: `retf to ring 3 with its stack in ${selectorName(ss)}`,
    ring: 1,
    code: [...retfFrame(SELECTOR.code3 | 3, ss), ...RETF],
  },
]);

/** The other ring 2 things: it may be returned to, with a stack of its own. */
const toRing2: RingCase[] = [
  {
    section: 'IRET',
    name: 'iret to ring 2',
    ring: 1,
    code: [...iretFrame(SELECTOR.code2 | 2, SELECTOR.data2 | 2), ...IRET],
  },
];

const small: RingCase[] = RINGS.flatMap((ring) => [
  {
    section: 'IRET',
    name: 'iret of 16 bits to the same ring',
    ring,
    code: [...halves(0x202, codeOf(ring), HANDLER), ...IRET_16],
  },
  {
    section: 'IRET',
    name: 'iret of 16 bits leaves the upper flags',
    ring,
    eflags: PLAIN | 0x200000,
    code: [...halves(0xcd7, codeOf(ring), HANDLER), ...IRET_16],
  },
  { section: 'RET', name: 'retf of 16 bits', ring, code: [...halves(codeOf(ring), HANDLER), ...RETF_16] },
  {
    section: 'RET',
    name: 'retf 8 to the same ring',
    ring,
    code: [...[1, 2, codeOf(ring), HANDLER].flatMap(push), ...retfDropping(8)],
  },
]);
const smallOutward: RingCase[] = [
  {
    section: 'IRET',
    name: 'iret of 16 bits to ring 3',
    ring: 1,
    code: [...halves(SELECTOR.data3 | 3, 0x5f00, 0x202, SELECTOR.code3 | 3, HANDLER), ...IRET_16],
  },
  {
    section: 'IRET',
    name: 'iret to ring 3 with a stack of 16 bits',
    ring: 1,
    code: [...iretFrame(SELECTOR.code3 | 3, SELECTOR.stack16 | 3), ...IRET],
  },
  {
    section: 'RET',
    name: 'retf of 16 bits to ring 3',
    ring: 1,
    code: [...halves(SELECTOR.data3 | 3, 0x5f00, SELECTOR.code3 | 3, HANDLER), ...RETF_16],
  },
  {
    section: 'RET',
    name: 'retf 8 to ring 3 drops on both stacks',
    ring: 1,
    code: [...[SELECTOR.data3 | 3, 0x5f00, 1, 2, SELECTOR.code3 | 3, HANDLER].flatMap(push), ...retfDropping(8)],
  },
];

const IMAGES = [
  ...Array.from({ length: 22 }, (_, bit) => 1 << bit).filter((bit) => bit !== TF && bit !== AC),
  0,
  0x3cd5,
  0x2000 | NT,
  VM | RF,
  0xffc00000,
  PLAIN | 0x3000 | VM,
];
const images: RingCase[] = IMAGES.flatMap((image) => [
  ...RINGS.flatMap((ring): RingCase[] => [
    {
      section: 'IRET',
      name: `iret with eflags ${(image >>> 0).toString(16)} to the same ring`,
      ring,
      code: [...iretFrame(codeOf(ring), 0, image), ...IRET],
    },
    {
      section: 'IRET',
      name: `iret of 16 bits with eflags ${(image & 0xffff).toString(16)}, made of ${(image >>> 0).toString(16)}`,
      ring,
      eflags: PLAIN | 0x200000,
      code: [...halves(image & 0xffff, codeOf(ring), HANDLER), ...IRET_16],
    },
  ]),
  {
    section: 'IRET',
    name: `iret with eflags ${(image >>> 0).toString(16)} to ring 3`,
    ring: 1 as const,
    code: [...iretFrame(SELECTOR.code3 | 3, SELECTOR.data3 | 3, image), ...IRET],
  },
]);

const nested: RingCase[] = RINGS.map((ring) => ({
  section: '7.3',
  name: 'iret with NT set goes to no task',
  ring,
  eflags: PLAIN | NT,
  code: [...iretFrame(codeOf(ring), dataOf(ring)), ...IRET],
}));

const KEPT = selectorsOf('data1|1 data3|3 data3 code1|1 conforming1|1 conforming2 readOnly3|1 data2|1 0 1 3');
const dropped: RingCase[] = (['es', 'ds', 'fs', 'gs'] satisfies Segment[]).flatMap((segment) =>
  KEPT.flatMap((selector): RingCase[] => [
    {
      section: 'IRET',
      name: `iret to ring 3 with ${selectorName(selector)} in ${segment}`,
      ring: 1,
      code: [...load(segment, selector), ...iretFrame(SELECTOR.code3 | 3, SELECTOR.data3 | 3), ...IRET],
    },
    {
      section: 'RET',
      name: `retf to ring 3 with ${selectorName(selector)} in ${segment}`,
      ring: 1,
      code: [...load(segment, selector), ...retfFrame(SELECTOR.code3 | 3, SELECTOR.data3 | 3), ...RETF],
    },
    {
      section: 'IRET',
      name: `iret to ring 1 with ${selectorName(selector)} in ${segment}`,
      ring: 1,
      code: [...load(segment, selector), ...iretFrame(SELECTOR.code1 | 1, 0), ...IRET],
    },
  ]),
);

/** A frame that lies where it may not be read, or only in part. */
const frame = (at: number, ...words: readonly number[]): readonly [number, readonly number[]] => [
  at,
  words.flatMap(word),
];
const places: RingCase[] = RINGS.flatMap((ring) =>
  (
    [
      ['no page', NO_PAGE + 8],
      ['the end of the pages', NO_PAGE - 8],
      ['the last word before one of ring 1', KERNEL_PAGE - 4],
      ['a page of ring 1', KERNEL_PAGE + 8],
      ['a page that cannot be written', KERNEL_READ_ONLY_PAGE + 8],
      ['an odd address', DATA + 3],
    ] as const
  ).flatMap(([name, esp]): RingCase[] => {
    const words = frame(esp, HANDLER, codeOf(ring), PLAIN);
    const common = { ring, memory: [words] };
    return [
      { ...common, section: 'IRET', name: `iret from ${name}`, code: [...loadStackPointer(esp), ...IRET] },
      { ...common, section: 'RET', name: `retf from ${name}`, code: [...loadStackPointer(esp), ...RETF] },
    ];
  }),
);
const outwardPlaces: RingCase[] = [NO_PAGE - 12, NO_PAGE - 16, NO_PAGE - 20].flatMap((esp): RingCase[] => [
  {
    section: 'IRET',
    name: `iret to ring 3 with ${(NO_PAGE - esp) / 4} words before a page that is not there`,
    ring: 1,
    code: [...loadStackPointer(esp), ...IRET],
    memory: [
      frame(esp, HANDLER, SELECTOR.code3 | 3, PLAIN, ...[STACK, SELECTOR.data3 | 3].slice(0, (NO_PAGE - esp) / 4 - 3)),
    ],
  },
]);

const limits: RingCase[] = [
  {
    section: 'IRET',
    name: 'iret with a frame beyond the limit of the stack',
    ring: 3,
    code: [...load('ss', SELECTOR.shortStack3 | 3), ...loadStackPointer(STACK - 8), ...IRET],
  },
  {
    section: 'RET',
    name: 'retf with a frame beyond the limit of the stack',
    ring: 3,
    code: [...load('ss', SELECTOR.shortStack3 | 3), ...loadStackPointer(STACK - 4), ...RETF],
  },
  {
    section: 'IRET',
    name: 'iret with ss and esp beyond the limit of the stack',
    ring: 1,
    code: [...load('ss', SELECTOR.shortStack1 | 1), ...loadStackPointer(0x4000 - 12), ...IRET],
    memory: [frame(0x4000 - 12, HANDLER, SELECTOR.code3 | 3, PLAIN)],
  },
  {
    section: 'IRET',
    name: 'iret to an eip beyond the limit of cs',
    ring: 3,
    code: [...iretFrame(SELECTOR.shortCode3 | 3, 0, PLAIN, CODE + 0x80), ...IRET],
  },
  {
    section: 'IRET',
    name: 'iret to the last byte of cs',
    ring: 3,
    code: [...iretFrame(SELECTOR.shortCode3 | 3, 0, PLAIN, CODE + 0x7f), ...IRET],
    memory: [[CODE + 0x7f, [0xf4]]],
  },
  {
    section: 'IRET',
    name: 'iret to ring 3 and an eip beyond the limit of cs',
    ring: 1,
    code: [...iretFrame(SELECTOR.shortCode3 | 3, SELECTOR.data3 | 3), ...IRET],
  },
];

export const RETURNS: readonly RingCase[] = [
  ...codeSegments,
  ...stackSegments,
  ...toRing2,
  ...small,
  ...smallOutward,
  ...images,
  ...nested,
  ...dropped,
  ...places,
  ...outwardPlaces,
  ...limits,
];
