// Onto the stack: fld, fild, the constants. Between its registers: fxch, fcmov.
import * as State from '../../cpu/state.js';
import type { Builder } from '../../language/builder.js';
import { type Condition, condition } from '../../language/flags.js';
import { define } from '../definition.js';
import type { Access } from '../operands.js';
import { ROUND_NEAREST, ROUND_UP, rounding } from '../float/format.js';
import { looksPlain } from '../float/plain.js';
import { fractionOperand, integerOperand, type MemoryNumber, wholeOperand } from './operand.js';
import * as X from './state.js';

function loadNumber(b: Builder, from: Access, number: MemoryNumber): void {
  const target = X.stackRegister(b, -1);
  const push = (): void => {
    const loaded = number.quick();
    b.assure(loaded.significand, 0);
    X.writeRegister(b, target, loaded);
    X.moveTop(b, -1);
  };
  b.quickly(
    () => b.and(b.bool(target.empty), number.isQuick()),
    () => X.commitQuick(b, undefined, push, from),
    () => {
      const outcome = new X.Outcome(b);
      const value = number.any();
      outcome.set(value, value.flags);
      const loaded = outcome.value;
      b.assure(loaded.significand, 0);
      X.commitPush(b, outcome, from);
      b.followed(
        () => b.goOnIf(looksPlain(b, loaded)),
        () => {},
      );
    },
  );
}

define('fld', (b, [from]) => {
  X.checkFpu(b);
  const outcome = new X.Outcome(b);
  if (from.kind === 'memory') {
    if (from.width !== 80) {
      loadNumber(b, from, fractionOperand(b, from, true));
      return;
    }
    outcome.set(wholeOperand(b, from), 0);
    X.commitPush(b, outcome, from);
    return;
  }
  const source = X.stackRegister(b, from.read());
  b.when(b.eqz(source.empty), () => outcome.set(X.readRegister(b, source), 0));
  X.commitPush(b, outcome);
});

define('fild', (b, [from]) => {
  X.checkFpu(b);
  loadNumber(b, from, integerOperand(b, from));
});

/** A constant as it is when cut off, and whether what is cut off is more than half of the last place. */
interface Constant {
  readonly exponent: number;
  readonly significand: bigint;
  readonly nearestIsAbove: boolean;
}

const CONSTANTS: Readonly<Record<string, Constant>> = {
  fldl2t: { exponent: 0x4000, significand: 0xd49a784bcd1b8afen, nearestIsAbove: false },
  fldl2e: { exponent: 0x3fff, significand: 0xb8aa3b295c17f0bbn, nearestIsAbove: true },
  fldpi: { exponent: 0x4000, significand: 0xc90fdaa22168c234n, nearestIsAbove: true },
  fldlg2: { exponent: 0x3ffd, significand: 0x9a209a84fbcff798n, nearestIsAbove: true },
  fldln2: { exponent: 0x3ffe, significand: 0xb17217f7d1cf79abn, nearestIsAbove: true },
};

for (const [mnemonic, { exponent, significand, nearestIsAbove }] of Object.entries(CONSTANTS)) {
  define(mnemonic, (b) => {
    X.checkFpu(b);
    const how = rounding(b, b.state(4, State.FPU_CONTROL));
    const up = b.eq(how, ROUND_UP);
    const above = nearestIsAbove ? b.or(up, b.eq(how, ROUND_NEAREST)) : up;
    const outcome = new X.Outcome(b);
    outcome.set({ significand: b.add(b.i64(significand), b.extendU(above)), signExponent: b.i32(exponent) }, 0);
    X.commitPush(b, outcome);
  });
}

define(['fld1', 'fldz'], (b, _operands, form) => {
  X.checkFpu(b);
  const one = form.mnemonic === 'fld1';
  const outcome = new X.Outcome(b);
  outcome.set({ significand: b.i64(one ? 1n << 63n : 0n), signExponent: b.i32(one ? 0x3fff : 0) }, 0);
  X.commitPush(b, outcome);
});

define('fxch', (b, [other]) => {
  X.checkFpu(b);
  const x = X.stackRegister(b, 0);
  const y = X.stackRegister(b, other.read());
  const contents = [x, y].map((register) => {
    const outcome = new X.Outcome(b);
    b.when(b.eqz(register.empty), () => outcome.set(X.readRegister(b, register), 0));
    return { value: outcome.value, flags: outcome.flags };
  });
  const [ofX, ofY] = contents;
  if (!ofX || !ofY) return;
  X.commit(b, b.or(ofX.flags, ofY.flags), () => {
    X.writeRegister(b, x, ofY.value);
    X.writeRegister(b, y, ofX.value);
  });
});

const MOVES: Readonly<Record<string, Condition>> = {
  fcmovb: 'b',
  fcmove: 'z',
  fcmovbe: 'be',
  fcmovu: 'p',
  fcmovnb: 'ae',
  fcmovne: 'nz',
  fcmovnbe: 'a',
  fcmovnu: 'np',
};

for (const [mnemonic, when] of Object.entries(MOVES)) {
  define(mnemonic, (b, [, from]) => {
    X.checkFpu(b);
    const target = X.stackRegister(b, 0);
    const source = X.stackRegister(b, from.read());
    const outcome = new X.Outcome(b);
    b.when(b.eqz(b.or(target.empty, source.empty)), () => {
      outcome.set(X.readRegister(b, target), 0);
      b.when(condition(b, when), () => outcome.set(X.readRegister(b, source), 0));
    });
    // C1 is left alone, unless it tells of an underflow.
    const codes = b.select(outcome.flags, X.C1, 0);
    X.commit(b, outcome.flags, () => X.writeRegister(b, target, outcome.value), { codes });
  });
}
