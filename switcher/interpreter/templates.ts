// What the decoder has found out about an opcode, kept in the machine's memory so that WebAssembly can decode the next instruction
// like it (see decode-run). Most code is a few hundred opcodes, again and again.
//
// Only for code that is flat and of 32 bits, and for instructions without prefixes: all others are the decoder's every time. A
// template, after the handler's number:
//
//    4  u32  shape: how the instruction goes on behind its opcode (HAS_MODRM …); from SHAPE_SEGMENT_SHIFT on its segment
//    8  u32  for each of three registers: shift, mask and fixed bits with which its number is taken from opcode and ModRM, and
//   12  u32  which of the tables of places the number is for
//   16  u32
//   20  i32  the immediate of an instruction that has none in its bytes
import { isPrefix, isX87 } from '../decode/decode.js';
import type { Encoding, RegisterSource } from '../decode/encoding.js';
import type { Instruction } from '../decode/instruction.js';
import { hasModrm, likeIt, lookUp, variationOf, VARIATIONS } from '../decode/lookup.js';
import { ESCAPE, OPCODES, TWO_BYTE } from '../decode/pattern.js';
import * as State from '../cpu/state.js';
import { shapeOf } from './load.js';
import { PLACES } from './record-shape.js';

export const TEMPLATE_HANDLER = 0;
export const TEMPLATE_SHAPE = 4;
export const TEMPLATE_REGISTERS = 8;
export const TEMPLATE_IMMEDIATE = 20;

/** Bits of a shape. An immediate has 1, 2 or 4 bytes. */
export const IMMEDIATE_BYTES = 7;
export const SIGNED_IMMEDIATE = 1 << 3;
/** The immediate is where to jump, from the next instruction on. */
export const RELATIVE_IMMEDIATE = 1 << 4;
export const HAS_MODRM = 1 << 5;
/** An address as ModRM says, or 32 bits of displacement alone. */
export const HAS_ADDRESS = 1 << 6;
export const ENDS_BLOCK = 1 << 7;
/** The immediate is made of opcode and ModRM. */
export const X87_OPCODE = 1 << 8;
export const SHAPE_SEGMENT_SHIFT = 9;

/** Places of a register's number by its kind: so many numbers, in the order of PLACES. */
export const PLACES_OF_A_KIND = 16;
const KINDS = Object.values(PLACES);

/** The first is number 1. */
const LARGEST_TEMPLATE = ((State.MAPS - State.TEMPLATES) >> State.TEMPLATE_SIZE_SHIFT) - 1;

const IMMEDIATES: Readonly<Record<Encoding['immediate'], number | undefined>> = {
  none: 0,
  one: 0,
  byte: 1,
  'signed-byte': 1 | SIGNED_IMMEDIATE,
  word: 2,
  'operand-size': 4,
  'branch-byte': 1 | SIGNED_IMMEDIATE | RELATIVE_IMMEDIATE,
  branch: 4 | RELATIVE_IMMEDIATE,
  far: undefined,
};

const ADDRESSES: Readonly<Record<Encoding['memory'], number>> = {
  modrm: HAS_ADDRESS,
  address: HAS_ADDRESS,
  offset: HAS_ADDRESS,
  none: 0,
  source: 0,
  destination: 0,
  stack: 0,
};
const SEGMENTS: Readonly<Partial<Record<Encoding['memory'], number>>> = { destination: State.ES, stack: State.SS };

export class Templates {
  readonly #index: Uint16Array;
  readonly #words: Int32Array;
  #count = 0;

  constructor(buffer: ArrayBuffer) {
    this.#index = new Uint16Array(buffer, State.TEMPLATE_INDEX, OPCODES * VARIATIONS);
    this.#words = new Int32Array(buffer, State.TEMPLATES, (State.MAPS - State.TEMPLATES) / 4);
    const places = new Uint8Array(buffer, State.TEMPLATE_PLACES, State.TEMPLATE_PLACES_SIZE);
    for (const [kind, table] of KINDS.entries())
      places.set(table.subarray(0, PLACES_OF_A_KIND), kind * PLACES_OF_A_KIND);
  }

  /** Keeps what can be kept of `instruction`, which was decoded from `bytes` in flat 32-bit code. */
  learn(bytes: Uint8Array, start: number, instruction: Instruction): void {
    let position = start;
    let opcode = bytes[position++] ?? 0;
    if (isPrefix(opcode)) return;
    if (opcode === ESCAPE) opcode = TWO_BYTE | (bytes[position++] ?? 0);
    const modrm = hasModrm(opcode) ? (bytes[position] ?? 0) : 0;
    const encoding = lookUp(opcode, 0, modrm);
    const slot = opcode * VARIATIONS;
    if (encoding === undefined || this.#index[slot + variationOf(modrm)] !== 0) return;
    const shape = shapeFor(encoding, instruction);
    if (shape === undefined || this.#count === LARGEST_TEMPLATE) return;
    const number = ++this.#count;
    const word = (number << State.TEMPLATE_SIZE_SHIFT) / 4;
    const { handler, places } = shapeOf(instruction.form);
    const ofOpcode = (hasModrm(opcode) ? HAS_MODRM : 0) | (isX87(opcode) ? X87_OPCODE : 0);
    this.#words[word + TEMPLATE_HANDLER / 4] = handler;
    this.#words[word + TEMPLATE_SHAPE / 4] = shape | ofOpcode;
    [encoding.first, encoding.second, encoding.third].forEach((source, i) => {
      this.#words[word + TEMPLATE_REGISTERS / 4 + i] = registerWord(source, KINDS.indexOf(places[i] ?? PLACES.bare));
    });
    this.#words[word + TEMPLATE_IMMEDIATE / 4] = encoding.immediate === 'one' ? 1 : 0;
    for (const variation of likeIt(opcode, modrm)) this.#index[slot + variation] = number;
  }
}

/** Undefined for what is seldom, and not worth a way of its own. */
function shapeFor(encoding: Encoding, { form }: Instruction): number | undefined {
  const immediate = IMMEDIATES[encoding.immediate];
  if (immediate === undefined || encoding.secondImmediate) return undefined;
  const ends = shapeOf(form).endsBlock ? ENDS_BLOCK : 0;
  const segment = (SEGMENTS[encoding.memory] ?? State.DS) << SHAPE_SEGMENT_SHIFT;
  return immediate | ADDRESSES[encoding.memory] | ends | segment;
}

const registerWord = ({ shift, mask, fixed }: RegisterSource, kind: number): number =>
  shift | (mask << 8) | (fixed << 16) | ((kind * PLACES_OF_A_KIND) << 24);
