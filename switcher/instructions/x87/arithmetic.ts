// fadd, fsub, fmul, fdiv with all their relatives: reversed, popping, with an integer from memory. And fsqrt, fchs, fabs,
// frndint: one number in, one out.
import * as State from '../../cpu/state.js';
import type { Form } from '../../decode/instruction.js';
import type { Builder } from '../../language/builder.js';
import type { Routine, Value } from '../../language/nodes.js';
import { type Definition, define } from '../definition.js';
import { f80Add, f80Subtract } from '../float/add.js';
import { f80RoundToInteger } from '../float/convert.js';
import { f80Divide } from '../float/divide.js';
import { call80, type Flagged80, type Float80, SIGN } from '../float/format.js';
import { f80Multiply } from '../float/multiply.js';
import * as Plain from '../float/plain.js';
import { isQuick, quickDifference, quickProduct, quickSum, type Rounded80, roundsAsUsual } from '../float/quick.js';
import { f80SquareRoot } from '../float/square-root.js';
import type { Access } from '../operands.js';
import { fractionOperand, integerOperand, withOperandFlags } from './operand.js';
import * as X from './state.js';

interface Operation {
  readonly routine: Routine;
  /** The same, for numbers that are open to it. */
  readonly quick?: (b: Builder, x: Float80, y: Float80) => Rounded80;
  /** Source and destination change places. */
  readonly reversed: boolean;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: { routine: f80Add, quick: quickSum, reversed: false },
  sub: { routine: f80Subtract, quick: quickDifference, reversed: false },
  subr: { routine: f80Subtract, quick: quickDifference, reversed: true },
  mul: { routine: f80Multiply, quick: quickProduct, reversed: false },
  div: { routine: f80Divide, reversed: false },
  divr: { routine: f80Divide, reversed: true },
};

/** By the routine, which takes whatever there is. */
function operate(b: Builder, { routine, reversed }: Operation, target: Float80, source: Float80): Flagged80 {
  const [x, y] = reversed ? [source, target] : [target, source];
  const mode = b.state(4, State.FPU_CONTROL);
  return call80(b, routine, x.significand, x.signExponent, y.significand, y.signExponent, mode);
}

/** How an operation ends, however it came to its result. */
interface Place {
  readonly register: X.StackRegister;
  readonly pops: boolean;
  readonly memory?: Access;
}

function write(b: Builder, { register, pops }: Place, value: Float80): void {
  X.writeRegister(b, register, value);
  if (pops) X.pop(b);
}

/** What an operation is done with, and where. */
interface Operands extends Place {
  /** Numbers from registers. */
  readonly registers: readonly Float80[];
  /** 1 if those registers are not empty, and memory holds no number that is a matter for routines. */
  arePresent(): Value;
  /** All of them. */
  numbers(): readonly [target: Float80, source: Float80];
  /** By the routine, if there is something in the registers: leaves its result in the outcome. */
  any(outcome: X.Outcome): void;
}

/** In place, if that can be; by routines, if not. */
function operateAndEnd(b: Builder, { quick, reversed }: Operation, operands: Operands): void {
  const all = (is: (number: Float80) => Value, numbers: readonly Float80[]): Value =>
    numbers.map(is).reduce((some, one) => b.and(some, one));
  const isOpen = (): Value => b.and(roundsAsUsual(b), operands.arePresent());
  /** @param followed numbers in registers that must be plain where things go on */
  const slow = (followed: readonly Float80[] = []): void => {
    const outcome = new X.Outcome(b);
    operands.any(outcome);
    const ending = operands.memory ? { memory: operands.memory } : {};
    const { value } = outcome;
    b.assure(value.significand, 0);
    X.commit(b, outcome.flags, () => write(b, operands, value), ending);
    const arePlain = (): Value =>
      followed.reduce((some, number) => b.and(some, Plain.isPlain(b, number)), Plain.looksPlain(b, value));
    // Who has a quick way, and no operand in memory, comes here only with what is not plain, unless it rounds otherwise, and
    // leaves: then nothing but the quick way leads on, and what V8 keeps in registers stays there.
    const isLast = quick !== undefined && operands.memory === undefined;
    b.followed(
      () => b.goOnIf(isLast ? b.and(b.eqz(isOpen()), arePlain()) : arePlain()),
      () => {},
    );
  };
  if (quick === undefined) {
    slow();
    return;
  }
  const { registers } = operands;
  const compute = (): Rounded80 => {
    const [target, source] = operands.numbers();
    const [x, y] = reversed ? [source, target] : [target, source];
    return quick(b, x, y);
  };
  const commit = (result: Rounded80): void =>
    X.commitQuick(b, result, () => write(b, operands, result), operands.memory);
  const followed = (): void => {
    const result = compute();
    const areNumbers = b.and(
      all((number) => Plain.isSurelyPlain(b, number), registers),
      Plain.isInRange(b, result),
    );
    b.assure(result.significand, 0);
    b.whenSeldom(
      b.eqz(b.and(isOpen(), areNumbers)),
      () => {
        // Zero is plain, too.
        const arePlain = b.and(
          all((number) => Plain.isPlain(b, number), registers),
          Plain.looksPlain(b, result),
        );
        b.when(
          b.and(isOpen(), arePlain),
          () => commit(result),
          () => slow(registers),
        );
      },
      () => commit(result),
    );
    for (const { significand } of registers) b.assure(significand, 0);
  };
  const quickly = (): void => {
    const areOpen = (): Value =>
      b.and(
        isOpen(),
        all((number) => isQuick(b, number), registers),
      );
    b.quickly(areOpen, () => commit(compute()), slow);
  };
  b.followed(followed, quickly);
}

/** `fadd m32` and the like: ST(0) with a number from memory. */
function withMemory(operation: Operation, integer: boolean): Definition {
  return (b, [from]) => {
    X.checkFpu(b);
    const source = integer ? integerOperand(b, from) : fractionOperand(b, from, false);
    const register = X.stackRegister(b, 0);
    const target = X.readRegister(b, register);
    operateAndEnd(b, operation, {
      register,
      pops: false,
      memory: from,
      registers: [target],
      arePresent: () => b.and(b.eqz(register.empty), source.isQuick()),
      numbers: () => [target, source.quick()],
      any: (outcome) => {
        b.when(b.eqz(register.empty), () => {
          const number = source.any();
          const result = operate(b, operation, target, number);
          outcome.set(result, integer ? result.flags : withOperandFlags(b, result, number.flags));
        });
      },
    });
  };
}

/** `fadd st, st(i)`, `fadd st(i), st` and `faddp st(i), st`. */
function withRegister(operation: Operation, pops: boolean): Definition {
  return (b, [to, from]) => {
    X.checkFpu(b);
    const register = X.stackRegister(b, to.read());
    const other = X.stackRegister(b, from.read());
    const [target, source] = [X.readRegister(b, register), X.readRegister(b, other)];
    const areThere = (): Value => b.eqz(b.or(register.empty, other.empty));
    operateAndEnd(b, operation, {
      register,
      pops,
      registers: [target, source],
      arePresent: areThere,
      numbers: () => [target, source],
      any: (outcome) => {
        b.when(areThere(), () => {
          const result = operate(b, operation, target, source);
          outcome.set(result, result.flags);
        });
      },
    });
  };
}

for (const [name, operation] of Object.entries(OPERATIONS)) {
  const memory = withMemory(operation, false);
  const register = withRegister(operation, false);
  define(`f${name}`, (b, operands, form: Form) => {
    (operands[0].kind === 'memory' ? memory : register)(b, operands, form);
  });
  define(`f${name}p`, withRegister(operation, true));
  define(`fi${name}`, withMemory(operation, true));
}

/** One number in, one out: what becomes of ST(0) when it is not empty. */
export function unary(mnemonic: string, compute: (b: Builder, value: Float80, mode: Value) => Flagged80): void {
  define(mnemonic, (b) => {
    X.checkFpu(b);
    const register = X.stackRegister(b, 0);
    const outcome = new X.Outcome(b);
    b.when(b.eqz(register.empty), () => {
      const result = compute(b, X.readRegister(b, register), b.state(4, State.FPU_CONTROL));
      outcome.set(result, result.flags);
    });
    X.commit(b, outcome.flags, () => X.writeRegister(b, register, outcome.value));
  });
}

const routineOf =
  (routine: Routine) =>
  (b: Builder, { significand, signExponent }: Float80, mode: Value): Flagged80 =>
    call80(b, routine, significand, signExponent, mode);

unary('fsqrt', routineOf(f80SquareRoot));
unary('frndint', routineOf(f80RoundToInteger));
unary('fchs', (b, { significand, signExponent }) => ({
  significand,
  signExponent: b.xor(signExponent, SIGN),
  flags: b.i32(0),
}));
unary('fabs', (b, { significand, signExponent }) => ({
  significand,
  signExponent: b.and(signExponent, ~SIGN),
  flags: b.i32(0),
}));
