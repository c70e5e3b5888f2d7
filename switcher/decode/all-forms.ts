// Every form that bytes can have, with an example of each: for those who prepare something for each form, and for tests.
import { decode } from './decode.js';
import { OPCODES, TWO_BYTE, patternsOf } from './pattern.js';
import type { Pattern } from './pattern.js';
import type { Encoding } from './encoding.js';
import { VARIANT_ADDRESS_16, VARIANT_OPERAND_16, VARIANT_REPEAT_SHIFT, VARIANT_SEGMENTED } from './encoding.js';
import { UNDEFINED } from './forms.js';
import { NO_REGISTER } from './instruction.js';
import type { DecodeMode, Form, Instruction } from './instruction.js';
import { encodingOf } from './lookup.js';

export interface FormExample {
  readonly form: Form;
  /** One instruction. What fills its blanks is as good as anything else: edi or bx for the address, ecx, immediates of 0. */
  readonly bytes: Uint8Array;
  readonly mode: DecodeMode;
}

/** An Instruction to decode into, of the form `ud` until then. */
export const newInstruction = (): Instruction => ({
  form: UNDEFINED,
  length: 0,
  registers: [0, 0, 0],
  base: NO_REGISTER,
  indexRegister: NO_REGISTER,
  scale: 0,
  displacement: 0,
  segment: 0,
  immediate: 0,
  immediate2: 0,
});

const MANDATORY_PREFIX = new Map([
  [0b0010, 0x66],
  [0b0100, 0xf3],
  [0b1000, 0xf2],
]);
const REPEAT_PREFIXES = [[], [0xf3], [0xf2]];

function prefixBytes(pattern: Pattern, variant: number): number[] {
  const mandatory = MANDATORY_PREFIX.get(pattern.prefixes);
  return [
    ...((variant & VARIANT_OPERAND_16) === 0 ? [] : [0x66]),
    ...((variant & VARIANT_ADDRESS_16) === 0 ? [] : [0x67]),
    ...(REPEAT_PREFIXES[variant >> VARIANT_REPEAT_SHIFT] ?? []),
    ...(mandatory === undefined ? [] : [mandatory]),
  ];
}

/** The opcode with its ModRM byte: the last that the row allows, before rows for a single one are met, but rm is 1 or 7. */
function opcodeBytes(opcode: number, pattern: Pattern, register: boolean): number[] {
  const bytes = opcode < TWO_BYTE ? [opcode] : [0x0f, opcode & 0xff];
  if (!pattern.hasModrm) return bytes;
  if (!register) return [...bytes, (pattern.memory[1] << 3) | 7];
  const [first, last] = pattern.register;
  return [...bytes, 0xc0 | (first === last ? first : (last & ~7) | 1)];
}

const FLAT: DecodeMode = { defaultSize: 32, flat: true };
const SEGMENTED: DecodeMode = { defaultSize: 32, flat: false };
/** The most bytes that can follow an opcode and its ModRM byte: a displacement and an immediate, or a far pointer. */
const REST = [0, 0, 0, 0, 0, 0, 0, 0];

/** Each row for memory and for a register, as far as it allows them; once, if ModRM does not come into it. */
function* encodings(opcode: number): Generator<readonly [Encoding, Pattern, boolean]> {
  for (const pattern of patternsOf(opcode)) {
    for (const register of pattern.hasModrm ? [false, true] : [false]) {
      const [first, last] = register ? pattern.register : pattern.memory;
      if (first <= last) yield [encodingOf(pattern.row, register), pattern, register];
    }
  }
}

/** Every form, in the order of their index: that of the opcode map, if nothing has been decoded before. */
export function allForms(): readonly Form[] {
  const forms = new Set([UNDEFINED]);
  for (let opcode = 0; opcode < OPCODES; opcode++) {
    for (const [encoding] of encodings(opcode)) {
      for (const variant of encoding.variants()) forms.add(encoding.form(variant));
    }
  }
  return [...forms].toSorted((a, b) => a.index - b.index);
}

/** An example of each form, in the order of the opcode map. */
export function formExamples(): readonly FormExample[] {
  const nothing = { form: UNDEFINED, bytes: Uint8Array.of(0x0f, 0x38), mode: FLAT };
  const examples = new Map<Form, FormExample>([[UNDEFINED, nothing]]);
  const instruction = newInstruction();
  for (let opcode = 0; opcode < OPCODES; opcode++) {
    for (const [encoding, pattern, register] of encodings(opcode)) {
      for (const variant of encoding.variants()) {
        const bytes = Uint8Array.from([
          ...prefixBytes(pattern, variant),
          ...opcodeBytes(opcode, pattern, register),
          ...REST,
        ]);
        const mode = (variant & VARIANT_SEGMENTED) === 0 ? FLAT : SEGMENTED;
        decode(bytes, bytes.length, 0, mode, instruction);
        const { form, length } = instruction;
        if (!examples.has(form)) examples.set(form, { form, bytes: bytes.slice(0, length), mode });
      }
    }
  }
  return [...examples.values()];
}
