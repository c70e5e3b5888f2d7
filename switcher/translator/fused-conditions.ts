// Conditions that need no flags: right behind a comparison, the condition is that comparison, in one WebAssembly opcode.
import type { OwedOperation } from '../language/lazy-flags.js';
import type { Condition, FlagsOrigin } from '../language/nodes.js';
import type { Emitter } from '../wasm/emit.js';
import { WASM } from '../wasm/opcodes.js';

type Comparison = readonly [opcode: number, signed: boolean];
/** One condition on operands that are known to be those of a comparison. */
const COMPARISONS: Partial<Record<Condition, Comparison>> & Record<'b' | 'ae', Comparison> = {
  z: [0x46, false],
  nz: [0x47, false],
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
const AGAINST_ZERO: Partial<Record<Condition, number>> & Record<'z' | 'nz' | 's' | 'ns', number> = {
  z: 0x46,
  nz: 0x47,
  s: 0x48,
  ns: 0x4e,
};
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

/** Bytes and words as the numbers that they are, and as numbers without a sign. */
const EXTEND_SIGNED = { 8: 0xc0, 16: 0xc1 } as const;
const MASK = { 8: 0xff, 16: 0xffff } as const;

/** The two locals in which the arithmetic left what it owes (see language/lazy-flags). */
export interface Operands {
  readonly first: number;
  readonly second: number;
}

type Arithmetic = Pick<FlagsOrigin, 'width'> & { readonly operation: OwedOperation };

/**
 * Pushes the condition from the operands of the arithmetic before it, if that is simple.
 *
 * @returns whether it was
 */
export function pushFused(emit: Emitter, cc: Condition, arithmetic: Arithmetic, operands: Operands): boolean {
  const { operation, width } = arithmetic;
  const carry = cc === 'b' || cc === 'ae';
  switch (operation) {
    case 'logic':
      if (carry || cc === 'o' || cc === 'no') {
        emit.const32(cc === 'b' || cc === 'o' ? 0 : 1);
        return true;
      }
      return pushAgainstZero(emit, AFTER_LOGIC[cc], operands);
    case 'inc':
    case 'dec':
      if (!carry) return pushAgainstZero(emit, AGAINST_ZERO[cc], operands);
      emit.localGet(operands.second);
      if (cc === 'ae') emit.op(WASM.i32Eqz);
      return true;
    case 'add':
      if (!carry || width !== 32) return pushAgainstZero(emit, AGAINST_ZERO[cc], operands);
      // The sum wrapped if it is below what was added.
      emit.localGet(operands.first);
      emit.localGet(operands.second);
      emit.op(COMPARISONS[cc][0]);
      return true;
    case 'sub':
      return pushAgainstZero(emit, AGAINST_ZERO[cc], operands) || pushComparison(emit, cc, arithmetic, operands);
    case 'cmp':
      return pushComparison(emit, cc, arithmetic, operands) || pushSign(emit, cc, width, operands);
  }
}

/** The condition on the result, which is the first word. */
function pushAgainstZero(emit: Emitter, opcode: number | undefined, { first }: Operands): boolean {
  if (opcode === undefined) return false;
  emit.localGet(first);
  emit.const32(0);
  emit.op(opcode);
  return true;
}

/** The condition on left and right. After sub the left operand is gone, and is what the result and the right one make. */
function pushComparison(emit: Emitter, cc: Condition, { operation, width }: Arithmetic, operands: Operands): boolean {
  const comparison = COMPARISONS[cc];
  if (comparison === undefined) return false;
  const [opcode, signed] = comparison;
  emit.localGet(operands.first);
  if (operation === 'sub') {
    emit.localGet(operands.second);
    emit.op(WASM.i32Add);
  }
  pushNarrow(emit, width, signed);
  emit.localGet(operands.second);
  pushNarrow(emit, width, signed);
  emit.op(opcode);
  return true;
}

function pushNarrow(emit: Emitter, width: FlagsOrigin['width'], signed: boolean): void {
  if (width === 32) return;
  if (signed) {
    emit.op(EXTEND_SIGNED[width]);
    return;
  }
  emit.const32(MASK[width]);
  emit.op(WASM.i32And);
}

/** SF of left − right. */
function pushSign(emit: Emitter, cc: Condition, width: FlagsOrigin['width'], { first, second }: Operands): boolean {
  if (cc !== 's' && cc !== 'ns') return false;
  emit.localGet(first);
  emit.localGet(second);
  emit.op(WASM.i32Sub);
  pushNarrow(emit, width, true);
  emit.const32(0);
  emit.op(AGAINST_ZERO[cc]);
  return true;
}
