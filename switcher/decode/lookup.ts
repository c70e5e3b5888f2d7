// From the bytes of an opcode to its Encoding, by a table that is filled as opcodes are met: most of x86 never is.
import { Bug } from '../../lib/errors.js';
import { Encoding } from './encoding.js';
import type { Row } from './opcode-map/row.js';
import { OPCODES, patternsOf } from './pattern.js';
import type { Pattern } from './pattern.js';

/** No prefix, 66, F3, F2: what may be part of an opcode. */
const PREFIXES = 4;
/** What ModRM may say about the opcode: the middle field beside a memory operand, or anything beside a register. */
const REGISTER_VARIATIONS = 8;
const VARIATIONS = REGISTER_VARIATIONS + 64;

const UNKNOWN = 0;
const NO_MODRM = 1;
const MODRM = 2;
const modrms = new Uint8Array(OPCODES);

/** Whether a ModRM byte follows the opcode. None follows what is undefined whatever comes next. */
export function hasModrm(opcode: number): boolean {
  const known = modrms[opcode];
  if (known !== UNKNOWN) return known === MODRM;
  const has = patternsOf(opcode).some((pattern) => pattern.hasModrm);
  modrms[opcode] = has ? MODRM : NO_MODRM;
  return has;
}

const encodingsOfRows = new Map<Row, readonly [Encoding, Encoding]>();

/** The encoding of a row for a register or for memory as the operand that ModRM names. */
export function encodingOf(row: Row, register: boolean): Encoding {
  const both = encodingsOfRows.get(row) ?? [new Encoding(row, false), new Encoding(row, true)];
  encodingsOfRows.set(row, both);
  return register ? both[1] : both[0];
}

function matches(pattern: Pattern, prefix: number, variation: number): boolean {
  if ((pattern.prefixes & (1 << prefix)) === 0) return false;
  if (!pattern.hasModrm) return true;
  const register = variation >= REGISTER_VARIATIONS;
  const value = register ? variation - REGISTER_VARIATIONS : variation;
  const [first, last] = register ? pattern.register : pattern.memory;
  return value >= first && value <= last;
}

/** 0 where the table has not been filled, NOTHING where no row fits, else a position in `encodings`. */
const slots = new Uint16Array(OPCODES * PREFIXES * VARIATIONS);
const NOTHING = 1;
const encodings: (Encoding | undefined)[] = [undefined, undefined];
const positions = new Map<Encoding, number>();

function positionOf(encoding: Encoding): number {
  const position = positions.get(encoding) ?? encodings.push(encoding) - 1;
  positions.set(encoding, position);
  return position;
}

function fill(slot: number): Encoding | undefined {
  const variation = slot % VARIATIONS;
  const prefix = Math.trunc(slot / VARIATIONS) % PREFIXES;
  const opcode = Math.trunc(slot / (VARIATIONS * PREFIXES));
  const pattern = patternsOf(opcode).findLast((candidate) => matches(candidate, prefix, variation));
  const encoding = pattern === undefined ? undefined : encodingOf(pattern.row, variation >= REGISTER_VARIATIONS);
  slots[slot] = encoding === undefined ? NOTHING : positionOf(encoding);
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
  const position = slots[slot];
  if (position === undefined) throw new Bug(`no opcode has the number ${opcode}`);
  return position === 0 ? fill(slot) : encodings[position];
}
