// Loads of segment registers, and what may be asked about a selector: every descriptor, with every RPL, from both rings.
import type { RingCase, Segment } from '../case.js';
import { DATA, NO_PAGE, selectorName, selectorsOf } from '../world.js';
import { OPERAND_16, RINGS, dataOf, half, hex, load, push, pushHalf, withEveryRpl, word } from './encode.js';

const EVERY = withEveryRpl([...Array.from({ length: 34 }, (_, index) => index * 8), 0x24, 0xfffc]);

const loads: RingCase[] = RINGS.flatMap((ring) =>
  EVERY.flatMap((selector) =>
    (['ds', 'ss'] satisfies Segment[]).map((segment): RingCase => ({
      section: segment === 'ss' ? '5.7' : '5.6',
      name: `mov ${segment} of ${selectorName(selector)}`,
      ring,
      code: load(segment, selector),
    })),
  ),
);

/** `lar ecx, eax; setz dl; lsl ebx, eax; setz dh; verr ax; setz [DATA]; verw ax; setz [DATA + 1]` */
const ASK = [
  ...hex('0f 02 c8 0f 94 c2 0f 03 d8 0f 94 c6 0f 00 e0 0f 94 05'),
  ...word(DATA),
  ...hex('0f 00 e8 0f 94 05'),
  ...word(DATA + 1),
];
const questions: RingCase[] = RINGS.flatMap((ring) =>
  EVERY.map((selector): RingCase => ({
    section: '5.10',
    name: `lar, lsl, verr and verw of ${selectorName(selector)}`,
    ring,
    code: ASK,
    registers: { eax: selector, ecx: -1, ebx: -1, edx: -1 },
  })),
);

const SOME = selectorsOf('data1 data3|3 conforming1 absentData3|3 0 3 reserved3');
const POPS: Readonly<Record<string, readonly number[]>> = {
  es: [0x07],
  ss: [0x17],
  ds: [0x1f],
  fs: [0x0f, 0xa1],
  gs: [0x0f, 0xa9],
};
const FAR_LOADS: Readonly<Record<string, readonly number[]>> = {
  les: [0xc4, 0x0d],
  lds: [0xc5, 0x0d],
  lss: [0x0f, 0xb2, 0x0d],
  lfs: [0x0f, 0xb4, 0x0d],
  lgs: [0x0f, 0xb5, 0x0d],
};

const pops: RingCase[] = RINGS.flatMap((ring) =>
  SOME.flatMap((selector) => [
    ...Object.entries(POPS).flatMap(([segment, pop]): RingCase[] => [
      { section: 'POP', name: `pop ${segment} of ${selectorName(selector)}`, ring, code: [...push(selector), ...pop] },
      {
        section: 'POP',
        name: `pop ${segment} of 16 bits of ${selectorName(selector)}`,
        ring,
        code: [...pushHalf(selector), OPERAND_16, ...pop],
      },
    ]),
    ...Object.entries(FAR_LOADS).map(([name, code]): RingCase => ({
      section: 'LDS',
      name: `${name} of ${selectorName(selector)}`,
      ring,
      code: [...code, ...word(DATA)],
      memory: [[DATA, [...word(0x12345678), ...half(selector)]]],
    })),
  ]),
);

const others: RingCase[] = RINGS.flatMap((ring): RingCase[] => [
  { section: 'MOV', name: 'mov cs', ring, code: hex('8e c8') },
  { section: 'MOV', name: 'mov of a seventh segment register', ring, code: hex('8e f0') },
  { section: 'MOV', name: 'mov ds of a word that is not there', ring, code: [0x8e, 0x1d, ...word(NO_PAGE)] },
  { section: 'LDS', name: 'les of a pointer that ends', ring, code: [0xc4, 0x05, ...word(NO_PAGE - 4)] },
  { section: 'LDS', name: 'lss of what is not memory', ring, code: hex('0f b2 c0') },
  {
    section: 'MOV',
    name: 'mov of every segment register to memory and registers',
    ring,
    registers: { eax: -1, ecx: -1 },
    code: [...hex('8c d8 66 8c d1 8c 0d'), ...word(DATA), ...hex('8c 15'), ...word(DATA + 4)],
  },
  { section: 'PUSH', name: 'push of every segment register', ring, code: hex('06 0e 16 1e 0f a0 0f a8') },
  { section: 'PUSH', name: 'push of segment registers in 16 bits', ring, code: hex('66 06 66 0e 66 0f a0') },
  {
    section: '3.4.4',
    name: 'a selector is read again only when it is loaded: es keeps what it has',
    ring,
    segments: { es: dataOf(ring) },
    code: [0x26, 0xa1, ...word(DATA)],
    memory: [[DATA, word(0x87654321)]],
  },
]);

export const SEGMENT_LOADS: readonly RingCase[] = [...loads, ...questions, ...pops, ...others];
