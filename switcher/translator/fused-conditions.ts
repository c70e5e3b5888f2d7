// Conditions that need no flags: right behind a comparison, the condition is that comparison, in one WebAssembly opcode.
import type { Condition } from '../language/nodes.js';

/** One condition on operands that are known to be those of a comparison. */
export const COMPARISONS: Partial<Record<Condition, readonly [opcode: number, signed: boolean]>> = {
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
export const AGAINST_ZERO: Partial<Record<Condition, number>> = { z: 0x46, nz: 0x47, s: 0x48, ns: 0x4e };
/** After and, or, xor, test: CF and OF are 0. */
export const AFTER_LOGIC: Partial<Record<Condition, number>> = {
  ...AGAINST_ZERO,
  be: 0x46,
  a: 0x47,
  l: 0x48,
  ge: 0x4e,
  le: 0x4c,
  g: 0x4a,
};
