// What decoding must know of an opcode, as a table in the machine's memory, so that WebAssembly can do it (see decode-run). The
// build makes it of the opcode map: `templates.bin` is what stands in memory from State.PREFIX_KINDS on.
//
// Only for code that is flat and of 32 bits, and for the commonest prefixes: all other instructions are the decoder's every
// time. A template, after the handler's number:
//
//    4  u32  shape: how the instruction goes on behind its opcode (HAS_MODRM …); from SHAPE_SEGMENT_SHIFT on its segment
//    8  u32  for each of three registers: shift, mask and fixed bits with which its number is taken from opcode and ModRM, and
//   12  u32  which of the tables of places the number is for
//   16  u32
//   20  i32  the immediate of an instruction that has none in its bytes
//   24  u32  the handler's number when the segment is FS or GS
import { isPrefix, isX87 } from '../decode/decode.js';
import {
  type Encoding,
  type RegisterSource,
  VARIANT_OPERAND_16,
  VARIANT_REPEAT_SHIFT,
  VARIANT_SEGMENTED,
} from '../decode/encoding.js';
import { hasModrm, inSlot, lookUp, modrmOf, SLOTS } from '../decode/lookup.js';
import { PREFIXES, TWO_BYTE } from '../decode/pattern.js';
import { Bug } from '../../lib/errors.js';
import * as State from '../cpu/state.js';
import { shapeOf } from './load.js';
import { PLACES } from './record-shape.js';

export const TEMPLATE_HANDLER = 0;
export const TEMPLATE_SHAPE = 4;
export const TEMPLATE_REGISTERS = 8;
export const TEMPLATE_IMMEDIATE = 20;
export const TEMPLATE_SEGMENTED_HANDLER = 24;

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
/** Of a signed immediate, 16 bits are wanted. */
export const NARROW_IMMEDIATE = 1 << 9;
/** A prefix can say which segment it is. */
export const OVERRIDABLE = 1 << 10;
export const SHAPE_SEGMENT_SHIFT = 11;

/** What a prefix byte is: its number in PREFIXES, or a segment from here on. */
export const SEGMENT_PREFIX = 8;
const PREFIX_KINDS: readonly (readonly [byte: number, kind: number])[] = [
  ...PREFIXES.slice(1).map((byte, i) => [Number.parseInt(byte, 16), i + 1] as const),
  [0x64, SEGMENT_PREFIX + State.FS],
  [0x65, SEGMENT_PREFIX + State.GS],
];
const TEMPLATE_WORDS = (1 << State.TEMPLATE_SIZE_SHIFT) / 4;
/** By the number of a prefix: the variant of the encoding that it makes. */
const VARIANTS = [0, VARIANT_OPERAND_16, 1 << VARIANT_REPEAT_SHIFT, 2 << VARIANT_REPEAT_SHIFT];

/** Places of a register's number by its kind: so many numbers, in the order of PLACES. */
const PLACES_OF_A_KIND = 16;
const KINDS = Object.values(PLACES);

type Immediate = Encoding['immediate'];
const IMMEDIATES: Readonly<Record<Immediate, number | undefined>> = {
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
/** The same with an operand size of 16 bits. */
const IMMEDIATES_16: Readonly<Record<Immediate, number | undefined>> = {
  ...IMMEDIATES,
  'signed-byte': 1 | SIGNED_IMMEDIATE | NARROW_IMMEDIATE,
  'operand-size': 2,
  'branch-byte': undefined,
  branch: undefined,
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

const registerWord = ({ shift, mask, fixed }: RegisterSource, kind: number): number =>
  shift | (mask << 8) | (fixed << 16) | ((kind * PLACES_OF_A_KIND) << 24);

/** Undefined for what is seldom, and not worth a way of its own. */
function templateFor(opcode: number, prefix: number, encoding: Encoding): readonly number[] | undefined {
  const variant = VARIANTS[prefix] ?? 0;
  const immediates = (variant & VARIANT_OPERAND_16) === 0 ? IMMEDIATES : IMMEDIATES_16;
  const immediate = immediates[encoding.immediate];
  if (immediate === undefined || encoding.secondImmediate) return undefined;
  const { handler, places, endsBlock } = shapeOf(encoding.form(variant));
  const shape =
    immediate |
    ADDRESSES[encoding.memory] |
    (endsBlock ? ENDS_BLOCK : 0) |
    (hasModrm(opcode) ? HAS_MODRM : 0) |
    (isX87(opcode) ? X87_OPCODE : 0) |
    (encoding.overridable ? OVERRIDABLE : 0) |
    ((SEGMENTS[encoding.memory] ?? State.DS) << SHAPE_SEGMENT_SHIFT);
  const [first, second, third] = places.map((table) => KINDS.indexOf(table));
  return [
    handler,
    shape,
    registerWord(encoding.first, first ?? 0),
    registerWord(encoding.second, second ?? 0),
    registerWord(encoding.third, third ?? 0),
    encoding.immediate === 'one' ? 1 : 0,
    encoding.overridable ? shapeOf(encoding.form(variant | VARIANT_SEGMENTED)).handler : handler,
  ];
}

/** All of the table, for a file. */
export function allTemplates(): Uint8Array {
  const known = new Map<string, number>();
  const index = new Uint16Array(SLOTS);
  // There is no template 0.
  const templates: number[] = Array<number>(TEMPLATE_WORDS).fill(0);
  for (const slot of index.keys()) {
    const { opcode, prefix, variation } = inSlot(slot);
    const isOpcode = opcode >= TWO_BYTE || !isPrefix(opcode);
    const encoding = isOpcode ? lookUp(opcode, prefix, hasModrm(opcode) ? modrmOf(variation) : 0) : undefined;
    const template = encoding && templateFor(opcode, prefix, encoding);
    if (template === undefined) continue;
    const key = template.join();
    const number = known.get(key) ?? known.size + 1;
    index[slot] = number;
    if (known.has(key)) continue;
    known.set(key, number);
    templates.push(...template, ...Array<number>(TEMPLATE_WORDS - template.length).fill(0));
  }
  const kinds = new Uint8Array(0x100);
  for (const [byte, kind] of PREFIX_KINDS) kinds[byte] = kind;
  const places = KINDS.flatMap((table) => [...table.subarray(0, PLACES_OF_A_KIND)]);
  const words = Int32Array.from(templates);
  const file = Buffer.concat([
    kinds,
    Uint8Array.from(places),
    new Uint8Array(index.buffer),
    new Uint8Array(words.buffer),
  ]);
  if (State.PREFIX_KINDS + file.length > State.MAPS) throw new Bug('there is no room for so many templates');
  return file;
}
