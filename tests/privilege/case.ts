// A case: a few instructions in ring 1 or 3, and what they find. An answer: what a CPU has made of them, as a line of text.
import { CODE, SELECTOR, STACK } from './world.js';

export const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'] as const;
export const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
export type Register = (typeof REGISTERS)[number];
export type Segment = (typeof SEGMENTS)[number];

export interface Gate {
  readonly vector: number;
  /** `lguestCs` leads out. */
  readonly selector: number;
  readonly dpl: number;
  readonly type: 'interrupt' | 'trap';
  readonly offset: number;
  readonly isPresent?: boolean;
}

export interface RingCase {
  /** Of Intel's manual, volume 3 (June 2013), or the instruction whose page in volume 2 says it. */
  readonly section: string;
  readonly name: string;
  readonly ring: 1 | 3;
  /** Begins at CODE; behind it is an `ud2`, as there is at HANDLER. */
  readonly code: readonly number[];
  readonly registers?: Partial<Record<Register, number>>;
  readonly eflags?: number;
  readonly segments?: Partial<Record<Segment, number>>;
  readonly gates?: readonly Gate[];
  /** The TSS's stack for ring 1. */
  readonly stack1?: { readonly ss: number; readonly esp: number };
  readonly memory?: readonly (readonly [address: number, bytes: readonly number[]])[];
  /** The low bits of the page table's entry for DATA, instead of those of a page of everybody. */
  readonly dataPage?: number;
}

export interface Start {
  readonly registers: readonly number[];
  readonly segments: readonly number[];
  readonly eip: number;
  readonly eflags: number;
}

const EFLAGS = 0x202;
const RING = { 1: [SELECTOR.code1 | 1, SELECTOR.data1 | 1], 3: [SELECTOR.code3 | 3, SELECTOR.data3 | 3] } as const;

/** What the registers hold when the case begins. */
export function startOf({ ring, registers, segments, eflags = EFLAGS }: RingCase): Start {
  const [cs, data] = RING[ring];
  const usual: Partial<Record<string, number>> = { esp: STACK, cs };
  return {
    registers: REGISTERS.map((name) => registers?.[name] ?? usual[name] ?? 0),
    segments: SEGMENTS.map((name) => segments?.[name] ?? usual[name] ?? data),
    eip: CODE,
    eflags,
  };
}

export const UD2 = [0x0f, 0x0b] as const;

/** What lies in memory when the case begins, beside zeros. */
export const memoryOf = (one: RingCase): readonly (readonly [number, readonly number[]])[] => [
  [CODE, [...one.code, ...UD2]],
  ...(one.memory ?? []),
];

/** A gate as the two words of the IDT. */
export function gateWords({ selector, dpl, type, offset, isPresent = true }: Gate): [low: number, high: number] {
  const rights = (isPresent ? 0x8000 : 0) | (dpl << 13) | (type === 'trap' ? 0xf00 : 0xe00);
  return [(selector << 16) | (offset & 0xffff), (offset & 0xffff0000) | rights];
}

export interface Outcome extends Start {
  /** Undefined when the case came to no end. */
  readonly vector: number | undefined;
  readonly error: number;
  readonly cr2: number;
  /** Words that have changed, by address. */
  readonly memory: readonly (readonly [address: number, value: number])[];
}

const TRAPS: Readonly<Partial<Record<number, string>>> = {
  0: '#DE',
  1: '#DB',
  3: '#BP',
  4: '#OF',
  5: '#BR',
  6: '#UD',
  8: '#DF',
  10: '#TS',
  11: '#NP',
  12: '#SS',
  13: '#GP',
  14: '#PF',
  17: '#AC',
};
const WITH_ERROR = [8, 10, 11, 12, 13, 14, 17];
const PAGE_FAULT = 14;
const hex = (value: number): string => (value >>> 0).toString(16);

/** The trap that ended the case, and whatever is not as it was when it began. */
export function answerOf(one: RingCase, outcome: Outcome): string {
  const start = startOf(one);
  const { vector, error } = outcome;
  if (vector === undefined) return 'no end';
  const words = [(TRAPS[vector] ?? `vector ${hex(vector)}`) + (WITH_ERROR.includes(vector) ? `(${hex(error)})` : '')];
  const note = (name: string, before: number, after: number): void => {
    if (before >>> 0 !== after >>> 0) words.push(`${name}=${hex(after)}`);
  };
  if (vector === PAGE_FAULT) words.push(`cr2=${hex(outcome.cr2)}`);
  words.push(`eip=${hex(outcome.eip)}`);
  note('eflags', start.eflags, outcome.eflags);
  SEGMENTS.forEach((name, i) => note(name, start.segments[i] ?? 0, outcome.segments[i] ?? 0));
  REGISTERS.forEach((name, i) => note(name, start.registers[i] ?? 0, outcome.registers[i] ?? 0));
  for (const [address, value] of outcome.memory) words.push(`[${hex(address)}]=${hex(value)}`);
  return words.join(' ');
}

export const titleOf = ({ section, name, ring }: RingCase): string => `${section} · ring ${ring} · ${name}`;
