// When WebAssembly's own arithmetic may stand for SSE's: what must be true of operands and results so that no exception is
// to be told of but a result that is not exact, which MXCSR knows of already (see exceptions).
//
// No operand is denormal and the result is an ordinary number. Infinities and NaNs among the operands show in the result.
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { bitsConstant, type Format, everywhere } from './format.js';

// ---------------------------------------------------------------- one lane, by its bits

/** Bits without the sign: for comparing magnitudes as unsigned integers. All constants here are twice what they are in bits. */
export const magnitude = (b: Builder, bits: Value): Value => b.shl(bits, 1);

const least = (format: Format): bigint => format.leastBits << 1n;
const infinity = (format: Format): bigint => format.infinityBits << 1n;

/** 0 is less than nothing here: it wraps. */
const isDenormal = (b: Builder, format: Format, m: Value): Value =>
  b.ltU(b.sub(m, 1), bitsConstant(format, least(format) - 1n));

/** Normal, and no smaller than `smallest` (as twice the bits). */
const isNormal = (b: Builder, format: Format, m: Value, smallest: bigint): Value =>
  b.ltU(b.sub(m, bitsConstant(format, smallest)), bitsConstant(format, infinity(format) - smallest));

/** Not denormal and no NaN: these compare as numbers do, without a word. */
export const isOrdered = (b: Builder, format: Format, m: Value): Value =>
  b.or(
    b.eqz(m),
    b.ltU(b.sub(m, bitsConstant(format, least(format))), bitsConstant(format, infinity(format) - least(format) + 1n)),
  );

/** Normal or zero: these become wider without a word. */
export const isPlain = (b: Builder, format: Format, m: Value): Value =>
  b.or(b.eqz(m), isNormal(b, format, m, least(format)));

export type Operation = 'add' | 'sub' | 'mul' | 'div';

/** Whether `operation` on x and y, of which `result` came, is a quick one. All three are bits. */
export function isQuick(b: Builder, format: Format, operation: Operation, x: Value, y: Value, result: Value): Value {
  const [mx, my, mr] = [magnitude(b, x), magnitude(b, y), magnitude(b, result)];
  const denormal = b.or(isDenormal(b, format, mx), isDenormal(b, format, my));
  return b.gtU(isGoodResult(b, format, operation, mx, my, mr), denormal);
}

function isGoodResult(b: Builder, format: Format, operation: Operation, mx: Value, my: Value, mr: Value): Value {
  switch (operation) {
    case 'add':
    case 'sub':
      // A sum that is zero is exactly zero.
      return b.or(isNormal(b, format, mr, least(format)), b.eqz(mr));
    case 'mul':
    case 'div': {
      // The smallest normal number may be a smaller one that was rounded; and zero one that was lost, unless it was there.
      const zero = operation === 'mul' ? b.or(b.eqz(mx), b.eqz(my)) : b.eqz(mx);
      return b.or(isNormal(b, format, mr, least(format) + 1n), b.and(b.eqz(mr), zero));
    }
  }
}

// ---------------------------------------------------------------- all lanes

export const both = (b: Builder, left: Value, right: Value): Value => b.apply('v128.and', [left, right]);
export const either = (b: Builder, left: Value, right: Value): Value => b.apply('v128.or', [left, right]);
export const inAllLanes = (b: Builder, format: Format, lanes: Value): Value =>
  b.apply(`${format.integerShape}.all_true`, [lanes]);

const compared = (b: Builder, format: Format, relation: string, left: Value, right: Value): Value =>
  b.apply(`${format.shape}.${relation}`, [left, right]);

export const absolute = (b: Builder, format: Format, vector: Value): Value => b.apply(`${format.shape}.abs`, [vector]);

const isZeroLane = (b: Builder, format: Format, vector: Value): Value =>
  compared(b, format, 'eq', vector, everywhere(b, format, 0));

/** In each lane: normal, infinite, or zero. */
export const orderedLanes = (b: Builder, format: Format, vector: Value): Value =>
  either(
    b,
    isZeroLane(b, format, vector),
    compared(b, format, 'ge', absolute(b, format, vector), everywhere(b, format, format.least)),
  );

/** In each lane: no larger than `most`. */
export const lanesUpTo = (b: Builder, format: Format, vector: Value, most: number): Value =>
  compared(b, format, 'le', absolute(b, format, vector), everywhere(b, format, most));

/** isQuick for all lanes together; `operation` is what all lanes do, 'add' standing for 'sub' as well. */
export function areQuick(b: Builder, format: Format, operation: Operation, x: Value, y: Value, result: Value): Value {
  const operands = both(b, orderedLanes(b, format, x), orderedLanes(b, format, y));
  const finite = lanesUpTo(b, format, result, format.most);
  const size = absolute(b, format, result);
  const smallest = everywhere(b, format, format.least);
  const good = ((): Value => {
    switch (operation) {
      case 'add':
      case 'sub':
        return either(b, isZeroLane(b, format, result), compared(b, format, 'ge', size, smallest));
      case 'mul':
      case 'div': {
        const zeroX = isZeroLane(b, format, x);
        const zero = operation === 'mul' ? either(b, zeroX, isZeroLane(b, format, y)) : zeroX;
        return either(b, zero, compared(b, format, 'gt', size, smallest));
      }
    }
  })();
  return inAllLanes(b, format, both(b, operands, both(b, finite, good)));
}
