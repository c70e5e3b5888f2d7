// The stack: push and pop in all their forms, enter and leave.
//
// A form that is `flat` has a flat 32-bit stack. In the others the stack is as wide as SS.B says, and SS is asked about every
// access.
import * as State from '../cpu/state.js';
import type { Form } from '../decode/instruction.js';
import type { Builder } from '../language/builder.js';
import type { Value } from '../language/nodes.js';
import { define } from './definition.js';
import { linearAddress } from './operands.js';
import { EAX, EBP, EBX, ECX, EDI, EDX, ESI, ESP } from './registers.js';

type StackForm = Pick<Form, 'addressing'>;

/** The bits of esp that are the stack pointer. */
function stackMask(b: Builder): Value {
  const attributes = b.state(4, State.SEGMENTS + State.SS * State.SEGMENT_SIZE + State.SEGMENT_ATTRIBUTES);
  return b.select(b.and(attributes, State.SEGMENT_BIG), -1, 0xffff);
}

/** `pointer` moved by `bytes`, wrapped as the stack wraps; the upper half of a 16-bit stack's esp stays. */
export function movedPointer(b: Builder, form: StackForm, pointer: Value, bytes: number | Value): Value {
  const moved = b.add(pointer, bytes);
  if (form.addressing === 'flat') return moved;
  const mask = stackMask(b);
  return b.or(b.and(pointer, b.not(mask)), b.and(moved, mask));
}

/** The linear address of the stack at `pointer`. */
export function stackAddress(b: Builder, form: StackForm, pointer: Value, bytes: number, write: boolean): Value {
  if (form.addressing === 'flat') return pointer;
  return linearAddress(b, b.i32(State.SS * State.SEGMENT_SIZE), b.and(pointer, stackMask(b)), bytes, write ? 1 : 0);
}

export const sizeOf = (form: Form): 2 | 4 => (form.operandSize === 16 ? 2 : 4);

export function push(b: Builder, form: StackForm, bytes: 2 | 4, value: Value): void {
  const pointer = movedPointer(b, form, b.register(4, ESP), -bytes);
  b.store(bytes, stackAddress(b, form, pointer, bytes, true), value);
  b.setRegister(4, ESP, pointer);
}

/** What is on top of the stack, and the stack pointer without it; esp is for the caller to set, when nothing can fault any more. */
export function top(b: Builder, form: StackForm, bytes: 2 | 4): { value: Value; pointer: Value } {
  const pointer = b.register(4, ESP);
  const value = b.load(bytes, stackAddress(b, form, pointer, bytes, false));
  return { value, pointer: movedPointer(b, form, pointer, bytes) };
}

define('push', (b, [from], form) => {
  const bytes = from.kind === 'segment' ? sizeOf(form) : from.width === 16 ? 2 : 4;
  const value =
    from.kind === 'segment' ? b.state(4, State.SEGMENTS + State.SEGMENT_SELECTOR, from.read()) : from.read();
  push(b, form, bytes, value);
});

define('pop', (b, [to], form) => {
  if (to.kind === 'segment') {
    const { value, pointer } = top(b, form, sizeOf(form));
    b.delegate('popSegment', [to.read(), b.and(value, 0xffff), pointer], false);
    return;
  }
  const bytes = to.width === 16 ? 2 : 4;
  const { value, pointer } = top(b, form, bytes);
  if (to.kind === 'memory') {
    // With esp as its base register the address is computed after esp has moved.
    const offset = b.add(to.offset(), b.select(b.eq(b.field('base'), ESP.fixed), bytes, 0));
    const wrapped = form.addressSize === 16 ? b.and(offset, 0xffff) : offset;
    const address = form.addressing === 'flat' ? wrapped : linearAddress(b, b.field('segment'), wrapped, bytes, 1);
    b.store(bytes, address, value);
    b.setRegister(4, ESP, pointer);
    return;
  }
  // `pop esp` leaves what was popped.
  b.setRegister(4, ESP, pointer);
  to.write(value);
});

const PUSHED = [EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI];

define('pusha', (b, _operands, form) => {
  const bytes = sizeOf(form);
  const before = b.register(4, ESP);
  const after = movedPointer(b, form, before, -8 * bytes);
  const addresses = PUSHED.map((_register, i) => {
    const at = movedPointer(b, form, before, -(i + 1) * bytes);
    const address = stackAddress(b, form, at, bytes, true);
    // One by one: the fault is that of the first push that cannot be done.
    b.probe(bytes, address, true);
    return address;
  });
  PUSHED.forEach((register, i) => {
    const address = addresses[i];
    if (address) b.store(bytes, address, b.register(bytes, register));
  });
  b.setRegister(4, ESP, after);
});

define('popa', (b, _operands, form) => {
  const bytes = sizeOf(form);
  const before = b.register(4, ESP);
  // All are read before the first is written; the image of esp is skipped.
  const values = PUSHED.toReversed().map((_register, i) => {
    const at = movedPointer(b, form, before, i * bytes);
    return b.load(bytes, stackAddress(b, form, at, bytes, false));
  });
  PUSHED.toReversed().forEach((register, i) => {
    const value = values[i];
    if (value && register !== ESP) b.setRegister(bytes, register, value);
  });
  b.setRegister(4, ESP, movedPointer(b, form, before, 8 * bytes));
});

define('enter', (b, _operands, form) => {
  const bytes = sizeOf(form);
  const size = b.and(b.field('immediate'), 0xffff);
  const level = b.and(b.field('immediate2'), 31);
  const pointer = b.variable('i32', movedPointer(b, form, b.register(4, ESP), -bytes));
  const frame = b.get(pointer);
  b.store(bytes, stackAddress(b, form, frame, bytes, true), b.register(bytes, EBP));
  const done = b.variable('i32', 1);
  b.loop((loop) => {
    b.breakIf(loop, b.geU(b.get(done), level));
    // The frame pointers of the enclosing levels lie below the one of this level.
    const outer = movedPointer(b, form, b.register(4, EBP), b.mul(b.get(done), -bytes));
    const link = b.load(bytes, stackAddress(b, form, outer, bytes, false));
    b.set(pointer, movedPointer(b, form, b.get(pointer), -bytes));
    b.store(bytes, stackAddress(b, form, b.get(pointer), bytes, true), link);
    b.set(done, b.add(b.get(done), 1));
  });
  b.when(level, () => {
    b.set(pointer, movedPointer(b, form, b.get(pointer), -bytes));
    b.store(bytes, stackAddress(b, form, b.get(pointer), bytes, true), frame);
  });
  const end = movedPointer(b, form, b.get(pointer), b.sub(0, size));
  // The new top of the stack must be writable, although nothing is written there.
  b.probe(bytes, stackAddress(b, form, end, bytes, true), true);
  b.setRegister(bytes, EBP, frame);
  b.setRegister(4, ESP, end);
});

define('leave', (b, _operands, form) => {
  const bytes = sizeOf(form);
  const frame = b.register(4, EBP);
  const pointer =
    form.addressing === 'flat' ? frame : movedPointer(b, form, b.register(4, ESP), b.sub(frame, b.register(4, ESP)));
  const value = b.load(bytes, stackAddress(b, form, pointer, bytes, false));
  b.setRegister(4, ESP, movedPointer(b, form, pointer, bytes));
  b.setRegister(bytes, EBP, value);
});
