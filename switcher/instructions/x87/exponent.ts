// fscale, fxtract, fprem and fprem1; fbld and fbstp: the rest of what does not come from a series.
import * as State from '../../cpu/state.js';
import { charge } from '../budget.js';
import { define } from '../definition.js';
import { decimalOfF80, f80OfDecimal } from '../float/bcd.js';
import { BEFORE_RESULT, call80, EXPONENT_MASK, INVALID } from '../float/format.js';
import { f80Remainder, f80RemainderNearest } from '../float/remainder.js';
import { f80ExtractExponent, f80ExtractSignificand, f80Scale } from '../float/scale.js';
import { F80_BYTES } from './operand.js';
import * as X from './state.js';

/** ST(0) from ST(0) and ST(1), which stays. */
for (const [mnemonic, routine, quotient] of [
  ['fscale', f80Scale, false],
  ['fprem', f80Remainder, true],
  ['fprem1', f80RemainderNearest, true],
] as const) {
  define(mnemonic, (b) => {
    X.checkFpu(b);
    const [x, y] = [X.stackRegister(b, 0), X.stackRegister(b, 1)];
    const outcome = new X.Outcome(b);
    b.when(b.eqz(b.or(x.empty, y.empty)), () => {
      const [v, w] = [X.readRegister(b, x), X.readRegister(b, y)];
      const mode = b.state(4, State.FPU_CONTROL);
      const result = call80(b, routine, v.significand, v.signExponent, w.significand, w.signExponent, mode);
      outcome.set(result, result.flags);
    });
    const write = (): void => X.writeRegister(b, x, outcome.value);
    if (!quotient) {
      X.commit(b, outcome.flags, write);
      return;
    }
    // Where there is no quotient, it is not shown.
    const isNaN = b.eq(b.and(outcome.value.signExponent, EXPONENT_MASK), EXPONENT_MASK);
    const none = b.or(isNaN, X.isUnmasked(b, outcome.flags, BEFORE_RESULT));
    const codes = b.select(none, X.C1 | X.C2, X.CONDITION_CODES);
    X.commit(b, b.and(outcome.flags, b.select(none, ~X.CONDITION_CODES, -1)), write, { codes });
  });
}

define('fxtract', (b) => {
  X.checkFpu(b);
  const [x, above] = [X.stackRegister(b, 0), X.stackRegister(b, -1)];
  const exponent = new X.Outcome(b);
  const significand = new X.Outcome(b, b.select(x.empty, INVALID | X.STACK_FAULT, INVALID | X.STACK_FAULT | X.C1));
  b.when(b.and(b.eqz(x.empty), b.bool(above.empty)), () => {
    const value = X.readRegister(b, x);
    const mode = b.state(4, State.FPU_CONTROL);
    const ofExponent = call80(b, f80ExtractExponent, value.significand, value.signExponent, mode);
    const ofSignificand = call80(b, f80ExtractSignificand, value.significand, value.signExponent, mode);
    exponent.set(ofExponent, 0);
    significand.set(ofSignificand, ofExponent.flags);
  });
  X.commit(b, significand.flags, () => {
    X.writeRegister(b, x, exponent.value);
    X.writeRegister(b, above, significand.value);
    X.moveTop(b, -1);
  });
});

define('fbld', (b, [from]) => {
  X.checkFpu(b);
  const address = from.address(F80_BYTES, false);
  const low = b.load(8, address);
  const outcome = new X.Outcome(b);
  outcome.set(call80(b, f80OfDecimal, low, b.load(2, b.add(address, 8))), 0);
  X.commitPush(b, outcome, from);
});

/** Eighteen digits, each by a division. */
const DIGITS_JUMPS = 50;

/** What fbstp stores when there is no number. */
const DECIMAL_INDEFINITE = { low: 0xc000000000000000n, high: 0xffff };

define('fbstp', (b, [to]) => {
  X.checkFpu(b);
  const address = to.address(F80_BYTES, true);
  const register = X.stackRegister(b, 0);
  const outcome = new X.Outcome(b);
  outcome.set(
    { significand: b.i64(DECIMAL_INDEFINITE.low), signExponent: b.i32(DECIMAL_INDEFINITE.high) },
    INVALID | X.STACK_FAULT,
  );
  b.when(b.eqz(register.empty), () => {
    const { significand, signExponent } = X.readRegister(b, register);
    const decimal = call80(b, decimalOfF80, significand, signExponent, b.state(4, State.FPU_CONTROL));
    outcome.set(decimal, decimal.flags);
  });
  const { value, flags } = outcome;
  b.probe(F80_BYTES, address, true);
  b.when(b.eqz(X.isUnmasked(b, flags, INVALID)), () => {
    b.store(8, address, value.significand);
    b.store(2, b.add(address, 8), value.signExponent);
  });
  charge(b, DIGITS_JUMPS);
  X.commit(b, flags, () => X.pop(b), { memory: to });
});
