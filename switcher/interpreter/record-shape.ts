// What a form says of its records, worked out once for each form: which handler, and how the numbers of registers become
// places. Decoding fills thousands of records before anything is hot, and asks nothing of a form but this.
import type { Form, Operand } from '../decode/instruction.js';
import type { Flow } from '../instructions/form-facts.js';

/** The register files have words, or 16 bytes for each. */
export const REGISTER_SIZES = { general: 4, wide: 16 } as const;

const NUMBERS = 256;
const table = (place: (number: number) => number): Uint8Array =>
  Uint8Array.from({ length: NUMBERS }, (_, n) => place(n));

/** What a `register` blank holds for a register's number: a byte offset into its file, or the bare number. */
export const PLACES = {
  general: table((number) => number * REGISTER_SIZES.general),
  // ah, ch, dh, bh are the second bytes of the first four registers.
  byte: table((number) => (number >= 4 ? (number - 4) * REGISTER_SIZES.general + 1 : number * REGISTER_SIZES.general)),
  wide: table((number) => number * REGISTER_SIZES.wide),
  bare: table((number) => number),
};

export interface RecordShape {
  /** The place of the form's handler in the interpreter's table. */
  readonly handler: number;
  /** True when no instruction of this form runs into the next one. */
  readonly endsBlock: boolean;
  readonly flow: Flow;
  /** True when the place of the second immediate is for where the jump leads. */
  readonly isNear: boolean;
  /** By operand: what its blank holds, by the register's number. */
  readonly places: readonly [Uint8Array, Uint8Array, Uint8Array];
}

function placesOf(operand: Operand | undefined): Uint8Array {
  switch (operand?.kind) {
    case 'register':
      return operand.width === 8 ? PLACES.byte : PLACES.general;
    case 'xmm':
    case 'mmx':
    case 'segment':
      return PLACES.wide;
    default:
      return PLACES.bare;
  }
}

export function recordShape({ operands }: Form, handler: number, endsBlock: boolean, flow: Flow): RecordShape {
  const [first, second, third] = operands;
  const isNear = first?.kind === 'target';
  return { handler, endsBlock, flow, isNear, places: [placesOf(first), placesOf(second), placesOf(third)] };
}
