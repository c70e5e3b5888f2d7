// Operands of MMX instructions, and the packed integers that both MMX and SSE2 work on.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import type { Access } from '../operands.js';
import { checkSse, quadword, readVector } from '../sse/operand.js';
import { markMmx, readMmx, writeMmx } from '../x87/mmx-state.js';
import { checkFpu } from '../x87/state.js';

/** How every MMX instruction begins: #NM, or #MF if the x87 has an exception to tell of. */
export const checkMmx = checkFpu;

/** 64 bits: a register, or memory (32 bits of it where the form says so). */
export function readMmxOperand(b: Builder, from: Access): Value {
  if (from.kind === 'mmx') return readMmx(b, from.read());
  return from.width === 32 ? b.extendU(from.read()) : from.read();
}

/** The last thing that an MMX instruction does, when nothing can fault any more. */
export function writeMmxOperand(b: Builder, to: Access, value: Value): void {
  markMmx(b);
  writeMmx(b, to.read(), value);
}

/** Where 64 bits of integers have to look like 128: what is in the upper half does not matter. */
export const asVector = (b: Builder, value: Value): Value => b.apply('i64x2.splat', [value]);

/** (destination, source) → result, on 128 bits. */
export type PackedOperation = (b: Builder, left: Value, right: Value) => Value;

/** Defines an instruction on packed integers whose lanes have nothing to do with each other, with both kinds of registers. */
export function definePacked(mnemonic: string, operation: PackedOperation): void {
  definePackedPair(mnemonic, operation, (b, left, right) =>
    quadword(b, operation(b, asVector(b, left), asVector(b, right)), 0),
  );
}

/** The same where 64 bits are not the lower half of 128: `narrow` takes and gives i64. */
export function definePackedPair(mnemonic: string, wide: PackedOperation, narrow: PackedOperation): void {
  define(mnemonic, (b, [to, from]) => {
    if (to.kind === 'mmx') {
      checkMmx(b);
      const right = readMmxOperand(b, from);
      writeMmxOperand(b, to, narrow(b, readMmxOperand(b, to), right));
    } else {
      checkSse(b);
      const right = readVector(b, from);
      to.write(wide(b, to.read(), right));
    }
  });
}
