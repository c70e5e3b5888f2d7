// Which values an instruction has of plain numbers (see float/plain): significands that it read from registers, computed, or
// put into variables. Who has the significand has the number, for both halves of it go the same ways.
import type { Node, Value, Variable } from '../language/nodes.js';

/** `plain`, in what follows, is a bit for each register that holds a plain number. */
export class PlainNumbers {
  readonly #constantOf: (value: Value) => unknown;
  readonly #values = new Set<Value>();
  /** Significands that were read: from which register, and whether it was plain then. */
  readonly #reads = new Map<Node, { readonly register: number; readonly plain: boolean }>();
  #variables = new Set<Variable>();
  readonly #ifs: { readonly before: ReadonlySet<Variable>; then: ReadonlySet<Variable> }[] = [];
  /** Registers that this instruction has written. */
  #written = 0;

  constructor(constantOf: (value: Value) => unknown) {
    this.#constantOf = constantOf;
  }

  /** The code of an instruction begins. */
  begin(): void {
    this.#values.clear();
    this.#reads.clear();
    this.#variables.clear();
    this.#written = 0;
  }

  read(node: Node, register: number, plain: number): void {
    this.#reads.set(node, { register, plain: ((plain >> register) & 1) !== 0 });
  }

  /** A register is written; gives what is plain then. */
  write(register: number, value: Value, plain: number): number {
    this.#written |= 1 << register;
    return this.isPlain(value, plain) ? plain | (1 << register) : plain & ~(1 << register);
  }

  set(variable: Variable, value: Value, plain: number): void {
    if (this.isPlain(value, plain)) this.#variables.add(variable);
    else this.#variables.delete(variable);
  }

  isPlain(value: Value, plain: number): boolean {
    if (this.#values.has(value)) return true;
    const { node } = value;
    if (node.kind === 'variable') return this.#variables.has(node.variable);
    if (node.kind === 'select') {
      const condition = this.#constantOf(node.condition);
      if (condition !== undefined) return this.isPlain(condition === 0 ? node.no : node.yes, plain);
      return this.isPlain(node.yes, plain) && this.isPlain(node.no, plain);
    }
    const read = this.#reads.get(node);
    return read !== undefined && (read.plain || (this.#still(read.register) & plain) !== 0);
  }

  /** The register's bit, if it holds what was read. */
  #still(register: number): number {
    return (1 << register) & ~this.#written;
  }

  /** The instruction has seen to it that `value` is plain; gives which registers are then. */
  assure(value: Value, plain: number): number {
    this.#values.add(value);
    if (value.node.kind === 'variable') this.#variables.add(value.node.variable);
    const read = this.#reads.get(value.node);
    return read === undefined ? plain : plain | this.#still(read.register);
  }

  // ---------------------------------------------------------------- variables on two ways

  beginIf(): void {
    this.#ifs.push({ before: new Set(this.#variables), then: this.#variables });
  }

  beginElse(): void {
    const open = this.#ifs.at(-1);
    if (open === undefined) return;
    open.then = this.#variables;
    this.#variables = new Set(open.before);
  }

  endIf(): void {
    const then = this.#ifs.pop()?.then;
    for (const variable of this.#variables) if (then?.has(variable) !== true) this.#variables.delete(variable);
  }
}
