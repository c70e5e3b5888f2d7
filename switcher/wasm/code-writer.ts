// A function's code as it is written: plain WebAssembly, one instruction after the other, and the locals that it needs.
import { Bug } from '../../lib/errors.js';
import type { AccessBytes } from '../language/nodes.js';
import type { ValueType } from '../language/operators.js';
import { ByteWriter } from './bytes.js';
import { WASM } from './opcodes.js';

const LOAD_OPCODES: Record<AccessBytes, readonly [unsigned: number[], signed: number[], alignment: number]> = {
  1: [[WASM.i32Load8U], [WASM.i32Load8S], 0],
  2: [[WASM.i32Load16U], [WASM.i32Load16S], 0],
  4: [[WASM.i32Load], [WASM.i32Load], 0],
  8: [[WASM.i64Load], [WASM.i64Load], 0],
  16: [[WASM.simd, WASM.v128Load], [WASM.simd, WASM.v128Load], 0],
};
const STORE_OPCODES: Record<AccessBytes, number[]> = {
  1: [WASM.i32Store8],
  2: [WASM.i32Store16],
  4: [WASM.i32Store],
  8: [WASM.i64Store],
  16: [WASM.simd, WASM.v128Store],
};
/** A function's code, without its locals and without the final `end`. */
export interface FunctionCode {
  readonly bytes: Uint8Array;
  /** Where in it those ifs and conditional branches stand that are seldom taken, in ascending order. */
  readonly unlikely: readonly number[];
}

/** One piece of code behind the other. */
export function joined(first: FunctionCode, second: FunctionCode): FunctionCode {
  const bytes = new Uint8Array(first.bytes.length + second.bytes.length);
  bytes.set(first.bytes);
  bytes.set(second.bytes, first.bytes.length);
  return { bytes, unlikely: [...first.unlikely, ...second.unlikely.map((at) => at + first.bytes.length)] };
}

export class CodeWriter {
  readonly code = new ByteWriter(512);
  readonly locals: ValueType[] = [];
  readonly #parameters: number;
  #unlikely: number[] = [];
  readonly #scratch = new Map<string, number>();
  /** What each open block is, innermost last, to count branch depths. */
  readonly #nesting: object[] = [];

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  /** The if or conditional branch that is written next is seldom taken: V8 lays its code out, and keeps registers, for the other way. */
  seldom(): void {
    this.#unlikely.push(this.code.length);
  }

  /** The code so far. The next piece begins anew; locals stay. */
  finish(): FunctionCode {
    const code = { bytes: this.code.view().slice(), unlikely: this.#unlikely };
    this.code.clear();
    this.#unlikely = [];
    return code;
  }

  op(...bytes: number[]): void {
    this.code.bytes(bytes);
  }

  const32(value: number): void {
    this.code.byte(WASM.i32Const);
    this.code.signed(value);
  }

  localGet(index: number): void {
    this.code.byte(WASM.localGet);
    this.code.unsigned(index);
  }

  localSet(index: number): void {
    this.code.byte(WASM.localSet);
    this.code.unsigned(index);
  }

  localTee(index: number): void {
    this.code.byte(WASM.localTee);
    this.code.unsigned(index);
  }

  call(index: number): void {
    this.code.byte(WASM.call);
    this.code.unsigned(index);
  }

  newLocal(type: ValueType): number {
    return this.#parameters + this.locals.push(type) - 1;
  }

  /** One local of this name and type for the whole function: for what does not live across statements. */
  scratch(name: string, type: ValueType): number {
    const known = this.#scratch.get(name);
    if (known !== undefined) return known;
    const local = this.newLocal(type);
    this.#scratch.set(name, local);
    return local;
  }

  /** Loads from the address on the stack plus `offset`. */
  load(bytes: AccessBytes, offset: number, signed = false): void {
    const [unsignedOp, signedOp, alignment] = LOAD_OPCODES[bytes];
    this.code.bytes(signed ? signedOp : unsignedOp);
    this.code.unsigned(alignment);
    this.code.unsigned(offset);
  }

  /** Stores; the stack holds the address, then the value. */
  store(bytes: AccessBytes, offset: number): void {
    this.code.bytes(STORE_OPCODES[bytes]);
    this.code.unsigned(0);
    this.code.unsigned(offset);
  }

  loadState(offset: number): void {
    this.const32(0);
    this.load(4, offset);
  }

  /** Stores a local to a word of the state. */
  storeState(offset: number, local: number): void {
    this.const32(0);
    this.localGet(local);
    this.store(4, offset);
  }

  setStateConstant(offset: number, value: number): void {
    this.const32(0);
    this.const32(value);
    this.store(4, offset);
  }

  /** Adds what `push` leaves on the stack, 64 bits, to 64 bits of the state. */
  addToState(offset: number, push: () => void): void {
    this.const32(0);
    this.const32(0);
    this.load(8, offset);
    push();
    this.op(WASM.i64Add);
    this.store(8, offset);
  }

  /** An i64 that is no wider than 32 bits, with its sign. */
  const64(value: number): void {
    this.code.byte(WASM.i64Const);
    this.code.signed(value);
  }

  returnConstant(value: number): void {
    this.const32(value);
    this.op(WASM.return);
  }

  // ---------------------------------------------------------------- structure

  /** Emits what stands inside one more block, which is written elsewhere. */
  inside(emit: () => void, label: object = {}): void {
    this.#nesting.push(label);
    emit();
    this.#nesting.pop();
  }

  /** A block or loop that `branch` can name by `label`. */
  labelled(kind: 'block' | 'loop', label: object, emit: () => void): void {
    this.op(kind === 'block' ? WASM.block : WASM.loop, WASM.blockVoid);
    this.inside(emit, label);
    this.op(WASM.end);
  }

  /** Runs `emit` with an if around it: the condition is on the stack. */
  ifThen(emit: () => void): void {
    this.op(WASM.if, WASM.blockVoid);
    this.inside(emit);
    this.op(WASM.end);
  }

  branch(label: object): void {
    this.op(WASM.br);
    this.code.unsigned(this.depth(label));
  }

  /** The same if the condition on the stack holds, which it seldom does. */
  branchSeldom(label: object): void {
    this.seldom();
    this.op(WASM.brIf);
    this.code.unsigned(this.depth(label));
  }

  /** To one of `labels`, by the number on the stack, or to `others` when it is none of theirs. */
  branchTable(labels: readonly object[], others: object): void {
    this.op(WASM.brTable);
    this.code.unsigned(labels.length);
    for (const label of [...labels, others]) this.code.unsigned(this.depth(label));
  }

  /** Whether `branch` may name it here. */
  isOpen(label: object): boolean {
    return this.#nesting.includes(label);
  }

  /** How many blocks out the one is that `label` stands for. */
  depth(label: object): number {
    const position = this.#nesting.lastIndexOf(label);
    if (position < 0) throw new Bug('break or continue outside its loop');
    return this.#nesting.length - 1 - position;
  }
}
