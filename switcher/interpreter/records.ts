// The decoded record: how the blanks of a form are filled, as the interpreter reads it from memory.
//
//    0  u32  handler: the form's index, which is its place in the interpreter's table
//    4  u32  eip of this instruction          8  u32  eip of the next one
//   12  u8   register0   13  u8  register1   14  u8  register2   (byte offsets into their register file)
//   15  u8   scale       16  u8  base        17  u8  index       18  u8  segment (byte offset into the segments)
//   19  u8   flags: 1 or 2 when it depends on more than its page, 2 when its bytes lie on two
//            (in an instruction that may jump to its immediate, register2 is 1 once it has not jumped)
//   20  i32  displacement, or, in an instruction with a near target: the link (see RECORD_LINK)
//   24  i32  immediate
//   28  i32  immediate2, or, in an instruction with a near target: the record to which it leads, once that is known, as a
//            negative number if only the link says whether it still does; or, in one that jumps elsewhere: the eip to which
//            it went last
import type { Field, RegisterNumber } from '../language/nodes.js';

export const RECORD_SIZE = 32;
export const RECORD_HANDLER = 0;
export const RECORD_EIP = 4;
export const RECORD_NEXT_EIP = 8;
export const RECORD_REGISTERS = 12;
/** In an instruction that may jump to its immediate, and has no registers: 1 once it has run into the next one instead. */
export const RECORD_FELL = RECORD_REGISTERS + 2;
export const RECORD_SCALE = 15;
export const RECORD_BASE = 16;
export const RECORD_INDEX = 17;
export const RECORD_SEGMENT = 18;
export const RECORD_FLAGS = 19;
/** Of RECORD_FLAGS: other things than its page decide what is there, the base of the code segment or a second page. */
export const UNCHAINED = 1;
export const ON_TWO_PAGES = 2;
/** Behind an instruction on two pages stands a jump, and in it what the map says of the second one. */
export const RECORD_SECOND_PAGE = RECORD_REGISTERS;
export const RECORD_DISPLACEMENT = 20;
/**
 * In an instruction with a near target on another page: what the map said of that page, plus CODE_VERSION. The two are told apart,
 * since all entries of maps are the same in the bits that a version has.
 */
export const RECORD_LINK = RECORD_DISPLACEMENT;
export const RECORD_IMMEDIATE = 24;
export const RECORD_IMMEDIATE2 = 28;
export const RECORD_CHAIN = 28;
/** In an instruction that jumps through a register or memory: where it went last, 0 before the first time. */
export const RECORD_LAST_TARGET = 28;

/** Where a blank stands in the record, and in how many bytes. */
export const RECORD_FIELDS: Readonly<Record<Field, readonly [offset: number, bytes: 1 | 4]>> = {
  eip: [RECORD_EIP, 4],
  nextEip: [RECORD_NEXT_EIP, 4],
  register0: [RECORD_REGISTERS, 1],
  register1: [RECORD_REGISTERS + 1, 1],
  register2: [RECORD_REGISTERS + 2, 1],
  scale: [RECORD_SCALE, 1],
  base: [RECORD_BASE, 1],
  segment: [RECORD_SEGMENT, 1],
  displacement: [RECORD_DISPLACEMENT, 4],
  immediate: [RECORD_IMMEDIATE, 4],
  immediate2: [RECORD_IMMEDIATE2, 4],
};

/** Where in the record the number of a register stands that is not fixed. */
export function numberOffset(number: Exclude<RegisterNumber, object>): number {
  if (number === 'base') return RECORD_BASE;
  return number === 'index' ? RECORD_INDEX : RECORD_REGISTERS + number;
}
