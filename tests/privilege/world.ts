// The world of the privilege tests: sixteen pages, thirty-two descriptors, and what is in them. It is the same for the
// emulated CPU (ring-cpu) and for an emulated PC with a monitor in ring 0 (monitor.S), so that their answers can be compared.
import { GDT_ENTRIES, LGUEST_CS, LGUEST_DS } from '../../guest-abi/x86/descriptors.js';

export const PAGE = 4096;
export const RAM_PAGES = 16;
export const RAM_BYTES = RAM_PAGES * PAGE;

/** Linear addresses, each one page: the same place in RAM. */
export const CODE = 0x1000;
export const HANDLER = 0x2000;
/** Ends of stacks; the page below belongs to ring 1 alone, to everybody. */
export const KERNEL_STACK = 0x4000;
export const STACK = 0x6000;
export const DATA = 0x7000;
/** Mapped for ring 1 only, read-only, not at all, and for ring 1 only to be read. */
export const KERNEL_PAGE = 0x8000;
export const READ_ONLY_PAGE = 0x9000;
export const NO_PAGE = 0xa000;
export const KERNEL_READ_ONLY_PAGE = 0xb000;
export const LAST_PAGE = 0xf000;

/** Bits of a page table's entry. */
export const PRESENT = 1;
export const WRITABLE = 2;
export const USER = 4;
export const ACCESSED = 0x20;
export const DIRTY = 0x40;

/** The low bits of the page table's entries, by page. */
export const PAGE_FLAGS: readonly number[] = Array.from({ length: RAM_PAGES }, (_, page) => {
  const address = page * PAGE;
  if (address === 0 || address === NO_PAGE) return 0;
  const isWritable = address !== READ_ONLY_PAGE && address !== KERNEL_READ_ONLY_PAGE;
  const isUser = ![KERNEL_STACK - PAGE, KERNEL_PAGE, KERNEL_READ_ONLY_PAGE].includes(address);
  return PRESENT | (isWritable ? WRITABLE : 0) | (isUser ? USER : 0);
});

export const pageFlags = (page: number, dataPage: number | undefined): number =>
  (page === DATA / PAGE ? dataPage : undefined) ?? PAGE_FLAGS[page] ?? 0;

type Descriptor = readonly [low: number, high: number];
const BIG = 4;
const PAGES = 8;
/** @param flags PAGES (the limit counts pages) and BIG (D/B) */
const segment = (access: number, base = 0, limit = 0xfffff, flags = PAGES | BIG): Descriptor => [
  ((base & 0xffff) << 16) | (limit & 0xffff),
  (base & 0xff000000) | (flags << 20) | (limit & 0xf0000) | (access << 8) | ((base >>> 16) & 0xff),
];

/** Every kind of descriptor that a check asks about. The number is that of the ring for which it is. */
const DESCRIPTORS = {
  code2: [0x08, segment(0xdb)],
  code1: [0x10, segment(0xbb)],
  data1: [0x18, segment(0xb3)],
  code3: [0x20, segment(0xfb)],
  data3: [0x28, segment(0xf3)],
  conforming1: [0x30, segment(0xbf)],
  absentCode3: [0x38, segment(0x7b)],
  absentData3: [0x40, segment(0x73)],
  readOnly3: [0x48, segment(0xf1)],
  /** A gate with this selector leads out: to the Host, or to the monitor. */
  lguestCs: [LGUEST_CS, segment(0x9b)],
  lguestDs: [LGUEST_DS, segment(0x93)],
  executeOnly3: [0x60, segment(0xf9)],
  absentCode1: [0x68, segment(0x3b)],
  /** 256 bytes. */
  small3: [0x70, segment(0xf3, 0, 0xff, BIG)],
  absentData1: [0x78, segment(0x33)],
  tss: [0x80, segment(0x8b, 0, 0x67, 0)],
  /** From 0x7000 on. */
  expandDown3: [0x88, segment(0xf7, 0, 6, PAGES | BIG)],
  expandDownSmall3: [0x90, segment(0xf7, 0, 6, PAGES)],
  code16: [0x98, segment(0xfb, 0, 0xffff, 0)],
  stack16: [0xa0, segment(0xf3, 0, 0xffff, 0)],
  /** 256 bytes of DATA. */
  based3: [0xa8, segment(0xf3, DATA, 0xff, BIG)],
  /** The first 128 bytes of CODE are its last. */
  shortCode3: [0xb0, segment(0xfb, 0, CODE + 0x7f, BIG)],
  conforming3: [0xb8, segment(0xff)],
  stack16Ring1: [0xc0, segment(0xb3, 0, 0xffff, 0)],
  conforming2: [0xc8, segment(0xdf)],
  data2: [0xd0, segment(0xd3)],
  /** A system descriptor of a kind that there is not. */
  reserved3: [0xd8, segment(0xed)],
  shortStack1: [0xe0, segment(0xb3, 0, KERNEL_STACK - 1, BIG)],
  basedStack1: [0xe8, segment(0xb3, 0x1000, KERNEL_STACK - 0x1001, BIG)],
  shortCode1: [0xf0, segment(0xbb, 0, HANDLER - 1, BIG)],
  shortStack3: [0xf8, segment(0xf3, 0, STACK - 1, BIG)],
} as const satisfies Record<string, readonly [selector: number, descriptor: Descriptor]>;
export type SegmentName = keyof typeof DESCRIPTORS;

const NAMES = Object.keys(DESCRIPTORS) as SegmentName[];
/** Selectors without RPL. */
export const SELECTOR = Object.fromEntries(NAMES.map((name) => [name, DESCRIPTORS[name][0]])) as {
  readonly [Name in SegmentName]: (typeof DESCRIPTORS)[Name][0];
};

export function globalDescriptorTable(): Uint32Array {
  const table = new Uint32Array(GDT_ENTRIES * 2);
  for (const name of NAMES) table.set(DESCRIPTORS[name][1], DESCRIPTORS[name][0] / 4);
  return table;
}

/** Selectors by the names of their segments, or in hexadecimal: `code1 data3|3 104`. */
export const selectorsOf = (text: string): number[] =>
  text
    .trim()
    .split(/\s+/)
    .map((word) => {
      const [name = '', rpl = '0'] = word.split('|');
      const known = NAMES.find((one) => one === name);
      return (known === undefined ? parseInt(name, 16) : SELECTOR[known]) | Number(rpl);
    });

/** The other way round, for titles. */
export function selectorName(selector: number): string {
  const name = NAMES.find((one) => SELECTOR[one] === (selector & ~3));
  const rpl = (selector & 3) === 0 ? '' : `|${selector & 3}`;
  return name === undefined ? selector.toString(16) : name + rpl;
}
