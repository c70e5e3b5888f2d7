// Operands as definitions see them: something to read and to write, wherever it lives.
import { Bug } from '../../lib/errors.js';
import * as State from '../cpu/state.js';
import type { Form, Operand } from '../decode/instruction.js';
import type { Builder, Term } from '../language/builder.js';
import type { AccessBytes, Value } from '../language/nodes.js';
import { segmentAllows } from './segment-check.js';

export const VECTOR_SS = 12;
export const VECTOR_GP = 13;

export interface Access {
  readonly kind: Operand['kind'] | 'none';
  /** Bits. */
  readonly width: number;
  /** Position among the operands: which `register` blank it has. */
  readonly position: 0 | 1 | 2;
  /** General registers, immediates and memory of up to 32 bits as i32 (zero-extended), 64 bits as i64, 128 as v128. */
  read(): Value;
  write(value: Value): void;
  /** The linear address of a memory operand of `bytes` bytes, after `first` has looked at it and the segment has been asked. */
  address(bytes: number, write: boolean, first?: (linear: Value) => void): Value;
  /** The offset of a memory operand within its segment: what lea gives. */
  offset(): Value;
}

function never(what: string): never {
  throw new Bug(`this operand cannot be ${what}`);
}

const NO_OPERAND: Access = {
  kind: 'none',
  width: 0,
  position: 0,
  read: () => never('read'),
  write: () => never('written'),
  address: () => never('addressed'),
  offset: () => never('addressed'),
};

/** base + index·2^scale + displacement, wrapped to the address size. */
function effectiveOffset(b: Builder, form: Form): Value {
  const index = b.shl(b.register(4, 'index'), b.field('scale'));
  const sum = b.add(b.add(b.register(4, 'base'), index), b.field('displacement'));
  return form.addressSize === 16 ? b.and(sum, 0xffff) : sum;
}

/**
 * The linear address of `offset` in the segment at byte offset `segment`, or the fault that the segment raises.
 *
 * @param write 1 if it is to be written there, or read and then written: a segment that is read-only faults before a page does
 */
export function linearAddress(
  b: Builder,
  segment: Value,
  offset: Value,
  bytes: number,
  write: Term,
  first?: (linear: Value) => void,
): Value {
  const linear = b.add(b.state(4, State.SEGMENTS + State.SEGMENT_BASE, segment), offset);
  first?.(linear);
  b.when(b.eqz(b.call(segmentAllows, segment, offset, bytes, write)), () => {
    b.when(b.eq(segment, State.SS * State.SEGMENT_SIZE), () => b.raise(VECTOR_SS, 0));
    b.raise(VECTOR_GP, 0);
  });
  return linear;
}

const ACCESS_BYTES: Readonly<Record<number, AccessBytes>> = { 8: 1, 16: 2, 32: 4, 64: 8, 128: 16 };

function accessBytes(width: number): AccessBytes {
  return ACCESS_BYTES[width] ?? never(`accessed as ${width} bits`);
}

function memory(b: Builder, form: Form, width: number, position: 0 | 1 | 2): Access {
  // Computed once: the value read and the value written are at the same place, whatever happens to the registers between.
  let offset: Value | undefined;
  const offsetOnce = (): Value => (offset ??= effectiveOffset(b, form));
  const address = (bytes: number, write: Term, first?: (linear: Value) => void): Value => {
    if (form.addressing !== 'flat') return linearAddress(b, b.field('segment'), offsetOnce(), bytes, write, first);
    first?.(offsetOnce());
    return offsetOnce();
  };
  let loaded: Value | undefined;
  const isWritten = b.decision();
  return {
    kind: 'memory',
    width,
    position,
    read: () => (loaded = b.load(accessBytes(width), address(width / 8, isWritten.value))),
    write: (value) => {
      if (loaded) b.loadedForWrite(loaded);
      isWritten.yes();
      b.store(accessBytes(width), address(width / 8, 1), value);
    },
    address: (bytes, write, first) => address(bytes, write ? 1 : 0, first),
    offset: offsetOnce,
  };
}

function register(b: Builder, width: 8 | 16 | 32, position: 0 | 1 | 2): Access {
  const bytes = width === 8 ? 1 : width === 16 ? 2 : 4;
  return {
    ...NO_OPERAND,
    kind: 'register',
    width,
    position,
    read: () => b.register(bytes, position),
    write: (value) => b.setRegister(bytes, position, value),
  };
}

/** The operand at `index` of `form`, for a definition that is being read by `b`. */
export function accessOf(b: Builder, form: Form, index: 0 | 1 | 2): Access {
  const operand = form.operands[index];
  if (operand === undefined) return NO_OPERAND;
  switch (operand.kind) {
    case 'register':
      return register(b, operand.width, index);
    case 'memory':
      return memory(b, form, operand.width, index);
    case 'immediate':
      return {
        ...NO_OPERAND,
        kind: 'immediate',
        width: operand.width,
        position: index,
        read: () => b.field('immediate'),
      };
    case 'target':
    case 'far':
      return { ...NO_OPERAND, kind: operand.kind, width: 32, position: index, read: () => b.field('immediate') };
    case 'xmm':
      return {
        ...NO_OPERAND,
        kind: 'xmm',
        width: 128,
        position: index,
        read: () => b.xmm(index),
        write: (value) => b.setXmm(index, value),
      };
    case 'segment':
    case 'control':
    case 'debug':
    case 'st':
    case 'mmx':
      // Definitions for these go to the state themselves: the blank is i of ST(i), the byte offset of mm0 … mm7 from
      // FPU_REGISTERS, the byte offset into the segments, or the number of the control or debug register.
      return { ...NO_OPERAND, kind: operand.kind, width: 32, position: index, read: () => b.field(`register${index}`) };
  }
}
