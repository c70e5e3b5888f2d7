// fcom and its relatives, which set condition codes or EFLAGS; ftst; fxam.
import type { Builder } from '../../language/builder.js';
import { setSixFlags } from '../../language/flags.js';
import type { Value } from '../../language/nodes.js';
import { type Definition, define } from '../definition.js';
import { f80Compare, f80Examine } from '../float/compare.js';
import { DENORMAL, type Float80, INVALID } from '../float/format.js';
import { areOrdered, isOrdered, quickOrder } from '../float/quick.js';
import type { Access } from '../operands.js';
import { fractionOperand, integerOperand } from './operand.js';
import * as X from './state.js';

const UNORDERED = X.C3 | X.C2 | X.C0;

/** By the routine, which takes whatever there is. */
function compare(b: Builder, x: Float80, y: Float80, quiet: boolean): Value {
  return b.call(f80Compare, x.significand, x.signExponent, y.significand, y.signExponent, quiet ? 1 : 0);
}

/** What a comparison is made of: the quick way, when that is open, and the other one. */
interface Comparison {
  isQuick(): Value;
  quick(): Value;
  any(): Value;
}

const ofRegisters = (b: Builder, x: Float80, y: Float80, quiet: boolean): Comparison => ({
  isQuick: () => areOrdered(b, x, y),
  quick: () => quickOrder(b, x, y),
  any: () => compare(b, x, y, quiet),
});

/** Compares unless `empty`; gives condition codes and flags. */
function codesUnless(b: Builder, empty: Value, build: () => Comparison): Value {
  const word = b.variable('i32', UNORDERED | INVALID | X.STACK_FAULT);
  b.when(b.eqz(empty), () => {
    const { isQuick, quick, any } = build();
    b.quickly(
      isQuick,
      () => b.set(word, quick()),
      () => b.set(word, any()),
    );
  });
  return b.get(word);
}

function end(b: Builder, word: Value, pops: number, memory?: Access): void {
  const ending = { codes: X.CONDITION_CODES, ...(memory ? { memory } : {}) };
  X.commit(
    b,
    word,
    () => {
      for (let i = 0; i < pops; i++) X.pop(b);
    },
    ending,
  );
}

const withRegister = (quiet: boolean, pops: number): Definition => {
  return (b, [other]) => {
    X.checkFpu(b);
    const x = X.stackRegister(b, 0);
    // fcompp and fucompp compare with ST(1), which they do not name.
    const y = X.stackRegister(b, other.kind === 'none' ? 1 : other.read());
    const word = codesUnless(b, b.or(x.empty, y.empty), () =>
      ofRegisters(b, X.readRegister(b, x), X.readRegister(b, y), quiet),
    );
    end(b, word, pops);
  };
};

const withMemory = (integer: boolean, pops: number): Definition => {
  return (b, [from]) => {
    X.checkFpu(b);
    const y = integer ? integerOperand(b, from) : fractionOperand(b, from, false);
    const x = X.stackRegister(b, 0);
    const word = codesUnless(b, x.empty, () => {
      const first = X.readRegister(b, x);
      return {
        isQuick: () => b.and(isOrdered(b, first), y.isQuick()),
        quick: () => quickOrder(b, first, y.quick()),
        any: () => {
          const second = y.any();
          const compared = compare(b, first, second, false);
          // An invalid operation is what comes first; unordered, here, it always is one.
          const denormal = b.and(second.flags, DENORMAL);
          return b.select(b.and(compared, INVALID), compared, b.or(compared, denormal));
        },
      };
    });
    end(b, word, pops, from);
  };
};

for (const [mnemonic, pops] of [
  ['fcom', 0],
  ['fcomp', 1],
] as const) {
  const memory = withMemory(false, pops);
  const register = withRegister(false, pops);
  define(mnemonic, (b, operands, form) => (operands[0].kind === 'memory' ? memory : register)(b, operands, form));
}
define('fcompp', withRegister(false, 2));
define('fucom', withRegister(true, 0));
define('fucomp', withRegister(true, 1));
define('fucompp', withRegister(true, 2));
define('ficom', withMemory(true, 0));
define('ficomp', withMemory(true, 1));

define('ftst', (b) => {
  X.checkFpu(b);
  const x = X.stackRegister(b, 0);
  const zero = { significand: b.i64(0), signExponent: b.i32(0) };
  end(
    b,
    codesUnless(b, x.empty, () => ofRegisters(b, X.readRegister(b, x), zero, false)),
    0,
  );
});

/** ZF, PF and CF are C3, C2 and C0; the other flags are cleared. */
function setFlags(b: Builder, word: Value): void {
  const bit = (code: number): Value => b.bool(b.and(word, code));
  const none = b.i32(0);
  setSixFlags(b, { cf: bit(X.C0), pf: bit(X.C2), af: none, zf: bit(X.C3), sf: none, of: none });
}

const toFlags = (quiet: boolean, pops: boolean): Definition => {
  return (b, [, other]) => {
    X.checkFpu(b);
    const x = X.stackRegister(b, 0);
    const y = X.stackRegister(b, other.read());
    const word = codesUnless(b, b.or(x.empty, y.empty), () =>
      ofRegisters(b, X.readRegister(b, x), X.readRegister(b, y), quiet),
    );
    // The flags are set even by an exception that is not masked; only the pop waits.
    setFlags(b, word);
    X.commit(b, b.and(word, ~UNORDERED), () => {
      if (pops) X.pop(b);
    });
  };
};

define('fcomi', toFlags(false, false));
define('fcomip', toFlags(false, true));
define('fucomi', toFlags(true, false));
define('fucomip', toFlags(true, true));

define('fxam', (b) => {
  X.checkFpu(b);
  X.notePointers(b);
  const register = X.stackRegister(b, 0);
  const { significand, signExponent } = X.readRegister(b, register);
  const sign = b.shl(b.and(b.shrU(signExponent, 15), 1), 9);
  const codes = b.variable('i32', b.or(sign, X.C3 | X.C0));
  b.when(b.eqz(register.empty), () => b.set(codes, b.call(f80Examine, significand, signExponent)));
  X.addToStatus(b, X.CONDITION_CODES, b.get(codes));
});
