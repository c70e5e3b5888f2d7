// How an instruction is defined: one function per mnemonic, told its operands, that says in the vocabulary what happens.
//
//   define('add', (b, [to, from]) => {
//     const left = to.read();
//     …
//     to.write(result);          // may fault: so it comes before
//     flagsOfAdd(…);             // what cannot
//   });
//
// The one rule: whatever may fault comes before the first change of registers, flags or state, because an instruction that
// faults is run again from its beginning. tests/switcher/instructions/precise.test.ts holds every definition to it.
import { Bug } from '../../lib/errors.js';
import type { Form } from '../decode/instruction.js';
import { Builder, type Wording } from '../language/builder.js';
import type { Width } from '../language/flags.js';
import type { Body } from '../language/nodes.js';
import { type Access, accessOf } from './operands.js';

export type Definition = (b: Builder, operands: readonly [Access, Access, Access], form: Form) => void;

const definitions = new Map<string, Definition>();

/** Defines one mnemonic, or several that differ only in what `form.mnemonic` says. */
export function define(mnemonics: string | readonly string[], definition: Definition): void {
  for (const mnemonic of typeof mnemonics === 'string' ? [mnemonics] : mnemonics) {
    if (definitions.has(mnemonic)) throw new Bug(`${mnemonic} is defined twice`);
    definitions.set(mnemonic, definition);
  }
}

export function isDefined(mnemonic: string): boolean {
  return definitions.has(mnemonic);
}

/** What a form means: its mnemonic's definition, told these operand kinds. */
export function meaning(form: Form, wording: Wording = 'short'): Body {
  const definition = definitions.get(form.mnemonic);
  if (definition === undefined) throw new Bug(`the opcode map has ${form.mnemonic}, but it means nothing`);
  const b = new Builder(wording);
  definition(b, [accessOf(b, form, 0), accessOf(b, form, 1), accessOf(b, form, 2)], form);
  return b.body();
}

/** The width of an operand that must be a general register, memory or an immediate of 8, 16 or 32 bits. */
export function widthOf(access: Access): Width {
  const { width } = access;
  if (width === 8 || width === 16 || width === 32) return width;
  throw new Bug(`an operand of ${width} bits where 8, 16 or 32 are meant`);
}

/** The number of bytes that a value of `width` bits takes. */
export const bytesOf = (width: Width): 1 | 2 | 4 => (width === 8 ? 1 : width === 16 ? 2 : 4);
