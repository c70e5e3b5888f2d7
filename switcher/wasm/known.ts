// What is known of a value when code is emitted: where blanks are constants, much that is computed from them is one too.
//
// A body is emitted once for every instruction of its form, each time with other blanks: what is known is known for one time.
import type { Field, Node, RegisterFile, RegisterNumber, Value } from '../language/nodes.js';
import { type Concrete, operator, operatorNames } from '../language/operators.js';
import { type Bits, bitsOf, bitsOfOperator, bitsOfSelect, ALL, UNKNOWN_BITS } from './known-bits.js';

/** What a setting may know. */
export interface Knowledge {
  /** What the blank is filled with. A setting that has this knows its blanks. */
  constantField?(field: Field): number;
  /** Whether the register is the absent one, which is always 0. */
  isZeroRegister?(file: RegisterFile, number: RegisterNumber): boolean;
  /** What is always true of the word of the state at this place of the code. */
  stateBits?(node: Extract<Node, { kind: 'state' }>): Bits | undefined;
  /** Whether a half of `value` is known to be a plain double, or trust is gone. */
  isAssured?(value: Value, lane: 0 | 1): boolean;
  /** Whether the numbers in x87 registers are followed. */
  readonly follows?: boolean;
}

/** When their second operand is 0; when their first one is. */
const ZERO_CHANGES_NOTHING: ReadonlySet<string> = new Set([
  'i32.add',
  'i32.sub',
  'i32.or',
  'i32.xor',
  'i32.shl',
  'i32.shr_u',
  'i32.shr_s',
]);
const ZERO_FIRST_CHANGES_NOTHING: ReadonlySet<string> = new Set(['i32.add', 'i32.or', 'i32.xor']);

/** It traps on a division by 0. */
const LEFT_TO_WEBASSEMBLY: ReadonlySet<string> = new Set(operatorNames().filter((name) => /\.(div|rem)_/.test(name)));

export class Constants {
  readonly #setting: Knowledge;
  readonly #known = new Map<Value, Concrete | undefined>();
  readonly #bits = new Map<Value, Bits>();

  constructor(setting: Knowledge) {
    this.#setting = setting;
  }

  /** What `value` always is here, if that is known. */
  of(value: Value): Concrete | undefined {
    const { node } = value;
    if (node.kind === 'constant') return node.value;
    if (node.kind === 'constant128') return Uint8Array.from(node.bytes);
    if (node.kind === 'followed') return this.#setting.follows === true ? 1 : 0;
    if (this.#known.has(value)) return this.#known.get(value);
    const found = this.#find(value) ?? this.#fromBits(value);
    this.#known.set(value, found);
    return found;
  }

  /** What is known of the bits of `value`, an i32. */
  bits(value: Value): Bits {
    const known = this.#bits.get(value);
    if (known !== undefined) return known;
    const found = this.#findBits(value);
    this.#bits.set(value, found);
    return found;
  }

  /** Where blanks are constants much arithmetic on them is nothing, as x + 0 or x & 1 of a comparison: the operand it gives. */
  sameAs({ name, args }: Extract<Node, { kind: 'operator' }>): Value | undefined {
    const [left, right] = args;
    if (this.#setting.constantField === undefined || left === undefined || right === undefined) return undefined;
    const [a, b] = [this.of(left), this.of(right)];
    if (b === 0 && ZERO_CHANGES_NOTHING.has(name)) return left;
    if (a === 0 && ZERO_FIRST_CHANGES_NOTHING.has(name)) return right;
    if (name !== 'i32.and') return undefined;
    // A mask that keeps all that can be there.
    if (this.#keeps(b, left)) return left;
    return this.#keeps(a, right) ? right : undefined;
  }

  /** Whether `mask` has all bits that `value` may have. */
  #keeps(mask: Concrete | undefined, value: Value): boolean {
    return typeof mask === 'number' && (~this.bits(value).zeros & ~mask) === 0;
  }

  #fromBits(value: Value): number | undefined {
    const { zeros, ones } = this.bits(value);
    return (zeros | ones) === ALL ? ones : undefined;
  }

  /** What is known of the bits of an operand, which may be known as a number and not bit by bit. */
  #allBits(value: Value): Bits {
    const known = value.type === 'i32' ? this.of(value) : undefined;
    return typeof known === 'number' ? bitsOf(known) : this.bits(value);
  }

  #findBits({ node, type }: Value): Bits {
    if (type !== 'i32') return UNKNOWN_BITS;
    switch (node.kind) {
      case 'constant':
        return bitsOf(Number(node.value));
      case 'followed':
        return bitsOf(this.#setting.follows === true ? 1 : 0);
      case 'field': {
        const blank = this.#setting.constantField?.(node.field);
        return blank === undefined ? UNKNOWN_BITS : bitsOf(blank);
      }
      case 'register':
        return this.#setting.isZeroRegister?.(node.file, node.number) === true ? bitsOf(0) : UNKNOWN_BITS;
      case 'state':
        return this.#setting.stateBits?.(node) ?? UNKNOWN_BITS;
      case 'select':
        return bitsOfSelect(this.bits(node.condition), this.bits(node.yes), this.bits(node.no));
      case 'operator':
        return bitsOfOperator(
          node.name,
          node.args.map((arg) => this.#allBits(arg)),
        );
      default:
        return UNKNOWN_BITS;
    }
  }

  #find({ node, type }: Value): Concrete | undefined {
    switch (node.kind) {
      case 'assured':
        return this.#setting.isAssured?.(node.value, node.lane) === true ? 1 : 0;
      case 'select': {
        const condition = this.of(node.condition);
        return condition === undefined ? undefined : this.of(condition === 0 ? node.no : node.yes);
      }
      case 'operator': {
        // A NaN would not come out as WebAssembly has it.
        if (type === 'f32' || type === 'f64' || LEFT_TO_WEBASSEMBLY.has(node.name)) return undefined;
        const args: Concrete[] = [];
        for (const arg of node.args) {
          const known = this.of(arg);
          if (known === undefined) return undefined;
          args.push(known);
        }
        return operator(node.name)?.evaluate(args, node.immediates);
      }
      default:
        return undefined;
    }
  }
}
