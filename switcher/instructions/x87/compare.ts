// fcom and its relatives, which set condition codes or EFLAGS; ftst; fxam.
import type { Builder } from '../../language/builder.js';
import { type Relation, wordsOfRelation } from '../../language/flags.js';
import type { Value } from '../../language/nodes.js';
import { type Definition, define } from '../definition.js';
import { f80Compare, f80Examine } from '../float/compare.js';
import { DENORMAL, type Float80, INVALID } from '../float/format.js';
import { isSurelyPlain } from '../float/plain.js';
import { areOrdered, areQuick, isOrdered, isQuick, type Order, quickestOrder, quickOrder } from '../float/quick.js';
import type { Access } from '../operands.js';
import { fractionOperand, integerOperand } from './operand.js';
import * as X from './state.js';

const UNORDERED = X.C3 | X.C2 | X.C0;
const C0_SHIFT = 8;
const C3_SHIFT = 14;

/** By the routine, which takes whatever there is. */
function compare(b: Builder, x: Float80, y: Float80, quiet: boolean): Value {
  return b.call(f80Compare, x.significand, x.signExponent, y.significand, y.signExponent, quiet ? 1 : 0);
}

/** What a comparison is made of: the quick way, when that is open, and the other one, which gives condition codes and flags. */
interface Comparison {
  /** Not 0 if something is to be compared that is not there. */
  readonly empty: Value;
  /** Numbers from registers. */
  readonly registers: readonly Float80[];
  /** Whether both are numbers with moderate exponents, and not zero; `followed`: those in registers are known to be plain. */
  isQuickest(followed: boolean): Value;
  isQuick(): Value;
  /** Both, if one of these is true. */
  numbers(): readonly [x: Float80, y: Float80];
  any(): Value;
}

function ofRegisters(b: Builder, x: X.StackRegister, y: X.StackRegister, quiet: boolean): Comparison {
  const [first, second] = [X.readRegister(b, x), X.readRegister(b, y)];
  return {
    empty: b.or(x.empty, y.empty),
    registers: [first, second],
    isQuickest: (followed) => (followed ? b.i32(1) : areQuick(b, first, second)),
    isQuick: () => areOrdered(b, first, second),
    numbers: () => [first, second],
    any: () => compare(b, first, second, quiet),
  };
}

/** `quickly`, with the order of the two, or `slowly`, with condition codes and flags. */
function choose(
  b: Builder,
  { empty, registers, isQuickest, isQuick, numbers, any }: Comparison,
  quickly: (order: Order) => void,
  slowly: (word: Value) => void,
): void {
  const exactly = (): void => {
    const word = b.variable('i32', UNORDERED | INVALID | X.STACK_FAULT);
    b.when(b.eqz(empty), () => b.set(word, any()));
    slowly(b.get(word));
  };
  const inPlace = (isOpen: () => Value): void => {
    const { differ, ...order } = quickestOrder(b, ...numbers());
    b.whenSeldom(
      b.eqz(b.and(b.and(b.eqz(empty), isOpen()), differ)),
      () => b.when(b.and(b.eqz(empty), isQuick()), () => quickly(quickOrder(b, ...numbers())), exactly),
      () => quickly(order),
    );
  };
  const areNumbers = (): Value =>
    registers.map((number) => isSurelyPlain(b, number)).reduce((all, one) => b.and(all, one), isQuickest(true));
  b.followed(
    () => inPlace(areNumbers),
    () => b.inPlace(() => inPlace(() => isQuickest(false)), exactly),
  );
}

/** A comparison that leaves condition codes behind. */
function toCodes(b: Builder, comparison: Comparison, pops: number, memory?: Access): void {
  const pop = (): void => {
    for (let i = 0; i < pops; i++) X.pop(b);
  };
  choose(
    b,
    comparison,
    ({ less, equal }) => {
      X.addToStatus(b, X.CONDITION_CODES, b.or(b.shl(less, C0_SHIFT), b.shl(equal, C3_SHIFT)));
      X.commitQuick(b, undefined, pop, memory);
    },
    (word) => X.commit(b, word, pop, { codes: X.CONDITION_CODES, ...(memory ? { memory } : {}) }),
  );
}

const withRegister = (quiet: boolean, pops: number): Definition => {
  return (b, [other]) => {
    X.checkFpu(b);
    // fcompp and fucompp compare with ST(1), which they do not name.
    const y = X.stackRegister(b, other.kind === 'none' ? 1 : other.read());
    toCodes(b, ofRegisters(b, X.stackRegister(b, 0), y, quiet), pops);
  };
};

const withMemory = (integer: boolean, pops: number): Definition => {
  return (b, [from]) => {
    X.checkFpu(b);
    const y = integer ? integerOperand(b, from) : fractionOperand(b, from, false);
    const x = X.stackRegister(b, 0);
    const first = X.readRegister(b, x);
    const comparison = {
      empty: x.empty,
      registers: [first],
      isQuickest: (followed: boolean) => (followed ? y.isQuick() : b.and(isQuick(b, first), y.isQuick())),
      isQuick: () => b.and(isOrdered(b, first), y.isQuick()),
      numbers: () => [first, y.quick()] as const,
      any: () => {
        const second = y.any();
        const compared = compare(b, first, second, false);
        // An invalid operation is what comes first; unordered, here, it always is one.
        const denormal = b.and(second.flags, DENORMAL);
        return b.select(b.and(compared, INVALID), compared, b.or(compared, denormal));
      },
    };
    toCodes(b, comparison, pops, from);
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
  const register = X.stackRegister(b, 0);
  const x = X.readRegister(b, register);
  const zero = { significand: b.i64(0), signExponent: b.i32(0) };
  toCodes(
    b,
    {
      empty: register.empty,
      registers: [x],
      isQuickest: (followed) => (followed ? b.i32(1) : isQuick(b, x)),
      isQuick: () => isOrdered(b, x),
      numbers: () => [x, zero],
      any: () => compare(b, x, zero, false),
    },
    0,
  );
});

const toFlags = (quiet: boolean, pops: boolean): Definition => {
  return (b, [, other]) => {
    X.checkFpu(b);
    const comparison = ofRegisters(b, X.stackRegister(b, 0), X.stackRegister(b, other.read()), quiet);
    const pop = (): void => {
      if (pops) X.pop(b);
    };
    const [result, aux] = [b.variable('i32', 0), b.variable('i32', 0)];
    const set = (relation: Relation): void => {
      const words = wordsOfRelation(b, relation);
      b.set(result, words.result);
      b.set(aux, words.aux);
    };
    choose(
      b,
      comparison,
      ({ less, equal }) => {
        set({ zf: equal, pf: b.i32(0), cf: less });
        X.commitQuick(b, undefined, pop);
      },
      (word) => {
        const is = (code: number): Value => b.bool(b.and(word, code));
        set({ zf: is(X.C3), pf: is(X.C2), cf: is(X.C0) });
        X.commit(b, b.and(word, ~UNORDERED), pop);
      },
    );
    // They are set even by an exception that is not masked; only the pop waits.
    b.setFlagWords(b.get(result), b.get(aux));
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
