// From the bytes of an opcode to its Encoding, by a table that is filled as opcodes are met: most of x86 never is.
import { Bug } from '../../lib/errors.js';
import { Encoding } from './encoding.js';
import { OPCODE_MAP } from './opcode-map/index.js';
import type { Row } from './opcode-map/row.js';
import { operandNotation } from './operands.js';

/** Opcodes of one byte are 00 … FF, those after 0F are 100 … 1FF. */
export const TWO_BYTE = 0x100;
const OPCODES = 0x200;
/** No prefix, 66, F3, F2: what may be part of an opcode. F3 and F2 go before 66. */
const PREFIXES = 4;
/** What ModRM may say about the opcode: the middle field beside a memory operand, or anything beside a register. */
const VARIATIONS = 8 + 64;
const REGISTER_VARIATIONS = 8;

/** A row of the opcode map with its code taken apart. */
interface Pattern {
  readonly row: Row;
  readonly opcode: number;
  /** The low three bits of the opcode are an operand. */
  readonly eight: boolean;
  /** Which of PREFIXES fit, as bits. */
  readonly prefixes: number;
  readonly hasModrm: boolean;
  /** Which of VARIATIONS fit: the first and the last middle field beside memory, the first and the last beside a register. */
  readonly memory: readonly [number, number];
  readonly register: readonly [number, number];
}

const NONE = [1, 0] as const;
const CODE =
  /^(?:(NP|66|F3|F2) )?(0F )?([0-9A-F]{2})(\+i)?(?: ([0-9A-F]{2})(\+i)?)?(?: \/([0-7])(?:-([0-7]))?)?(?: ([mr]))?$/;

const prefixesOf = (prefix: string | undefined): number =>
  prefix === undefined ? 0b1111 : 1 << ['NP', '66', 'F3', 'F2'].indexOf(prefix);

function parseRow(row: Row): Pattern {
  const code = CODE.exec(row.code);
  if (code === null) throw new Bug(`the opcode map has an opcode '${row.code}'`);
  const [, prefix, escape, byte = '', plus, second, secondPlus, from, to = from, mod] = code;
  const texts = row.operands === '' ? [] : row.operands.split(',');
  const beside = [false, true].map((register) => texts.map((text) => operandNotation(text, register)));
  const [memoryOperands = [], registerOperands = []] = beside;
  const hasModrm = second !== undefined || from !== undefined || memoryOperands.some((operand) => operand.modrm);
  const fields = from === undefined ? ([0, 7] as const) : ([Number(from), Number(to)] as const);
  const modrm = Number.parseInt(second ?? '', 16) & 0x3f;
  const whole = [modrm, secondPlus === undefined ? modrm : modrm + 7] as const;
  const inMemory = second === undefined && mod !== 'r' && memoryOperands.every((operand) => operand.allowsMemory);
  const inRegister = mod !== 'm' && registerOperands.every((operand) => operand.allowsRegister);
  return {
    row,
    opcode: (escape === undefined ? 0 : TWO_BYTE) + Number.parseInt(byte, 16),
    eight: plus !== undefined,
    prefixes: prefixesOf(prefix),
    hasModrm,
    memory: inMemory ? fields : NONE,
    register: inRegister ? (second === undefined ? ([fields[0] << 3, (fields[1] << 3) | 7] as const) : whole) : NONE,
  };
}

const patterns: Pattern[][] = Array.from({ length: OPCODES }, () => []);

/** For each opcode, whether a ModRM byte follows. No ModRM follows what is undefined whatever comes next. */
export const HAS_MODRM = new Uint8Array(OPCODES);

for (const pattern of OPCODE_MAP.map(parseRow)) {
  for (let low = 0; low < (pattern.eight ? 8 : 1); low++) {
    patterns[pattern.opcode + low]?.push(pattern);
    if (pattern.hasModrm) HAS_MODRM[pattern.opcode + low] = 1;
  }
}

const made = new Map<Row, Encoding[]>();

function encodingOf(row: Row, register: boolean): Encoding {
  const both = made.get(row) ?? [new Encoding(row, false), new Encoding(row, true)];
  made.set(row, both);
  const encoding = both[register ? 1 : 0];
  if (encoding === undefined) throw new Bug('an encoding of neither kind');
  return encoding;
}

function matches(pattern: Pattern, prefix: number, variation: number): boolean {
  if ((pattern.prefixes & (1 << prefix)) === 0) return false;
  if (!pattern.hasModrm) return true;
  const register = variation >= REGISTER_VARIATIONS;
  const value = register ? variation - REGISTER_VARIATIONS : variation;
  const [first, last] = register ? pattern.register : pattern.memory;
  return value >= first && value <= last;
}

/** 0 where the table has not been filled, UNDEFINED_OPCODE where there is nothing, else a position in `encodings`. */
const slots = new Uint16Array(OPCODES * PREFIXES * VARIATIONS);
const UNDEFINED_OPCODE = 1;
const encodings: (Encoding | undefined)[] = [undefined, undefined];

function fill(slot: number): Encoding | undefined {
  const variation = slot % VARIATIONS;
  const prefix = Math.trunc(slot / VARIATIONS) % PREFIXES;
  const opcode = Math.trunc(slot / (VARIATIONS * PREFIXES));
  const pattern = patterns[opcode]?.findLast((candidate) => matches(candidate, prefix, variation));
  if (pattern === undefined) {
    slots[slot] = UNDEFINED_OPCODE;
    return undefined;
  }
  const encoding = encodingOf(pattern.row, variation >= REGISTER_VARIATIONS);
  const known = encodings.indexOf(encoding);
  slots[slot] = known >= 0 ? known : encodings.push(encoding) - 1;
  return encoding;
}

/**
 * The encoding that belongs to an opcode, or undefined.
 *
 * @param prefix 0 none, 1 66, 2 F3, 3 F2
 * @param modrm the ModRM byte, 0 if there is none
 */
export function lookUp(opcode: number, prefix: number, modrm: number): Encoding | undefined {
  const variation = modrm >= 0xc0 ? modrm - 0xc0 + REGISTER_VARIATIONS : (modrm >> 3) & 7;
  const slot = (opcode * PREFIXES + prefix) * VARIATIONS + variation;
  const position = slots[slot] ?? 0;
  return position === 0 ? fill(slot) : encodings[position];
}
