// The exceptions of the 386 and its descendants, by vector, and the bits of their error codes.
export const X86_TRAP_DE = 0;
export const X86_TRAP_DB = 1;
export const X86_TRAP_NMI = 2;
export const X86_TRAP_BP = 3;
export const X86_TRAP_OF = 4;
export const X86_TRAP_BR = 5;
export const X86_TRAP_UD = 6;
export const X86_TRAP_NM = 7;
export const X86_TRAP_DF = 8;
export const X86_TRAP_OLD_MF = 9;
export const X86_TRAP_TS = 10;
export const X86_TRAP_NP = 11;
export const X86_TRAP_SS = 12;
export const X86_TRAP_GP = 13;
export const X86_TRAP_PF = 14;
export const X86_TRAP_SPURIOUS = 15;
export const X86_TRAP_MF = 16;
export const X86_TRAP_AC = 17;
export const X86_TRAP_MC = 18;
export const X86_TRAP_XF = 19;

/** Vectors below this one are exceptions; irq n comes in at vector FIRST_EXTERNAL_VECTOR + n. */
export const FIRST_EXTERNAL_VECTOR = 32;
/** How many vectors an IDT has. */
export const IDT_ENTRIES = 256;
/** Linux's system call: `int $0x80`. */
export const IA32_SYSCALL_VECTOR = 0x80;

const PUSHES_ERROR_CODE =
  (1 << X86_TRAP_DF) |
  (1 << X86_TRAP_TS) |
  (1 << X86_TRAP_NP) |
  (1 << X86_TRAP_SS) |
  (1 << X86_TRAP_GP) |
  (1 << X86_TRAP_PF) |
  (1 << X86_TRAP_AC);

/** Whether the frame of exception `vector` has an error code on top. */
export const hasErrorCode = (vector: number): boolean => vector < 32 && ((PUSHES_ERROR_CODE >>> vector) & 1) === 1;

/** The exceptions that point at something wrong with the tables rather than at the program: two in a row make a double fault. */
const CONTRIBUTORY = [X86_TRAP_DE, X86_TRAP_TS, X86_TRAP_NP, X86_TRAP_SS, X86_TRAP_GP];

/** Whether `second`, raised on the way to the handler of `first`, makes the two a double fault (Intel SDM volume 3, 6.15). */
export const isDoubleFault = (first: number, second: number): boolean =>
  CONTRIBUTORY.includes(second) && (CONTRIBUTORY.includes(first) || first === X86_TRAP_PF);

/** A page fault's error code: the page was there, but not with the right that was needed. */
export const PF_PROT = 1 << 0;
/** … it was a write. */
export const PF_WRITE = 1 << 1;
/** … at CPL 3. */
export const PF_USER = 1 << 2;
