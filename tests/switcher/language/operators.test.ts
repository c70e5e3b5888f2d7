// What the evaluator thinks of WebAssembly's operators, and what they do: the one place where an oracle could be wrong
// without anybody noticing.
import t from 'tap';
import { type Builder, routine } from '../../../switcher/language/builder.js';
import type { Routine, Value } from '../../../switcher/language/nodes.js';
import {
  type Concrete,
  type Operator,
  operator,
  operatorNames,
  type ValueType,
} from '../../../switcher/language/operators.js';
import { randomBytes } from '../../support/random-bytes.js';
import { compileRoutines } from '../../support/routines.js';

const CASES = 60;
const ARGUMENT = 0x100;
const SLOT = 16;
const RESULT = 0x200;
const BYTES: Record<ValueType, number> = { i32: 4, i64: 8, f32: 4, f64: 8, v128: 16 };

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
const view = new DataView(memory.buffer);
const random = randomBytes(20);

function read(b: Builder, type: ValueType, at: number): Value {
  switch (type) {
    case 'i32':
      return b.state(4, at);
    case 'i64':
      return b.state(8, at);
    case 'f32':
      return b.apply('f32.reinterpret_i32', [b.state(4, at)]);
    case 'f64':
      return b.apply('f64.reinterpret_i64', [b.state(8, at)]);
    case 'v128':
      return b.state(16, at);
  }
}

function write(b: Builder, value: Value): void {
  switch (value.type) {
    case 'i32':
      b.setState(4, RESULT, value);
      return;
    case 'i64':
      b.setState(8, RESULT, value);
      return;
    case 'f32':
      b.setState(4, RESULT, b.apply('i32.reinterpret_f32', [value]));
      return;
    case 'f64':
      b.setState(8, RESULT, b.apply('i64.reinterpret_f64', [value]));
      return;
    case 'v128':
      b.setState(16, RESULT, value);
  }
}

/** Every choice of a lane; for a shuffle a few choices of sixteen. */
function immediatesOf(name: string, { immediates, takes, gives }: Operator): number[][] {
  if (immediates === 0) return [[]];
  if (name === 'i8x16.shuffle') return [0, 1, 2].map(() => Array.from({ length: 16 }, () => random() & 31));
  const lane = name.includes('extract') ? gives : (takes[1] ?? 'i32');
  const count = name.startsWith('i8') ? 16 : name.startsWith('i16') ? 8 : 16 / BYTES[lane];
  return Array.from({ length: count }, (_, i) => [i]);
}

interface Sample {
  readonly name: string;
  readonly definition: Operator;
  readonly immediates: readonly number[];
  readonly routine: Routine;
}

const samples: Sample[] = operatorNames().flatMap((name) => {
  const definition = operator(name);
  if (definition === undefined) return [];
  return immediatesOf(name, definition).map((immediates): Sample => {
    const sentence = routine(`${name} ${immediates.join()}`, [], [], (b) => {
      const args = definition.takes.map((type, i) => read(b, type, ARGUMENT + SLOT * i));
      write(b, b.apply(name, args, immediates));
    });
    return { name, definition, immediates, routine: sentence };
  });
});

/** Whole lanes that mean something to one type or another, among bytes that mean nothing. */
const SINGLES = [0, -0, 1, -1.5, 0.5, 2.5, 3e38, -1e-40, 2 ** 31, 65535.5, Infinity, -Infinity, NaN];
const DOUBLES = [0, -0, 1, -2.5, 0.5, 1e308, -1e-310, 2 ** 31, 2 ** 31 - 0.5, 2 ** 53 + 2, 1e39, -Infinity, NaN];
const WORDS = [0, 1, -1, 0x7fffffff, -0x80000000, 0x00ff00ff, 0x7fff8000, -0x7f80ff01];

const pick = <T>(from: readonly T[]): T => from[random() % from.length] as T;

function fillArgument(at: number): void {
  const kind = random() % 4;
  for (let i = 0; i < SLOT; i++) view.setUint8(at + i, random());
  if (kind === 0) for (let i = 0; i < SLOT; i += 4) view.setFloat32(at + i, pick(SINGLES), true);
  if (kind === 1) for (let i = 0; i < SLOT; i += 8) view.setFloat64(at + i, pick(DOUBLES), true);
  if (kind === 2) for (let i = 0; i < SLOT; i += 4) view.setInt32(at + i, pick(WORDS), true);
}

function load(type: ValueType, at: number): Concrete {
  switch (type) {
    case 'i32':
      return view.getInt32(at, true);
    case 'i64':
      return view.getBigInt64(at, true);
    case 'f32':
      return view.getFloat32(at, true);
    case 'f64':
      return view.getFloat64(at, true);
    case 'v128':
      return new Uint8Array(memory.buffer.slice(at, at + SLOT));
  }
}

/** The result in words; a NaN is a NaN, whichever. */
function shown(name: string, value: Concrete): string {
  if (!(value instanceof Uint8Array)) return Object.is(value, -0) ? '-0' : String(value);
  const floats = name.startsWith('f32x4')
    ? new Float32Array(value.slice().buffer)
    : name.startsWith('f64x2')
      ? new Float64Array(value.slice().buffer)
      : undefined;
  // A comparison's lanes are all ones, which is a NaN, or all zeros.
  return floats
    ? [...floats].map((lane) => (Object.is(lane, -0) ? '-0' : String(lane))).join(' ')
    : Buffer.from(value).toString('hex');
}

/** Divisions that trap in WebAssembly, which definitions take care not to do; and the sign of a NaN, which JavaScript hides. */
function isLeftOut(name: string, [left, right]: readonly Concrete[]): boolean {
  if (name.endsWith('copysign')) return Number.isNaN(right);
  if (!/\.(div|rem)_[su]$/.test(name)) return false;
  if (right === 0 || right === 0n) return true;
  return name.endsWith('div_s') && (right === -1 || right === -1n) && (left === -0x80000000 || left === -(1n << 63n));
}

t.test('the evaluator does with every operator what WebAssembly does', async (sub) => {
  const functions = compileRoutines(
    samples.map((sample) => sample.routine),
    memory,
  );
  for (const { name, definition, immediates, routine: sentence } of samples) {
    const wrong: string[] = [];
    for (let i = 0; i < CASES; i++) {
      definition.takes.forEach((_, n) => fillArgument(ARGUMENT + SLOT * n));
      const args = definition.takes.map((type, n) => load(type, ARGUMENT + SLOT * n));
      if (isLeftOut(name, args)) continue;
      functions[sentence.name]?.();
      const got = shown(name, definition.evaluate(args, immediates));
      const want = shown(name, load(definition.gives, RESULT));
      if (got !== want) wrong.push(`${args.map((arg) => shown(name, arg)).join(', ')}: want ${want}, got ${got}`);
    }
    sub.same(wrong.slice(0, 3), [], sentence.name);
  }
});
