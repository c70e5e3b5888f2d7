// Which words of the CPU's state a sentence reads and writes: for readers that keep some of them elsewhere.
//
// What a routine does belongs to whoever calls it.
import type { Body, Node, Routine, Statement, Value } from './nodes.js';

/** Offsets of whole words of the state. */
export interface StateWords {
  readonly read: ReadonlySet<number>;
  readonly written: ReadonlySet<number>;
  /** Words of which only a part is read or written, or more than the word. */
  readonly partly: ReadonlySet<number>;
  /** Offsets of which the access is that and an index that is computed. */
  readonly indexed: ReadonlySet<number>;
}

const WORD = 4;

class Finder {
  readonly read = new Set<number>();
  readonly written = new Set<number>();
  readonly partly = new Set<number>();
  readonly indexed = new Set<number>();
  readonly #seen = new Set<Value>();
  readonly #inRoutines: boolean;

  constructor(inRoutines: boolean) {
    this.#inRoutines = inRoutines;
  }

  statements(statements: readonly Statement[]): void {
    for (const statement of statements) this.#statement(statement);
  }

  #statement(statement: Statement): void {
    for (const value of valuesOf(statement)) this.#value(value);
    switch (statement.kind) {
      case 'setState':
        this.#access(this.written, statement);
        return;
      case 'setFlags':
        this.statements(statement.statements);
        return;
      case 'if':
        this.statements(statement.then);
        this.statements(statement.otherwise);
        return;
      case 'loop':
        this.statements(statement.loop.body);
        return;
      case 'call':
        if (this.#inRoutines) this.#add(wordsOfRoutine(statement.routine));
        return;
      default:
    }
  }

  #value(value: Value): void {
    if (this.#seen.has(value)) return;
    this.#seen.add(value);
    const { node } = value;
    if (node.kind === 'state') this.#access(this.read, node);
    if (node.kind === 'condition') this.statements(node.statements);
    for (const inner of valuesIn(node)) this.#value(inner);
  }

  /** An indexed access is one to the register files that lie behind the words. */
  #access(
    words: Set<number>,
    { offset, bytes, index }: { offset: number; bytes: number; index: Value | undefined },
  ): void {
    if (index !== undefined) {
      this.indexed.add(offset);
      return;
    }
    if (bytes === WORD && offset % WORD === 0) {
      words.add(offset);
      return;
    }
    for (let at = offset & ~(WORD - 1); at < offset + bytes; at += WORD) this.partly.add(at);
  }

  #add({ read, written, partly, indexed }: StateWords): void {
    for (const offset of read) this.read.add(offset);
    for (const offset of written) this.written.add(offset);
    for (const offset of partly) this.partly.add(offset);
    for (const offset of indexed) this.indexed.add(offset);
  }
}

function valuesOf(statement: Statement): readonly Value[] {
  switch (statement.kind) {
    case 'let':
    case 'setVariable':
    case 'setRegister':
      return [statement.value];
    case 'setState':
      return statement.index === undefined ? [statement.value] : [statement.value, statement.index];
    case 'setFlags': {
      const { result, aux, origin } = statement;
      return origin === undefined ? [result, aux] : [result, aux, origin.left, origin.right, origin.result];
    }
    case 'guestStore':
      return [statement.address, statement.value];
    case 'probe':
      return [statement.address];
    case 'if':
    case 'goOnIf':
      return [statement.condition];
    case 'call':
    case 'delegate':
      return statement.args;
    case 'return':
      return statement.values;
    case 'copyBytes':
      return [statement.to, statement.from, statement.count];
    case 'fillBytes':
      return [statement.to, statement.value, statement.count];
    case 'raise':
      return statement.errorCode === undefined ? [] : [statement.errorCode];
    case 'jump':
      return [statement.target];
    default:
      return [];
  }
}

function valuesIn(node: Node): readonly Value[] {
  switch (node.kind) {
    case 'operator':
    case 'callCpu':
      return node.args;
    case 'select':
      return [node.condition, node.yes, node.no];
    case 'state':
      return node.index === undefined ? [] : [node.index];
    case 'guestLoad':
      return [node.address];
    case 'condition':
      return [node.words];
    case 'assured':
      return [node.value];
    default:
      return [];
  }
}

const bodies = new WeakMap<Body, StateWords>();
const routines = new Map<Routine, StateWords>();
const NOTHING: StateWords = { read: new Set(), written: new Set(), partly: new Set(), indexed: new Set() };

/** What the sentences of `body` themselves read and write, routines aside. */
export function wordsOfBody(body: Body): StateWords {
  const known = bodies.get(body);
  if (known !== undefined) return known;
  const finder = new Finder(false);
  finder.statements(body.statements);
  bodies.set(body, finder);
  return finder;
}

/** What a call of `routine` may read and write. */
export function wordsOfRoutine(routine: Routine): StateWords {
  const known = routines.get(routine);
  if (known !== undefined) return known;
  // A routine that calls itself adds nothing by that.
  routines.set(routine, NOTHING);
  const finder = new Finder(true);
  finder.statements(routine.body().statements);
  routines.set(routine, finder);
  return finder;
}
