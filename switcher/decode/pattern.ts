// The codes of the opcode map taken apart: which bytes a row is for. Done for an opcode when it is first met, since a
// program that only starts should not wait for a thousand rows.
import { Bug } from '../../lib/errors.js';
import { OPCODE_MAP } from './opcode-map/index.js';
import type { Row } from './opcode-map/row.js';
import { operandNotation } from './operands.js';

/** The byte behind which two-byte opcodes are. */
export const ESCAPE = 0x0f;
/** Opcodes of one byte are 00 … FF, those after 0F are 100 … 1FF. */
export const TWO_BYTE = 0x100;
export const OPCODES = 0x200;

/** What may be part of an opcode, in the order of the numbers that stand for it. */
export const PREFIXES = ['NP', '66', 'F3', 'F2'];
export const ANY_PREFIX = 0b1111;

export interface Pattern {
  /** Which row of the opcode map. */
  readonly row: number;
  /** Which of PREFIXES fit, as bits. */
  readonly prefixes: number;
  readonly hasModrm: boolean;
  /** The first and the last middle field beside a memory operand. */
  readonly memory: readonly [number, number];
  /** The first and the last of the six low bits of ModRM, beside a register operand. */
  readonly register: readonly [number, number];
}

const NONE = [1, 0] as const;
const OPCODE = /^(?:(?:NP|66|F3|F2) )?(0F )?(..)(\+i)?/;
const CODE =
  /^(?:(NP|66|F3|F2) )?(?:0F )?[0-9A-F]{2}(?:\+i)?(?: ([0-9A-F]{2})(\+i)?)?(?: \/([0-7])(?:-([0-7]))?)?(?: ([mr]))?$/;

function parseRow(number: number, row: Row): Pattern {
  const code = CODE.exec(row.code);
  if (code === null) throw new Bug(`the opcode map has an opcode '${row.code}'`);
  const [, prefix, second, plus, from, to = from, mod] = code;
  const texts = row.operands === '' ? [] : row.operands.split(',');
  const besideMemory = texts.map((text) => operandNotation(text, false));
  const besideRegister = texts.map((text) => operandNotation(text, true));
  const fields = from === undefined ? ([0, 7] as const) : ([Number(from), Number(to)] as const);
  const byte = Number.parseInt(second ?? '', 16) & 0x3f;
  const inMemory = second === undefined && mod !== 'r' && besideMemory.every((operand) => operand.allowsMemory);
  const inRegister = mod !== 'm' && besideRegister.every((operand) => operand.allowsRegister);
  const registers =
    second === undefined
      ? ([fields[0] << 3, (fields[1] << 3) | 7] as const)
      : ([byte, plus === undefined ? byte : byte + 7] as const);
  return {
    row: number,
    prefixes: prefix === undefined ? ANY_PREFIX : 1 << PREFIXES.indexOf(prefix),
    hasModrm: second !== undefined || from !== undefined || besideMemory.some((operand) => operand.modrm),
    memory: inMemory ? fields : NONE,
    register: inRegister ? registers : NONE,
  };
}

/** By opcode: the numbers of its rows. */
let rows: number[][] | undefined;

function rowsByOpcode(): number[][] {
  const all: number[][] = Array.from({ length: OPCODES }, () => []);
  for (const [number, row] of OPCODE_MAP.entries()) {
    const [, escape, byte = '', plus] = OPCODE.exec(row.code) ?? [];
    const opcode = (escape === undefined ? 0 : TWO_BYTE) + Number.parseInt(byte, 16);
    const count = plus === undefined ? 1 : 8;
    for (let low = 0; low < count; low++) all[opcode + low]?.push(number);
  }
  return all;
}

const parsed: (Pattern | undefined)[] = [];

function patternOf(number: number): Pattern {
  const row = OPCODE_MAP[number];
  if (row === undefined) throw new Bug(`the opcode map has no row ${number}`);
  return (parsed[number] ??= parseRow(number, row));
}

/** The rows for an opcode. Of those that fit the last one holds. */
export function patternsOf(opcode: number): readonly Pattern[] {
  rows ??= rowsByOpcode();
  return (rows[opcode] ?? []).map(patternOf);
}
