// Instructions that the cases are made of, as bytes.
import { type Gate, SEGMENTS, type Segment } from '../case.js';
import { HANDLER, SELECTOR, selectorsOf } from '../world.js';

export const word = (value: number): number[] => [value, value >>> 8, value >>> 16, value >>> 24].map((b) => b & 0xff);
export const half = (value: number): number[] => word(value).slice(0, 2);
/** Bytes from hexadecimal: `0f 0b`. */
export const hex = (text: string): number[] => [...Buffer.from(text.replaceAll(' ', ''), 'hex')];
export const push = (value: number): number[] => [0x68, ...word(value)];
export const pushHalf = (value: number): number[] => [0x66, 0x68, ...half(value)];
export const POPF = 0x9d;
export const NOP = 0x90;
export const OPERAND_16 = 0x66;

export const RINGS = [1, 3] as const;
export const dataOf = (ring: 1 | 3): number => (ring === 1 ? SELECTOR.data1 | 1 : SELECTOR.data3 | 3);
export const codeOf = (ring: 1 | 3): number => (ring === 1 ? SELECTOR.code1 | 1 : SELECTOR.code3 | 3);

export const withEveryRpl = (selectors: readonly number[]): number[] =>
  selectors.flatMap((selector) => [0, 1, 2, 3].map((rpl) => selector | rpl));
/** What a far transfer may be told to go to: one of every kind, and some that are none. */
export const CODE_SELECTORS = withEveryRpl(
  selectorsOf(`
    code1 code2 code3 conforming1 conforming2 conforming3 absentCode1 absentCode3 data1 data3 executeOnly3
    code16 shortCode3 shortCode1 reserved3 tss lguestCs 0 14 100
  `),
);

/** `mov sreg, ax` */
export const moveTo = (segment: Segment): number[] => [0x8e, 0xc0 | (SEGMENTS.indexOf(segment) << 3)];
/** `mov ax, selector; mov sreg, ax` */
export const load = (segment: Segment, selector: number): number[] => [
  0x66,
  0xb8,
  ...half(selector),
  ...moveTo(segment),
];

/** `mov esp, value` */
export const loadStackPointer = (value: number): number[] => [0xbc, ...word(value)];

/** A direct gate to HANDLER, unless something else is said. */
export const gateTo = (vector: number, selector: number, other: Partial<Gate> = {}): Gate => ({
  vector,
  selector,
  dpl: 3,
  type: 'trap',
  offset: HANDLER,
  ...other,
});

export const TF = 0x100;
export const IF = 0x200;
export const IOPL = 0x3000;
export const NT = 0x4000;
export const RF = 0x10000;
export const VM = 0x20000;
export const AC = 0x40000;
/** Bit 1, and interrupts on. */
export const PLAIN = 0x202;
