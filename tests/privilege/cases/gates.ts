// Into a handler: `int` in its forms, exceptions through gates of the program's own, and what can be wrong with a gate, with
// the segment behind it, with the stack.
import type { Gate, RingCase } from '../case.js';
import {
  DATA,
  HANDLER,
  KERNEL_PAGE,
  KERNEL_STACK,
  NO_PAGE,
  READ_ONLY_PAGE,
  SELECTOR,
  selectorName,
  selectorsOf,
} from '../world.js';
import { NT, PLAIN, RF, RINGS, TF, gateTo, hex, load, loadStackPointer, word } from './encode.js';

const VECTOR = 0x80;
const INT = [0xcd, VECTOR];
const DIVIDE_BY_ZERO = hex('f7 f1');
const BOUND = [0x62, 0x05, ...word(DATA)];
/** One selector of every kind, and some that name nothing. */
const TARGETS = selectorsOf(`
  code1 code3 code3|3 code2 conforming1 conforming2 conforming3 data1 data3 absentCode1 absentCode3
  executeOnly3 reserved3 tss shortCode1 code16 0 3 14 100 fffc
`);

const targets: RingCase[] = RINGS.flatMap((ring) =>
  TARGETS.flatMap((selector): RingCase[] => [
    {
      section: '6.12.1',
      name: `int through a gate to ${selectorName(selector)}`,
      ring,
      code: INT,
      gates: [gateTo(VECTOR, selector)],
    },
    {
      section: '6.12.1',
      name: `#BR through a gate to ${selectorName(selector)}`,
      ring,
      code: BOUND,
      registers: { eax: -1 },
      gates: [gateTo(5, selector)],
    },
    {
      section: '6.15',
      name: `#DE through a gate to ${selectorName(selector)}`,
      ring,
      code: DIVIDE_BY_ZERO,
      gates: [gateTo(0, selector)],
    },
  ]),
);

const SOFTWARE: readonly (readonly [name: string, vector: number, code: readonly number[]])[] = [
  ['int 0x80', VECTOR, INT],
  ['int 0', 0, [0xcd, 0]],
  ['int 1', 1, [0xcd, 1]],
  ['int 3', 3, [0xcd, 3]],
  ['int 4', 4, [0xcd, 4]],
  ['int 32', 32, [0xcd, 32]],
  ['int 255', 255, [0xcd, 255]],
  ['int3', 3, [0xcc]],
  ['int1', 1, [0xf1]],
  ['into', 4, hex('ba ff ff ff 7f 42 ce')],
  ['into without overflow', 4, hex('85 c0 ce')],
];

const privileges: RingCase[] = RINGS.flatMap((ring) =>
  SOFTWARE.flatMap(([name, vector, code]) =>
    [0, 1, 2, 3].flatMap((dpl): RingCase[] => [
      {
        section: '6.12.1.1',
        name: `${name} through a gate of DPL ${dpl} that leads out`,
        ring,
        code,
        gates: [gateTo(vector, SELECTOR.lguestCs, { dpl, type: 'interrupt' })],
      },
      {
        section: '6.12.1.1',
        name: `${name} through a gate of DPL ${dpl} to ring 1`,
        ring,
        code,
        gates: [gateTo(vector, SELECTOR.code1, { dpl })],
      },
    ]),
  ),
);

const absent: RingCase[] = RINGS.flatMap((ring) =>
  SOFTWARE.map(([name, vector, code]): RingCase => ({
    section: '6.14.1',
    name: `${name} through a gate that is not present`,
    ring,
    code,
    gates: [gateTo(vector, SELECTOR.code1, { isPresent: false })],
  })),
);

const absentExceptions: RingCase[] = RINGS.flatMap((ring) => [
  {
    section: '6.13',
    name: '#BR through a gate that is not present',
    ring,
    code: BOUND,
    registers: { eax: -1 },
    gates: [gateTo(5, SELECTOR.code1, { isPresent: false })],
  },
  {
    section: '6.15',
    name: '#DE and then #NP, both through gates that are not present',
    ring,
    code: DIVIDE_BY_ZERO,
    gates: [0, 11].map((vector) => gateTo(vector, SELECTOR.code1, { isPresent: false })),
  },
  {
    section: '6.15',
    name: '#UD through a gate that is not present, and #NP through one that leads to a handler',
    ring,
    code: [],
    gates: [gateTo(6, 0, { isPresent: false }), gateTo(11, SELECTOR.code1, { offset: HANDLER + 2 })],
    memory: [[HANDLER + 2, [0xf4]]],
  },
  {
    section: '6.15',
    name: 'a double fault through a gate of its own',
    ring,
    code: DIVIDE_BY_ZERO,
    gates: [gateTo(0, 0, { isPresent: false }), gateTo(8, SELECTOR.code1)],
  },
]);

/** What raises each exception that a gate can be for, with an error code or without. */
const EXCEPTIONS: readonly (readonly [name: string, vector: number, code: readonly number[]])[] = [
  ['#DE', 0, DIVIDE_BY_ZERO],
  ['#BR', 5, BOUND],
  ['#NP', 11, load('ds', SELECTOR.absentData3 | 3)],
  ['#SS', 12, load('ss', SELECTOR.absentData3 | 3)],
  ['#GP', 13, load('ds', 0x104)],
  ['#GP', 13, [0xfa]],
];

const exceptions: RingCase[] = RINGS.flatMap((ring) =>
  EXCEPTIONS.flatMap(([name, vector, code]) =>
    (['trap', 'interrupt'] as const).flatMap((type) =>
      [SELECTOR.code1, SELECTOR.code3].map((selector): RingCase => ({
        section: '6.12.1',
        name: `${name} of ${Buffer.from(code).toString('hex')} through a ${type} gate to ${selectorName(selector)}`,
        ring,
        code,
        registers: { eax: -1 },
        // An exception asks no DPL.
        gates: [gateTo(vector, selector, { type, dpl: 0 })],
      })),
    ),
  ),
);

const flags: RingCase[] = RINGS.flatMap((ring) =>
  [PLAIN | NT, PLAIN | RF, PLAIN | NT | RF, PLAIN | 0xcd5, PLAIN | 0x200000].flatMap((eflags) =>
    (['trap', 'interrupt'] as const).flatMap((type): RingCase[] => [
      {
        section: '6.12.1.2',
        name: `int with eflags ${eflags.toString(16)} through a ${type} gate`,
        ring,
        eflags,
        code: INT,
        gates: [gateTo(VECTOR, SELECTOR.code1, { type })],
      },
      {
        section: '6.12.1.2',
        name: `#UD with eflags ${eflags.toString(16)} through a ${type} gate`,
        ring,
        eflags,
        code: [],
        gates: [gateTo(6, SELECTOR.code1, { type, offset: DATA })],
        memory: [[DATA, [0xf4]]],
      },
    ]),
  ),
);

const single: RingCase[] = RINGS.map((ring) => ({
  section: '17.3.1.4',
  name: 'int while single-stepping takes no trap at the handler',
  ring,
  eflags: PLAIN | TF,
  code: INT,
  gates: [gateTo(VECTOR, SELECTOR.code1)],
}));

type Stack = readonly [name: string, ss: number, esp: number];
const STACKS: readonly Stack[] = [
  ...selectorsOf(`
    data1 data1|1 data1|3 data3|3 data3|1 0 1 100 1c code1|1 readOnly3|1 absentData1|1 tss|1 reserved3|1 data2|1 data2|2
  `).map(stackOf),
  ['a segment with a base', SELECTOR.basedStack1 | 1, KERNEL_STACK - 0x1000],
  ['a small segment', SELECTOR.stack16Ring1 | 1, KERNEL_STACK],
  ['a segment that ends there', SELECTOR.shortStack1 | 1, KERNEL_STACK],
  ['a segment that ends before', SELECTOR.shortStack1 | 1, KERNEL_STACK + 4],
  ['a segment without room at its beginning', SELECTOR.shortStack1 | 1, 8],
  ['a page of ring 1', SELECTOR.data1 | 1, KERNEL_PAGE + 0x100],
  ['a page that is not there', SELECTOR.data1 | 1, NO_PAGE + 0x100],
  ['a page that is not written to', SELECTOR.data1 | 1, READ_ONLY_PAGE + 0x100],
  ['an odd address', SELECTOR.data1 | 1, KERNEL_STACK - 3],
  ['two pages', SELECTOR.data1 | 1, KERNEL_PAGE + 6],
];

function stackOf(ss: number): Stack {
  return [selectorName(ss), ss, KERNEL_STACK];
}

const isOdd = ([, , esp]: Stack): boolean => (esp & 3) !== 0;
const stacks: RingCase[] = STACKS.map(([name, ss, esp]) => ({
  section: '6.12.1',
  name: `int to a stack in ${name}`,
  ring: 3,
  code: INT,
  gates: [gateTo(VECTOR, SELECTOR.code1)],
  stack1: { ss, esp },
}));
const stacksOfFaults: RingCase[] = STACKS.filter((stack) => !isOdd(stack)).map(([name, ss, esp]): RingCase => ({
  section: '6.12.1',
  name: `#UD to a stack in ${name}`,
  ring: 3,
  code: [],
  gates: [gateTo(6, SELECTOR.code1, { dpl: 0, offset: DATA })],
  memory: [[DATA, [0xf4]]],
  stack1: { ss, esp },
}));

const sameStack: RingCase[] = (
  [
    ['no room', 1, SELECTOR.shortStack1 | 1, 8],
    ['room', 1, SELECTOR.shortStack1 | 1, KERNEL_STACK],
    ['16 bits', 1, SELECTOR.stack16Ring1 | 1, 0xabcd4000],
    ['16 bits that wrap', 1, SELECTOR.stack16Ring1 | 1, 0xabcd0004],
    ['16 bits in ring 3', 3, SELECTOR.stack16 | 3, 0xabcd6000],
    ['no page', 1, SELECTOR.data1 | 1, NO_PAGE + 0x100],
    ['no page', 3, SELECTOR.data3 | 3, NO_PAGE + 0x100],
    ['a kernel’s page', 3, SELECTOR.data3 | 3, KERNEL_PAGE + 0x100],
    ['a read-only page', 3, SELECTOR.data3 | 3, READ_ONLY_PAGE + 0x100],
    ['a base', 3, SELECTOR.based3 | 3, 0x80],
  ] as const
).flatMap(([name, ring, ss, esp]) =>
  [SELECTOR.code1, SELECTOR.code3].map((selector): RingCase => ({
    section: '6.12.1',
    name: `int to ${selectorName(selector)} with a stack of ${name}`,
    ring,
    code: [...load('ss', ss), ...loadStackPointer(esp), ...INT],
    gates: [gateTo(VECTOR, selector)],
  })),
);

/** The handler's page is where the stack is, and has run. */
const codeOnStack: RingCase[] = ([3, 1] as const).map((ring) => {
  const gate: Gate = gateTo(VECTOR, SELECTOR.code1, { offset: KERNEL_PAGE });
  return {
    section: '6.12.1',
    name: 'int to a handler that lies on its own stack’s page, and then again',
    ring,
    code: ring === 1 ? [...INT, 0xf4] : INT,
    registers: { esp: ring === 1 ? KERNEL_PAGE + 0x800 : DATA },
    gates: [gate, gateTo(6, SELECTOR.code1, { offset: DATA })],
    memory: [
      [KERNEL_PAGE, hex('0f 0b')],
      [DATA, [0xf4]],
    ],
    stack1: { ss: SELECTOR.data1 | 1, esp: KERNEL_PAGE + 0x800 },
  };
});

export const GATES: readonly RingCase[] = [
  ...targets,
  ...privileges,
  ...absent,
  ...absentExceptions,
  ...exceptions,
  ...flags,
  ...single,
  ...stacks,
  ...stacksOfFaults,
  ...sameStack,
  ...codeOnStack,
];
