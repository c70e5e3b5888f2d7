// Every form that bytes can have, found by decoding an example of each: for those who prepare something for each form,
// and for tests.
import { decode } from './decode.js';
import { UNDEFINED } from './forms.js';
import { NO_REGISTER } from './instruction.js';
import type { DecodeMode, Form, Instruction } from './instruction.js';
import { HAS_MODRM, TWO_BYTE } from './lookup.js';

export interface FormExample {
  readonly form: Form;
  /** One instruction. Registers and immediates are as good as any others: edi or bx for the address, ecx, edx, 0. */
  readonly bytes: Uint8Array;
  readonly mode: DecodeMode;
}

/** An Instruction to decode into, for the form `ud` until then. */
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

/** All that a ModRM byte can mean for the opcode, each with plain registers where it can be. */
function* modrmBytes(opcode: number): Generator<number> {
  const x87 = opcode >= 0xd8 && opcode <= 0xdf;
  for (let field = 0; field < 8; field++) yield (field << 3) | 7;
  for (let byte = 0xc0; byte <= 0xff; byte++) if (x87 || (byte & 7) === 1) yield byte;
}

function* opcodes(): Generator<number[]> {
  for (let opcode = 0; opcode < HAS_MODRM.length; opcode++) {
    const bytes = opcode < TWO_BYTE ? [opcode] : [0x0f, opcode & 0xff];
    if (HAS_MODRM[opcode] === 0) yield bytes;
    else for (const modrm of modrmBytes(opcode)) yield [...bytes, modrm];
  }
}

const PREFIXES = [[], [0x66], [0x67], [0x66, 0x67]].flatMap((sizes) => [sizes, [...sizes, 0xf3], [...sizes, 0xf2]]);
const MODES: readonly DecodeMode[] = [
  { defaultSize: 32, flat: true },
  { defaultSize: 32, flat: false },
];
const ROOM_FOR_THE_REST = 10;

/** Decodes some ten thousand byte strings: not for every start of the program. */
export function formExamples(): readonly FormExample[] {
  const examples = new Map<Form, FormExample>();
  const instruction = newInstruction();
  const zeroes = Array.from({ length: ROOM_FOR_THE_REST }, () => 0);
  for (const opcode of opcodes()) {
    for (const prefixes of PREFIXES) {
      const bytes = Uint8Array.from([...prefixes, ...opcode, ...zeroes]);
      for (const mode of MODES) {
        decode(bytes, bytes.length, 0, mode, instruction);
        const { form, length } = instruction;
        if (!examples.has(form)) examples.set(form, { form, bytes: bytes.slice(0, length), mode });
      }
    }
  }
  return [...examples.values()];
}

export const allForms = (): readonly Form[] => formExamples().map((example) => example.form);
