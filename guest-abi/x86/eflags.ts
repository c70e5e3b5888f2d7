// The bits of the eflags register that Host and Guest talk about.
//
//   21  20   19  18 17 16  14 13 12   11 10  9  8   7  6   4   2   1   0
//   ID VIP  VIF  AC VM RF  NT  IOPL   OF DF IF TF  SF ZF  AF  PF   1  CF
export const X86_EFLAGS_CF = 1 << 0;
/** Always one. */
export const X86_EFLAGS_FIXED = 1 << 1;
export const X86_EFLAGS_PF = 1 << 2;
export const X86_EFLAGS_AF = 1 << 4;
export const X86_EFLAGS_ZF = 1 << 6;
export const X86_EFLAGS_SF = 1 << 7;
export const X86_EFLAGS_TF = 1 << 8;
export const X86_EFLAGS_IF = 1 << 9;
export const X86_EFLAGS_DF = 1 << 10;
export const X86_EFLAGS_OF = 1 << 11;
export const X86_EFLAGS_IOPL = 3 << 12;
export const X86_EFLAGS_NT = 1 << 14;
export const X86_EFLAGS_RF = 1 << 16;
export const X86_EFLAGS_VM = 1 << 17;
export const X86_EFLAGS_AC = 1 << 18;
export const X86_EFLAGS_VIF = 1 << 19;
export const X86_EFLAGS_VIP = 1 << 20;
export const X86_EFLAGS_ID = 1 << 21;

/** What the CPU clears when it goes through a gate. */
export const X86_EFLAGS_CLEARED_BY_GATE = X86_EFLAGS_TF | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT;
