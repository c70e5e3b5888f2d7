// The evaluator: the slow reader of the language, in plain TypeScript. It is what the fast readers are held against.
//
// A body is turned into closures once, and then run on the same memory that the other engines use. Values live in slots of
// a frame; an i64 is a bigint, which is slow and obviously right.
import { PAGE_OFFSET_MASK } from '../../guest-abi/addresses.js';
import { Bug } from '../../lib/errors.js';
import { EXIT_EXCEPTION, EXIT_FAULT } from '../cpu/exits.js';
import * as State from '../cpu/state.js';
import { REGISTER_FILES } from '../cpu/register-files.js';
import type {
  AccessBytes,
  Body,
  Field,
  GuestLoad,
  Loop,
  RegisterFile,
  RegisterNumber,
  Routine,
  Statement,
  Value,
} from '../language/nodes.js';
import { givesWay, isTimed } from '../language/nodes.js';
import { type Concrete, operator } from '../language/operators.js';
import { slowLoad, slowStore } from '../language/slow-access.js';
import * as Records from '../interpreter/records.js';

/** What the evaluator needs of the machine. */
export interface Machine {
  readonly view: DataView;
  /** A routine of the CPU by name. */
  routine(name: string, args: readonly number[]): number;
  /** Whether unaligned accesses raise #AC: CR0.AM is set, so EFLAGS.AC at ring 3 decides. */
  checksAlignment(): boolean;
}

/** How a body ended: by an Exit, by going to EIP, the same by way of giving way, or by running into the next instruction. */
export type Ending =
  | { readonly kind: 'next' }
  | { readonly kind: 'jump' }
  | { readonly kind: 'again' }
  | { readonly kind: 'exit'; readonly exit: number };

interface Frame {
  readonly values: Concrete[];
  readonly variables: Concrete[];
  readonly parameters: readonly Concrete[];
  readonly record: number;
  /** Set when a statement ends more than itself. */
  leaving: Leaving | undefined;
}

type Leaving =
  | { readonly kind: 'break' | 'continue'; readonly loop: Loop }
  | { readonly kind: 'return'; readonly values: readonly Concrete[] }
  | Exclude<Ending, { kind: 'next' }>;

type Compute = (frame: Frame) => Concrete;
type Act = (frame: Frame) => void;

const VECTOR_AC = 17;
const NEXT: Ending = { kind: 'next' };
const JUMP: Ending & { kind: 'jump' } = { kind: 'jump' };
const AGAIN: Ending & { kind: 'again' } = { kind: 'again' };
const LITTLE_ENDIAN = true;

export class Evaluator {
  readonly #machine: Machine;
  readonly #bodies = new WeakMap<Body, Act[]>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Does what `body` says with the blanks of the record at `record`. After a jump, EIP is the target. */
  run(body: Body, record: number): Ending {
    const leaving = this.#execute(body, record, []);
    if (leaving === undefined) return NEXT;
    if (leaving.kind === 'jump' || leaving.kind === 'again' || leaving.kind === 'exit') return leaving;
    throw new Bug(`an instruction ends by ${leaving.kind}`);
  }

  #execute(body: Body, record: number, parameters: readonly Concrete[]): Leaving | undefined {
    let acts = this.#bodies.get(body);
    if (acts === undefined) {
      acts = new Compiler(this.#machine, (routine, args) => this.#call(routine, args)).statements(body.statements);
      this.#bodies.set(body, acts);
    }
    const frame: Frame = { values: [], variables: [], parameters, record, leaving: undefined };
    runAll(acts, frame);
    return frame.leaving;
  }

  #call(routine: Routine, args: readonly Concrete[]): readonly Concrete[] {
    const leaving = this.#execute(routine.body(), 0, args);
    if (leaving === undefined && routine.gives.length === 0) return [];
    if (leaving?.kind !== 'return') throw new Bug(`${routine.name} does not return`);
    return leaving.values;
  }
}

function runAll(acts: readonly Act[], frame: Frame): void {
  for (const act of acts) {
    act(frame);
    if (frame.leaving !== undefined) return;
  }
}

class Compiler {
  readonly #machine: Machine;
  readonly #call: (routine: Routine, args: readonly Concrete[]) => readonly Concrete[];
  readonly #slots = new Map<Value, number>();

  constructor(machine: Machine, call: (routine: Routine, args: readonly Concrete[]) => readonly Concrete[]) {
    this.#machine = machine;
    this.#call = call;
  }

  statements(statements: readonly Statement[]): Act[] {
    return statements.map((statement) => this.#statement(statement));
  }

  // ---------------------------------------------------------------- values

  #slot(value: Value): number {
    const slot = this.#slots.size;
    this.#slots.set(value, slot);
    return slot;
  }

  #value(value: Value): Compute {
    const slot = this.#slots.get(value);
    if (slot === undefined) throw new Bug(`a ${value.node.kind} is used outside the block that made it`);
    return ({ values }) => {
      const concrete = values[slot];
      if (concrete === undefined) throw new Bug(`a ${value.node.kind} is used before it is made`);
      return concrete;
    };
  }

  #word(value: Value): (frame: Frame) => number {
    return this.#value(value) as (frame: Frame) => number;
  }

  #compute(value: Value): Compute {
    const { node } = value;
    const { view } = this.#machine;
    switch (node.kind) {
      case 'constant':
        return () => node.value;
      case 'constant128': {
        const bytes = Uint8Array.from(node.bytes);
        return () => bytes;
      }
      case 'operator': {
        const args = node.args.map((arg) => this.#value(arg));
        const definition = operator(node.name);
        if (definition === undefined) throw new Bug(`no operator ${node.name}`);
        return (frame) =>
          definition.evaluate(
            args.map((arg) => arg(frame)),
            node.immediates,
          );
      }
      case 'select': {
        const [condition, yes, no] = [this.#value(node.condition), this.#value(node.yes), this.#value(node.no)];
        return (frame) => (condition(frame) === 0 ? no(frame) : yes(frame));
      }
      case 'followed':
      case 'assured':
        return () => 0;
      case 'field':
        return this.#field(node.field);
      case 'parameter':
        return ({ parameters }) => parameters[node.index] ?? 0;
      case 'variable':
        return ({ variables }) => variables[node.variable.index] ?? 0;
      case 'register': {
        const address = this.#registerAddress(node.file, node.number);
        return (frame) => this.#read(node.bytes, address(frame), false);
      }
      case 'state': {
        const index = node.index ? this.#word(node.index) : (): number => 0;
        return (frame) => this.#read(node.bytes, index(frame) + node.offset, node.signed);
      }
      case 'flagsResult':
        return () => view.getInt32(State.FLAGS_RESULT, LITTLE_ENDIAN);
      case 'flagsAux':
        return () => view.getInt32(State.FLAGS_AUX, LITTLE_ENDIAN);
      case 'condition': {
        const before = this.statements(node.statements);
        const words = this.#value(node.words);
        return (frame) => {
          runAll(before, frame);
          return words(frame);
        };
      }
      case 'guestLoad':
        return this.#guestLoad(node);
      case 'callCpu': {
        const args = node.args.map((arg) => this.#word(arg));
        return (frame) =>
          this.#machine.routine(
            node.routine,
            args.map((arg) => arg(frame)),
          );
      }
      case 'result':
        throw new Bug('a result without its call');
    }
  }

  #field(field: Field): Compute {
    const [offset, bytes] = Records.RECORD_FIELDS[field];
    return ({ record }) => this.#read(bytes, record + offset, false);
  }

  #registerAddress(file: RegisterFile, number: RegisterNumber): (frame: Frame) => number {
    const base = REGISTER_FILES[file];
    if (typeof number === 'object') return () => base + number.fixed;
    const offset = Records.numberOffset(number);
    return ({ record }) => base + this.#machine.view.getUint8(record + offset);
  }

  #read(bytes: AccessBytes, at: number, signed: boolean): Concrete {
    const { view } = this.#machine;
    const address = at >>> 0;
    switch (bytes) {
      case 1:
        return signed ? view.getInt8(address) : view.getUint8(address);
      case 2:
        return signed ? view.getInt16(address, LITTLE_ENDIAN) : view.getUint16(address, LITTLE_ENDIAN);
      case 4:
        return view.getInt32(address, LITTLE_ENDIAN);
      case 8:
        return view.getBigInt64(address, LITTLE_ENDIAN);
      case 16:
        return new Uint8Array(view.buffer.slice(address, address + 16));
    }
  }

  #write(bytes: AccessBytes, at: number, value: Concrete): void {
    const { view } = this.#machine;
    const address = at >>> 0;
    switch (bytes) {
      case 1:
        view.setInt8(address, value as number);
        return;
      case 2:
        view.setInt16(address, value as number, LITTLE_ENDIAN);
        return;
      case 4:
        view.setInt32(address, value as number, LITTLE_ENDIAN);
        return;
      case 8:
        view.setBigInt64(address, value as bigint, LITTLE_ENDIAN);
        return;
      case 16:
        new Uint8Array(view.buffer).set(value as Uint8Array, address);
        return;
    }
  }

  // ---------------------------------------------------------------- Guest memory

  #guestLoad({ bytes, address, forWrite }: GuestLoad): Compute {
    const at = this.#word(address);
    const slow = slowLoad(bytes, forWrite);
    return (frame) => {
      const linear = at(frame) >>> 0;
      if (this.#misaligned(frame, linear, bytes)) return 0;
      const host = this.#fastAddress(State.READ_MAP, linear, bytes);
      if (host !== undefined) return this.#read(bytes, host, false);
      const [value] = this.#call(slow, [linear | 0]);
      this.#leaveOnFault(frame);
      return value ?? 0;
    };
  }

  #guestStore(bytes: AccessBytes, address: Value, value: Value): Act {
    const at = this.#word(address);
    const what = this.#value(value);
    const slow = slowStore(bytes);
    return (frame) => {
      const linear = at(frame) >>> 0;
      if (this.#misaligned(frame, linear, bytes)) return;
      const host = this.#fastAddress(State.WRITE_MAP, linear, bytes);
      if (host !== undefined) {
        this.#write(bytes, host, what(frame));
        return;
      }
      this.#call(slow, [linear | 0, what(frame)]);
      this.#leaveOnFault(frame);
    };
  }

  #probe(bytes: number, address: Value, write: boolean): Act {
    const at = this.#word(address);
    return (frame) => {
      const first = at(frame) >>> 0;
      const last = (first + bytes - 1) >>> 0;
      const pages = first >>> 12 === last >>> 12 ? [first] : [first, (last & ~PAGE_OFFSET_MASK) >>> 0];
      const { view } = this.#machine;
      for (const page of pages) {
        if (this.#fastAddress(write ? State.WRITE_MAP : State.READ_MAP, page, 1) !== undefined) continue;
        view.setInt32(State.FAULT_ADDRESS, page, LITTLE_ENDIAN);
        view.setInt32(State.FAULT_WRITE, write ? 2 : 0, LITTLE_ENDIAN);
        view.setInt32(State.FAULT, 1, LITTLE_ENDIAN);
        this.#leaveOnFault(frame);
        return;
      }
    };
  }

  /** Where linear address `linear` is in memory, if all bytes are on one page that the map has. */
  #fastAddress(map: number, linear: number, bytes: number): number | undefined {
    const { view } = this.#machine;
    const entry = view.getInt32(view.getInt32(map, LITTLE_ENDIAN) + (linear >>> 12) * 4, LITTLE_ENDIAN);
    if (entry === 0 || (linear & PAGE_OFFSET_MASK) > PAGE_OFFSET_MASK + 1 - bytes) return undefined;
    return (entry + linear + State.MAP_BIAS) >>> 0;
  }

  #misaligned(frame: Frame, linear: number, bytes: AccessBytes): boolean {
    // 16-byte operands have rules of their own, which their instructions check.
    if (bytes === 16 || linear % bytes === 0 || !this.#machine.checksAlignment()) return false;
    this.#raise(frame, VECTOR_AC, 0);
    return true;
  }

  #leaveOnFault(frame: Frame): void {
    const { view } = this.#machine;
    if (view.getInt32(State.FAULT, LITTLE_ENDIAN) === 0) return;
    view.setInt32(State.EIP, view.getInt32(frame.record + Records.RECORD_EIP, LITTLE_ENDIAN), LITTLE_ENDIAN);
    frame.leaving = { kind: 'exit', exit: EXIT_FAULT };
  }

  #raise(frame: Frame, vector: number, errorCode: number): void {
    const { view } = this.#machine;
    view.setInt32(State.EIP, view.getInt32(frame.record + Records.RECORD_EIP, LITTLE_ENDIAN), LITTLE_ENDIAN);
    view.setInt32(State.VECTOR, vector, LITTLE_ENDIAN);
    view.setInt32(State.ERROR_CODE, errorCode, LITTLE_ENDIAN);
    frame.leaving = { kind: 'exit', exit: EXIT_EXCEPTION };
  }

  // ---------------------------------------------------------------- statements

  #statement(statement: Statement): Act {
    const { view } = this.#machine;
    switch (statement.kind) {
      case 'let': {
        const compute = this.#compute(statement.value);
        const slot = this.#slot(statement.value);
        // What only WebAssembly would skip is computed all the same, unless it is a read without a reader.
        if (isTimed(statement.value.node) && statement.value.uses === 0 && statement.value.node.kind === 'register')
          return () => undefined;
        return (frame) => {
          frame.values[slot] = compute(frame);
        };
      }
      case 'setVariable': {
        const value = this.#value(statement.value);
        return (frame) => {
          frame.variables[statement.variable.index] = value(frame);
        };
      }
      case 'setRegister': {
        const address = this.#registerAddress(statement.file, statement.number);
        const value = this.#value(statement.value);
        return (frame) => this.#write(statement.bytes, address(frame), value(frame));
      }
      case 'setState': {
        const index = statement.index ? this.#word(statement.index) : (): number => 0;
        const value = this.#value(statement.value);
        return (frame) => this.#write(statement.bytes, index(frame) + statement.offset, value(frame));
      }
      case 'setFlags': {
        const before = this.statements(statement.statements);
        const [result, aux] = [this.#word(statement.result), this.#word(statement.aux)];
        return (frame) => {
          runAll(before, frame);
          view.setInt32(State.FLAGS_RESULT, result(frame), LITTLE_ENDIAN);
          view.setInt32(State.FLAGS_AUX, aux(frame), LITTLE_ENDIAN);
        };
      }
      case 'guestStore':
        return this.#guestStore(statement.bytes, statement.address, statement.value);
      case 'probe':
        return this.#probe(statement.bytes, statement.address, statement.write);
      default:
        return this.#control(statement);
    }
  }

  #control(
    statement: Exclude<
      Statement,
      { kind: 'let' | 'setVariable' | 'setRegister' | 'setState' | 'setFlags' | 'guestStore' | 'probe' }
    >,
  ): Act {
    const { view } = this.#machine;
    switch (statement.kind) {
      case 'if': {
        const condition = this.#value(statement.condition);
        const then = this.statements(statement.then);
        const otherwise = this.statements(statement.otherwise);
        return (frame) => runAll(condition(frame) === 0 ? otherwise : then, frame);
      }
      case 'loop':
        return this.#loop(statement.loop);
      case 'break':
      case 'continue':
        return (frame) => {
          frame.leaving = { kind: statement.kind, loop: statement.loop };
        };
      case 'call': {
        const args = statement.args.map((arg) => this.#value(arg));
        const slots = statement.results.map((result) => this.#slot(result));
        return (frame) => {
          const results = this.#call(
            statement.routine,
            args.map((arg) => arg(frame)),
          );
          slots.forEach((slot, i) => {
            const result = results[i];
            if (result !== undefined) frame.values[slot] = result;
          });
        };
      }
      case 'return': {
        const values = statement.values.map((value) => this.#value(value));
        return (frame) => {
          frame.leaving = { kind: 'return', values: values.map((value) => value(frame)) };
        };
      }
      case 'assure':
      case 'goOnIf':
        return () => {};
      case 'copyBytes': {
        const [to, from, count] = [this.#word(statement.to), this.#word(statement.from), this.#word(statement.count)];
        return (frame) => {
          const start = from(frame) >>> 0;
          new Uint8Array(view.buffer).copyWithin(to(frame) >>> 0, start, start + count(frame));
        };
      }
      case 'fillBytes': {
        const [to, value, count] = [this.#word(statement.to), this.#word(statement.value), this.#word(statement.count)];
        return (frame) => {
          const start = to(frame) >>> 0;
          new Uint8Array(view.buffer).fill(value(frame), start, start + count(frame));
        };
      }
      case 'raise': {
        const errorCode = statement.errorCode ? this.#word(statement.errorCode) : (): number => State.NO_ERROR_CODE;
        return (frame) => this.#raise(frame, statement.vector, errorCode(frame));
      }
      case 'jump': {
        const target = this.#word(statement.target);
        const leaving = givesWay(statement.target) ? AGAIN : JUMP;
        return (frame) => {
          view.setInt32(State.EIP, target(frame), LITTLE_ENDIAN);
          frame.leaving = leaving;
        };
      }
      case 'delegate':
        return this.#delegate(statement);
    }
  }

  #loop(loop: Loop): Act {
    const body = this.statements(loop.body);
    return (frame) => {
      for (;;) {
        runAll(body, frame);
        const { leaving } = frame;
        if (leaving === undefined) continue;
        const isOurs = (leaving.kind === 'break' || leaving.kind === 'continue') && leaving.loop === loop;
        if (!isOurs) return;
        frame.leaving = undefined;
        if (leaving.kind === 'break') return;
      }
    };
  }

  #delegate(statement: Extract<Statement, { kind: 'delegate' }>): Act {
    const { view } = this.#machine;
    const args = statement.args.map((arg) => this.#word(arg));
    return (frame) => {
      view.setInt32(State.EIP, view.getInt32(frame.record + Records.RECORD_EIP, LITTLE_ENDIAN), LITTLE_ENDIAN);
      view.setInt32(
        State.NEXT_EIP,
        view.getInt32(frame.record + Records.RECORD_NEXT_EIP, LITTLE_ENDIAN),
        LITTLE_ENDIAN,
      );
      const exit = this.#machine.routine(
        statement.routine,
        args.map((arg) => arg(frame)),
      );
      if (exit !== 0) frame.leaving = { kind: 'exit', exit };
      else if (statement.jumps) frame.leaving = JUMP;
    };
  }
}
