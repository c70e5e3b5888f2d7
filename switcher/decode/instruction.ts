// What the decoder says about one instruction: which form it is of, and what fills the form's blanks.
//
// A *form* is an instruction's meaning with blanks for the operands: `add m32, r32`. Definitions in instructions/ are
// written per mnemonic; a form picks the operand kinds. Two encodings with the same kinds are the same form: `add eax,
// imm32` (05) and `add ecx, imm32` (81 /0) differ only in what fills the blank, `shl eax, 1` is `shl r32, imm8`.

/** Where an operand lives and how wide it is, in bits. */
export type Operand =
  | { readonly kind: 'register'; readonly width: 8 | 16 | 32 }
  | { readonly kind: 'memory'; readonly width: MemoryWidth }
  | { readonly kind: 'immediate'; readonly width: 8 | 16 | 32 }
  /** A near branch target: `immediate` is the absolute target offset (already wrapped to 16 bits with a 16-bit operand size). */
  | { readonly kind: 'target' }
  /** A far pointer in the instruction: `immediate` is the offset, `immediate2` the selector. */
  | { readonly kind: 'far' }
  | { readonly kind: 'segment' }
  | { readonly kind: 'control' }
  | { readonly kind: 'debug' }
  /** x87 stack register: the number is relative to the top. */
  | { readonly kind: 'st' }
  | { readonly kind: 'mmx' }
  | { readonly kind: 'xmm' };

/** 0 is an address without a size of its own: lea, invlpg, fxsave, prefetch. */
export type MemoryWidth = 0 | 8 | 16 | 32 | 48 | 64 | 80 | 128;

/** How a memory operand's address is formed: `flat` needs no segment base and no limit check. */
export type Addressing = 'none' | 'flat' | 'segmented';

export type Repeat = 'none' | 'rep' | 'repne';

export interface Form {
  readonly index: number;
  /** Intel's mnemonic in lower case, `cmovcc`-like families spelled out: `cmovb`, `jnz`. One definition for each. */
  readonly mnemonic: string;
  readonly operands: readonly Operand[];
  readonly addressing: Addressing;
  readonly operandSize: 16 | 32;
  /** Matters for memory operands, string instructions, loop and jecxz; 32 for every other form. */
  readonly addressSize: 16 | 32;
  readonly repeat: Repeat;
}

/** One decoded instruction. The decoder fills the same object again and again: copy what must stay. */
export interface Instruction {
  form: Form;
  /** Bytes, prefixes included: 1 … 15. */
  length: number;
  /** Register number for each operand position that is a register of some kind (8-bit registers: 0 … 7 = al … bh). */
  registers: [number, number, number];
  /** Base and index register of the memory operand, NO_REGISTER if there is none. */
  base: number;
  indexRegister: number;
  /** Shift of the index: 0 … 3. */
  scale: number;
  displacement: number;
  /** Segment register of the memory operand (or of the string source), defaults applied: es cs ss ds fs gs = 0 … 5. */
  segment: number;
  /** Sign-extended or not as the instruction wants it: a finished 32-bit value. In an x87 instruction its 11-bit opcode. */
  immediate: number;
  immediate2: number;
}

/** The register file has a ninth slot that is always zero. */
export const NO_REGISTER = 8;

/** What the decoder must know of the CPU. */
export interface DecodeMode {
  /** CS.D: 16 or 32. */
  readonly defaultSize: 16 | 32;
  /** CS, DS, ES and SS are flat: base 0, limit 4 GiB, usable. */
  readonly flat: boolean;
}
