// fsin, fcos, fsincos, fptan, fpatan, f2xm1, fyl2x, fyl2xp1.
//
// What is here are the special values, by the tables of the manual, and the rounding. The numbers between come from the
// CPU's routines. Precision control does not matter to these instructions: they round to 64 bits.
import * as State from '../../cpu/state.js';
import type { CpuRoutineName } from '../../cpu/routines.js';
import type { Builder, Term } from '../../language/builder.js';
import type { Value } from '../../language/nodes.js';
import { define } from '../definition.js';
import * as C from '../float/classify.js';
import * as F from '../float/format.js';
import { f80Round } from '../float/round.js';
import * as X from './state.js';
import { charge } from '../budget.js';

/** A routine works with big numbers, for some microseconds. */
const ROUTINE_JUMPS = 5000;

/** From here on an angle is too large: C2 asks for its remainder. */
const LARGEST_ANGLE = F.BIAS + 63;
const ONE = { significand: F.TOP_BIT, signExponent: F.BIAS };

type Cases = readonly (readonly [when: Value, then: () => void])[];

/** Does the first of the cases that holds, or `otherwise`. */
function firstOf(b: Builder, cases: Cases, otherwise: () => void): void {
  const [first, ...rest] = cases;
  if (first === undefined) otherwise();
  else b.when(first[0], first[1], () => firstOf(b, rest, otherwise));
}

/** An operand and what is to be known of it. */
class Argument {
  readonly value: F.Float80;
  readonly exponent: Value;
  readonly sign: Value;
  readonly isNoNumber: Value;
  readonly isInfinite: Value;
  readonly isZero: Value;
  readonly isDenormal: Value;

  constructor(b: Builder, register: X.StackRegister) {
    this.value = X.readRegister(b, register);
    const { significand, signExponent } = this.value;
    this.exponent = C.exponentOf(b, signExponent);
    this.sign = C.signOf(b, signExponent);
    this.isNoNumber = C.isNoNumber(b, this.exponent, significand);
    this.isInfinite = C.isInfinite(b, this.exponent);
    this.isZero = C.isZero(b, this.exponent, significand);
    this.isDenormal = C.isDenormal(b, this.exponent, significand);
  }
}

function giveOperand(b: Builder, offset: number, { value }: Argument): void {
  const { sign, exponent, significand } = C.normalise(b, value.signExponent, value.significand);
  b.setState(8, offset + State.X87_SIGNIFICAND, significand);
  b.setState(4, offset + State.X87_EXPONENT, exponent);
  b.setState(4, offset + State.X87_SIGN, sign);
}

/** Asks the CPU and rounds; gives `zero` when there is no answer but zero. */
function ask(
  b: Builder,
  outcome: X.Outcome,
  routine: CpuRoutineName,
  args: readonly Term[],
  flags: Value,
  zero?: Value,
): void {
  const field = (offset: number): Value => b.state(4, State.X87_RESULT + offset);
  const word = (offset: number): Value => b.state(8, State.X87_RESULT + offset);
  charge(b, ROUTINE_JUMPS);
  const there = b.ask(routine, ...args);
  b.when(
    there,
    () => {
      const mode = b.or(b.state(4, State.FPU_CONTROL), F.NEAREST_64);
      const [sign, exponent] = [field(State.X87_SIGN), field(State.X87_EXPONENT)];
      const [high, low] = [word(State.X87_SIGNIFICAND), word(State.X87_LOW)];
      const result = F.call80(b, f80Round, sign, exponent, high, low, mode);
      // Real processors tell of a lost fraction even when, by chance, there is none.
      const tiny = b.select(C.exponentOf(b, result.signExponent), 0, F.UNDERFLOW);
      const lost = b.or(tiny, F.PRECISION);
      outcome.set(result, b.or(b.or(result.flags, flags), lost));
    },
    () => outcome.set(signed(b, zero ?? b.i32(0), 0n, 0), flags),
  );
}

const signed = (b: Builder, sign: Value, significand: bigint, exponent: number): F.Float80 => ({
  significand: b.i64(significand),
  signExponent: b.or(b.shl(sign, 15), exponent),
});
const zeroOf = (b: Builder, sign: Value): F.Float80 => signed(b, sign, 0n, 0);
const infinityOf = (b: Builder, sign: Value): F.Float80 => signed(b, sign, F.TOP_BIT, F.EXPONENT_MASK);

function propagate(b: Builder, outcome: X.Outcome, x: Argument, y: Argument): void {
  const [v, w] = [x.value, y.value];
  const result = F.call80(b, C.f80Propagate, v.significand, v.signExponent, w.significand, w.signExponent);
  outcome.set(result, result.flags);
}

const denormalFlag = (b: Builder, ...operands: Argument[]): Value =>
  b.select(
    operands.map(({ isDenormal }) => isDenormal).reduce((all, one) => b.or(all, one)),
    F.DENORMAL,
    0,
  );

// ---------------------------------------------------------------- angles

/** The sine, cosine or tangent of a number, with its exceptions; C2 if the number is too large. */
function ofAngle(b: Builder, x: Argument, routine: CpuRoutineName, outcome: X.Outcome): void {
  const atZero = routine === 'x87Cosine' ? { significand: b.i64(F.TOP_BIT), signExponent: b.i32(F.BIAS) } : x.value;
  firstOf(
    b,
    [
      [x.isNoNumber, () => propagate(b, outcome, x, x)],
      [x.isInfinite, () => outcome.set(X.indefinite(b), F.INVALID)],
      [x.isZero, () => outcome.set(atZero, 0)],
      [b.geU(x.exponent, LARGEST_ANGLE), () => outcome.set(x.value, X.C2)],
    ],
    () => {
      giveOperand(b, State.X87_OPERAND_X, x);
      ask(b, outcome, routine, [], denormalFlag(b, x));
    },
  );
}

for (const [mnemonic, routine] of [
  ['fsin', 'x87Sine'],
  ['fcos', 'x87Cosine'],
] as const) {
  define(mnemonic, (b) => {
    X.checkFpu(b);
    const register = X.stackRegister(b, 0);
    const outcome = new X.Outcome(b);
    b.when(b.eqz(register.empty), () => ofAngle(b, new Argument(b, register), routine, outcome));
    X.commit(b, outcome.flags, () => X.writeRegister(b, register, outcome.value), { codes: X.C1 | X.C2 });
  });
}

/** Replaces ST(0) and pushes, unless the angle was too large. */
function commitTwo(b: Builder, register: X.StackRegister, first: X.Outcome, second: X.Outcome, flags: Value): void {
  const above = X.stackRegister(b, -1);
  X.commit(
    b,
    flags,
    () => {
      X.writeRegister(b, register, first.value);
      b.when(b.eqz(b.and(flags, X.C2)), () => {
        X.writeRegister(b, above, second.value);
        X.moveTop(b, -1);
      });
    },
    { codes: X.C1 | X.C2 },
  );
}

/** The exceptions of an instruction that needs ST(0) and a free register above it, before it has done anything. */
const faultsOfTwo = (b: Builder, register: X.StackRegister): Value =>
  b.select(register.empty, F.INVALID | X.STACK_FAULT, F.INVALID | X.STACK_FAULT | X.C1);

define('fsincos', (b) => {
  X.checkFpu(b);
  const register = X.stackRegister(b, 0);
  const free = b.bool(X.stackRegister(b, -1).empty);
  const sine = new X.Outcome(b, faultsOfTwo(b, register));
  const cosine = new X.Outcome(b, 0);
  b.when(b.and(b.eqz(register.empty), free), () => {
    const x = new Argument(b, register);
    ofAngle(b, x, 'x87Sine', sine);
    ofAngle(b, x, 'x87Cosine', cosine);
  });
  // C1 speaks of the last result, the cosine, if there is one.
  const known = b.eqz(b.and(sine.flags, X.STACK_FAULT));
  const flags = b.or(b.and(sine.flags, b.select(known, ~X.C1, -1)), cosine.flags);
  commitTwo(b, register, sine, cosine, flags);
});

define('fptan', (b) => {
  X.checkFpu(b);
  const register = X.stackRegister(b, 0);
  const free = b.bool(X.stackRegister(b, -1).empty);
  const tangent = new X.Outcome(b, faultsOfTwo(b, register));
  const one = new X.Outcome(b, 0);
  b.when(b.and(b.eqz(register.empty), free), () => {
    const x = new Argument(b, register);
    ofAngle(b, x, 'x87Tangent', tangent);
    const unit = { significand: b.i64(ONE.significand), signExponent: b.i32(ONE.signExponent) };
    // Where there is no tangent, what is pushed is no number either.
    b.when(
      b.or(x.isNoNumber, x.isInfinite),
      () => one.set(tangent.value, 0),
      () => one.set(unit, 0),
    );
  });
  commitTwo(b, register, tangent, one, tangent.flags);
});

// ---------------------------------------------------------------- two operands: ST(1) and ST(0), which is popped

function twoOperands(mnemonic: string, compute: (b: Builder, y: Argument, x: Argument, out: X.Outcome) => void): void {
  define(mnemonic, (b) => {
    X.checkFpu(b);
    const [registerX, registerY] = [X.stackRegister(b, 0), X.stackRegister(b, 1)];
    const outcome = new X.Outcome(b);
    b.when(b.eqz(b.or(registerX.empty, registerY.empty)), () => {
      const [x, y] = [new Argument(b, registerX), new Argument(b, registerY)];
      b.when(
        b.or(x.isNoNumber, y.isNoNumber),
        () => propagate(b, outcome, x, y),
        () => compute(b, y, x, outcome),
      );
    });
    X.commit(b, outcome.flags, () => {
      X.writeRegister(b, registerY, outcome.value);
      X.pop(b);
    });
  });
}

/** Something times π/4, with the sign of y. */
function quarters(b: Builder, outcome: X.Outcome, y: Argument, count: Term, flags: Value): void {
  const turned = new X.Outcome(b);
  ask(b, turned, 'x87QuarterTurns', [count], flags);
  const { significand, signExponent } = turned.value;
  outcome.set({ significand, signExponent: b.or(signExponent, b.shl(y.sign, 15)) }, turned.flags);
}

twoOperands('fpatan', (b, y, x, outcome) => {
  const flags = denormalFlag(b, y, x);
  // A quarter of a circle is two eighths.
  const alongX = (): void =>
    b.when(
      x.sign,
      () => quarters(b, outcome, y, 4, flags),
      () => outcome.set(zeroOf(b, y.sign), flags),
    );
  firstOf(
    b,
    [
      [b.and(y.isInfinite, x.isInfinite), () => quarters(b, outcome, y, b.select(x.sign, 3, 1), flags)],
      [y.isInfinite, () => quarters(b, outcome, y, 2, flags)],
      [b.or(x.isInfinite, y.isZero), alongX],
      [x.isZero, () => quarters(b, outcome, y, 2, flags)],
    ],
    () => {
      giveOperand(b, State.X87_OPERAND_Y, y);
      giveOperand(b, State.X87_OPERAND_X, x);
      ask(b, outcome, 'x87ArcTangent', [], flags);
    },
  );
});

const isOne = (b: Builder, x: Argument): Value =>
  b.and(b.eq(x.value.signExponent, F.BIAS), b.eq(x.value.significand, F.TOP_BIT));

/** y times an infinity with sign `sign`. */
function timesInfinity(b: Builder, outcome: X.Outcome, y: Argument, sign: Value, flags: Value): void {
  b.when(
    y.isZero,
    () => outcome.set(X.indefinite(b), F.INVALID),
    () => outcome.set(infinityOf(b, b.xor(y.sign, sign)), flags),
  );
}

twoOperands('fyl2x', (b, y, x, outcome) => {
  const flags = denormalFlag(b, y, x);
  const below = b.and(b.ltU(x.exponent, F.BIAS), b.i32(1));
  const invalid = (): void => outcome.set(X.indefinite(b), F.INVALID);
  const pole = b.select(y.isInfinite, 0, F.ZERO_DIVIDE);
  firstOf(
    b,
    [
      [x.isZero, () => b.when(y.isZero, invalid, () => outcome.set(infinityOf(b, b.xor(y.sign, 1)), pole))],
      [x.sign, invalid],
      [x.isInfinite, () => timesInfinity(b, outcome, y, b.i32(0), flags)],
      [b.and(y.isInfinite, isOne(b, x)), invalid],
      [y.isInfinite, () => outcome.set(infinityOf(b, b.xor(y.sign, below)), flags)],
      [b.or(y.isZero, isOne(b, x)), () => outcome.set(zeroOf(b, b.xor(y.sign, below)), flags)],
    ],
    () => {
      giveOperand(b, State.X87_OPERAND_Y, y);
      giveOperand(b, State.X87_OPERAND_X, x);
      ask(b, outcome, 'x87TimesLogarithm', [], flags, y.sign);
    },
  );
});

twoOperands('fyl2xp1', (b, y, x, outcome) => {
  const flags = denormalFlag(b, y, x);
  const invalid = (): void => outcome.set(X.indefinite(b), F.INVALID);
  const atMostMinusOne = b.and(x.sign, b.geU(x.exponent, F.BIAS));
  firstOf(
    b,
    [
      [b.and(x.isZero, y.isInfinite), invalid],
      [b.or(x.isZero, y.isZero), () => outcome.set(zeroOf(b, b.xor(y.sign, x.sign)), flags)],
      [b.and(x.isInfinite, x.sign), invalid],
      [b.or(x.isInfinite, y.isInfinite), () => outcome.set(infinityOf(b, b.xor(y.sign, x.sign)), flags)],
      // Outside of the interval that the manual gives, nothing is promised.
      [atMostMinusOne, () => outcome.set(x.value, b.or(flags, F.PRECISION))],
    ],
    () => {
      giveOperand(b, State.X87_OPERAND_Y, y);
      giveOperand(b, State.X87_OPERAND_X, x);
      ask(b, outcome, 'x87TimesLogarithmPlusOne', [], flags, b.xor(y.sign, x.sign));
    },
  );
});

define('f2xm1', (b) => {
  X.checkFpu(b);
  const register = X.stackRegister(b, 0);
  const outcome = new X.Outcome(b);
  b.when(b.eqz(register.empty), () => {
    const x = new Argument(b, register);
    const minusOne = signed(b, b.i32(1), F.TOP_BIT, F.BIAS);
    const beyondOne = b.and(b.eq(x.exponent, F.BIAS), b.ne(x.value.significand, F.TOP_BIT));
    const outside = b.or(b.gtU(x.exponent, F.BIAS), beyondOne);
    firstOf(
      b,
      [
        [x.isNoNumber, () => propagate(b, outcome, x, x)],
        [b.and(x.isInfinite, x.sign), () => outcome.set(minusOne, 0)],
        // Outside of −1 … 1 nothing is promised: the operand stays.
        [b.or(x.isZero, x.isInfinite), () => outcome.set(x.value, 0)],
        [outside, () => outcome.set(x.value, F.PRECISION)],
      ],
      () => {
        giveOperand(b, State.X87_OPERAND_X, x);
        ask(b, outcome, 'x87PowerMinusOne', [], denormalFlag(b, x));
      },
    );
  });
  X.commit(b, outcome.flags, () => X.writeRegister(b, register, outcome.value));
});
