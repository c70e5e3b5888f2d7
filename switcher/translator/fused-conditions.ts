// Conditions that need no flags: right behind a comparison, the condition is that comparison, in one WebAssembly opcode.
import type { Condition, FlagsOrigin } from '../language/nodes.js';
import type { Emitter } from '../wasm/emit.js';
import { WASM } from '../wasm/opcodes.js';

/** One condition on operands that are known to be those of a comparison. */
const COMPARISONS: Partial<Record<Condition, readonly [opcode: number, signed: boolean]>> = {
  b: [0x49, false],
  ae: [0x4f, false],
  be: [0x4d, false],
  a: [0x4b, false],
  l: [0x48, true],
  ge: [0x4e, true],
  le: [0x4c, true],
  g: [0x4a, true],
};
/** Conditions on the result alone, against zero. */
const AGAINST_ZERO: Partial<Record<Condition, number>> = { z: 0x46, nz: 0x47, s: 0x48, ns: 0x4e };
/** After and, or, xor, test: CF and OF are 0. */
const AFTER_LOGIC: Partial<Record<Condition, number>> = {
  ...AGAINST_ZERO,
  be: 0x46,
  a: 0x47,
  l: 0x48,
  ge: 0x4e,
  le: 0x4c,
  g: 0x4a,
};

/** The locals in which the arithmetic left its operands and its result. */
export interface Operands {
  readonly left: number;
  readonly right: number;
  readonly result: number;
}

/**
 * Pushes the condition from the operands of the arithmetic before it, if that is simple.
 *
 * @returns whether it was
 */
export function pushFused(
  emit: Emitter,
  cc: Condition,
  { operation, width }: Pick<FlagsOrigin, 'operation' | 'width'>,
  { left, right, result }: Operands,
): boolean {
  const against = operation === 'logic' ? AFTER_LOGIC[cc] : AGAINST_ZERO[cc];
  if (against !== undefined) {
    emit.localGet(result);
    emit.const32(0);
    emit.op(against);
    return true;
  }
  if (operation === 'logic' && (cc === 'b' || cc === 'o' || cc === 'ae' || cc === 'no')) {
    emit.const32(cc === 'b' || cc === 'o' ? 0 : 1);
    return true;
  }
  const comparison = COMPARISONS[cc];
  if (operation === 'sub' && comparison !== undefined) {
    const [opcode, signed] = comparison;
    for (const local of [left, right]) {
      emit.localGet(local);
      if (width !== 32 && signed) emit.op(width === 8 ? 0xc0 : 0xc1);
      if (width !== 32 && !signed) {
        emit.const32(width === 8 ? 0xff : 0xffff);
        emit.op(WASM.i32And);
      }
    }
    emit.op(opcode);
    return true;
  }
  if (operation === 'add' && width === 32 && (cc === 'b' || cc === 'ae')) {
    emit.localGet(result);
    emit.localGet(left);
    emit.op(cc === 'b' ? 0x49 : 0x4f);
    return true;
  }
  if ((operation === 'inc' || operation === 'dec') && (cc === 'b' || cc === 'ae')) {
    emit.localGet(right);
    if (cc === 'ae') emit.op(WASM.i32Eqz);
    return true;
  }
  return false;
}
