// Halves of XMM registers as an instruction moves them about: which are wanted as plain doubles, which it writes, and where
// what it writes comes from. Half `lane` of register n has the number 2n + lane, and a bit in masks.
import type { Body, RegisterNumber, Statement, Value } from '../language/nodes.js';
import { DOUBLE } from '../instructions/sse/format.js';
import { spelledOut } from '../instructions/form-facts.js';
import type { Block, Region, RegionInstruction } from './region.js';

/** What half of a vector is: a plain double whatever was in registers, what was in this half of a register, or anything. */
export type Source = 'plain' | number | undefined;

/** The offset of a register of the instruction in its file. */
export type OffsetOf = (number: RegisterNumber) => number;

const REGISTER_BYTES = 16;
export const LANE_BYTES = 8;
export const laneAt = (offset: number, lane: 0 | 1): number => (offset / REGISTER_BYTES) * 2 + lane;
export const bitOf = (lane: number): number => 1 << lane;

const INTEGERS: ReadonlySet<string> = new Set(['f64.convert_i32_s', 'f64x2.convert_low_i32x4_s']);
const NUMBER = new DataView(new ArrayBuffer(LANE_BYTES));

function isPlainConstant(bits: bigint): boolean {
  NUMBER.setBigUint64(0, bits);
  return isPlainNumber(NUMBER.getFloat64(0));
}

/** Normal or zero. */
export const isPlainNumber = (number: number): boolean =>
  number === 0 || (Math.abs(number) >= DOUBLE.least && Math.abs(number) <= DOUBLE.most);

/** @param isAssured whether the sentence has said so already */
export function sourceOf(
  value: Value,
  lane: 0 | 1,
  offsetOf: OffsetOf,
  isAssured: (value: Value, lane: 0 | 1) => boolean,
): Source {
  if (isAssured(value, lane)) return 'plain';
  const from = (inner: Value | undefined, half: 0 | 1): Source => inner && sourceOf(inner, half, offsetOf, isAssured);
  const { node } = value;
  if (node.kind === 'register') return node.file === 'xmm' ? laneAt(offsetOf(node.number), lane) : undefined;
  if (node.kind === 'constant128') {
    const bytes = Uint8Array.from(node.bytes);
    return isPlainConstant(new DataView(bytes.buffer).getBigUint64(lane * LANE_BYTES, true)) ? 'plain' : undefined;
  }
  if (node.kind !== 'operator') return undefined;
  const { name, args, immediates } = node;
  const [first, second] = args;
  if (INTEGERS.has(name)) return 'plain';
  switch (name) {
    case 'i64x2.replace_lane':
    case 'f64x2.replace_lane':
      return immediates[0] === lane ? from(second, 0) : from(first, lane);
    case 'i64x2.extract_lane':
    case 'f64x2.extract_lane':
      return from(first, immediates[0] === 1 ? 1 : 0);
    case 'f64.reinterpret_i64':
    case 'i64.reinterpret_f64':
    case 'i64x2.splat':
      return from(first, 0);
    case 'i8x16.shuffle':
      return ofShuffle(immediates.slice(lane * LANE_BYTES, (lane + 1) * LANE_BYTES), (at) =>
        from(at < 2 ? first : second, at % 2 === 0 ? 0 : 1),
      );
    case 'v128.xor': {
      // What is the same on both sides is zero: how registers are cleared.
      const [left, right] = [from(first, lane), from(second, lane)];
      const same = first === second || (typeof left === 'number' && left === right);
      return same && areRegisters(first, second) ? 'plain' : undefined;
    }
    default:
      return undefined;
  }
}

const areRegisters = (first: Value | undefined, second: Value | undefined): boolean =>
  first?.node.kind === 'register' && second?.node.kind === 'register';

/** Eight bytes that are one of the four halves, in order. */
function ofShuffle(bytes: readonly number[], half: (at: number) => Source): Source {
  const [start = 0] = bytes;
  if (start % LANE_BYTES !== 0 || bytes.some((byte, i) => byte !== start + i)) return undefined;
  return half(start / LANE_BYTES);
}

// ---------------------------------------------------------------- who wants what

interface Effect {
  /** Halves that are to be plain. */
  readonly wanted: number;
  /** Halves that are written for sure. */
  readonly written: number;
  readonly copies: readonly (readonly [from: number, to: number])[];
}

class Finder {
  wanted = 0;
  written = 0;
  readonly copies: [number, number][] = [];
  readonly #assured = new Set<Value>();
  readonly #offsetOf: OffsetOf;

  constructor(offsetOf: OffsetOf) {
    this.#offsetOf = offsetOf;
  }

  #source(value: Value, lane: 0 | 1): Source {
    // A sentence says it of both halves or of what has only one.
    return sourceOf(value, lane, this.#offsetOf, (one) => this.#assured.has(one));
  }

  find(statements: readonly Statement[], sure: boolean): void {
    for (const statement of statements) {
      switch (statement.kind) {
        case 'let': {
          const { node } = statement.value;
          if (node.kind !== 'assured') break;
          const source = this.#source(node.value, node.lane);
          if (typeof source === 'number') this.wanted |= bitOf(source);
          break;
        }
        case 'assure':
          if (statement.value.node.kind === 'variable') this.#assured.add(statement.value);
          break;
        case 'setRegister':
          if (statement.file === 'xmm') this.#write(this.#offsetOf(statement.number), statement.value, sure);
          break;
        case 'if':
          this.find(statement.then, false);
          this.find(statement.otherwise, false);
          break;
        case 'loop':
          this.find(statement.loop.body, false);
          break;
        default:
      }
    }
  }

  #write(offset: number, value: Value, sure: boolean): void {
    for (const lane of [0, 1] as const) {
      const to = laneAt(offset, lane);
      const from = this.#source(value, lane);
      if (sure) this.written |= bitOf(to);
      if (typeof from === 'number') this.copies.push([from, to]);
    }
  }
}

function effectOf(body: Body, offsetOf: OffsetOf): Effect {
  const finder = new Finder(offsetOf);
  finder.find(body.statements, true);
  return finder;
}

/** What is wanted before an instruction, when `after` is wanted behind it. */
function before({ wanted, written, copies }: Effect, after: number): number {
  const copied = copies.reduce((all, [from, to]) => ((after & bitOf(to)) === 0 ? all : all | bitOf(from)), 0);
  return (after & ~written) | copied | wanted;
}

/** Halves that are used as plain doubles, in some way that control may take, before they are written; at each block's beginning. */
export function wantedPlain(
  { blocks }: Region,
  offsetOf: (instruction: RegionInstruction) => OffsetOf,
): ReadonlyMap<number, number> {
  const effects = new Map<Block, readonly Effect[]>();
  for (const block of blocks.values()) {
    const inside = block.instructions.filter(({ flow }) => flow !== 'foreign');
    effects.set(
      block,
      inside.map((instruction) => effectOf(spelledOut(instruction.form).body, offsetOf(instruction))).toReversed(),
    );
  }
  const wanted = new Map<number, number>();
  for (let changed = true; changed;) {
    changed = false;
    for (const [block, backwards] of effects) {
      const end = block.successors.reduce((all, to) => all | (wanted.get(to) ?? 0), 0);
      const start = backwards.reduce((after, effect) => before(effect, after), end);
      if (start === (wanted.get(block.eip) ?? 0)) continue;
      wanted.set(block.eip, start);
      changed = true;
    }
  }
  return wanted;
}
