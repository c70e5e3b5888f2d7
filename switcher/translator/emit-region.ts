// A region as one WebAssembly function: registers in locals, blanks filled with constants.
//
// The function has a handler's signature, so that the interpreter's records can lead to it. It loads the registers that it
// uses, runs, and comes out at one place: registers and flags back in the state, then on to where eip says, or out with an
// Exit.
import { Bug } from '../../lib/errors.js';
import { EXIT_BUDGET, EXIT_STALE } from '../cpu/exits.js';
import * as State from '../cpu/state.js';
import * as Records from '../interpreter/records.js';
import type { Field, RegisterFile, RegisterNumber, Routine, Statement, Value, Variable } from '../language/nodes.js';
import { givesWay } from '../language/nodes.js';
import { type FunctionCode, joined } from '../wasm/code-writer.js';
import { Emitter } from '../wasm/emit.js';
import type { Bits } from '../wasm/known-bits.js';
import { Constants } from '../wasm/known.js';
import { WASM } from '../wasm/opcodes.js';
import type { Functions, Of, Setting, Window } from '../wasm/setting.js';
import { spelledOut } from '../instructions/form-facts.js';
import { flatMap, type Job } from './job.js';
import { type FlagsKnowledge, inCommon, RegionFlags, UNKNOWN } from './region-flags.js';
import { RegionRegisters, ZERO_SLOT } from './region-registers.js';
import type { X87Knowledge, X87Shape } from './region-x87.js';
import type { Block, Region, RegionInstruction } from './region.js';
import { type Structure, structureOf } from './structure.js';
import { Windows, WINDOWS_OF_A_LOOP } from './windows.js';

/** What the region's code needs besides routines: the interpreter's way to find code. */
export interface RegionFunctions extends Functions {
  /** (eip) → goes to the record for eip; a handler's signature. */
  lookup(): number;
}

/** Where code is emitted: what is known there. */
interface Knowledge {
  readonly flags: FlagsKnowledge;
  readonly x87: X87Knowledge;
  readonly plainDoubles: number;
}

/** So many instructions at most are written once more where a cycle is come to from the side. */
const LARGEST_COPY = 24;

export class RegionEmitter implements Setting {
  readonly #region: Region;
  readonly #structure: Structure;
  readonly #functions: RegionFunctions;
  readonly #job: Job;
  readonly #records: DataView;
  readonly #emit: Emitter;
  readonly #registers: RegionRegisters;
  readonly #flags: RegionFlags;
  readonly #windows: Windows;
  readonly #eip: number;
  readonly #exit: number;
  readonly #budget: number;
  readonly #leaving = {};
  readonly #loops = new Map<number, object>();
  readonly #merges = new Map<number, object>();
  /** Blocks that stand in the code a second time. */
  readonly #copies = new Set<Block>();
  /** What is known at the end of each block, and therefore in all that it dominates. */
  readonly #ends = new Map<number, X87Knowledge>();
  /** What all who have come so far to a block know of the flags. */
  readonly #arrivals = new Map<number, FlagsKnowledge>();
  #instruction: RegionInstruction | undefined;
  /** The instruction sets flags on some of its ways and not on others, as far as is known of this one. */
  #flagsMaybe = false;
  #block: Block | undefined;
  /** Where instructions are counted, and how many have been done on the way here that are not in it yet. */
  readonly #retired: number | undefined;
  #done = 0;

  /** @param shape what the x87 is like where the region begins, for its registers in locals; undefined leaves them in memory */
  constructor(job: Job, functions: RegionFunctions, shape: X87Shape | undefined) {
    const { region, records } = job;
    this.#job = job;
    this.#region = region;
    this.#structure = structureOf(region);
    this.#functions = functions;
    this.#records = new DataView(records.buffer, records.byteOffset, records.byteLength);
    this.#emit = new Emitter(this, functions, 1);
    this.#registers = new RegionRegisters(this.#emit, region, shape, {
      offsetOf: (instruction) => (number) => this.#offset(number, instruction),
      plain: job.plainDoubles,
    });
    this.#flags = new RegionFlags(this.#emit);
    this.#windows = new Windows(this.#emit, this.#structure.hasLoops ? WINDOWS_OF_A_LOOP : 0);
    this.#eip = this.#emit.newLocal('i32');
    this.#exit = this.#emit.newLocal('i32');
    this.#budget = this.#emit.newLocal('i32');
    if (job.counts) this.#retired = this.#emit.newLocal('i32');
  }

  /**
   * The function's body and its locals.
   *
   * @throws TopIsUncertain when the x87's registers must stay in memory after all
   */
  emit(): { readonly code: FunctionCode; readonly locals: Emitter['locals'] } {
    const emit = this.#emit;
    emit.labelled('block', this.#leaving, () => this.#tree(this.#region.entry));
    this.#epilogue();
    const body = emit.finish();
    this.#prologue();
    return { code: joined(emit.finish(), body), locals: emit.locals };
  }

  #prologue(): void {
    const emit = this.#emit;
    for (const { page, entry } of this.#job.otherPages) {
      // While the Guest runs no mapping changes: one look at the beginning is enough.
      this.#pushMapEntry(false, () => emit.const32(page * 4));
      emit.const32(entry);
      emit.op(WASM.i32Ne);
      this.#staleIf();
    }
    if (this.#registers.x87.pushIsUnfit()) this.#staleIf();
    this.#registers.load();
    emit.loadState(State.BUDGET);
    emit.localSet(this.#budget);
    this.#flags.load();
    this.#windows.load();
    this.#registers.sse.load();
  }

  #staleIf(): void {
    this.#emit.seldom();
    this.#emit.ifThen(() => {
      this.#emit.setStateConstant(State.EIP, this.#region.entry);
      this.#emit.returnConstant(EXIT_STALE);
    });
  }

  #epilogue(): void {
    const emit = this.#emit;
    this.#registers.store();
    this.#flags.store();
    emit.storeState(State.BUDGET, this.#budget);
    if (this.#retired !== undefined) this.#storeRetired(this.#retired);
    emit.localGet(this.#exit);
    emit.ifThen(() => {
      emit.storeState(State.EIP, this.#eip);
      emit.localGet(this.#exit);
      emit.op(WASM.return);
    });
    emit.localGet(this.#eip);
    emit.op(WASM.returnCall);
    emit.code.unsigned(this.#functions.lookup());
  }

  // ---------------------------------------------------------------- counting

  #storeRetired(retired: number): void {
    for (const offset of [State.RETIRED, State.RETIRED_TRANSLATED]) {
      this.#emit.addToState(offset, () => {
        this.#emit.localGet(retired);
        this.#emit.op(WASM.i64ExtendI32U);
      });
    }
  }

  /** The instructions done on the way here go into the local. */
  #countDone(): void {
    if (this.#retired === undefined || this.#done === 0) return;
    this.#emit.localGet(this.#retired);
    this.#emit.const32(this.#done);
    this.#emit.op(WASM.i32Add);
    this.#emit.localSet(this.#retired);
  }

  /** `instruction` is done; what joins two blocks is no instruction of the Guest's. */
  #isDone({ eip, nextEip }: RegionInstruction): void {
    if (eip !== nextEip) this.#done++;
  }

  // ---------------------------------------------------------------- the region's shape

  /** The block and everything that it dominates. */
  #tree(eip: number): void {
    const merges = this.#structure.mergesUnder(eip);
    if (!this.#structure.isLoop(eip)) {
      this.#within(eip, merges);
      return;
    }
    const label = {};
    this.#loops.set(eip, label);
    this.#arrive(eip);
    this.#flags.forget();
    this.#registers.x87.meetLoop(eip);
    this.#registers.sse.meetLoop(eip);
    this.#emit.labelled('loop', label, () => this.#within(eip, merges));
  }

  /** The block with its merge blocks behind it, the one that comes last in the order outermost. */
  #within(eip: number, merges: readonly number[]): void {
    const [outermost, ...others] = merges;
    if (outermost === undefined) {
      const block = this.#region.blocks.get(eip);
      if (block === undefined) throw new Bug('a block that is not in its region');
      this.#instructions(block, false);
      return;
    }
    const label = {};
    this.#merges.set(outermost, label);
    this.#emit.labelled('block', label, () => this.#within(eip, others));
    this.#flags.known = this.#arrivals.get(outermost) ?? UNKNOWN;
    this.#registers.x87.meet(outermost, this.#ends.get(eip) ?? this.#registers.x87.known);
    this.#registers.sse.meet(outermost);
    this.#tree(outermost);
  }

  #instructions(block: Block, isCopy: boolean): void {
    let last: RegionInstruction | undefined;
    this.#done = 0;
    for (const instruction of block.instructions) {
      last = instruction;
      if (instruction.flow === 'foreign') {
        this.#leaveTo(instruction.eip);
        return;
      }
      this.#block = block;
      this.#instruction = instruction;
      // Where flags may be set or not, what was known before goes into the local first, and nothing is known from there on:
      // what is true on one way through the instruction is not on another.
      const { body, flagsMaybe } = spelledOut(instruction.form);
      this.#flagsMaybe = flagsMaybe && this.#maySetFlags(body.statements);
      if (this.#flagsMaybe) this.#flags.settleAndForget();
      this.#registers.x87.begin();
      this.#registers.sse.begin(instruction);
      this.#emit.body(body);
      this.#isDone(instruction);
      this.#leaveIf(this.#registers.x87.pushIsElsewhere(), instruction.nextEip);
    }
    if (!isCopy) this.#ends.set(block.eip, this.#registers.x87.known);
    if (last?.flow !== 'jump') this.#goTo(block, last?.nextEip ?? block.eip);
  }

  /** Whether flags are set on a way of which it is not known that it is taken: a shift by a constant takes one for sure. */
  #maySetFlags(statements: readonly Statement[]): boolean {
    const constants = new Constants(this);
    const maybe = (inner: readonly Statement[], sure: boolean): boolean =>
      inner.some((statement) => {
        switch (statement.kind) {
          case 'setFlags':
            return !sure;
          case 'if': {
            const known = constants.of(statement.condition);
            if (known === undefined) return maybe(statement.then, false) || maybe(statement.otherwise, false);
            return maybe(known === 0 ? statement.otherwise : statement.then, sure);
          }
          case 'loop':
            return maybe(statement.loop.body, false);
          default:
            return false;
        }
      });
    return maybe(statements, true);
  }

  /** On to the block at `eip`, or out of the region. */
  #goTo(from: Block, eip: number): void {
    const inside = from.successors.includes(eip);
    const edge = inside ? this.#structure.edge(from.eip, eip) : 'exit';
    switch (edge) {
      case 'tree':
        this.#countDone();
        this.#tree(eip);
        return;
      case 'forward':
        if (this.#cannotJoin(from, eip)) return;
        this.#arrive(eip);
        this.#countDone();
        this.#emit.branch(this.#labelOf(this.#merges, eip));
        return;
      case 'back':
        if (this.#cannotJoin(from, eip)) return;
        this.#arrive(eip);
        this.#countDone();
        this.#done = 0;
        this.#spendBudget(eip);
        this.#emit.branch(this.#labelOf(this.#loops, eip));
        return;
      case 'exit': {
        const copy = inside ? this.#copyFor(from, eip) : undefined;
        if (copy === undefined) {
          this.#leaveTo(eip);
          return;
        }
        this.#copies.add(copy);
        this.#countDone();
        this.#instructions(copy, true);
        return;
      }
    }
  }

  /**
   * The block at `eip`, which is in the middle of a cycle that `from` comes to from the side, once more for `from`; undefined if
   * that would lead nowhere. Compilers make most loops so: the way in leads to the test at the end, and what is met as hot is the
   * beginning. From the copy one goes on where `from` could.
   */
  #copyFor(from: Block, eip: number): Block | undefined {
    const block = this.#region.blocks.get(eip);
    if (block === undefined || this.#copies.has(from) || block.instructions.length > LARGEST_COPY) return undefined;
    const successors = block.successors.filter((to) => {
      const edge = this.#structure.edge(from.eip, to);
      const label = edge === 'back' ? this.#loops.get(to) : edge === 'forward' ? this.#merges.get(to) : undefined;
      return label !== undefined && this.#emit.isOpen(label);
    });
    return successors.length === 0 ? undefined : { eip: from.eip, instructions: block.instructions, successors };
  }

  /** Leaves when a copy's x87 stack is not what others bring to where it leads: for them all stays as it is. */
  #cannotJoin(from: Block, eip: number): boolean {
    if (!this.#copies.has(from) || this.#registers.x87.canMeet(eip)) return false;
    this.#leaveTo(eip);
    return true;
  }

  /** Control is about to come to a block from here and from elsewhere: what is known must be true of all ways. */
  #arrive(eip: number): void {
    this.#leaveIf(this.#registers.x87.pushCannotMeet(eip), eip);
    this.#registers.sse.arrive(eip);
    this.#flags.settle();
    const { known } = this.#flags;
    this.#arrivals.set(eip, inCommon(this.#arrivals.get(eip) ?? known, known));
  }

  /** Out of the region when the condition is true, if there is one. */
  #leaveIf(isPushed: boolean, eip: number): void {
    if (!isPushed) return;
    this.#emit.seldom();
    this.#emit.ifThen(() => this.#leaveTo(eip));
  }

  #labelOf(labels: ReadonlyMap<number, object>, eip: number): object {
    const label = labels.get(eip);
    if (label === undefined) throw new Bug('a jump to a block that has no label yet');
    return label;
  }

  /** Each way round a loop costs a jump: the Host gets its turn. */
  #spendBudget(eip: number): void {
    const emit = this.#emit;
    emit.localGet(this.#budget);
    emit.const32(1);
    emit.op(WASM.i32Sub);
    emit.localTee(this.#budget);
    emit.const32(0);
    emit.op(WASM.i32LtS);
    emit.seldom();
    emit.ifThen(() => this.#leaveWith(EXIT_BUDGET, () => emit.const32(eip)));
  }

  /** To `eip`, outside of the region. Counts as a jump, or two regions could pass control to each other for ever. */
  #leaveTo(eip: number): void {
    this.#spendBudget(eip);
    this.#leaveWith(0, () => this.#emit.const32(eip));
  }

  #leaveWith(exit: number, pushEip: () => void): void {
    const emit = this.#emit;
    this.#countDone();
    pushEip();
    emit.localSet(this.#eip);
    emit.const32(exit);
    emit.localSet(this.#exit);
    this.#flags.settle();
    emit.branch(this.#leaving);
  }

  // ---------------------------------------------------------------- Setting: blanks and registers

  #current(): RegionInstruction {
    if (this.#instruction === undefined) throw new Bug('no instruction');
    return this.#instruction;
  }

  constantField(field: Field): number {
    const [offset, bytes] = Records.RECORD_FIELDS[field];
    const at = this.#current().record + offset;
    return bytes === 1 ? this.#records.getUint8(at) : this.#records.getInt32(at, true);
  }

  field(emit: Emitter, field: Field): void {
    emit.const32(this.constantField(field));
  }

  /** Byte offset into the register file. */
  #offset(number: RegisterNumber, { record }: RegionInstruction = this.#current()): number {
    if (typeof number === 'object') return number.fixed;
    return this.#records.getUint8(record + Records.numberOffset(number));
  }

  /** True for the absent base or index register. */
  isZeroRegister(file: RegisterFile, number: RegisterNumber): boolean {
    return file === 'general' && this.#offset(number) === ZERO_SLOT;
  }

  register: Setting['register'] = (_emit, node) => this.#registers.register(node, node.file, this.#offset(node.number));

  setRegister: Setting['setRegister'] = (_emit, statement) =>
    this.#registers.setRegister(statement, statement.file, this.#offset(statement.number));

  state: NonNullable<Setting['state']> = (emit, node) => {
    if (node.offset !== State.BUDGET) return this.#registers.state(node);
    emit.localGet(this.#budget);
    return true;
  };

  setState: NonNullable<Setting['setState']> = (emit, statement) => {
    if (statement.offset !== State.BUDGET) return this.#registers.setState(statement);
    emit.value(statement.value);
    emit.localSet(this.#budget);
    return true;
  };

  stateBits(node: Of<'state'>): Bits | undefined {
    return this.#registers.x87.bits(node);
  }

  isNone(condition: Value): void {
    this.#registers.x87.isNone(condition);
  }

  isAssured(value: Value, lane: 0 | 1): boolean {
    return this.#registers.sse.isAssured(value, lane) || this.#registers.x87.isAssured(value);
  }

  assure(value: Value, lane: 0 | 1): void {
    this.#registers.sse.assure(value, lane);
    this.#registers.x87.assure(value);
  }

  get follows(): boolean {
    return this.#registers.x87.follows;
  }

  setsVariable(variable: Variable, value: Value): void {
    this.#registers.x87.setsVariable(variable, value);
  }

  goOnIf(emit: Emitter): void {
    const { nextEip } = this.#current();
    const [done, before] = [this.#done, this.#knowledge()];
    this.#isDone(this.#current());
    emit.op(WASM.i32Eqz);
    emit.seldom();
    emit.ifThen(() => {
      this.#registers.x87.countStrange();
      this.#leaveTo(nextEip);
    });
    this.#done = done;
    this.#restore(before);
  }

  beginIf(): void {
    this.#registers.x87.beginIf();
    this.#registers.sse.beginIf();
  }

  beginElse(): void {
    this.#registers.x87.beginElse();
  }

  endIf(): void {
    this.#registers.x87.endIf();
    this.#registers.sse.endIf();
  }

  beforeCall(_emit: Emitter, routine: Routine): void {
    this.#registers.beforeCall(routine);
  }

  afterCall(_emit: Emitter, routine: Routine): void {
    this.#registers.afterCall(routine);
  }

  flagsResult(): void {
    this.#flags.pushResult();
  }

  flagsAux(): void {
    this.#flags.pushAux();
  }

  setFlags: Setting['setFlags'] = (_emit, statement) => this.#flags.set(statement, this.#flagsMaybe);

  condition: Setting['condition'] = (_emit, node) => this.#flags.condition(node);

  // ---------------------------------------------------------------- Setting: memory and ends

  mapEntry(emit: Emitter, write: boolean, address: number): void {
    this.#pushMapEntry(write, () => {
      emit.localGet(address);
      emit.const32(12);
      emit.op(WASM.i32ShrU);
      emit.const32(2);
      emit.op(WASM.i32Shl);
    });
  }

  window(address: Value, write: boolean): Window | undefined {
    return this.#windows.for(address, write, (number) => {
      const offset = this.#offset(number);
      return offset === ZERO_SLOT ? undefined : String(offset);
    });
  }

  #pushMapEntry(write: boolean, pushIndex: () => void): void {
    pushIndex();
    this.#emit.load(4, flatMap(this.#job.user, write));
  }

  leave(emit: Emitter, exit: number): void {
    // It was begun, which is what is counted; the CPU takes it back.
    if (this.#retired !== undefined) emit.addToState(State.RETIRED, () => emit.const64(1));
    this.#leaveWith(exit, () => emit.const32(this.#current().eip));
  }

  jump(emit: Emitter, target: Value): void {
    const before = this.#knowledge();
    const done = this.#done;
    if (!givesWay(target)) this.#isDone(this.#current());
    const { node } = target;
    if (node.kind === 'field') {
      const eip = this.constantField(node.field);
      const isInside = node.field === 'immediate' && this.#block?.successors.includes(eip) === true;
      if (isInside && this.#block) this.#branchTo(this.#block, eip);
      else this.#leaveTo(eip);
    } else {
      emit.value(target);
      emit.localSet(this.#eip);
      this.#returns(before);
      this.#countDone();
      emit.localGet(this.#budget);
      emit.const32(1);
      emit.op(WASM.i32Sub);
      emit.localTee(this.#budget);
      emit.const32(0);
      emit.op(WASM.i32LtS);
      // EXIT_BUDGET is 1: the comparison is the exit.
      emit.localSet(this.#exit);
      this.#flags.settle();
      emit.branch(this.#leaving);
    }
    this.#done = done;
    this.#restore(before);
  }

  #knowledge(): Knowledge {
    const { x87, sse } = this.#registers;
    return { flags: this.#flags.known, x87: x87.known, plainDoubles: sse.known };
  }

  #restore({ flags, x87, plainDoubles }: Knowledge): void {
    this.#flags.known = flags;
    this.#registers.x87.known = x87;
    this.#registers.sse.known = plainDoubles;
  }

  /** A return that leads to behind a call of this region stays in it. */
  #returns(before: Knowledge): void {
    const block = this.#block;
    if (block === undefined) return;
    for (const site of block.successors) {
      this.#emit.localGet(this.#eip);
      this.#emit.const32(site);
      this.#emit.op(WASM.i32Eq);
      this.#emit.ifThen(() => this.#branchTo(block, site));
      this.#restore(before);
    }
  }

  /** A tree child is emitted in the middle of its predecessor: what belongs to the latter is put back afterwards. */
  #branchTo(block: Block, eip: number): void {
    const instruction = this.#instruction;
    const flagsMaybe = this.#flagsMaybe;
    const done = this.#done;
    const saved = this.#emit.suspendBody();
    this.#registers.sse.within(() => this.#goTo(block, eip));
    this.#emit.resumeBody(saved);
    this.#block = block;
    this.#instruction = instruction;
    this.#flagsMaybe = flagsMaybe;
    this.#done = done;
  }

  delegate(): void {
    throw new Bug('a delegated instruction is no part of a region');
  }
}
