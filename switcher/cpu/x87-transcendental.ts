// The transcendental instructions of the x87, as the CPU's routines: operands and results pass through the CPU state.
//
// Definitions in instructions/x87 have dealt with all special values; what comes here is normalised, and what goes back is
// 128 bits of significand, the last one sticky, for them to round.
import type { CpuRoutines } from './routines.js';
import * as State from './state.js';
import * as Circular from './x87/circular.js';
import { bitLength, type Operand, type Real, rescale } from './x87/fixed-point.js';
import * as Logarithmic from './x87/logarithmic.js';

const BIAS = 0x3fff;
const WIDE_BITS = 128;
const WORD_BITS = 64n;
const LITTLE_ENDIAN = true;

/** What a routine answers: no result but zero, a rounded one, or an exact one. */
export const X87_ZERO = 0;
export const X87_INEXACT = 1;
export const X87_EXACT = 2;

export type TranscendentalRoutines = Pick<
  CpuRoutines,
  | 'x87Sine'
  | 'x87Cosine'
  | 'x87Tangent'
  | 'x87ArcTangent'
  | 'x87QuarterTurns'
  | 'x87PowerMinusOne'
  | 'x87TimesLogarithm'
  | 'x87TimesLogarithmPlusOne'
>;

export function transcendentalRoutines(view: DataView): TranscendentalRoutines {
  const operand = (offset: number): Operand => ({
    significand: view.getBigUint64(offset + State.X87_SIGNIFICAND, LITTLE_ENDIAN),
    exponent: view.getInt32(offset + State.X87_EXPONENT, LITTLE_ENDIAN) - BIAS,
    negative: view.getInt32(offset + State.X87_SIGN, LITTLE_ENDIAN) !== 0,
  });
  const x = (): Operand => operand(State.X87_OPERAND_X);
  const y = (): Operand => operand(State.X87_OPERAND_Y);

  function give(result: Real | undefined): number {
    if (result === undefined) return X87_ZERO;
    const { negative, value, scale, exact } = result;
    const length = bitLength(value);
    const excess = length - WIDE_BITS;
    const kept = rescale(value, excess, 0);
    const isWhole = exact && (excess <= 0 || kept << BigInt(excess) === value);
    const at = State.X87_RESULT;
    view.setBigUint64(at + State.X87_SIGNIFICAND, kept >> WORD_BITS, LITTLE_ENDIAN);
    view.setBigUint64(at + State.X87_LOW, BigInt.asUintN(64, kept) | (isWhole ? 0n : 1n), LITTLE_ENDIAN);
    view.setInt32(at + State.X87_EXPONENT, length - 1 - scale + BIAS, LITTLE_ENDIAN);
    view.setInt32(at + State.X87_SIGN, negative ? 1 : 0, LITTLE_ENDIAN);
    return exact ? X87_EXACT : X87_INEXACT;
  }

  return {
    x87Sine: () => give(Circular.sine(x())),
    x87Cosine: () => give(Circular.cosine(x())),
    x87Tangent: () => give(Circular.tangent(x())),
    x87ArcTangent: () => give(Circular.arcTangent(y(), x())),
    x87QuarterTurns: (quarters) => give(Circular.quarterTurns(quarters)),
    x87PowerMinusOne: () => give(Logarithmic.powerMinusOne(x())),
    x87TimesLogarithm: () => give(Logarithmic.timesLogarithm(y(), x())),
    x87TimesLogarithmPlusOne: () => give(Logarithmic.timesLogarithmPlusOne(y(), x())),
  };
}
