// Page table entries, without and with PAE.
//
//   without: 4 bytes, 1024 x 1024      pppp pppp pppp pppp pppp ....  G PS D A  . . U W P
//   with:    8 bytes, 4 x 512 x 512    the same low word, and a high word with NX in bit 31 and page number bits below
export const PAGE_PRESENT = 1 << 0;
export const PAGE_RW = 1 << 1;
export const PAGE_USER = 1 << 2;
export const PAGE_ACCESSED = 1 << 5;
export const PAGE_DIRTY = 1 << 6;
/** In a directory entry: a large page. In a PTE the same bit means PAT. */
export const PAGE_PSE = 1 << 7;
export const PAGE_GLOBAL = 1 << 8;
export const PAGE_FLAGS_MASK = 0xfff;

/** All that a directory entry may carry: P, RW, USER, ACCESSED, DIRTY. */
export const DIRECTORY_FLAGS = PAGE_PRESENT | PAGE_RW | PAGE_USER | PAGE_ACCESSED | PAGE_DIRTY;
/** All that a PAE top level entry may carry: its other low bits are reserved. */
export const PAE_TOP_FLAGS = PAGE_PRESENT;
/** In the high word of a PAE entry: everything but NX is page number. */
export const PAE_HIGH_PFN_MASK = 0x7fffffff;

export const PTRS_PER_PGD = 1024;
export const PTRS_PER_PTE = 1024;
export const PGDIR_SHIFT = 22;
export const PTE_SIZE = 4;

export const PAE_PTRS_PER_PGD = 4;
export const PAE_PTRS_PER_PMD = 512;
export const PAE_PTRS_PER_PTE = 512;
export const PAE_PGDIR_SHIFT = 30;
export const PAE_PMD_SHIFT = 21;
export const PAE_PTE_SIZE = 8;
