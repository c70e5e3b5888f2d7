// What kernels and programs are mostly made of. Of the time that the interpreter takes of a Linux boot, nine tenths are spent in
// these forms: their handlers are wanted at once and all the time, while most others are never run.
const EVERYDAY: Readonly<Record<string, readonly string[]>> = {
  mov: ['r32,m32', 'm32,r32', 'r32,r32', 'm8,r8', 'r32,imm32', 'm32,imm32', 'r8,r8'],
  movzx: ['r32,m8', 'r32,m16', 'r32,r8'],
  lea: ['r32,m0'],
  add: ['r32,imm32', 'r32,r32', 'm32,imm32', 'm32,r32'],
  sub: ['r32,imm32', 'r32,r32', 'm32,r32'],
  inc: ['r32', 'm32'],
  dec: ['r32', 'm32'],
  and: ['r32,imm32', 'r32,r32', 'r8,imm8'],
  or: ['r32,imm32', 'r32,r32'],
  xor: ['r32,r32'],
  shl: ['r32,imm8', 'r32,r8'],
  shr: ['r32,imm8', 'r32,r8'],
  sar: ['r32,imm8'],
  cmp: ['r32,imm32', 'r32,r32', 'm32,imm32', 'm32,r32', 'r32,m32', 'r8,imm8', 'm8,imm8'],
  test: ['r32,r32', 'r32,imm32', 'r8,r8', 'r8,imm8', 'm8,imm8'],
  push: ['r32'],
  pop: ['r32'],
  call: ['target', 'm32'],
  ret: [''],
  jmp: ['target'],
  jz: ['target'],
  jnz: ['target'],
  jb: ['target'],
  jae: ['target'],
  jbe: ['target'],
  ja: ['target'],
  js: ['target'],
};

/** Keys of forms, as formKey makes them. */
export const EVERYDAY_FORMS: ReadonlySet<string> = new Set(
  Object.entries(EVERYDAY).flatMap(([mnemonic, all]) => all.map((operands) => `${mnemonic} ${operands}`.trim())),
);
