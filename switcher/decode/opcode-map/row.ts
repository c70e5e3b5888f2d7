// The notation of the opcode map: one row for each opcode, or for each member of a group, as in the tables at the end
// of the second volume of Intel's manual.
//
// An opcode is written as its bytes, with, in this order:
//   `NP` `66` `F3` `F2`  a prefix that is part of the opcode. Rows without one do not care for prefixes. NP: none of the three.
//   `+i`                 the low three bits of the last byte are an operand: eight opcodes.
//   `/4` `/2-5`          the middle field of ModRM is part of the opcode.
//   `m` `r`              only with a memory operand, only with a register.
//   `D9 E8`              after an x87 opcode (or a group) a whole ModRM byte can be named.
//
// The notation of the operands is explained in operands.ts. Where two rows fit, the later one holds: `90+i` is xchg, but
// `90` is nop, and `F3 90` pause.

/** What has to be known of an instruction before its meaning is. */
export type Flag =
  /** May have a LOCK prefix when its destination is in memory. Everything else with LOCK is undefined. */
  | 'lock'
  /** Pushes or pops: the form's `addressing` says whether the stack segment is flat. */
  | 'stack'
  /** The operand size matters although no operand shows it. */
  | 'sized'
  /** Counts in ecx or cx by the address size, and has no memory operand that shows it. */
  | 'counter'
  /** A string instruction: repeated by either repeat prefix. */
  | 'rep'
  /** A string instruction that compares: F3 repeats while equal, F2 while not. */
  | 'repz';

export interface Row {
  readonly code: string;
  /** `movsw|movsl`: by the operand size, 16 bits first. */
  readonly mnemonic: string;
  /** Separated by commas, without spaces. */
  readonly operands: string;
  readonly flags: readonly Flag[];
}

export const op = (code: string, mnemonic: string, operands = '', ...flags: Flag[]): Row => ({
  code,
  mnemonic,
  operands,
  flags,
});

/** The sixteen conditions in the order of their number in the opcode. */
export const CONDITIONS = 'o no b ae z nz be a s ns p np l ge le g'.split(' ');

/** Sixteen rows: `j` at 70 is jo at 70 … jg at 7F. */
export const conditional = (code: string, name: string, operands: string): Row[] => {
  const escape = code.slice(0, -2);
  const first = Number.parseInt(code.slice(-2), 16);
  return CONDITIONS.map((condition, number) =>
    op(`${escape}${(first + number).toString(16).padStart(2, '0').toUpperCase()}`, `${name}${condition}`, operands),
  );
};

/** An integer instruction of MMX that SSE2 made twice as wide with a 66 prefix. */
export const wide = (code: string, mnemonic: string): Row[] => [
  op(`NP ${code}`, mnemonic, 'Pq,Qq'),
  op(`66 ${code}`, mnemonic, 'Vdq,Wdq'),
];

/** An SSE instruction in its packed and scalar kinds: `add` gives addps, addpd (66), addss (F3), addsd (F2). */
export const floating = (code: string, name: string, kinds: readonly ('ps' | 'pd' | 'ss' | 'sd')[]): Row[] => {
  const prefixes = { ps: 'NP', pd: '66', ss: 'F3', sd: 'F2' };
  return kinds.map((kind) => op(`${prefixes[kind]} ${code}`, `${name}${kind}`, `V${kind},W${kind}`));
};
