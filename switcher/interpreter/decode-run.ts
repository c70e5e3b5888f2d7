// Decoding in WebAssembly, by templates: the instructions of a block, until there is one for which there is no template. It reads
// bytes as decode/decode does, of code that is flat and of 32 bits and with the commonest prefixes, and writes records as
// cpu/code-cache does.
import { PAGE_SIZE } from '../../guest-abi/addresses.js';
import { Bug } from '../../lib/errors.js';
import * as State from '../cpu/state.js';
import { NO_REGISTER } from '../decode/instruction.js';
import { FIRST_REGISTER_MODRM, REGISTER_VARIATIONS, VARIATIONS } from '../decode/lookup.js';
import { ESCAPE, PREFIXES, TWO_BYTE } from '../decode/pattern.js';
import { type Builder, routine } from '../language/builder.js';
import type { Value, Variable } from '../language/nodes.js';
import { REGISTER_SIZES } from './record-shape.js';
import * as Records from './records.js';
import * as Templates from './templates.js';

/** In what the routine gives: the last instruction ends its block. Below are how many there are. */
export const RUN_ENDS = 0x100;

export const INSTRUCTIONS_PER_BLOCK = 64;
/** Records that begin behind this have no room for a block and the jump behind it. */
export const LAST_BLOCK = State.RECORDS_END - (INSTRUCTIONS_PER_BLOCK + 1) * Records.RECORD_SIZE;
/** Instructions at such an eip, and all behind them on their page, end before the end of the address space. */
export const LARGEST_PLAIN_EIP = 0xffffffff - PAGE_SIZE;

const ESP = 4;
const EBP = 5;
/** Eleven bits, as FOP has them. */
const X87_OPCODE_BITS = 0x7ff;
const ABSENT = NO_REGISTER * REGISTER_SIZES.general;

/** What the routine keeps of one instruction. */
interface Parts {
  /** Where the next byte is. */
  readonly position: Variable;
  readonly base: Variable;
  readonly index: Variable;
  readonly scale: Variable;
  readonly segment: Variable;
  readonly displacement: Variable;
}

const templateWord = (b: Builder, template: Value, offset: number): Value =>
  b.state(4, State.TEMPLATES + offset, template);

/** As decode/lookup computes it. */
const variation = (b: Builder, modrm: Value): Value =>
  b.select(
    b.geU(modrm, FIRST_REGISTER_MODRM),
    b.sub(modrm, FIRST_REGISTER_MODRM - REGISTER_VARIATIONS),
    b.and(b.shrU(modrm, 3), 7),
  );

/** Takes so many bytes, which are read as they are there. */
function take(b: Builder, position: Variable, bytes: 1 | 2 | 4): Value {
  const value = b.state(bytes, 0, b.get(position));
  b.set(position, b.add(b.get(position), bytes));
  return value;
}

/** Takes the prefixes: of what an FS or GS, and one of the others behind it, have to say. */
function prefixes(b: Builder, position: Variable): { readonly prefix: Variable; readonly segment: Variable } {
  const [prefix, segment] = [b.variable('i32', 0), b.variable('i32', 0)];
  const kind = (): Value => b.state(1, State.PREFIX_KINDS, b.state(1, 0, b.get(position)));
  const skip = (): void => b.set(position, b.add(b.get(position), 1));
  const first = kind();
  b.whenSeldom(first, () => {
    const next = b.variable('i32', first);
    b.when(b.geU(first, Templates.SEGMENT_PREFIX), () => {
      b.set(segment, b.sub(first, Templates.SEGMENT_PREFIX));
      skip();
      b.set(next, kind());
    });
    // Behind one of the others there is nothing but an opcode.
    b.when(b.and(b.bool(b.get(next)), b.ltU(b.get(next), Templates.SEGMENT_PREFIX)), () => {
      b.set(prefix, b.get(next));
      skip();
    });
  });
  return { prefix, segment };
}

function address(b: Builder, modrm: Value, parts: Parts): void {
  const mod = b.shrU(modrm, 6);
  const base = b.variable('i32', b.and(modrm, 7));
  b.when(b.eq(b.get(base), ESP), () => {
    const sib = take(b, parts.position, 1);
    b.set(base, b.and(sib, 7));
    const index = b.and(b.shrU(sib, 3), 7);
    b.when(b.ne(index, ESP), () => {
      b.set(parts.index, b.mul(index, REGISTER_SIZES.general));
      b.set(parts.scale, b.shrU(sib, 6));
    });
  });
  b.when(
    b.and(b.eqz(mod), b.eq(b.get(base), EBP)),
    () => b.set(parts.displacement, take(b, parts.position, 4)),
    () => {
      b.set(parts.base, b.mul(b.get(base), REGISTER_SIZES.general));
      // esp and ebp are next to each other.
      b.when(b.eq(b.and(b.get(base), 6), ESP), () => b.set(parts.segment, b.i32(State.SS)));
      b.when(b.eq(mod, 1), () => b.set(parts.displacement, b.signExtend(8, take(b, parts.position, 1))));
      b.when(b.eq(mod, 2), () => b.set(parts.displacement, take(b, parts.position, 4)));
    },
  );
}

/**
 * @param fields opcode and ModRM
 * @param distance what is to be added to a place in memory to get its eip
 */
function immediate(b: Builder, template: Value, shape: Value, fields: Value, parts: Parts, distance: Value): Value {
  const value = b.variable('i32', templateWord(b, template, Templates.TEMPLATE_IMMEDIATE));
  const is = (bits: number): Value => b.and(shape, bits);
  b.when(is(Templates.IMMEDIATE_BYTES), () => {
    b.when(is(4), () => b.set(value, take(b, parts.position, 4)));
    b.when(is(2), () => b.set(value, take(b, parts.position, 2)));
    b.when(is(1), () => {
      const byte = take(b, parts.position, 1);
      b.set(value, b.select(is(Templates.SIGNED_IMMEDIATE), b.signExtend(8, byte), byte));
    });
    b.when(is(Templates.NARROW_IMMEDIATE), () => b.set(value, b.and(b.get(value), 0xffff)));
    b.when(is(Templates.RELATIVE_IMMEDIATE), () =>
      b.set(value, b.add(b.get(value), b.add(b.get(parts.position), distance))),
    );
  });
  b.when(is(Templates.X87_OPCODE), () => b.set(value, b.and(fields, X87_OPCODE_BITS)));
  return b.get(value);
}

/** What the record holds for the registers, in three bytes. */
function registers(b: Builder, template: Value, fields: Value): Value {
  const [first, second, third] = [0, 1, 2].map((i) => {
    const source = templateWord(b, template, Templates.TEMPLATE_REGISTERS + 4 * i);
    const bits = b.and(b.shrU(fields, b.and(source, 0xff)), b.and(b.shrU(source, 8), 0xff));
    const number = b.or(bits, b.and(b.shrU(source, 16), 0xff));
    return b.shl(b.state(1, State.TEMPLATE_PLACES, b.add(b.shrU(source, 24), number)), 8 * i);
  });
  if (!first || !second || !third) throw new Bug('an instruction has up to three registers');
  return b.or(b.or(first, second), third);
}

/**
 * (from: place in memory; last: where the last instruction may begin, so that 15 bytes can be read; its eip; record: where the
 * records go; most: how many at most; counting: what is added to handlers) → how many instructions there were, and RUN_ENDS.
 */
export const decodeRun = routine(
  'decodeRun',
  ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
  ['i32'],
  (b, from, last, eip, firstRecord, most, counting) => {
    if (!from || !last || !eip || !firstRecord || !most || !counting) throw new Bug('decodeRun takes six values');
    const distance = b.sub(eip, from);
    const start = b.variable('i32', from);
    const count = b.variable('i32', 0);
    b.loop(() => {
      const at = b.get(start);
      b.when(b.or(b.gtU(at, last), b.geU(b.get(count), most)), () => b.return(b.get(count)));
      const position = b.variable('i32', at);
      const { prefix, segment } = prefixes(b, position);
      const byte = take(b, position, 1);
      const isTwoBytes = b.eq(byte, ESCAPE);
      const opcode = b.select(isTwoBytes, b.or(b.state(1, 0, b.get(position)), TWO_BYTE), byte);
      b.set(position, b.add(b.get(position), isTwoBytes));
      const modrm = b.state(1, 0, b.get(position));
      const slot = b.add(b.mul(b.add(b.mul(opcode, PREFIXES.length), b.get(prefix)), VARIATIONS), variation(b, modrm));
      const found = b.state(2, State.TEMPLATE_INDEX, b.shl(slot, 1));
      b.when(b.eqz(found), () => b.return(b.get(count)));

      const template = b.shl(found, State.TEMPLATE_SIZE_SHIFT);
      const shape = templateWord(b, template, Templates.TEMPLATE_SHAPE);
      const parts: Parts = {
        position,
        base: b.variable('i32', ABSENT),
        index: b.variable('i32', ABSENT),
        scale: b.variable('i32', 0),
        segment: b.variable('i32', b.shrU(shape, Templates.SHAPE_SEGMENT_SHIFT)),
        displacement: b.variable('i32', 0),
      };
      b.when(b.and(shape, Templates.HAS_MODRM), () => b.set(position, b.add(b.get(position), 1)));
      b.when(b.and(shape, Templates.HAS_ADDRESS), () =>
        b.when(
          b.and(shape, Templates.HAS_MODRM),
          () => address(b, modrm, parts),
          () => b.set(parts.displacement, take(b, position, 4)),
        ),
      );
      const fields = b.or(b.shl(opcode, 8), modrm);
      const value = immediate(b, template, shape, fields, parts, distance);

      const isOverridden = b.and(b.bool(b.get(segment)), b.bool(b.and(shape, Templates.OVERRIDABLE)));
      const handler = b.select(
        isOverridden,
        templateWord(b, template, Templates.TEMPLATE_SEGMENTED_HANDLER),
        templateWord(b, template, Templates.TEMPLATE_HANDLER),
      );
      const record = b.add(firstRecord, b.mul(b.get(count), Records.RECORD_SIZE));
      const put = (offset: number, word: Value): void => b.setState(4, offset, word, record);
      put(Records.RECORD_HANDLER, b.add(handler, counting));
      put(Records.RECORD_EIP, b.add(at, distance));
      put(Records.RECORD_NEXT_EIP, b.add(b.get(position), distance));
      put(Records.RECORD_REGISTERS, b.or(registers(b, template, fields), b.shl(b.get(parts.scale), 24)));
      const number = b.select(isOverridden, b.get(segment), b.get(parts.segment));
      const place = b.shl(b.mul(number, State.SEGMENT_SIZE), 16);
      put(Records.RECORD_BASE, b.or(b.or(b.get(parts.base), b.shl(b.get(parts.index), 8)), place));
      put(Records.RECORD_DISPLACEMENT, b.get(parts.displacement));
      put(Records.RECORD_IMMEDIATE, value);
      put(Records.RECORD_IMMEDIATE2, b.i32(0));

      b.set(count, b.add(b.get(count), 1));
      b.set(start, b.get(position));
      b.when(b.and(shape, Templates.ENDS_BLOCK), () => b.return(b.or(b.get(count), RUN_ENDS)));
    });
  },
);

/** As it is called from outside. */
export type DecodeRun = (
  from: number,
  last: number,
  eip: number,
  record: number,
  most: number,
  counting: number,
) => number;
