// From the stack: fst, fist and their relatives.
//
// What is stored may be refused by memory, so the store comes before everything else that changes. It is left out when an
// exception is unmasked that says that there is no result; the fault is not.
import * as State from '../../cpu/state.js';
import type { Builder } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { type Definition, define } from '../definition.js';
import { f32OfF80, f64OfF80, integerOfF80 } from '../float/convert.js';
import { BEFORE_RESULT, callPair, INVALID, OVERFLOW, ROUNDING_SHIFT, UNDERFLOW } from '../float/format.js';
import * as Quick from '../float/quick.js';
import { F32, F64 } from '../float/round.js';
import type { Access } from '../operands.js';
import { F80_BYTES } from './operand.js';
import * as X from './state.js';

/** Too large or too small for the memory operand, a number is not stored at all when that is unmasked. */
const PREVENTING = BEFORE_RESULT | OVERFLOW | UNDERFLOW;
const CHOP = 3 << ROUNDING_SHIFT;

/** What an empty register gives, by the operand's width: a NaN or the smallest integer. */
const NO_FRACTION: Readonly<Record<number, bigint>> = { 32: 0xffc00000n, 64: 0xfff8000000000000n };

/** Stores an i64 of the operand's width unless an unmasked exception forbids it, and ends the instruction. */
function storeAndEnd(b: Builder, to: Access, stored: Value, flags: Value, pops: boolean): void {
  b.when(
    b.eqz(X.isUnmasked(b, flags, PREVENTING)),
    () => to.write(to.width === 64 ? stored : b.wrap(stored)),
    () => b.probe(to.width / 8, to.address(to.width / 8, true), true),
  );
  const pop = (): void => {
    if (pops) X.pop(b);
  };
  X.commit(b, flags, pop, { preventing: PREVENTING, memory: to });
}

function storeNarrow(b: Builder, to: Access, pops: boolean): void {
  const register = X.stackRegister(b, 0);
  const number = X.readRegister(b, register);
  const [format, routine] = to.width === 32 ? ([F32, f32OfF80] as const) : ([F64, f64OfF80] as const);
  b.quickly(
    () => b.and(b.and(b.eqz(register.empty), Quick.roundsToNearest(b)), Quick.fits(b, format, number)),
    () => {
      const narrow = Quick.narrowed(b, format, number);
      to.write(narrow.bits);
      const pop = (): void => {
        if (pops) X.pop(b);
      };
      X.commitQuick(b, narrow, pop, to);
    },
    () => {
      const stored = b.variable('i64', NO_FRACTION[to.width] ?? 0n);
      const flags = b.variable('i32', INVALID | X.STACK_FAULT);
      b.when(b.eqz(register.empty), () => {
        const mode = b.state(4, State.FPU_CONTROL);
        const [bits, met] = callPair(b, routine, number.significand, number.signExponent, mode);
        b.set(stored, bits);
        b.set(flags, met);
      });
      storeAndEnd(b, to, b.get(stored), b.get(flags), pops);
    },
  );
}

function storeWhole(b: Builder, to: Access, pops: boolean): void {
  const register = X.stackRegister(b, 0);
  const outcome = new X.Outcome(b);
  b.when(b.eqz(register.empty), () => outcome.set(X.readRegister(b, register), 0));
  const { flags, value } = outcome;
  const address = to.address(F80_BYTES, true);
  b.probe(F80_BYTES, address, true);
  b.when(b.eqz(X.isUnmasked(b, flags, INVALID)), () => {
    b.store(8, address, value.significand);
    b.store(2, b.add(address, 8), value.signExponent);
  });
  const pop = (): void => {
    if (pops) X.pop(b);
  };
  X.commit(b, flags, pop, { memory: to });
}

function copyToRegister(b: Builder, to: Access, pops: boolean): void {
  const source = X.stackRegister(b, 0);
  const target = X.stackRegister(b, to.read());
  const outcome = new X.Outcome(b);
  b.when(b.eqz(source.empty), () => outcome.set(X.readRegister(b, source), 0));
  X.commit(b, outcome.flags, () => {
    X.writeRegister(b, target, outcome.value);
    if (pops) X.pop(b);
  });
}

const fst = (pops: boolean): Definition => {
  return (b, [to]) => {
    X.checkFpu(b);
    // Read here, the address is there for the store, which depends on what happens, and for the pointers, which do not.
    if (to.kind === 'memory') to.offset();
    if (to.kind === 'st') copyToRegister(b, to, pops);
    else if (to.width === 80) storeWhole(b, to, pops);
    else storeNarrow(b, to, pops);
  };
};

define('fst', fst(false));
define('fstp', fst(true));

const fist = (pops: boolean, chop: boolean): Definition => {
  return (b, [to]) => {
    X.checkFpu(b);
    to.offset();
    const register = X.stackRegister(b, 0);
    const number = X.readRegister(b, register);
    const control = b.state(4, State.FPU_CONTROL);
    const mode = chop ? b.or(control, CHOP) : control;
    b.quickly(
      () => b.and(b.and(b.eqz(register.empty), Quick.mayBeInexact(b)), Quick.fitsInteger(b, to.width, number)),
      () => {
        const integer = Quick.toInteger(b, number, mode);
        to.write(to.width === 64 ? integer.bits : b.wrap(integer.bits));
        const pop = (): void => {
          if (pops) X.pop(b);
        };
        X.commitQuick(b, integer, pop, to);
      },
      () => {
        const stored = b.variable('i64', -1n << BigInt(to.width - 1));
        const flags = b.variable('i32', INVALID | X.STACK_FAULT);
        b.when(b.eqz(register.empty), () => {
          const { significand, signExponent } = number;
          const [integer, met] = callPair(b, integerOfF80, significand, signExponent, mode, to.width);
          b.set(stored, integer);
          b.set(flags, met);
        });
        storeAndEnd(b, to, b.get(stored), b.get(flags), pops);
      },
    );
  };
};

define('fist', fist(false, false));
define('fistp', fist(true, false));
define('fisttp', fist(true, true));
