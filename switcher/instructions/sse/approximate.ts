// The approximations: rcpps rcpss rsqrtps rsqrtss.
//
// They promise a relative error of at most 1.5 · 2^-12, tell no exceptions and do not look at MXCSR. What they give beyond
// that is each processor's own; here it is the true value, rounded to nearest. Denormals count as zero, in and out.
import type { Routine } from '../../language/nodes.js';
import { define } from '../definition.js';
import { floatRoutine } from '../float/format.js';
import { asBits, asFloat, laneOf, readScalar, SINGLE, withLane } from './format.js';
import { checkSse, readVector } from './operand.js';
import { magnitude } from './quick.js';

const SIGN = 1 << 31;
const QUIET_BIT = 1 << 22;
const INFINITY = 0xff << 23;
const DEFAULT_NAN = SIGN | INFINITY | QUIET_BIT;
const LEAST_MAGNITUDE = Number(SINGLE.leastBits << 1n);
const INFINITY_MAGNITUDE = Number(SINGLE.infinityBits << 1n) | 0;

/** (bits) → bits. */
const approximation = (name: 'rcp' | 'rsqrt'): Routine =>
  floatRoutine(`${name}Lane`, ['i32'], ['i32'], (b, bits) => {
    const m = magnitude(b, bits);
    const sign = b.and(bits, SIGN);
    b.when(b.gtU(m, INFINITY_MAGNITUDE), () => b.return(b.or(bits, QUIET_BIT)));
    b.when(b.ltU(m, LEAST_MAGNITUDE), () => b.return(b.or(sign, INFINITY)));
    if (name === 'rsqrt') b.when(sign, () => b.return(b.i32(DEFAULT_NAN)));
    const number = asFloat(b, SINGLE, bits);
    const divisor = name === 'rcp' ? number : b.apply('f32.sqrt', [number]);
    const result = asBits(b, SINGLE, b.apply('f32.div', [1, divisor]));
    b.return(b.select(b.ltU(magnitude(b, result), LEAST_MAGNITUDE), sign, result));
  });

for (const name of ['rcp', 'rsqrt'] as const) {
  const one = approximation(name);
  const all = floatRoutine(`${name}Lanes`, ['v128'], ['v128'], (b, x) => {
    const result = b.variable('v128', x);
    for (let lane = 0; lane < SINGLE.lanes; lane++) {
      b.set(result, withLane(b, SINGLE, b.get(result), lane, b.call(one, laneOf(b, SINGLE, x, lane))));
    }
    b.return(b.get(result));
  });
  define(`${name}ss`, (b, [to, from]) => {
    checkSse(b);
    const result = b.call(one, readScalar(b, SINGLE, from).bits);
    to.write(withLane(b, SINGLE, to.read(), 0, result));
  });
  define(`${name}ps`, (b, [to, from]) => {
    checkSse(b);
    to.write(b.call(all, readVector(b, from)));
  });
}
