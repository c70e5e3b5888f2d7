// What is known of a value when code is emitted: where blanks are constants, much that is computed from them is one too.
//
// A body is emitted once for every instruction of its form, each time with other blanks: what is known is known for one time.
import type { Field, Node, RegisterFile, RegisterNumber, Value } from '../language/nodes.js';
import { type Concrete, operator } from '../language/operators.js';

/** What a setting may know. */
export interface Knowledge {
  /** What the blank is filled with. A setting that has this knows its blanks. */
  constantField?(field: Field): number;
  /** Whether the register is the absent one, which is always 0. */
  isZeroRegister?(file: RegisterFile, number: RegisterNumber): boolean;
  /** What the word of the state always is at this place of the code. */
  constantState?(node: Extract<Node, { kind: 'state' }>): number | undefined;
}

export class Constants {
  readonly #setting: Knowledge;
  readonly #known = new Map<Value, Concrete | undefined>();

  constructor(setting: Knowledge) {
    this.#setting = setting;
  }

  /** What `value` always is here, if that is known. */
  of(value: Value): Concrete | undefined {
    const { node } = value;
    if (node.kind === 'constant') return node.value;
    if (node.kind === 'constant128') return Uint8Array.from(node.bytes);
    if (this.#setting.constantField === undefined) return undefined;
    if (this.#known.has(value)) return this.#known.get(value);
    const found = this.#find(value);
    this.#known.set(value, found);
    return found;
  }

  #find({ node, type }: Value): Concrete | undefined {
    switch (node.kind) {
      case 'field':
        return this.#setting.constantField?.(node.field);
      case 'register':
        return this.#setting.isZeroRegister?.(node.file, node.number) === true ? 0 : undefined;
      case 'state':
        return this.#setting.constantState?.(node);
      case 'select': {
        const condition = this.of(node.condition);
        return condition === undefined ? undefined : this.of(condition === 0 ? node.no : node.yes);
      }
      case 'operator': {
        // A NaN would not come out as WebAssembly has it, and a division by 0 is WebAssembly's to trap on.
        if (type === 'f32' || type === 'f64' || /\.(div|rem)_/.test(node.name)) return undefined;
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
