// The control registers as a Guest's CPU has them. A Guest can neither read nor write them: ring 1 may not.
export const X86_CR0_PE = 1 << 0;
export const X86_CR0_MP = 1 << 1;
export const X86_CR0_EM = 1 << 2;
export const X86_CR0_TS = 1 << 3;
export const X86_CR0_ET = 1 << 4;
export const X86_CR0_NE = 1 << 5;
export const X86_CR0_WP = 1 << 16;
export const X86_CR0_AM = 1 << 18;
export const X86_CR0_PG = (1 << 31) >>> 0;

export const X86_CR4_TSD = 1 << 2;
export const X86_CR4_PAE = 1 << 5;
export const X86_CR4_PGE = 1 << 7;
export const X86_CR4_PCE = 1 << 8;
export const X86_CR4_OSFXSR = 1 << 9;
export const X86_CR4_OSXMMEXCPT = 1 << 10;

/** What `smsw` shows: protected mode with paging, write protection in ring 1, native FPU errors, no TS. */
export const GUEST_CR0 =
  (X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_PG) >>> 0;
