// A row of the opcode map, made ready for the decoder: one for a memory operand and one for a register operand.
import { Bug } from '../../lib/errors.js';
import { internForm } from './forms.js';
import type { Addressing, Form, Operand, Repeat } from './instruction.js';
import type { Flag, Row } from './opcode-map/row.js';
import { operandNotation } from './operands.js';
import type { ImmediateField, MemoryAccess, OperandNotation, RegisterField } from './operands.js';

/** What the decoder adds up to find a form among those of an encoding; the repeat prefix (0 … 2) comes above. */
export const VARIANT_OPERAND_16 = 1;
export const VARIANT_ADDRESS_16 = 2;
export const VARIANT_SEGMENTED = 4;
export const VARIANT_REPEAT_SHIFT = 3;
const VARIANTS = 3 << VARIANT_REPEAT_SHIFT;

const NO_FORMS: readonly (Form | undefined)[] = Array.from({ length: VARIANTS });

/** Where the decoder finds the number of a register: `((opcode << 8 | modrm) >> shift) & mask | fixed`. */
export interface RegisterSource {
  readonly shift: number;
  readonly mask: number;
  readonly fixed: number;
}

function registerSource(field: RegisterField | undefined): RegisterSource {
  switch (field) {
    case undefined:
      return { shift: 0, mask: 0, fixed: 0 };
    case 'low':
      return { shift: 0, mask: 7, fixed: 0 };
    case 'middle':
      return { shift: 3, mask: 7, fixed: 0 };
    case 'opcode':
      return { shift: 8, mask: 7, fixed: 0 };
    default:
      return { shift: 0, mask: 0, fixed: field };
  }
}

/** The one that counts: only cmps and movs get at memory twice, and what can be overridden is the source. */
function memoryAccess(notations: readonly OperandNotation[], stack: boolean): MemoryAccess {
  const found = new Set(notations.map((notation) => notation.memory));
  for (const access of ['modrm', 'address', 'offset', 'source', 'destination'] as const) {
    if (found.has(access)) return access;
  }
  return stack ? 'stack' : 'none';
}

export class Encoding {
  readonly row: Row;
  readonly lockable: boolean;
  readonly memory: MemoryAccess;
  /** A segment prefix changes where the memory is: not for pushes, nor for the destination of string instructions. */
  readonly overridable: boolean;
  readonly immediate: ImmediateField;
  /** enter alone has two immediates: a byte after the word. */
  readonly secondImmediate: boolean;
  readonly first: RegisterSource;
  readonly second: RegisterSource;
  readonly third: RegisterSource;
  /** By variant; undefined until asked for. */
  readonly forms: (Form | undefined)[] = NO_FORMS.slice();
  readonly #notations: readonly OperandNotation[];
  readonly #mnemonics: readonly [string, string];
  readonly #sized: boolean;

  constructor(row: Row, register: boolean) {
    const texts = row.operands === '' ? [] : row.operands.split(',');
    const notations = texts.map((text) => operandNotation(text, register));
    const visible = notations.filter((notation) => notation.operand32 !== undefined);
    const immediates = visible.map((notation) => notation.immediate).filter((field) => field !== 'none');
    this.row = row;
    const [mnemonic16 = '', mnemonic32 = mnemonic16] = row.mnemonic.split('|');
    this.#notations = visible;
    this.#mnemonics = [mnemonic16, mnemonic32];
    this.#sized = row.flags.includes('sized') || mnemonic16 !== mnemonic32 || visible.some(isSized);
    this.memory = memoryAccess(notations, row.flags.includes('stack'));
    this.overridable = !['none', 'stack', 'destination'].includes(this.memory);
    this.lockable = row.flags.includes('lock') && this.memory === 'modrm';
    this.immediate = immediates[0] ?? 'none';
    this.secondImmediate = immediates.length > 1;
    this.first = registerSource(visible[0]?.register);
    this.second = registerSource(visible[1]?.register);
    this.third = registerSource(visible[2]?.register);
    if (visible.length > 3) throw new Bug(`${row.code} ${row.mnemonic} has more than three operands`);
  }

  /** The form for a variant, which is kept for the next time. */
  form(variant: number): Form {
    const known = this.forms[variant];
    if (known !== undefined) return known;
    const form = this.#makeForm(variant);
    this.forms[variant] = form;
    return form;
  }

  /** The variants that have forms of their own. */
  variants(): number[] {
    const segmented = this.memory === 'none' || this.memory === 'address' ? [0] : [0, VARIANT_SEGMENTED];
    const addresses = this.#addressSizeMatters() ? [...segmented, VARIANT_ADDRESS_16 | VARIANT_SEGMENTED] : segmented;
    const sizes = this.#sized ? [0, VARIANT_OPERAND_16] : [0];
    const repeats = this.#has('repz') ? [0, 1, 2] : this.#has('rep') ? [0, 1] : [0];
    return repeats.flatMap((repeat) =>
      sizes.flatMap((size) => addresses.map((address) => (repeat << VARIANT_REPEAT_SHIFT) | size | address)),
    );
  }

  #has(flag: Flag): boolean {
    return this.row.flags.includes(flag);
  }

  /** Leaves out of the variant what does not matter to this instruction, so that there are few forms. */
  #makeForm(variant: number): Form {
    const size16 = (variant & VARIANT_OPERAND_16) !== 0;
    const operands = this.#notations.map((notation) => this.#operand(notation, size16));
    const [mnemonic16, mnemonic32] = this.#mnemonics;
    return internForm({
      mnemonic: size16 ? mnemonic16 : mnemonic32,
      operands,
      addressing: this.#addressing((variant & VARIANT_SEGMENTED) !== 0),
      operandSize: this.#sized && size16 ? 16 : 32,
      addressSize: this.#addressSizeMatters() && (variant & VARIANT_ADDRESS_16) !== 0 ? 16 : 32,
      repeat: this.#repeat(variant >> VARIANT_REPEAT_SHIFT),
    });
  }

  #operand(notation: OperandNotation, size16: boolean): Operand {
    const operand = size16 ? notation.operand16 : notation.operand32;
    if (operand === undefined) throw new Bug(`${this.row.code} has an operand that is hidden in one size only`);
    return operand;
  }

  #addressing(segmented: boolean): Addressing {
    if (this.memory === 'none') return 'none';
    return segmented && this.memory !== 'address' ? 'segmented' : 'flat';
  }

  #addressSizeMatters(): boolean {
    return this.#has('counter') || !['none', 'stack', 'offset'].includes(this.memory);
  }

  #repeat(prefix: number): Repeat {
    if (prefix === 0) return 'none';
    if (this.#has('repz')) return prefix === 1 ? 'rep' : 'repne';
    return this.#has('rep') ? 'rep' : 'none';
  }
}

/** Widths, and so the meaning, go with the operand size. */
const isSized = ({ operand16, operand32 }: OperandNotation): boolean =>
  operand16 !== undefined && operand32 !== undefined && widthOf(operand16) !== widthOf(operand32);

const widthOf = (operand: Operand): number => ('width' in operand ? operand.width : 0);
