// What cpuid answers: a plain P6 with SSE3 that nobody mistakes for one that needs model-specific registers.
//
// The vendor is no real one, and leaf 1 says that a hypervisor is here: kernels with microcode loading or vendor quirks would
// otherwise read MSRs before they can handle the fault (the Guest's own filter does not reach such early code).
import type { Memory } from './memory.js';
import { REGISTERS } from './state.js';

/** Family 6, model 6, stepping 3. */
const SIGNATURE = 0x663;
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
const MAX_LEAF = 2;
const HYPERVISOR_LEAF = 0x40000000;
const EXTENDED_LEAF = 0x80000000;
const BRAND_LEAF = 0x80000002;
const MAX_EXTENDED_LEAF = 0x80000008;
const VENDOR = 'LguestTsCpu ';
const HYPERVISOR = 'lguest lgues';
const BRAND = 'lguest emulated CPU'.padEnd(48, '\0');
/** 36 bits of physical address, 32 of linear. */
const ADDRESS_SIZES = 0x2024;

type Leaf = readonly [eax: number, ebx: number, ecx: number, edx: number];

const all = (features: Readonly<Record<string, number>>): number =>
  Object.values(features).reduce((sum, bit) => sum | bit, 0);

function word(text: string, at: number): number {
  return [0, 1, 2, 3].reduce((sum, i) => sum | (text.charCodeAt(at + i) << (8 * i)), 0);
}

function leaf(number: number): Leaf {
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
    case HYPERVISOR_LEAF:
      return [HYPERVISOR_LEAF, word(HYPERVISOR, 0), word(HYPERVISOR, 4), word(HYPERVISOR, 8)];
    case EXTENDED_LEAF:
      return [MAX_EXTENDED_LEAF | 0, word(VENDOR, 0), word(VENDOR, 8), word(VENDOR, 4)];
    case MAX_EXTENDED_LEAF:
      return [ADDRESS_SIZES, 0, 0, 0];
    default:
      return [0, 0, 0, 0];
  }
}

/** cpuid: the leaf in eax, the answer in eax, ebx, ecx, edx. */
export function cpuid(memory: Memory): void {
  const [eax, ebx, ecx, edx] = leaf(memory.get(REGISTERS));
  memory.set(REGISTERS, eax);
  memory.set(REGISTERS + 4, ecx);
  memory.set(REGISTERS + 8, edx);
  memory.set(REGISTERS + 12, ebx);
}
