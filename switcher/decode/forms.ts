// Every Form exists once: forms that are equal are the same object, and have the same number.
import type { Form, Operand } from './instruction.js';

function operandKey(operand: Operand): string {
  switch (operand.kind) {
    case 'register':
      return `r${operand.width}`;
    case 'memory':
      return `m${operand.width}`;
    case 'immediate':
      return `imm${operand.width}`;
    case 'segment':
      return 'sreg';
    case 'control':
      return 'cr';
    case 'debug':
      return 'dr';
    case 'target':
    case 'far':
    case 'st':
    case 'mmx':
    case 'xmm':
      return operand.kind;
  }
}

/**
 * The form in words, another one for each form and the same for ever: `add m32,r32`, `rep movsl seg a16`.
 * What is usual is not mentioned: flat memory, and sizes of 32.
 */
export function formKey(form: Omit<Form, 'index'>): string {
  let key = form.repeat === 'none' ? form.mnemonic : `${form.repeat} ${form.mnemonic}`;
  if (form.operands.length > 0) key += ` ${form.operands.map(operandKey).join()}`;
  if (form.addressing === 'segmented') key += ' seg';
  if (form.operandSize === 16) key += ' o16';
  if (form.addressSize === 16) key += ' a16';
  return key;
}

const forms = new Map<string, Form>();

/** The one Form with these properties. Its index is the number of forms that were asked for before it. */
export function internForm(properties: Omit<Form, 'index'>): Form {
  const key = formKey(properties);
  const known = forms.get(key);
  if (known !== undefined) return known;
  const form: Form = Object.freeze({ index: forms.size, ...properties });
  forms.set(key, form);
  return form;
}

/** Bytes that are no instruction: an undefined opcode, or a LOCK prefix where it must not be. */
export const UNDEFINED: Form = internForm({
  mnemonic: 'ud',
  operands: [],
  addressing: 'none',
  operandSize: 32,
  addressSize: 32,
  repeat: 'none',
});
