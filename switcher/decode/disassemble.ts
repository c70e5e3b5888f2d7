// An Instruction as text, in Intel's syntax as binutils write it: for traces, and for messages that say at what a Guest
// died. It goes by the form alone, so it cannot disagree with what is executed; prefixes without effect are not shown.
import type { Form, Instruction, MemoryWidth, Operand } from './instruction.js';
import { NO_REGISTER } from './instruction.js';

const REGISTERS_8 = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'];
const REGISTERS_16 = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const REGISTERS_32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];

const SIZES: Readonly<Record<MemoryWidth, string>> = {
  0: '',
  8: 'BYTE PTR ',
  16: 'WORD PTR ',
  32: 'DWORD PTR ',
  48: 'FWORD PTR ',
  64: 'QWORD PTR ',
  80: 'TBYTE PTR ',
  128: 'XMMWORD PTR ',
};

const unsigned = (value: number): string => `0x${(value >>> 0).toString(16)}`;

function general(width: 8 | 16 | 32, number: number): string {
  const names = { 8: REGISTERS_8, 16: REGISTERS_16, 32: REGISTERS_32 };
  return names[width][number] ?? '?';
}

/** `[ebx+ecx*4-0x10]`, `fs:0x14`. */
function address(instruction: Instruction): string {
  const { base, indexRegister, scale, displacement, form } = instruction;
  const parts: string[] = [];
  if (base !== NO_REGISTER) parts.push(general(form.addressSize, base));
  if (indexRegister !== NO_REGISTER) {
    const index = general(form.addressSize, indexRegister);
    parts.push(form.addressSize === 16 ? index : `${index}*${1 << scale}`);
  }
  if (parts.length === 0) return unsigned(displacement);
  const sign = displacement < 0 ? '-' : '+';
  const offset = displacement === 0 ? '' : `${sign}${unsigned(Math.abs(displacement))}`;
  return `[${parts.join('+')}${offset}]`;
}

function memory(instruction: Instruction, width: MemoryWidth): string {
  const usual = instruction.base === 4 || instruction.base === 5 ? 2 : 3;
  const absolute = instruction.base === NO_REGISTER && instruction.indexRegister === NO_REGISTER;
  const segment = absolute || instruction.segment !== usual ? `${SEGMENTS[instruction.segment] ?? '?'}:` : '';
  return `${SIZES[width]}${segment}${address(instruction)}`;
}

function operandText(operand: Operand, instruction: Instruction, position: number, immediate: number): string {
  const number = instruction.registers[position] ?? 0;
  switch (operand.kind) {
    case 'register':
      return general(operand.width, number);
    case 'memory':
      return memory(instruction, operand.width);
    case 'immediate':
    case 'target':
      return unsigned(immediate);
    case 'far':
      return `${unsigned(instruction.immediate2)}:${unsigned(immediate)}`;
    case 'segment':
      return SEGMENTS[number] ?? '?';
    case 'control':
      return `cr${number}`;
    case 'debug':
      return `dr${number}`;
    case 'st':
      return number === 0 ? 'st' : `st(${number})`;
    case 'mmx':
      return `mm${number}`;
    case 'xmm':
      return `xmm${number}`;
  }
}

/** Where no operand shows them, a prefix in words: `fs rep movsb`, `data16 pusha`. */
function prefixes(form: Form, segment: number): string {
  const shown = form.operands.some((operand) => operand.kind === 'memory');
  let text = '';
  if (!shown && form.addressing === 'segmented' && segment >= 4) text += `${SEGMENTS[segment] ?? '?'} `;
  if (!shown && form.addressSize === 16) text += 'addr16 ';
  if (form.operandSize === 16 && !form.operands.some((operand) => 'width' in operand)) text += 'data16 ';
  if (form.repeat !== 'none') text += `${form.repeat} `;
  return text;
}

/** `add DWORD PTR [ebx+0x10],eax`. Branch targets are absolute, as the decoder finds them. */
export function disassemble(instruction: Instruction): string {
  const { form, immediate, immediate2, segment } = instruction;
  let immediates = 0;
  const operands = form.operands.map((operand, position) =>
    operandText(
      operand,
      instruction,
      position,
      operand.kind === 'immediate' && immediates++ > 0 ? immediate2 : immediate,
    ),
  );
  return `${prefixes(form, segment)}${form.mnemonic} ${operands.join()}`.trimEnd();
}
