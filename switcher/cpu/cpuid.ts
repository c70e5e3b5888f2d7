// What cpuid answers: an Intel processor with SSE3 that nobody mistakes for one that needs model-specific registers.
//
// Programs believe in features only if they know the vendor (glibc would not touch MXCSR otherwise). But kernels with
// microcode loading read MSRs of an Intel processor before they can handle the fault, unless its family is below 6, or, later,
// leaf 1 says that a hypervisor is here. The Guest's own filter, which also says family 5, does not reach such early code.
import type { Memory } from './memory.js';
import { REGISTERS } from './state.js';

type Leaf = readonly [eax: number, ebx: number, ecx: number, edx: number];

/** Family 5, model 6, stepping 3. */
const SIGNATURE = 0x563;
const FEATURES_EDX = {
  FPU: 1 << 0,
  TSC: 1 << 4,
  PAE: 1 << 6,
  CX8: 1 << 8,
  CMOV: 1 << 15,
  CLFLUSH: 1 << 19,
  MMX: 1 << 23,
  FXSR: 1 << 24,
  SSE: 1 << 25,
  SSE2: 1 << 26,
} as const;
const FEATURES_ECX = { SSE3: 1 << 0, HYPERVISOR: 1 << 31 } as const;
/** clflush lines are this many times 8 bytes. */
const CLFLUSH_LINE = 8 << 8;
const MAX_LEAF = 4;
/** One descriptor byte each: no TLBs to speak of, caches of 32 KB, 32 KB, 2 MB and 16 MB. */
const CACHE_DESCRIPTORS: Leaf = [1, 0, 0x4d, 0x2c307d];
/** Leaf 4, by ecx: the same caches, with their ways, lines and sets. */
const CACHES: readonly Leaf[] = [
  [0x121, 0x01c0003f, 0x3f, 1],
  [0x122, 0x01c0003f, 0x3f, 1],
  [0x143, 0x01c0003f, 0xfff, 1],
  [0x163, 0x03c0003f, 0x3fff, 6],
];
const HYPERVISOR_LEAF = 0x40000000;
const EXTENDED_LEAF = 0x80000000;
const BRAND_LEAF = 0x80000002;
const MAX_EXTENDED_LEAF = 0x80000008;
const VENDOR = 'GenuineIntel';
const HYPERVISOR = 'lguest lgues';
const BRAND = 'lguest emulated CPU'.padEnd(48, '\0');
/** 36 bits of physical address, 32 of linear. */
const ADDRESS_SIZES = 0x2024;

const all = (features: Readonly<Record<string, number>>): number =>
  Object.values(features).reduce((sum, bit) => sum | bit, 0);

function word(text: string, at: number): number {
  return [0, 1, 2, 3].reduce((sum, i) => sum | (text.charCodeAt(at + i) << (8 * i)), 0);
}

function leaf(number: number, subleaf: number): Leaf {
  const unsigned = number >>> 0;
  if (unsigned >= BRAND_LEAF && unsigned < BRAND_LEAF + 3) {
    const at = (unsigned - BRAND_LEAF) * 16;
    return [word(BRAND, at), word(BRAND, at + 4), word(BRAND, at + 8), word(BRAND, at + 12)];
  }
  switch (unsigned) {
    case 0:
      return [MAX_LEAF, word(VENDOR, 0), word(VENDOR, 8), word(VENDOR, 4)];
    case 1:
      return [SIGNATURE, CLFLUSH_LINE, all(FEATURES_ECX), all(FEATURES_EDX)];
    case 2:
      return CACHE_DESCRIPTORS;
    case 4:
      return CACHES[subleaf] ?? [0, 0, 0, 0];
    case HYPERVISOR_LEAF:
      return [HYPERVISOR_LEAF, word(HYPERVISOR, 0), word(HYPERVISOR, 4), word(HYPERVISOR, 8)];
    case EXTENDED_LEAF:
      return [MAX_EXTENDED_LEAF | 0, 0, 0, 0];
    case MAX_EXTENDED_LEAF:
      return [ADDRESS_SIZES, 0, 0, 0];
    default:
      return [0, 0, 0, 0];
  }
}

/** cpuid: the leaf in eax, the answer in eax, ebx, ecx, edx. */
export function cpuid(memory: Memory): void {
  const [eax, ebx, ecx, edx] = leaf(memory.get(REGISTERS), memory.get(REGISTERS + 4));
  memory.set(REGISTERS, eax);
  memory.set(REGISTERS + 4, ecx);
  memory.set(REGISTERS + 8, edx);
  memory.set(REGISTERS + 12, ebx);
}
