// The rules behind the cases, in words, each with an answer or two that the manual gives: for what an emulated PC does not
// know better, and for readers. The sections are those of Intel's manual, volume 3 (June 2013), or instructions of volume 2.
import type { RingCase } from './case.js';
import { NT, PLAIN, TF, gateTo, hex, load, loadStackPointer, moveTo, push, word } from './cases/encode.js';
import { CODE, DATA, HANDLER, KERNEL_PAGE, KERNEL_STACK, NO_PAGE, READ_ONLY_PAGE, SELECTOR, STACK } from './world.js';

export type Example = readonly [ring: 1 | 3, code: readonly number[], more: Partial<RingCase>, answer: string];
export interface Rule {
  readonly section: string;
  readonly words: string;
  readonly examples: readonly Example[];
}

const VECTOR = 0x80;
const INT = [0xcd, VECTOR];
const IRET = 0xcf;
const DIVIDE_BY_ZERO = hex('f7 f1');
const toRing1 = { gates: [gateTo(VECTOR, SELECTOR.code1)] };
const kernelStack = (ss: number, esp = KERNEL_STACK): Partial<RingCase> => ({ ...toRing1, stack1: { ss, esp } });
const iret = (cs: number, ss: number, flags = PLAIN, eip = HANDLER): number[] => [
  ...[ss, STACK, flags, cs, eip].flatMap(push),
  IRET,
];
/** The words of `iret`'s frame, as they stay on the stack. */
const left = (cs: number, ss: number, flags = PLAIN, eip = HANDLER): string =>
  [eip, cs, flags, STACK, ss]
    .map((value, i) => [STACK - 20 + 4 * i, value].map((n) => n.toString(16)))
    .filter(([, value]) => value !== '0')
    .map(([address, value]) => `[${address}]=${value}`)
    .join(' ');

export const RULES: readonly Rule[] = [
  {
    section: '6.12.1',
    words: 'a gate of the same ring pushes eflags, cs and eip',
    examples: [[1, INT, toRing1, '#UD eip=2000 eflags=10202 esp=5ff4 [5ff4]=1002 [5ff8]=11 [5ffc]=202']],
  },
  {
    section: '6.12.1',
    words: 'a gate to an inner ring takes its stack from the TSS, and pushes ss and esp too',
    examples: [
      [
        3,
        INT,
        toRing1,
        '#UD eip=2000 eflags=10202 cs=11 ss=19 esp=3fec [3fec]=1002 [3ff0]=23 [3ff4]=202 [3ff8]=6000 [3ffc]=2b',
      ],
    ],
  },
  {
    section: '6.12.1.1',
    words: '`int` asks for the gate’s DPL, an exception and `int1` do not',
    examples: [
      [3, INT, { gates: [gateTo(VECTOR, SELECTOR.code1, { dpl: 1 })] }, '#GP(402) eip=1000 eflags=10202'],
      [3, [0xcd, 1], {}, '#GP(a) eip=1000 eflags=10202'],
      [3, [0xf1], {}, '#DB eip=1001'],
    ],
  },
  {
    section: '6.12.1.2',
    words: 'an interrupt gate clears IF, a trap gate does not, both clear NT',
    examples: [
      [
        1,
        INT,
        { eflags: PLAIN | NT, gates: [gateTo(VECTOR, SELECTOR.code1, { type: 'interrupt' })] },
        '#UD eip=2000 eflags=10002 esp=5ff4 [5ff4]=1002 [5ff8]=11 [5ffc]=4202',
      ],
      [
        1,
        INT,
        { ...toRing1, eflags: PLAIN | NT },
        '#UD eip=2000 eflags=10202 esp=5ff4 [5ff4]=1002 [5ff8]=11 [5ffc]=4202',
      ],
    ],
  },
  {
    section: '6.13',
    words: 'what is wrong with a gate has EXT in its error code, unless the program asked for it by `int`',
    examples: [
      [3, INT, { gates: [gateTo(VECTOR, SELECTOR.absentCode1)] }, '#NP(68) eip=1000 eflags=10202'],
      [3, hex('0f 0b'), { gates: [gateTo(6, SELECTOR.absentCode1)] }, '#NP(69) eip=1000 eflags=10202'],
      [3, INT, { gates: [gateTo(VECTOR, 0, { isPresent: false })] }, '#NP(402) eip=1000 eflags=10202'],
      [3, hex('0f 0b'), { gates: [gateTo(6, 0, { isPresent: false })] }, '#NP(33) eip=1000 eflags=10202'],
      [3, [0xf1], { gates: [gateTo(1, 0, { isPresent: false })] }, '#NP(b) eip=1000 eflags=10202'],
    ],
  },
  {
    section: '6.15',
    words: 'two contributory exceptions in a row are a double fault, others follow each other',
    examples: [
      [3, DIVIDE_BY_ZERO, { gates: [gateTo(0, SELECTOR.absentCode1)] }, '#DF(0) eip=1000 eflags=10202'],
      [3, DIVIDE_BY_ZERO, { gates: [gateTo(0, SELECTOR.data1)] }, '#DF(0) eip=1000 eflags=10202'],
      [
        3,
        DIVIDE_BY_ZERO,
        { gates: [gateTo(0, SELECTOR.code1)], stack1: { ss: SELECTOR.data1 | 1, esp: NO_PAGE + 8 } },
        '#PF(2) cr2=a004 eip=1000 eflags=10202',
      ],
    ],
  },
  {
    section: '6.12.1',
    words: 'an inner stack that cannot be is #TS, one that is not present or too small is #SS',
    examples: [
      [3, INT, kernelStack(SELECTOR.data3 | 3), '#TS(28) eip=1000 eflags=10202'],
      [3, INT, kernelStack(0), '#TS(0) eip=1000 eflags=10202'],
      [3, INT, kernelStack(SELECTOR.absentData1 | 1), '#SS(78) eip=1000 eflags=10202'],
      [3, INT, kernelStack(SELECTOR.shortStack1 | 1, KERNEL_STACK + 4), '#SS(e0) eip=1000 eflags=10202'],
      [3, INT, kernelStack(SELECTOR.shortStack1 | 1, 8), '#SS(e0) eip=1000 eflags=10202'],
    ],
  },
  {
    section: '4.6',
    words: 'what a gate pushes is written with the rights of the ring that it leads to',
    examples: [
      [3, INT, kernelStack(SELECTOR.data1 | 1, NO_PAGE + 8), '#PF(2) cr2=a004 eip=1000 eflags=10202'],
      [3, INT, kernelStack(SELECTOR.data1 | 1, READ_ONLY_PAGE + 8), '#PF(3) cr2=9004 eip=1000 eflags=10202'],
      [
        3,
        INT,
        { gates: [gateTo(VECTOR, SELECTOR.code3)], registers: { esp: KERNEL_PAGE + 8 } },
        '#PF(7) cr2=8004 eip=1000 eflags=10202',
      ],
    ],
  },
  {
    section: '11.6',
    words: 'code that has run on the stack of a gate is no obstacle',
    examples: [
      [
        1,
        [...push(KERNEL_STACK - 0x40), 0xc3],
        { ...toRing1, memory: [[KERNEL_STACK - 0x40, [0xbc, ...word(KERNEL_STACK), ...INT]]] },
        '#UD eip=2000 eflags=10202 esp=3ff4 [3ff4]=3fc7 [3ff8]=11 [3ffc]=202 [5ffc]=3fc0',
      ],
    ],
  },
  {
    section: '5.3',
    words: 'where to go is looked at before anything changes: beyond the limit of cs is #GP(0)',
    examples: [
      [3, INT, { gates: [gateTo(VECTOR, SELECTOR.shortCode1)] }, '#GP(0) eip=1000 eflags=10202'],
      [
        3,
        iret(SELECTOR.shortCode3 | 3, 0),
        {},
        `#GP(0) eip=1019 eflags=10202 esp=5fec ${left(SELECTOR.shortCode3 | 3, 0)}`,
      ],
      [3, [0x9a, ...word(CODE + 0x80), SELECTOR.shortCode3, 0], {}, '#GP(0) eip=1000 eflags=10202'],
    ],
  },
  {
    section: '5.3',
    words: 'an instruction ends before the limit of cs, or is #GP(0)',
    examples: [
      [
        3,
        [0xea, ...word(CODE + 0x7e), SELECTOR.shortCode3, 0],
        { memory: [[CODE + 0x7e, [0x40, 0x40, 0x40]]] },
        '#GP(0) eip=1080 eflags=10202 cs=b3 eax=2',
      ],
      [
        3,
        [0xea, ...word(CODE + 0x7e), SELECTOR.shortCode3, 0],
        { memory: [[CODE + 0x7e, [0x40, 0x66, 0x40]]] },
        '#GP(0) eip=107f eflags=10202 cs=b3 eax=1',
      ],
    ],
  },
  {
    section: 'IRET',
    words: '`iret` sets neither VM nor IF nor IOPL outside of ring 0',
    examples: [
      [
        1,
        iret(SELECTOR.code1 | 1, 0, 0x23002),
        {},
        `#UD eip=2000 eflags=10202 esp=5ff8 ${left(SELECTOR.code1 | 1, 0, 0x23002)}`,
      ],
    ],
  },
  {
    section: 'IRET',
    words: 'to an outer ring no inner data segment is taken along, and no RPL of a null selector',
    examples: [
      [
        1,
        [...load('gs', 3), ...load('fs', SELECTOR.data3 | 3), ...iret(SELECTOR.code3 | 3, SELECTOR.data3 | 3)],
        {},
        '#UD eip=2000 eflags=10202 es=0 cs=23 ss=2b ds=0 fs=2b gs=0 eax=2b ' +
          left(SELECTOR.code3 | 3, SELECTOR.data3 | 3),
      ],
    ],
  },
  {
    section: 'IRET',
    words: 'an outer stack segment that is not present is #SS',
    examples: [
      [
        1,
        iret(SELECTOR.code3 | 3, SELECTOR.absentData3 | 3),
        {},
        `#SS(40) eip=1019 eflags=10202 esp=5fec ${left(SELECTOR.code3 | 3, SELECTOR.absentData3 | 3)}`,
      ],
    ],
  },
  {
    section: '7.3',
    words: '`iret` with NT set would go to a task that there is not: #TS',
    examples: [[1, [IRET], { eflags: PLAIN | NT }, '#TS(0) eip=1000 eflags=14202']],
  },
  {
    section: '5.8.1',
    words: 'far jumps stay in their ring, in conforming code too',
    examples: [
      [3, [0xea, ...word(HANDLER), SELECTOR.code1, 0], {}, '#GP(10) eip=1000 eflags=10202'],
      [3, [0xea, ...word(HANDLER), SELECTOR.conforming1, 0], {}, '#UD eip=2000 eflags=10202 cs=33'],
    ],
  },
  {
    section: '5.7',
    words: 'a stack segment is writable data of the very ring',
    examples: [
      [1, load('ss', SELECTOR.data3 | 3), {}, '#GP(28) eip=1004 eflags=10202 eax=2b'],
      [3, load('ss', SELECTOR.readOnly3 | 3), {}, '#GP(48) eip=1004 eflags=10202 eax=4b'],
      [3, load('ss', SELECTOR.absentData3 | 3), {}, '#SS(40) eip=1004 eflags=10202 eax=43'],
      [3, load('ss', 3), {}, '#GP(0) eip=1004 eflags=10202 eax=3'],
    ],
  },
  {
    section: '5.4.1',
    words: 'a null selector may be loaded, not used',
    examples: [[3, [...load('es', 3), 0x26, 0xa1, ...word(DATA)], {}, '#GP(0) eip=1006 eflags=10202 es=3 eax=3']],
  },
  {
    section: '6.15',
    words: 'beyond the limit is #SS for the stack segment, #GP for the others',
    examples: [
      [
        3,
        [...load('ss', SELECTOR.shortStack3 | 3), ...loadStackPointer(STACK + 4), 0x50],
        {},
        '#SS(0) eip=100b eflags=10202 ss=fb eax=fb esp=6004',
      ],
      [3, [...load('fs', SELECTOR.small3), 0x64, 0xa1, ...word(0xfd)], {}, '#GP(0) eip=1006 eflags=10202 fs=70 eax=70'],
    ],
  },
  {
    section: '4.7',
    words: 'a page fault says whether the page was there, whether it was a write, whether it was ring 3',
    examples: [
      [1, [0xa1, ...word(NO_PAGE)], {}, '#PF(0) cr2=a000 eip=1000 eflags=10202'],
      [1, [0xa3, ...word(READ_ONLY_PAGE)], {}, '#PF(3) cr2=9000 eip=1000 eflags=10202'],
      [3, [0xa1, ...word(KERNEL_PAGE)], {}, '#PF(5) cr2=8000 eip=1000 eflags=10202'],
      [3, [0xa3, ...word(NO_PAGE)], {}, '#PF(6) cr2=a000 eip=1000 eflags=10202'],
    ],
  },
  {
    section: '4.7',
    words: 'what is read to be written faults as the write does, on the first page that forbids it',
    examples: [
      [3, [0x01, 0x05, ...word(NO_PAGE)], {}, '#PF(6) cr2=a000 eip=1000 eflags=10202'],
      [3, [0x01, 0x05, ...word(NO_PAGE - 1)], {}, '#PF(7) cr2=9fff eip=1000 eflags=10202'],
      [1, [0x01, 0x05, ...word(READ_ONLY_PAGE - 1)], {}, '#PF(3) cr2=9000 eip=1000 eflags=10202'],
    ],
  },
  {
    section: '6.8.3',
    words: '`mov` and `pop` to ss hold the single-step trap back, `lss` does not',
    examples: [
      [3, [...moveTo('ss'), 0x90, 0x90], { eflags: PLAIN | TF, registers: { eax: 0x2b } }, '#DB eip=1003'],
      [3, [...moveTo('ds'), 0x90, 0x90], { eflags: PLAIN | TF, registers: { eax: 0x2b } }, '#DB eip=1002'],
      [
        3,
        [0x0f, 0xb2, 0x25, ...word(DATA), 0x90],
        { eflags: PLAIN | TF, memory: [[DATA, [...word(STACK), ...word(0x2b)]]] },
        '#DB eip=1007',
      ],
    ],
  },
  {
    section: '6.15',
    words: 'AC asks for alignment in ring 3 alone',
    examples: [
      [3, [0xa1, ...word(DATA + 1)], { eflags: PLAIN | 0x40000 }, '#AC(0) eip=1000 eflags=50202'],
      [1, [0xa1, ...word(DATA + 1)], { eflags: PLAIN | 0x40000 }, '#UD eip=1005 eflags=50202'],
      [3, [0xa0, ...word(DATA + 1)], { eflags: PLAIN | 0x40000 }, '#UD eip=1005 eflags=50202'],
    ],
  },
  {
    section: '5.9',
    words: 'what is for ring 0 is #GP(0) in ring 1, and changes nothing',
    examples: [
      [1, [0xf4], {}, '#GP(0) eip=1000 eflags=10202'],
      [1, [0xfa], {}, '#GP(0) eip=1000 eflags=10202'],
      [1, [...push(0), 0x9d], {}, '#UD eip=1006 eflags=10202'],
    ],
  },
];
