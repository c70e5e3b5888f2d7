// Operands of SSE instructions: whole registers, their lanes, and memory that may have to be aligned.
import type { Builder, Term } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { type Access, VECTOR_GP } from '../operands.js';
import { checkAvailable } from '../x87/state.js';

export const VECTOR_BYTES = 16;

/** How every SSE instruction begins that has nothing to do with MMX registers: #NM if the registers are another task's. */
export const checkSse = checkAvailable;

/** The address of 16 bytes in memory, or #GP(0) if it is not a multiple of 16: even where SS would have its own fault. */
export function alignedAddress(b: Builder, operand: Access, write: boolean): Value {
  return operand.address(VECTOR_BYTES, write, (linear) =>
    b.when(b.and(linear, VECTOR_BYTES - 1), () => b.raise(VECTOR_GP, 0)),
  );
}

/** All 128 bits of a register or of aligned memory. */
export function readVector(b: Builder, from: Access): Value {
  return from.kind === 'memory' ? b.load(VECTOR_BYTES, alignedAddress(b, from, false)) : from.read();
}

/** All 128 bits of a register or of memory anywhere. */
export function readUnaligned(b: Builder, from: Access): Value {
  return from.kind === 'memory' ? b.load(VECTOR_BYTES, from.address(VECTOR_BYTES, false)) : from.read();
}

export function writeVector(b: Builder, to: Access, value: Value): void {
  if (to.kind === 'memory') b.store(VECTOR_BYTES, alignedAddress(b, to, true), value);
  else to.write(value);
}

export function writeUnaligned(b: Builder, to: Access, value: Value): void {
  if (to.kind === 'memory') b.store(VECTOR_BYTES, to.address(VECTOR_BYTES, true), value);
  else to.write(value);
}

// ---------------------------------------------------------------- lanes

/** The 64 bits `lane` (0 or 1) of a vector. */
export const quadword = (b: Builder, vector: Value, lane: 0 | 1): Value =>
  b.apply('i64x2.extract_lane', [vector], [lane]);

export const withQuadword = (b: Builder, vector: Value, lane: 0 | 1, value: Term): Value =>
  b.apply('i64x2.replace_lane', [vector, value], [lane]);

/** The 32 bits `lane` (0 … 3) of a vector. */
export const doubleword = (b: Builder, vector: Value, lane: number): Value =>
  b.apply('i32x4.extract_lane', [vector], [lane]);

export const withDoubleword = (b: Builder, vector: Value, lane: number, value: Term): Value =>
  b.apply('i32x4.replace_lane', [vector, value], [lane]);

const ZEROS: readonly number[] = Array.from({ length: VECTOR_BYTES }, () => 0);

export const zeroVector = (b: Builder): Value => b.v128(ZEROS);

/** Two quadwords, the low one first. */
export const vectorOf = (b: Builder, low: Value, high: Value): Value =>
  withQuadword(b, b.apply('i64x2.splat', [low]), 1, high);

/** The low 64 bits of a register, or 64 bits of memory. */
export const readQuadword = (b: Builder, from: Access): Value =>
  from.kind === 'memory' ? b.load(8, from.address(8, false)) : quadword(b, from.read(), 0);

/** The low 32 bits of a register, or 32 bits of memory. */
export const readDoubleword = (b: Builder, from: Access): Value =>
  from.kind === 'memory' ? b.load(4, from.address(4, false)) : doubleword(b, from.read(), 0);
