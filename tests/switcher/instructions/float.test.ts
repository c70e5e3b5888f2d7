// The floating-point routines against a real CPU: ten thousand operands for each instruction.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { f80Add, f80Subtract } from '../../../switcher/instructions/float/add.js';
import * as Bcd from '../../../switcher/instructions/float/bcd.js';
import * as Compare from '../../../switcher/instructions/float/compare.js';
import * as Convert from '../../../switcher/instructions/float/convert.js';
import { f80Divide } from '../../../switcher/instructions/float/divide.js';
import { f80Multiply } from '../../../switcher/instructions/float/multiply.js';
import * as Remainder from '../../../switcher/instructions/float/remainder.js';
import * as Scale from '../../../switcher/instructions/float/scale.js';
import { f80SquareRoot } from '../../../switcher/instructions/float/square-root.js';
import * as SseCompare from '../../../switcher/instructions/float/sse-compare.js';
import * as SseConvert from '../../../switcher/instructions/float/sse-convert.js';
import * as Sse from '../../../switcher/instructions/float/sse.js';
import type { Routine } from '../../../switcher/language/nodes.js';
import {
  checksums,
  CHUNK,
  FLOAT_INSTRUCTIONS,
  type FloatAnswer,
  type FloatCase,
  floatCases,
} from '../../support/float-cases.js';
import { compileRoutines } from '../../support/routines.js';

const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../../tests/vectors/float.json'), 'utf8'),
) as Record<string, string>;

const TRUNCATE = 0xc00;
const QUIET = 1;
const LOUD = 0;
/** Condition codes of a comparison at the places of CF, PF and ZF. */
const asEflags = (word: number): number =>
  (word & SseCompare.BELOW ? 1 : 0) | (word & SseCompare.UNORDERED_BIT ? 4 : 0) | (word & SseCompare.EQUAL ? 0x40 : 0);

const { compile, compiled } = ((): {
  compile: () => void;
  compiled: (routine: Routine, ...args: (number | bigint)[]) => unknown;
} => {
  const wanted = [
    ...[f80Add, f80Subtract, f80Multiply, f80Divide, f80SquareRoot],
    ...[Bcd, Compare, Convert, Remainder, Scale, Sse, SseCompare, SseConvert].flatMap((module) =>
      Object.values(module as Record<string, unknown>).filter(isRoutine),
    ),
  ];
  let functions: ReturnType<typeof compileRoutines> | undefined;
  return {
    compile: () => {
      functions = compileRoutines(wanted, new WebAssembly.Memory({ initial: 1, maximum: 1 }));
    },
    compiled: (routine, ...args) => functions?.[routine.name]?.(...args),
  };
})();

function isRoutine(value: unknown): value is Routine {
  return typeof value === 'object' && value !== null && 'gives' in value && 'body' in value;
}

// ---------------------------------------------------------------- what each instruction is

type Run = (one: FloatCase) => FloatAnswer;

const pairOf = (routine: Routine, ...args: (number | bigint)[]): [bigint, number] =>
  compiled(routine, ...args) as [bigint, number];

/** An 80-bit number, with its flags above sign and exponent. */
function number80([value, word]: [bigint, number]): FloatAnswer {
  return { value, word: word & 0xffff, status: word >>> 16 };
}

const two80 =
  (routine: Routine): Run =>
  ({ x, xWord, y, yWord, control }) =>
    number80(pairOf(routine, x, xWord, y, yWord, control));
const one80 =
  (routine: Routine): Run =>
  ({ x, xWord, control }) =>
    number80(pairOf(routine, x, xWord, control));
const codes =
  (word: (one: FloatCase) => unknown): Run =>
  (one) => ({ value: one.x, word: one.xWord, status: word(one) as number });
const load =
  (routine: Routine, operand: (y: bigint) => number | bigint): Run =>
  ({ y }) =>
    number80(pairOf(routine, operand(y)));
const store =
  (routine: Routine, bits: number): Run =>
  ({ x, xWord, control }) => {
    const [value, status] = pairOf(routine, x, xWord, control);
    return { value: BigInt.asUintN(bits, value), word: 0, status };
  };
const storeInteger =
  (bits: 16 | 32 | 64): Run =>
  ({ x, xWord, control }) => {
    const [value, status] = pairOf(Convert.integerOfF80, x, xWord, control, bits);
    return { value: BigInt.asUintN(bits, value), word: 0, status };
  };

const X87: Readonly<Record<string, Run>> = {
  fadd: two80(f80Add),
  fsub: two80(f80Subtract),
  fmul: two80(f80Multiply),
  fdiv: two80(f80Divide),
  fscale: two80(Scale.f80Scale),
  fprem: two80(Remainder.f80Remainder),
  fprem1: two80(Remainder.f80RemainderNearest),
  fsqrt: one80(f80SquareRoot),
  frndint: one80(Convert.f80RoundToInteger),
  fxtract: one80(Scale.f80ExtractExponent),
  fcom: codes(({ x, xWord, y, yWord }) => compiled(Compare.f80Compare, x, xWord, y, yWord, LOUD)),
  fucom: codes(({ x, xWord, y, yWord }) => compiled(Compare.f80Compare, x, xWord, y, yWord, QUIET)),
  fxam: codes(({ x, xWord }) => compiled(Compare.f80Examine, x, xWord)),
  fld32: load(Convert.f80OfF32, (y) => Number(BigInt.asIntN(32, y))),
  fld64: load(Convert.f80OfF64, (y) => y),
  fild16: load(Convert.f80OfInteger, (y) => BigInt.asIntN(16, y)),
  fild32: load(Convert.f80OfInteger, (y) => BigInt.asIntN(32, y)),
  fild64: load(Convert.f80OfInteger, (y) => y),
  fbld: ({ y, yWord }) => number80(pairOf(Bcd.f80OfDecimal, y, yWord)),
  fst32: store(Convert.f32OfF80, 32),
  fst64: store(Convert.f64OfF80, 64),
  fist16: storeInteger(16),
  fist32: storeInteger(32),
  fistp64: storeInteger(64),
  fbstp: one80(Bcd.decimalOfF80),
};

const NAMES = { add: 'Add', sub: 'Subtract', mul: 'Multiply', div: 'Divide', min: 'Minimum', max: 'Maximum' };

/** An instruction of SSE on its lowest lane: 32 bits for `…ss`, 64 for `…sd`. */
function sse(name: string): Run {
  const single = /ss$|ss2si$|^cvtss/.test(name) && !/^cvtsd/.test(name);
  const format = single ? 'f32' : 'f64';
  const own = (value: bigint): number | bigint => (single ? Number(BigInt.asIntN(32, value)) : value);
  const routines = { ...Sse, ...SseCompare, ...SseConvert } as Readonly<Record<string, unknown>>;
  const routine = (suffix: string): Routine => {
    const found = routines[suffix];
    if (!isRoutine(found)) throw new Error(`no routine ${suffix}`);
    return found;
  };
  const answer = (result: unknown, control: number): FloatAnswer => {
    const [value, flags] = result as [number | bigint, number];
    return { value: BigInt(value), word: 0, status: control | flags };
  };
  const kind = name.slice(0, 3);
  if (kind in NAMES) {
    const called = routine(`${format}${NAMES[kind as keyof typeof NAMES]}Sse`);
    return ({ x, y, control }) => answer(compiled(called, own(x), own(y), control), control);
  }
  if (kind === 'sqr') {
    const called = routine(`${format}SquareRootSse`);
    return ({ x, control }) => answer(compiled(called, own(x), control), control);
  }
  if (/comi/.test(name)) {
    const called = routine(`${format}CompareSse`);
    const quiet = name.startsWith('u') ? QUIET : LOUD;
    return ({ x, y, control }) => {
      const word = compiled(called, own(x), own(y), control, quiet) as number;
      return { value: BigInt.asUintN(32, x), word: 0, status: control | (word & 0x3f) | (asEflags(word) << 16) };
    };
  }
  if (/2si$/.test(name)) {
    const called = routine(single ? 'integerOfF32Sse' : 'integerOfF64Sse');
    const chop = name.startsWith('cvtt') ? 1 : 0;
    return ({ x, control }) => answer(compiled(called, own(x), control, chop), control);
  }
  if (name === 'cvtsi2ss') {
    const called = routine('f32OfIntegerSse');
    return ({ x, control }) => answer(compiled(called, Number(BigInt.asIntN(32, x)), control), control);
  }
  const called = routine(single ? 'f64OfF32Sse' : 'f32OfF64Sse');
  return ({ x, control }) => answer(compiled(called, own(x), control), control);
}

// ---------------------------------------------------------------- tests

t.before(() => compile());

for (const instruction of FLOAT_INSTRUCTIONS) {
  const { name } = instruction;
  t.test(`\`${name}\` gives what a real CPU gives, and the same exceptions`, (t) => {
    const run = X87[name] ?? sse(name);
    const want = (recorded[name] ?? '').split(' ');
    const got = checksums(instruction, [...floatCases(instruction)].map(run));
    const wrong = want.findIndex((sum, i) => sum !== got[i]);
    t.equal(got.length, want.length, 'as many results as were recorded');
    t.equal(wrong, -1, `the first cases that differ begin at ${wrong * CHUNK}`);
    t.end();
  });
}

t.test('fisttp chops whatever the rounding', (t) => {
  const [value] = pairOf(Convert.integerOfF80, 0xe000000000000000n, 0x4000, 0x37f | TRUNCATE, 32);
  t.equal(value, 3n);
  t.end();
});
