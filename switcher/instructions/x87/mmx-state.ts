// What the MMX registers are to the x87: the significands of its registers, by their own numbers and not by the stack's.
import * as State from '../../cpu/state.js';
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { ALL_EMPTY } from './state.js';

/** What a write to an MMX register leaves in sign and exponent: to the x87 it is a NaN or an infinity. */
const MMX_SIGN_EXPONENT = 0xffff;

/** What every MMX instruction but emms does to the stack: TOP is 0 and no register is empty. */
export function markMmx(b: Builder): void {
  b.setState(4, State.FPU_TOP, 0);
  b.setState(4, State.FPU_EMPTY, 0);
}

/** @param offset the blank of an mmx operand. */
export const readMmx = (b: Builder, offset: Value): Value => b.state(8, State.FPU_REGISTERS, offset);

export function writeMmx(b: Builder, offset: Value, value: Value): void {
  b.setState(8, State.FPU_REGISTERS, value, offset);
  b.setState(4, State.FPU_REGISTERS + State.FPU_SIGN_EXPONENT, MMX_SIGN_EXPONENT, offset);
}

/** emms: the registers are the x87's again, all empty. */
export function endMmx(b: Builder): void {
  b.setState(4, State.FPU_TOP, 0);
  b.setState(4, State.FPU_EMPTY, ALL_EMPTY);
}
