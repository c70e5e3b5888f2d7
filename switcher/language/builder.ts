// The vocabulary: what a definition may say. Each method adds a word to the sentence that is being built.
//
// Numbers stand for constants of the type that the other operand has, so that definitions read like the manual:
// `b.and(b.add(count, 1), 31)`.
import { Bug } from '../../lib/errors.js';
import type {
  Constant,
  AccessBytes,
  Body,
  Condition,
  FlagsOrigin,
  Field,
  Loop,
  Node,
  RegisterFile,
  RegisterNumber,
  Routine,
  Statement,
  Value,
  Variable,
} from './nodes.js';
import { isTimed } from './nodes.js';
import { operator, type ValueType } from './operators.js';

/** A value, or a number that becomes a constant. */
export type Term = Value | number | bigint;

const isValue = (term: Term): term is Value => typeof term === 'object';

/** Where there are two ways to say something: for readers that have room for it, or shortly, by calling routines. */
export type Wording = 'spelled-out' | 'short';

export class Builder {
  readonly #wording: Wording;
  readonly #variables: Variable[] = [];
  readonly #root: Statement[] = [];
  #current: Statement[] = this.#root;

  /** @param wording which of the two ways of `inPlace` is taken */
  constructor(wording: Wording = 'short') {
    this.#wording = wording;
  }

  body(): Body {
    return { statements: this.#root, variables: this.#variables };
  }

  // ---------------------------------------------------------------- values

  #value(type: ValueType, node: Node): Value {
    const value: Value = { type, node, uses: 0 };
    // A timed value is read here and now; a pure one gets its place when it turns out to be used twice.
    this.#current.push({ kind: 'let', value });
    if (isTimed(node)) value.uses = 0;
    return value;
  }

  #use(value: Value): Value {
    value.uses++;
    return value;
  }

  /** A 32-bit constant. */
  i32(value: number): Value {
    return this.#value('i32', { kind: 'constant', value: value | 0 });
  }

  /** A 64-bit constant. */
  i64(value: bigint | number): Value {
    return this.#value('i64', { kind: 'constant', value: BigInt.asIntN(64, BigInt(value)) });
  }

  f64(value: number): Value {
    return this.#value('f64', { kind: 'constant', value });
  }

  f32(value: number): Value {
    return this.#value('f32', { kind: 'constant', value });
  }

  /** A 128-bit constant, byte 0 first. */
  v128(bytes: readonly number[]): Value {
    return this.#value('v128', { kind: 'constant128', bytes });
  }

  #constant(type: ValueType, value: number | bigint): Value {
    switch (type) {
      case 'i32':
        return this.i32(Number(value));
      case 'i64':
        return this.i64(value);
      case 'f32':
        return this.f32(Number(value));
      case 'f64':
        return this.f64(Number(value));
      case 'v128':
        throw new Bug('a number cannot stand for a v128');
    }
  }

  term(type: ValueType, term: Term): Value {
    const value = isValue(term) ? term : this.#constant(type, term);
    if (value.type !== type) throw new Bug(`expected ${type}, got ${value.type} (${JSON.stringify(value.node.kind)})`);
    return value;
  }

  /** 0, or 1 if a later line of the definition calls `yes`. */
  decision(): { readonly value: Value; yes(): void } {
    const node: Constant = { kind: 'constant', value: 0 };
    return { value: this.#value('i32', node), yes: () => (node.value = 1) };
  }

  /** Any operator by its full name: `b.apply('i32.wrap_i64', [x])`, `b.apply('i8x16.extract_lane_u', [v], [3])`. */
  apply(name: string, terms: readonly Term[], immediates: readonly number[] = []): Value {
    const definition = operator(name);
    if (definition === undefined) throw new Bug(`no operator ${name}`);
    const { takes, gives } = definition;
    if (takes.length !== terms.length || definition.immediates !== immediates.length)
      throw new Bug(`${name} with ${terms.length} operands`);
    const args = takes.map((type, i) => this.#use(this.term(type, terms[i] ?? 0)));
    return this.#value(gives, { kind: 'operator', name, args, immediates });
  }

  #binary(name: string, a: Term, b: Term): Value {
    const type = isValue(a) ? a.type : isValue(b) ? b.type : 'i32';
    return this.apply(`${type}.${name}`, [a, b]);
  }

  #unary(name: string, a: Value): Value {
    return this.apply(`${a.type}.${name}`, [a]);
  }

  add = (a: Term, b: Term): Value => this.#binary('add', a, b);
  sub = (a: Term, b: Term): Value => this.#binary('sub', a, b);
  mul = (a: Term, b: Term): Value => this.#binary('mul', a, b);
  divS = (a: Term, b: Term): Value => this.#binary('div_s', a, b);
  divU = (a: Term, b: Term): Value => this.#binary('div_u', a, b);
  remS = (a: Term, b: Term): Value => this.#binary('rem_s', a, b);
  remU = (a: Term, b: Term): Value => this.#binary('rem_u', a, b);
  and = (a: Term, b: Term): Value => this.#binary('and', a, b);
  or = (a: Term, b: Term): Value => this.#binary('or', a, b);
  xor = (a: Term, b: Term): Value => this.#binary('xor', a, b);
  shl = (a: Term, b: Term): Value => this.#binary('shl', a, b);
  shrS = (a: Term, b: Term): Value => this.#binary('shr_s', a, b);
  shrU = (a: Term, b: Term): Value => this.#binary('shr_u', a, b);
  rotl = (a: Term, b: Term): Value => this.#binary('rotl', a, b);
  rotr = (a: Term, b: Term): Value => this.#binary('rotr', a, b);
  eq = (a: Term, b: Term): Value => this.#binary('eq', a, b);
  ne = (a: Term, b: Term): Value => this.#binary('ne', a, b);
  ltS = (a: Term, b: Term): Value => this.#binary('lt_s', a, b);
  ltU = (a: Term, b: Term): Value => this.#binary('lt_u', a, b);
  gtS = (a: Term, b: Term): Value => this.#binary('gt_s', a, b);
  gtU = (a: Term, b: Term): Value => this.#binary('gt_u', a, b);
  leS = (a: Term, b: Term): Value => this.#binary('le_s', a, b);
  leU = (a: Term, b: Term): Value => this.#binary('le_u', a, b);
  geS = (a: Term, b: Term): Value => this.#binary('ge_s', a, b);
  geU = (a: Term, b: Term): Value => this.#binary('ge_u', a, b);
  eqz = (a: Value): Value => this.#unary('eqz', a);
  clz = (a: Value): Value => this.#unary('clz', a);
  ctz = (a: Value): Value => this.#unary('ctz', a);
  popcnt = (a: Value): Value => this.#unary('popcnt', a);
  not = (a: Value): Value => this.#binary('xor', a, -1);
  /** 1 when `a` is not zero, else 0. */
  bool = (a: Value): Value => this.ne(a, 0);
  wrap = (a: Value): Value => this.apply('i32.wrap_i64', [a]);
  extendU = (a: Value): Value => this.apply('i64.extend_i32_u', [a]);
  extendS = (a: Value): Value => this.apply('i64.extend_i32_s', [a]);

  /** `a`, of `width` bits, as a signed 32-bit value. */
  signExtend(width: 8 | 16 | 32, a: Value): Value {
    return width === 32 ? a : this.apply(width === 8 ? 'i32.extend8_s' : 'i32.extend16_s', [a]);
  }

  /** The low `width` bits of `a`. */
  truncate(width: 8 | 16 | 32, a: Value): Value {
    return width === 32 ? a : this.and(a, width === 8 ? 0xff : 0xffff);
  }

  select(condition: Value, yes: Term, no: Term): Value {
    const type = isValue(yes) ? yes.type : isValue(no) ? no.type : 'i32';
    return this.#value(type, {
      kind: 'select',
      condition: this.#use(this.term('i32', condition)),
      yes: this.#use(this.term(type, yes)),
      no: this.#use(this.term(type, no)),
    });
  }

  /** A blank that the decoded record fills. */
  field(field: Field): Value {
    return this.#value('i32', { kind: 'field', field });
  }

  // ---------------------------------------------------------------- variables

  /** A local that can change, with its first value. */
  variable(type: ValueType, first: Term): Variable {
    const variable: Variable = { type, index: this.#variables.length };
    this.#variables.push(variable);
    this.set(variable, first);
    return variable;
  }

  get(variable: Variable): Value {
    return this.#value(variable.type, { kind: 'variable', variable });
  }

  set(variable: Variable, term: Term): void {
    this.#current.push({ kind: 'setVariable', variable, value: this.#use(this.term(variable.type, term)) });
  }

  // ---------------------------------------------------------------- registers, flags, CPU state

  register(bytes: 1 | 2 | 4, number: RegisterNumber): Value {
    return this.#value('i32', { kind: 'register', file: 'general', bytes, number });
  }

  setRegister(bytes: 1 | 2 | 4, number: RegisterNumber, value: Term): void {
    this.#setRegister('general', bytes, number, this.term('i32', value));
  }

  xmm(number: RegisterNumber): Value {
    return this.#value('v128', { kind: 'register', file: 'xmm', bytes: 16, number });
  }

  setXmm(number: RegisterNumber, value: Value): void {
    this.#setRegister('xmm', 16, number, this.term('v128', value));
  }

  #setRegister(file: RegisterFile, bytes: 1 | 2 | 4 | 16, number: RegisterNumber, value: Value): void {
    this.#current.push({ kind: 'setRegister', file, bytes, number, value: this.#use(value) });
  }

  /** Reads CPU state at `offset` (see cpu/state), plus `index` bytes if given. */
  state(bytes: AccessBytes, offset: number, index?: Value, signed = false): Value {
    const type = bytes === 16 ? 'v128' : bytes === 8 ? 'i64' : 'i32';
    return this.#value(type, { kind: 'state', bytes, signed, offset, index: index && this.#use(index) });
  }

  setState(bytes: AccessBytes, offset: number, value: Term, index?: Value): void {
    const type = bytes === 16 ? 'v128' : bytes === 8 ? 'i64' : 'i32';
    this.#current.push({
      kind: 'setState',
      bytes,
      offset,
      index: index && this.#use(index),
      value: this.#use(this.term(type, value)),
    });
  }

  flagsResult(): Value {
    return this.#value('i32', { kind: 'flagsResult' });
  }

  flagsAux(): Value {
    return this.#value('i32', { kind: 'flagsAux' });
  }

  /** Sets the two words of flags to what `words` gives; `origin` says what arithmetic that is, if it is one. */
  setFlags(words: () => readonly [result: Term, aux: Term], origin?: FlagsOrigin): void {
    const statements: Statement[] = [];
    let pair: readonly [Value, Value] | undefined;
    this.#block(statements, () => {
      const [result, aux] = words();
      pair = [this.#use(this.term('i32', result)), this.#use(this.term('i32', aux))];
    });
    if (pair === undefined) throw new Bug('flags without words');
    if (origin) [origin.left, origin.right, origin.result].forEach((value) => this.#use(value));
    this.#current.push({ kind: 'setFlags', statements, result: pair[0], aux: pair[1], origin });
  }

  setFlagWords(result: Term, aux: Term): void {
    this.setFlags(() => [result, aux]);
  }

  /** A condition code, with how it follows from the words of flags. */
  condition(cc: Condition, build: () => Value): Value {
    const statements: Statement[] = [];
    let words: Value | undefined;
    this.#block(statements, () => {
      words = this.#use(build());
    });
    if (words === undefined) throw new Bug('a condition without words');
    return this.#value('i32', { kind: 'condition', cc, statements, words });
  }

  // ---------------------------------------------------------------- Guest memory, by linear address

  /** Reads Guest memory: 1, 2 and 4 bytes zero-extended to i32, 8 as i64, 16 as v128. May fault. */
  load(bytes: AccessBytes, address: Value): Value {
    const type = bytes === 16 ? 'v128' : bytes === 8 ? 'i64' : 'i32';
    return this.#value(type, { kind: 'guestLoad', bytes, address: this.#use(address), forWrite: false });
  }

  /** Says of what `load` gave that a store to the same place follows. */
  loadedForWrite({ node }: Value): void {
    if (node.kind === 'guestLoad') node.forWrite = true;
  }

  /** Writes Guest memory. May fault, and then nothing is written. */
  store(bytes: AccessBytes, address: Value, value: Term): void {
    const type = bytes === 16 ? 'v128' : bytes === 8 ? 'i64' : 'i32';
    this.#current.push({
      kind: 'guestStore',
      bytes,
      address: this.#use(address),
      value: this.#use(this.term(type, value)),
    });
  }

  /** Faults as an access of `bytes` (at most 4096) at `address` would. Comes before the first change of state. */
  probe(bytes: number, address: Value, write: boolean): void {
    this.#current.push({ kind: 'probe', bytes, address: this.#use(address), write });
  }

  // ---------------------------------------------------------------- control

  #block(statements: Statement[], build: () => void): void {
    const outer = this.#current;
    this.#current = statements;
    build();
    this.#current = outer;
  }

  when(condition: Value, then: () => void, otherwise?: () => void): void {
    this.#if(condition, false, then, otherwise);
  }

  /** As `when`, where `condition` is hardly ever true. */
  whenSeldom(condition: Value, then: () => void, otherwise?: () => void): void {
    this.#if(condition, true, then, otherwise);
  }

  /** Does `quick` where there is room for it and `condition` is true; `otherwise` does the same by calling routines. */
  quickly(condition: () => Value, quick: () => void, otherwise: () => void): void {
    this.inPlace(() => this.whenSeldom(this.eqz(condition()), otherwise, quick), otherwise);
  }

  /** One of two ways to say the same: the first where there is room, and things are known of registers (see `assured`). */
  inPlace(spelledOut: () => void, otherwise: () => void): void {
    if (this.#wording === 'spelled-out') spelledOut();
    else otherwise();
  }

  /** The first where the x87's registers are followed as well (see float/plain). */
  followed(trusting: () => void, otherwise: () => void): void {
    this.when(this.#value('i32', { kind: 'followed' }), trusting, otherwise);
  }

  /** Whether it is known here already what `assure` says. A reader that knows nothing says 0. */
  assured(value: Value, lane: 0 | 1): Value {
    return this.#value('i32', { kind: 'assured', value, lane });
  }

  /** The instruction is done, and has met what translated code is not made for unless `condition` is true. */
  goOnIf(condition: Value): void {
    this.#current.push({ kind: 'goOnIf', condition: this.#use(condition) });
  }

  /** Says of 64 bits of `value` that from here on they are a plain double, or trust is gone: who says so has looked. */
  assure(value: Value, lane: 0 | 1): void {
    this.#current.push({ kind: 'assure', value, lane });
  }

  #if(condition: Value, seldom: boolean, then: () => void, otherwise?: () => void): void {
    const statement = {
      kind: 'if',
      condition: this.#use(this.term('i32', condition)),
      then: [] as Statement[],
      otherwise: [] as Statement[],
      seldom,
    } as const;
    this.#current.push(statement);
    this.#block(statement.then, then);
    if (otherwise) this.#block(statement.otherwise, otherwise);
  }

  /** Repeats until something leaves it: `break`, `return`, `raise`, `jump` or a fault. */
  loop(build: (loop: Loop) => void): void {
    const loop: Loop = { body: [] };
    this.#current.push({ kind: 'loop', loop });
    this.#block(loop.body, () => build(loop));
  }

  break(loop: Loop): void {
    this.#current.push({ kind: 'break', loop });
  }

  breakIf(loop: Loop, condition: Value): void {
    this.when(condition, () => this.break(loop));
  }

  continue(loop: Loop): void {
    this.#current.push({ kind: 'continue', loop });
  }

  /** Calls a routine that gives one value. */
  call(routine: Routine, ...terms: Term[]): Value {
    const [result] = this.callMany(routine, ...terms);
    if (result === undefined || routine.gives.length !== 1)
      throw new Bug(`${routine.name} gives ${routine.gives.length} values`);
    return result;
  }

  callMany(routine: Routine, ...terms: Term[]): Value[] {
    if (terms.length !== routine.takes.length) throw new Bug(`${routine.name} takes ${routine.takes.length} values`);
    const args = routine.takes.map((type, i) => this.#use(this.term(type, terms[i] ?? 0)));
    const results = routine.gives.map((type, position): Value => ({
      type,
      node: { kind: 'result', position },
      uses: 0,
    }));
    this.#current.push({ kind: 'call', routine, args, results });
    return results;
  }

  /** Leaves a routine. */
  return(...values: Value[]): void {
    this.#current.push({ kind: 'return', values: values.map((value) => this.#use(value)) });
  }

  copyBytes(to: Value, from: Value, count: Value): void {
    this.#current.push({ kind: 'copyBytes', to: this.#use(to), from: this.#use(from), count: this.#use(count) });
  }

  fillBytes(to: Value, value: Value, count: Value): void {
    this.#current.push({ kind: 'fillBytes', to: this.#use(to), value: this.#use(value), count: this.#use(count) });
  }

  /** Asks one of the CPU's own functions for an i32 (see cpu/routines); it cannot fault. */
  ask(routine: string, ...terms: Term[]): Value {
    return this.#value('i32', {
      kind: 'callCpu',
      routine,
      args: terms.map((term) => this.#use(this.term('i32', term))),
    });
  }

  raise(vector: number, errorCode?: Term): void {
    this.#current.push({
      kind: 'raise',
      vector,
      errorCode: errorCode === undefined ? undefined : this.#use(this.term('i32', errorCode)),
    });
  }

  jump(target: Value): void {
    this.#current.push({ kind: 'jump', target: this.#use(target) });
  }

  /** Hands the rest of the instruction to one of the CPU's routines; `jumps` when eip may go elsewhere than to the next one. */
  delegate(routine: string, args: readonly Term[], jumps: boolean): void {
    this.#current.push({
      kind: 'delegate',
      routine,
      args: args.map((term) => this.#use(this.term('i32', term))),
      jumps,
    });
  }

  parameter(type: ValueType, index: number): Value {
    return this.#value(type, { kind: 'parameter', index });
  }
}

/** Defines a routine: `routine('f80Add', ['i64', 'i32'], ['i64'], (b, mantissa, exponent) => …)`. */
export function routine(
  name: string,
  takes: readonly ValueType[],
  gives: readonly ValueType[],
  define: (b: Builder, ...parameters: Value[]) => void,
): Routine {
  let body: Body | undefined;
  return {
    name,
    takes,
    gives,
    body(): Body {
      if (body === undefined) {
        const b = new Builder();
        define(b, ...takes.map((type, i) => b.parameter(type, i)));
        body = b.body();
      }
      return body;
    },
  };
}
