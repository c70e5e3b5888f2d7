// The decoder: bytes in, an Instruction out. Which bytes mean what is said in opcode-map/; here is only how x86
// instructions are put together: prefixes, opcode, ModRM, SIB, displacement, immediates.
//
// It reads ahead without looking where the bytes end, and checks once, at the end: what it read there was at worst
// nonsense that is thrown away.
import { VARIANT_ADDRESS_16, VARIANT_OPERAND_16, VARIANT_REPEAT_SHIFT, VARIANT_SEGMENTED } from './encoding.js';
import type { Encoding } from './encoding.js';
import { UNDEFINED } from './forms.js';
import { NO_REGISTER } from './instruction.js';
import type { DecodeMode, Instruction } from './instruction.js';
import { hasModrm, lookUp } from './lookup.js';
import { ESCAPE, TWO_BYTE } from './pattern.js';

export type DecodeResult = 'ok' | 'short' | 'too-long';

const X87_ESCAPE = 0xd8;
/** In bytes: more than that, and it is none. */
export const LONGEST_INSTRUCTION = 15;
const SEGMENT_ES = 0;
const SEGMENT_SS = 2;
const SEGMENT_DS = 3;
const ESP = 4;
const EBP = 5;

// All prefixes of an instruction in one word:
//
//     8        5 4 3 2      1 0
//    ┌──────────┬─┬─┬────────┬─┐
//    │ segment+1│A│L│ repeat │O│   O operand size, L LOCK, A address size; repeat: 1 F3, 2 F2
//    └──────────┴─┴─┴────────┴─┘
//
// A prefix clears its field and sets it anew, so the last of several segment (or repeat) prefixes counts, as on real CPUs.
const OPERAND_SIZE = 1 << 0;
const REPEAT_SHIFT = 1;
const LOCK = 1 << 3;
const ADDRESS_SIZE = 1 << 4;
const SEGMENT_SHIFT = 5;
const PREFIX_BYTES: readonly (readonly [byte: number, clears: number, sets: number])[] = [
  [0x66, 0, OPERAND_SIZE],
  [0x67, 0, ADDRESS_SIZE],
  [0xf0, 0, LOCK],
  [0xf3, 3 << REPEAT_SHIFT, 1 << REPEAT_SHIFT],
  [0xf2, 3 << REPEAT_SHIFT, 2 << REPEAT_SHIFT],
  ...[0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65].map(
    (byte, segment) => [byte, 7 << SEGMENT_SHIFT, (segment + 1) << SEGMENT_SHIFT] as const,
  ),
];
const CLEARS = new Uint8Array(256);
const SETS = new Uint8Array(256);
for (const [byte, clears, sets] of PREFIX_BYTES) {
  CLEARS[byte] = clears;
  SETS[byte] = sets;
}

/** D8 … DF. */
export const isX87 = (opcode: number): boolean => (opcode & ~7) === X87_ESCAPE;

export const isPrefix = (byte: number): boolean => SETS[byte] !== 0;

/** By the low three bits of the prefixes: which of them takes part in the opcode. F3 and F2 go before 66. */
const MANDATORY = [0, 1, 2, 2, 3, 3];

/** By the number of a segment override plus one. Nothing can be written through CS, so that is never flat. */
const OVERRIDE_SEGMENTED = [0, 0, VARIANT_SEGMENTED, 0, 0, VARIANT_SEGMENTED, VARIANT_SEGMENTED];

/**
 * Decodes the instruction at `bytes[start]` into `out`.
 *
 * Bytes that are no instruction have the form `ud`: that is 'ok'. 'short': the instruction goes on behind the `available`
 * bytes, and nothing in `out` holds. 'too-long': it would be longer than a CPU accepts (#GP).
 *
 * @param available how many bytes can be read from `start` on; 15 are always enough
 * @param eip the offset of the instruction in its code segment, to which branches are relative
 */
export function decode(
  bytes: Uint8Array,
  available: number,
  eip: number,
  mode: DecodeMode,
  out: Instruction,
  start = 0,
): DecodeResult {
  const limit = start + (available < LONGEST_INSTRUCTION ? available : LONGEST_INSTRUCTION);
  const beyond = available < LONGEST_INSTRUCTION ? 'short' : 'too-long';
  let position = start;
  let prefixes = 0;
  let opcode = 0;
  for (;;) {
    if (position >= limit) return beyond;
    opcode = bytes[position++] ?? 0;
    const sets = SETS[opcode] ?? 0;
    if (sets === 0) break;
    prefixes = (prefixes & ~(CLEARS[opcode] ?? 0)) | sets;
  }
  if (opcode === ESCAPE) {
    if (position >= limit) return beyond;
    opcode = TWO_BYTE | (bytes[position++] ?? 0);
  }
  let modrm = 0;
  if (hasModrm(opcode)) {
    if (position >= limit) return beyond;
    modrm = bytes[position++] ?? 0;
  }
  const encoding = lookUp(opcode, MANDATORY[prefixes & 7] ?? 0, modrm);
  if (encoding === undefined) return undefinedOpcode(out, position - start);

  clear(out);
  let variant = ((prefixes >> REPEAT_SHIFT) & 3) << VARIANT_REPEAT_SHIFT;
  if (((prefixes & OPERAND_SIZE) !== 0) !== (mode.defaultSize === 16)) variant |= VARIANT_OPERAND_16;
  if (((prefixes & ADDRESS_SIZE) !== 0) !== (mode.defaultSize === 16))
    variant |= VARIANT_ADDRESS_16 | VARIANT_SEGMENTED;
  if (!mode.flat) variant |= VARIANT_SEGMENTED;
  if (encoding.memory !== 'none') {
    position = decodeMemory(bytes, position, modrm, encoding, variant, out);
    const override = prefixes >> SEGMENT_SHIFT;
    if (override !== 0 && encoding.overridable) {
      out.segment = override - 1;
      variant |= OVERRIDE_SEGMENTED[override] ?? 0;
    }
  }
  if (encoding.immediate !== 'none') {
    position = decodeImmediate(bytes, position, (eip - start) | 0, encoding, variant, out);
  }
  if (position > limit) return beyond;
  if ((prefixes & LOCK) !== 0 && !encoding.lockable) return undefinedOpcode(out, position - start);
  // The x87 remembers the opcode of what raised an exception: FOP, 11 bits.
  if (isX87(opcode)) out.immediate = ((opcode & 7) << 8) | modrm;

  fillRegisters(out.registers, (opcode << 8) | modrm, encoding);
  out.form = encoding.forms[variant] ?? encoding.form(variant);
  out.length = position - start;
  return 'ok';
}

function clear(out: Instruction): void {
  out.base = NO_REGISTER;
  out.indexRegister = NO_REGISTER;
  out.scale = 0;
  out.displacement = 0;
  out.segment = SEGMENT_DS;
  out.immediate = 0;
  out.immediate2 = 0;
}

/** @param fields the last byte of the opcode and ModRM, which is where the numbers of registers are */
function fillRegisters(registers: Instruction['registers'], fields: number, encoding: Encoding): void {
  const { first, second, third } = encoding;
  registers[0] = ((fields >> first.shift) & first.mask) | first.fixed;
  registers[1] = ((fields >> second.shift) & second.mask) | second.fixed;
  registers[2] = ((fields >> third.shift) & third.mask) | third.fixed;
}

function undefinedOpcode(out: Instruction, length: number): DecodeResult {
  clear(out);
  out.form = UNDEFINED;
  out.length = length;
  out.registers.fill(0);
  return 'ok';
}

/** Returns the position behind the operand, as all functions from here on do. */
function decodeMemory(
  bytes: Uint8Array,
  position: number,
  modrm: number,
  encoding: Encoding,
  variant: number,
  out: Instruction,
): number {
  switch (encoding.memory) {
    case 'modrm':
    case 'address':
      if ((variant & VARIANT_ADDRESS_16) !== 0) return decodeModrm16(bytes, position, modrm, out);
      return decodeModrm32(bytes, position, modrm, out);
    case 'offset':
      if ((variant & VARIANT_ADDRESS_16) !== 0) {
        out.displacement = read16(bytes, position);
        return position + 2;
      }
      out.displacement = read32(bytes, position);
      return position + 4;
    case 'destination':
      out.segment = SEGMENT_ES;
      return position;
    case 'stack':
      out.segment = SEGMENT_SS;
      return position;
    case 'source':
    case 'none':
      return position;
  }
}

function decodeModrm32(bytes: Uint8Array, start: number, modrm: number, out: Instruction): number {
  const mod = modrm >> 6;
  let position = start;
  let base = modrm & 7;
  if (base === ESP) {
    const sib = bytes[position++] ?? 0;
    base = sib & 7;
    const index = (sib >> 3) & 7;
    if (index !== ESP) {
      out.indexRegister = index;
      out.scale = sib >> 6;
    }
  }
  if (mod === 0 && base === EBP) {
    out.displacement = read32(bytes, position);
    return position + 4;
  }
  out.base = base;
  if (base === ESP || base === EBP) out.segment = SEGMENT_SS;
  if (mod === 0) return position;
  if (mod === 1) {
    out.displacement = ((bytes[position] ?? 0) << 24) >> 24;
    return position + 1;
  }
  out.displacement = read32(bytes, position);
  return position + 4;
}

/** bx+si bx+di bp+si bp+di si di bp bx */
const BASE_16 = [3, 3, 5, 5, 6, 7, 5, 3];
const INDEX_16 = [6, 7, 6, 7, NO_REGISTER, NO_REGISTER, NO_REGISTER, NO_REGISTER];

function decodeModrm16(bytes: Uint8Array, position: number, modrm: number, out: Instruction): number {
  const mod = modrm >> 6;
  const rm = modrm & 7;
  if (mod === 0 && rm === 6) {
    out.displacement = read16(bytes, position);
    return position + 2;
  }
  const base = BASE_16[rm] ?? NO_REGISTER;
  out.base = base;
  out.indexRegister = INDEX_16[rm] ?? NO_REGISTER;
  if (base === EBP) out.segment = SEGMENT_SS;
  if (mod === 0) return position;
  if (mod === 1) {
    out.displacement = ((bytes[position] ?? 0) << 24) >> 24;
    return position + 1;
  }
  out.displacement = (read16(bytes, position) << 16) >> 16;
  return position + 2;
}

function decodeImmediate(
  bytes: Uint8Array,
  position: number,
  origin: number,
  encoding: Encoding,
  variant: number,
  out: Instruction,
): number {
  const size16 = (variant & VARIANT_OPERAND_16) !== 0;
  switch (encoding.immediate) {
    case 'byte':
      out.immediate = bytes[position] ?? 0;
      return position + 1;
    case 'signed-byte': {
      const value = ((bytes[position] ?? 0) << 24) >> 24;
      out.immediate = size16 ? value & 0xffff : value;
      return position + 1;
    }
    case 'operand-size':
      out.immediate = size16 ? read16(bytes, position) : read32(bytes, position);
      return position + (size16 ? 2 : 4);
    case 'word':
      out.immediate = read16(bytes, position);
      if (!encoding.secondImmediate) return position + 2;
      out.immediate2 = bytes[position + 2] ?? 0;
      return position + 3;
    case 'branch-byte': {
      const next = position + 1;
      const target = (origin + next + (((bytes[position] ?? 0) << 24) >> 24)) | 0;
      out.immediate = size16 ? target & 0xffff : target;
      return next;
    }
    case 'branch': {
      const next = position + (size16 ? 2 : 4);
      if (size16) out.immediate = (origin + next + read16(bytes, position)) & 0xffff;
      else out.immediate = (origin + next + read32(bytes, position)) | 0;
      return next;
    }
    case 'far': {
      const next = position + (size16 ? 2 : 4);
      out.immediate = size16 ? read16(bytes, position) : read32(bytes, position);
      out.immediate2 = read16(bytes, next);
      return next + 2;
    }
    case 'one':
      out.immediate = 1;
      return position;
    case 'none':
      return position;
  }
}

const read16 = (bytes: Uint8Array, position: number): number =>
  (bytes[position] ?? 0) | ((bytes[position + 1] ?? 0) << 8);

const read32 = (bytes: Uint8Array, position: number): number =>
  read16(bytes, position) | ((bytes[position + 2] ?? 0) << 16) | ((bytes[position + 3] ?? 0) << 24);
