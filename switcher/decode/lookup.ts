// From the bytes of an opcode to its Encoding, by a table. It is filled as opcodes are met, since most of x86 never is; or it comes
// from a file that the build has made.
import { Bug } from '../../lib/errors.js';
import { Encoding } from './encoding.js';
import { OPCODE_MAP } from './opcode-map/index.js';
import { OPCODES, patternsOf, PREFIXES } from './pattern.js';
import type { Pattern } from './pattern.js';

/** From here on ModRM bytes name a register. */
export const FIRST_REGISTER_MODRM = 0xc0;
/** What ModRM may say about the opcode: the middle field beside a memory operand, or anything beside a register. */
export const REGISTER_VARIATIONS = 8;
export const VARIATIONS = REGISTER_VARIATIONS + 64;

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

/** Tables like this one have a place for each opcode with each prefix and each variation, in this order. */
export const SLOTS = OPCODES * PREFIXES.length * VARIATIONS;

/** What stands in such a place. */
export const inSlot = (slot: number): { opcode: number; prefix: number; variation: number } => ({
  opcode: Math.trunc(slot / (VARIATIONS * PREFIXES.length)),
  prefix: Math.trunc(slot / VARIATIONS) % PREFIXES.length,
  variation: slot % VARIATIONS,
});

/** UNKNOWN where the table has not been filled, NOTHING where no row fits, else which encoding. */
const slots = new Uint16Array(SLOTS);
const NOTHING = 1;
const FIRST_ENCODING = 2;
/** Two for each row. */
const encodings: (Encoding | undefined)[] = Array.from({ length: FIRST_ENCODING + 2 * OPCODE_MAP.length });

const positionOf = (row: number, register: boolean): number => FIRST_ENCODING + 2 * row + (register ? 1 : 0);

function encodingAt(position: number): Encoding | undefined {
  const row = OPCODE_MAP[(position - FIRST_ENCODING) >> 1];
  return row === undefined ? undefined : (encodings[position] ??= new Encoding(row, (position & 1) !== 0));
}

/** The encoding of a row for a register or for memory as the operand that ModRM names. */
export function encodingOf(row: number, register: boolean): Encoding {
  const encoding = encodingAt(positionOf(row, register));
  if (encoding === undefined) throw new Bug(`the opcode map has no row ${row}`);
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

function fill(slot: number): number {
  const { opcode, prefix, variation } = inSlot(slot);
  const pattern = patternsOf(opcode).findLast((candidate) => matches(candidate, prefix, variation));
  const position = pattern === undefined ? NOTHING : positionOf(pattern.row, variation >= REGISTER_VARIATIONS);
  slots[slot] = position;
  return position;
}

/** All of the table, for a file: to read it takes less time than to fill what a Guest needs of it. */
export function wholeTable(): Uint8Array {
  for (let opcode = 0; opcode < OPCODES; opcode++) hasModrm(opcode);
  for (let slot = 0; slot < slots.length; slot++) if (slots[slot] === UNKNOWN) fill(slot);
  return Buffer.concat([new Uint8Array(slots.buffer), modrms]);
}

/** Takes what `wholeTable` has given. */
export function useTable(bytes: Uint8Array): void {
  if (bytes.length !== slots.byteLength + modrms.length) throw new Bug('the table of opcodes is none');
  new Uint8Array(slots.buffer).set(bytes.subarray(0, slots.byteLength));
  modrms.set(bytes.subarray(slots.byteLength));
}

/** What a ModRM byte says about the opcode before it, 0 to VARIATIONS - 1. */
export const variationOf = (modrm: number): number =>
  modrm >= FIRST_REGISTER_MODRM ? modrm - FIRST_REGISTER_MODRM + REGISTER_VARIATIONS : (modrm >> 3) & 7;

/** A ModRM byte that says this. */
export const modrmOf = (variation: number): number =>
  variation >= REGISTER_VARIATIONS ? variation - REGISTER_VARIATIONS + FIRST_REGISTER_MODRM : variation << 3;

/**
 * The encoding that belongs to an opcode, or undefined.
 *
 * @param prefix its number in PREFIXES
 * @param modrm the ModRM byte, 0 if there is none
 */
export function lookUp(opcode: number, prefix: number, modrm: number): Encoding | undefined {
  const slot = (opcode * PREFIXES.length + prefix) * VARIATIONS + variationOf(modrm);
  const position = slots[slot];
  if (position === undefined) throw new Bug(`no opcode has the number ${opcode}`);
  return encodings[position] ?? encodingAt(position === UNKNOWN ? fill(slot) : position);
}
