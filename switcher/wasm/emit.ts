// From sentences of the language to WebAssembly code.
//
// What every reader that emits has in common is here: values in locals, structure, state, Guest memory. Where blanks come
// from and how an instruction ends is for a *setting* to say: the interpreter reads blanks from the decoded record.
import { Bug } from '../../lib/errors.js';
import * as State from '../cpu/state.js';
import { EXIT_EXCEPTION } from '../cpu/exits.js';
import type { Body, Field, Loop, Node, Statement, Value, Variable } from '../language/nodes.js';
import { isTimed } from '../language/nodes.js';
import { type Concrete, operator, type ValueType } from '../language/operators.js';
import { CodeWriter } from './code-writer.js';
import { GuestMemory } from './guest-memory.js';
import type { Bits } from './known-bits.js';
import { Constants } from './known.js';
import { WASM } from './opcodes.js';
import type { Functions, Of, Setting } from './setting.js';

/** What belongs to the body being emitted, while another one is emitted in the middle of it. */
interface SuspendedBody {
  readonly values: Map<Value, number>;
  readonly variables: Map<Variable, number>;
  readonly used: Map<ValueType, number[]>;
  readonly constants: Constants;
}

/** One reason why a condition is true: that `value` is not 0, or that it is. */
interface Alternative {
  readonly value: Value;
  readonly negated: boolean;
}

const COMPARES = /\.(eqz?|ne|[lg][te](_[su])?)$/;
const isBoolean = ({ node }: Value): boolean =>
  node.kind === 'assured' ||
  (node.kind === 'constant' && node.value === 1) ||
  (node.kind === 'operator' &&
    (COMPARES.test(node.name) || (/^i32\.(and|or)$/.test(node.name) && node.args.every((arg) => isBoolean(arg)))));

/** Taken apart where a part is of no use elsewhere: a | b, and that a & b of two comparisons is 0. */
function alternatives(
  value: Value,
  negated: boolean,
  sameAs: (node: Of<'operator'>) => Value | undefined,
): Alternative[] {
  const { node } = value;
  if (node.kind === 'operator' && value.uses < 2) {
    const same = sameAs(node);
    if (same !== undefined) return alternatives(same, negated, sameAs);
    const [left, right] = node.args;
    if (node.name === 'i32.eqz' && left) return alternatives(left, !negated, sameAs);
    const splits = negated ? node.name === 'i32.and' && isBoolean(value) : node.name === 'i32.or';
    if (splits && left && right) {
      return [...alternatives(left, negated, sameAs), ...alternatives(right, negated, sameAs)];
    }
  }
  return [{ value, negated }];
}

export class Emitter extends CodeWriter {
  readonly functions: Functions;
  readonly #setting: Setting;
  readonly #memory: GuestMemory;
  #valueLocals = new Map<Value, number>();
  #variableLocals = new Map<Variable, number>();
  readonly #free = new Map<ValueType, number[]>();
  #used = new Map<ValueType, number[]>();
  #constants: Constants;

  constructor(setting: Setting, functions: Functions, parameters: number) {
    super(parameters);
    this.#setting = setting;
    this.#memory = new GuestMemory(this, setting);
    this.#constants = new Constants(setting);
    this.functions = functions;
  }

  setStateField(offset: number, field: Field): void {
    this.const32(0);
    this.#setting.field(this, field);
    this.store(4, offset);
  }

  // ---------------------------------------------------------------- values

  /** Pushes `value`. */
  value(value: Value): void {
    const local = this.#valueLocals.get(value);
    if (local !== undefined) {
      this.localGet(local);
      return;
    }
    const known = this.#constants.of(value);
    if (known !== undefined) {
      this.#concrete(value.type, known);
      return;
    }
    if (isTimed(value.node)) throw new Bug(`a ${value.node.kind} is used outside the block that read it`);
    this.#compute(value.node, value.type);
  }

  /** Sets the current body aside, with its locals, so that others can be emitted in the middle of it. */
  suspendBody(): SuspendedBody {
    const body = {
      values: this.#valueLocals,
      variables: this.#variableLocals,
      used: this.#used,
      constants: this.#constants,
    };
    this.#constants = new Constants(this.#setting);
    this.#valueLocals = new Map();
    this.#variableLocals = new Map();
    this.#used = new Map();
    return body;
  }

  resumeBody(body: SuspendedBody): void {
    this.#freeUsed();
    this.#valueLocals = body.values;
    this.#variableLocals = body.variables;
    this.#used = body.used;
    this.#constants = body.constants;
  }

  /** The locals of the body that is done are there for the next one. */
  #freeUsed(): void {
    for (const [type, used] of this.#used) {
      const free = this.#free.get(type);
      if (free === undefined) this.#free.set(type, used.splice(0));
      else for (let local = used.pop(); local !== undefined; local = used.pop()) free.push(local);
    }
  }

  /** A local for the current body; the next one may have it again. */
  #bodyLocal(type: ValueType): number {
    const local = this.#free.get(type)?.pop() ?? this.newLocal(type);
    const used = this.#used.get(type);
    if (used) used.push(local);
    else this.#used.set(type, [local]);
    return local;
  }

  #bind(value: Value): void {
    const local = this.#bodyLocal(value.type);
    this.localSet(local);
    this.#valueLocals.set(value, local);
  }

  #compute(node: Node, type: ValueType): void {
    switch (node.kind) {
      case 'constant':
        this.#constant(type, node.value);
        return;
      case 'constant128':
        this.op(WASM.simd, WASM.v128Const, ...node.bytes);
        return;
      case 'operator':
        {
          const same = this.#constants.sameAs(node);
          if (same !== undefined) {
            this.value(same);
            return;
          }
        }
        for (const arg of node.args) this.value(arg);
        if (this.#lowHalf(node)) return;
        this.code.bytes(operator(node.name)?.opcode ?? []);
        this.code.bytes(node.immediates);
        return;
      case 'select': {
        const condition = this.#constants.of(node.condition);
        if (condition !== undefined) {
          this.value(condition === 0 ? node.no : node.yes);
          return;
        }
        this.value(node.yes);
        this.value(node.no);
        this.value(node.condition);
        this.op(WASM.select);
        return;
      }
      case 'followed':
      case 'assured':
        throw new Bug(`a ${node.kind} is always known`);
      case 'field':
        this.#setting.field(this, node.field);
        return;
      case 'parameter':
        this.localGet(node.index);
        return;
      case 'variable':
        this.localGet(this.#variableLocal(node.variable));
        return;
      case 'register':
        this.#setting.register(this, node);
        return;
      case 'state':
        if (this.#setting.state?.(this, node) === true) return;
        if (node.index) this.value(node.index);
        else this.const32(0);
        this.load(node.bytes, node.offset, node.signed);
        return;
      case 'flagsResult':
        this.#setting.flagsResult(this);
        return;
      case 'flagsAux':
        this.#setting.flagsAux(this);
        return;
      case 'condition':
        this.#setting.condition(this, node);
        return;
      case 'guestLoad':
        this.#memory.load(node, type);
        return;
      case 'callCpu':
        for (const arg of node.args) this.value(arg);
        this.call(this.functions.cpu(node.routine, node.args.length));
        return;
      case 'result':
        throw new Bug('a result without its call');
    }
  }

  /** The low half of a vector as a number, operands pushed: moved as a double, which takes one instruction less below us. */
  #lowHalf({ name, immediates }: Of<'operator'>): boolean {
    if (immediates[0] !== 0) return false;
    if (name === 'i64x2.extract_lane') {
      this.op(...WASM.f64x2ExtractLane, 0, WASM.i64ReinterpretF64);
      return true;
    }
    if (name !== 'i64x2.replace_lane') return false;
    this.op(WASM.f64ReinterpretI64, ...WASM.f64x2ReplaceLane, 0);
    return true;
  }

  #concrete(type: ValueType, value: Concrete): void {
    if (value instanceof Uint8Array) this.op(WASM.simd, WASM.v128Const, ...value);
    else this.#constant(type, value);
  }

  #constant(type: ValueType, value: number | bigint): void {
    switch (type) {
      case 'i32':
        this.const32(Number(value));
        return;
      case 'i64':
        this.op(WASM.i64Const);
        this.code.signed64(BigInt(value));
        return;
      case 'f32':
        this.op(WASM.f32Const);
        this.code.float32(Number(value));
        return;
      case 'f64':
        this.op(WASM.f64Const);
        this.code.float64(Number(value));
        return;
      case 'v128':
        throw new Bug('a v128 constant has bytes');
    }
  }

  #variableLocal(variable: Variable): number {
    const known = this.#variableLocals.get(variable);
    if (known !== undefined) return known;
    const local = this.#bodyLocal(variable.type);
    this.#variableLocals.set(variable, local);
    return local;
  }

  // ---------------------------------------------------------------- statements

  /** One whole instruction or routine. Its values are its own: the same sentence may come again, with other blanks. */
  body(body: Body): void {
    this.#constants = new Constants(this.#setting);
    this.#valueLocals.clear();
    this.#variableLocals.clear();
    this.#freeUsed();
    this.statements(body.statements);
  }

  statements(statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(statement);
  }

  #statement(statement: Statement): void {
    switch (statement.kind) {
      case 'let':
        this.#let(statement.value);
        return;
      case 'setVariable':
        this.#setting.setsVariable?.(statement.variable, statement.value);
        this.value(statement.value);
        this.localSet(this.#variableLocal(statement.variable));
        return;
      case 'setRegister':
        this.#setting.setRegister(this, statement);
        return;
      case 'setState':
        if (this.#setting.setState?.(this, statement) === true) return;
        if (statement.index) this.value(statement.index);
        else this.const32(0);
        this.value(statement.value);
        this.store(statement.bytes, statement.offset);
        return;
      case 'setFlags':
        this.#setting.setFlags(this, statement);
        return;
      case 'guestStore':
        this.#memory.store(statement.bytes, statement.address, statement.value);
        return;
      case 'probe':
        this.#memory.probe(statement.bytes, statement.address, statement.write);
        return;
      case 'if':
        this.#if(statement);
        return;
      case 'loop':
        this.#loop(statement.loop);
        return;
      case 'break':
        // The block around the loop is one level further out than the loop.
        this.op(WASM.br);
        this.code.unsigned(this.depth(statement.loop) + 1);
        return;
      case 'continue':
        this.op(WASM.br);
        this.code.unsigned(this.depth(statement.loop));
        return;
      case 'call':
        this.#setting.beforeCall?.(this, statement.routine);
        for (const arg of statement.args) this.value(arg);
        this.call(this.functions.routine(statement.routine));
        for (const result of statement.results.toReversed()) this.#bind(result);
        this.#setting.afterCall?.(this, statement.routine);
        return;
      case 'return':
        for (const value of statement.values) this.value(value);
        this.op(WASM.return);
        return;
      case 'goOnIf':
        if (this.#constants.of(statement.condition) === 1) return;
        this.value(statement.condition);
        this.#setting.goOnIf?.(this);
        return;
      case 'assure':
        this.#setting.assure?.(statement.value, statement.lane);
        return;
      case 'copyBytes':
        this.value(statement.to);
        this.value(statement.from);
        this.value(statement.count);
        this.op(...WASM.memoryCopy);
        return;
      case 'fillBytes':
        this.value(statement.to);
        this.value(statement.value);
        this.value(statement.count);
        this.op(...WASM.memoryFill);
        return;
      case 'raise':
        this.#raise(statement.vector, statement.errorCode);
        return;
      case 'jump':
        this.#setting.jump(this, statement.target);
        return;
      case 'delegate':
        this.#setting.delegate(this, statement);
        return;
    }
  }

  #let(value: Value): void {
    const { node } = value;
    if (isTimed(node)) {
      // A read that nobody wants is not worth the time, unless it may fault or has an effect of its own.
      if (value.uses === 0 && node.kind !== 'guestLoad' && node.kind !== 'callCpu') return;
    } else if (value.uses < 2 || node.kind === 'constant' || node.kind === 'field') {
      return;
    }
    if (this.#isFolded(value)) return;
    this.#compute(node, value.type);
    this.#bind(value);
  }

  /** What is known of the bits of `value`, an i32. */
  bitsOf(value: Value): Bits {
    return this.#constants.bits(value);
  }

  /** What `value` always is here, if that is known. */
  constantOf(value: Value): Concrete | undefined {
    return this.#constants.of(value);
  }

  /** What will be a constant wherever it is used: no local for it. Other constants may be large and get one. */
  #isFolded(value: Value): boolean {
    return value.node.kind !== 'constant128' && this.#constants.of(value) !== undefined;
  }

  #if(statement: Extract<Statement, { kind: 'if' }>): void {
    const known = this.#constants.of(statement.condition);
    if (known !== undefined) {
      // There is only one way: what becomes known on it stays known.
      this.statements(known === 0 ? statement.otherwise : statement.then);
      return;
    }
    if (statement.seldom) {
      this.#ifSeldom(statement);
      return;
    }
    this.value(statement.condition);
    // What ends in an exception is not what instructions are for.
    const raises = statement.then.at(-1)?.kind === 'raise';
    if (raises) this.seldom();
    this.op(WASM.if, WASM.blockVoid);
    this.inside(() => {
      this.#setting.beginIf?.();
      this.statements(statement.then);
      this.#setting.beginElse?.();
      if (statement.otherwise.length > 0) {
        this.op(WASM.else);
        this.statements(statement.otherwise);
      }
      this.#setting.endIf?.();
    });
    this.op(WASM.end);
    if (raises) this.#setting.isNone?.(statement.condition);
  }

  /** `otherwise` first; what is seldom true is out of the way behind it, and every reason for it is a branch of its own. */
  #ifSeldom({ condition, then, otherwise }: Extract<Statement, { kind: 'if' }>): void {
    const isSeldom = {};
    const isDone = {};
    this.labelled('block', isDone, () => {
      this.labelled('block', isSeldom, () => {
        this.#setting.beginIf?.();
        for (const { value, negated } of alternatives(condition, false, (node) => this.#constants.sameAs(node))) {
          // Conditions that are known on the way change nothing.
          const known = this.#constants.of(value);
          if (known !== undefined && (known === 0) !== negated) continue;
          this.value(value);
          if (negated) this.op(WASM.i32Eqz);
          this.branchSeldom(isSeldom);
        }
        this.statements(otherwise);
        this.branch(isDone);
      });
      this.#setting.beginElse?.();
      this.statements(then);
      this.#setting.endIf?.();
    });
  }

  #loop(loop: Loop): void {
    this.op(WASM.block, WASM.blockVoid, WASM.loop, WASM.blockVoid);
    this.inside(() => {
      this.inside(() => this.statements(loop.body), loop);
      this.op(WASM.br, 0);
    });
    this.op(WASM.end, WASM.end);
  }

  #raise(vector: number, errorCode: Value | undefined): void {
    this.setStateConstant(State.VECTOR, vector);
    this.const32(0);
    if (errorCode) this.value(errorCode);
    else this.const32(State.NO_ERROR_CODE);
    this.store(4, State.ERROR_CODE);
    this.#setting.leave(this, EXIT_EXCEPTION);
  }
}
