// The rule of definition.ts, held to by reading every definition: what may fault comes before the first change.
//
// The sentences of each form are walked along all their paths. A store that comes after a store is all right if memory was
// probed before the first one; a string instruction's turns are instructions of their own.
import t from 'tap';
import { allForms } from '../../../switcher/decode/all-forms.js';
import type { Form } from '../../../switcher/decode/instruction.js';
import { isDefined, meaning } from '../../../switcher/instructions/index.js';
import type { Loop, Node, Routine, Statement, Value } from '../../../switcher/language/nodes.js';
import * as State from '../../../switcher/cpu/state.js';

/** What has happened on the way to a statement. */
interface Path {
  readonly changed: boolean;
  readonly stored: boolean;
  readonly probed: boolean;
  /** Accesses that have been made without a fault, so that they can be made again. */
  readonly made: readonly string[];
}

const START: Path = { changed: false, stored: false, probed: false, made: [] };
const STRINGS = /^(movs|cmps|scas|stos|lods|ins|outs)[bwdl]?$/;
/**
 * enter writes below the stack pointer, which nobody reads before it is done. maskmovq makes the registers MMX's even when it
 * faults, as real processors do; done again, it makes no difference.
 */
const HARMLESS = /^(enter|maskmovq)$/;
/** A SIMD exception is told of in MXCSR, and then raised. */
const VECTOR_XM = 19;
/** Trust in doubles is lost on the way there, too, and is nothing that the Guest could see. */
const TOLD_BEFORE: ReadonlySet<number> = new Set([State.MXCSR, State.SSE_TRUST]);
/** State that is nobody's until the instruction is done: what is handed to the CPU's routines. */
const SCRATCH: readonly (readonly [from: number, to: number])[] = [
  [State.X87_OPERAND_X, State.X87_RESULT + 0x20],
  [State.SCRATCH, State.SEGMENTS],
];

const isScratch = (offset: number): boolean => SCRATCH.some(([from, to]) => offset >= from && offset < to);

const merge = (paths: readonly Path[]): Path[] => {
  const byKey = new Map(paths.map((path) => [JSON.stringify(path), path]));
  return [...byKey.values()];
};

const numbers = new Map<Value, number>();
const numberOf = (value: Value): number => {
  const number = numbers.get(value) ?? numbers.size;
  numbers.set(value, number);
  return number;
};

/** Names an address: by its offset, with or without the segment's base. */
function nameOf({ node }: Value | { readonly node: Node }): string {
  if (node.kind === 'constant') return `${node.value}`;
  if (node.kind !== 'operator' || !node.name.endsWith('.add')) return 'other';
  return node.args.map((arg) => (arg.node.kind === 'state' ? 'base' : numberOf(arg))).join('+');
}

const accessOf = (address: Value, bytes: number, write: boolean): string => {
  const name = nameOf(address);
  const offset = name.startsWith('base+') ? name.slice('base+'.length) : `${numberOf(address)}`;
  return `${offset}:${bytes}${write ? 'w' : 'r'}`;
};

class Walker {
  readonly problems = new Set<string>();
  readonly #leavingLoops = new Map<Loop, Path[]>();
  /** What the results of asking segmentAllows are about. */
  readonly #asked = new Map<Value, string>();

  /** The paths that come out at the end of `statements`, from those that go in. */
  walk(statements: readonly Statement[], paths: readonly Path[]): readonly Path[] {
    let now = paths;
    for (const statement of statements) now = merge(now.flatMap((path) => this.#step(statement, path)));
    return now;
  }

  #mayFault(what: string, path: Path): void {
    if (path.changed) this.problems.add(`${what} after a change`);
    else if (path.stored && !path.probed) this.problems.add(`${what} after a store that was not probed`);
  }

  /** An access, which may fault unless it has been made before. */
  #access(what: string, access: string, path: Path): Path {
    if (path.made.includes(access)) return path;
    this.#mayFault(what, path);
    return { ...path, made: [...path.made, access] };
  }

  #step(statement: Statement, path: Path): readonly Path[] {
    switch (statement.kind) {
      case 'let': {
        const { node } = statement.value;
        if (node.kind === 'guestLoad') return [this.#access('a load', accessOf(node.address, node.bytes, false), path)];
        return [path];
      }
      case 'setVariable':
      case 'assure':
      case 'goOnIf':
        return [path];
      case 'copyBytes':
      case 'fillBytes':
        return [{ ...path, changed: true }];
      case 'setState':
        return isScratch(statement.offset) || TOLD_BEFORE.has(statement.offset) ? [path] : [{ ...path, changed: true }];
      case 'setRegister':
      case 'setFlags':
        return [{ ...path, changed: true }];
      case 'guestStore':
        return [{ ...this.#access('a store', accessOf(statement.address, statement.bytes, true), path), stored: true }];
      case 'probe':
        this.#mayFault('a probe', path);
        return [{ ...path, probed: true }];
      case 'raise':
        if (statement.vector !== VECTOR_XM || path.stored) this.#mayFault('an exception', path);
        return [];
      case 'call':
        return [this.#call(statement, path)];
      case 'if':
        return this.#if(statement, path);
      case 'loop':
        return this.#loop(statement.loop, path);
      case 'break':
        this.#leavingLoops.get(statement.loop)?.push(path);
        return [];
      case 'continue':
      case 'return':
      case 'jump':
      case 'delegate':
        return [];
    }
  }

  #call({ routine, args, results }: Extract<Statement, { kind: 'call' }>, path: Path): Path {
    const [result] = results;
    const [, offset, bytes, write] = args;
    if (routine.name === 'segmentAllows' && result && offset && bytes && write)
      this.#asked.set(result, `segment ${numberOf(offset)}:${nameOf(bytes)}:${nameOf(write)}`);
    return changesState(routine) ? { ...path, changed: true } : path;
  }

  #if({ condition, then, otherwise }: Extract<Statement, { kind: 'if' }>, path: Path): readonly Path[] {
    // What a segment allowed once, it allows again.
    const { node } = condition;
    const [asked] = node.kind === 'operator' && node.name === 'i32.eqz' ? node.args : [];
    const question = asked && this.#asked.get(asked);
    if (question === undefined) return [...this.walk(then, [path]), ...this.walk(otherwise, [path])];
    if (path.made.includes(question)) return this.walk(otherwise, [path]);
    this.walk(then, [path]);
    return this.walk(otherwise, [{ ...path, made: [...path.made, question] }]);
  }

  #loop(loop: Loop, path: Path): readonly Path[] {
    const left: Path[] = [];
    this.#leavingLoops.set(loop, left);
    // Twice: the second turn begins as the first one ends.
    this.walk(loop.body, this.walk(loop.body, [path]));
    return merge(left);
  }
}

const known = new Map<Routine, boolean>();

function changesState(routine: Routine): boolean {
  const before = known.get(routine);
  if (before !== undefined) return before;
  known.set(routine, false);
  const changes = (statements: readonly Statement[]): boolean =>
    statements.some((statement) => {
      switch (statement.kind) {
        case 'setState':
          return !isScratch(statement.offset);
        case 'setRegister':
        case 'setFlags':
          return true;
        case 'call':
          return changesState(statement.routine);
        case 'if':
          return changes(statement.then) || changes(statement.otherwise);
        case 'loop':
          return changes(statement.loop.body);
        default:
          return false;
      }
    });
  const result = changes(routine.body().statements);
  known.set(routine, result);
  return result;
}

const describe = (form: Form): string =>
  `${form.mnemonic} ${form.operands.map((operand) => `${operand.kind}${'width' in operand ? operand.width : ''}`).join(', ')}`;

const WORDINGS = ['short', 'spelled-out'] as const;
const forms = allForms().filter((form) => isDefined(form.mnemonic));

t.test('what may fault comes before the first change, in every definition', (t) => {
  const wrong = new Set<string>();
  for (const form of forms) {
    if (STRINGS.test(form.mnemonic) || HARMLESS.test(form.mnemonic)) continue;
    for (const wording of WORDINGS) {
      const walker = new Walker();
      walker.walk(meaning(form, wording).statements, [START]);
      for (const problem of walker.problems) wrong.add(`${describe(form)}: ${problem}`);
    }
  }
  t.same([...wrong], []);
  t.ok(forms.length > 500, 'there are many forms to look at');
  t.end();
});

/** The instructions that use the FPU's state, by what they are called or take. */
function usesFpu({ mnemonic, operands }: Form): boolean {
  if (['wait', 'emms', 'ldmxcsr', 'stmxcsr'].includes(mnemonic)) return true;
  return mnemonic.startsWith('f') || operands.some(({ kind }) => kind === 'mmx' || kind === 'xmm' || kind === 'st');
}

const VECTOR_NM = 7;

/** The kinds of what happens before the instruction has asked whether the FPU is there; undefined if it never asks. */
function beforeAsking(statements: readonly Statement[]): string[] | undefined {
  const seen: string[] = [];
  for (const statement of statements) {
    if (statement.kind === 'raise' && statement.vector === VECTOR_NM) return seen;
    if (statement.kind === 'if') {
      const inside = beforeAsking(statement.then);
      if (inside !== undefined) return [...seen, ...inside];
    }
    const isRead = statement.kind === 'let' && statement.value.node.kind !== 'guestLoad';
    if (!isRead && statement.kind !== 'if' && statement.kind !== 'setVariable') seen.push(statement.kind);
  }
  return undefined;
}

t.test('every x87, MMX and SSE instruction raises #NM first, when the FPU is another task’s', (t) => {
  const wrong = forms.filter(usesFpu).flatMap((form) =>
    WORDINGS.flatMap((wording) => {
      const before = beforeAsking(meaning(form, wording).statements);
      return before?.length === 0 ? [] : [`${describe(form)}: ${before?.join(', ') ?? 'never asks'}`];
    }),
  );
  t.same([...new Set(wrong)], []);
  t.end();
});
