// In what these programs may print something else in a Guest than natively, and why: such lines are not compared.

export interface Explained {
  /** The program. */
  readonly program: string;
  /** In each of its lines, what matches is left out. */
  readonly pattern: RegExp;
  readonly why: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    program: 'test-i386',
    pattern: /^sh[lr]dw .* C=000000(1[1-9a-f]) .*/,
    why: 'What a double shift of 16 bits by more than 16 gives is undefined.',
  },
  {
    program: 'fxsave',
    pattern: /^ {2}0 {3}.*|(?<=^ 16 {3}(?:.. ){12}).{11}|(?<=^ 16 {3}).{23}/,
    why: 'Instruction and data pointers are kept in another way by each make, and MXCSR_MASK says what a CPU has.',
  },
  {
    program: 'test-mmap',
    pattern: /(?<=addr=)0x\w+/,
    why: 'Where there is room is the kernel’s choice.',
  },
];

/** What a program printed, without what it may print otherwise. */
export function comparable(program: string, printed: string): string {
  const patterns = EXPLAINED.filter((one) => one.program === program).map(({ pattern }) => pattern);
  return printed
    .split('\n')
    .map((line) => patterns.reduce((text, pattern) => text.replaceAll(new RegExp(pattern, 'g'), '…'), line))
    .join('\n');
}
