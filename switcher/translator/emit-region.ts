// A region as one WebAssembly function: general registers and flags in locals, blanks filled with constants.
//
// The function has a handler's signature, so that the interpreter's records can lead to it. It loads the registers that it
// uses, runs, and comes out at one place: registers and flags back in the state, then on to where eip says, or out with an
// Exit. Flags stay owed (see language/lazy-flags) until somebody wants them; a condition right behind its comparison becomes
// that comparison.
import { Bug } from '../../lib/errors.js';
import { EXIT_BUDGET, EXIT_STALE } from '../cpu/exits.js';
import { REGISTER_FILES } from '../cpu/register-files.js';
import * as State from '../cpu/state.js';
import * as Records from '../interpreter/records.js';
import { lazyAux, lazyKind, WORDS } from '../language/lazy-flags.js';
import type { Field, FlagsOrigin, RegisterFile, RegisterNumber, Value } from '../language/nodes.js';
import { wordsOfBody, wordsOfRoutine } from '../language/state-words.js';
import { Emitter } from '../wasm/emit.js';
import type { Functions, Setting } from '../wasm/setting.js';
import { WASM } from '../wasm/opcodes.js';
import { pushFused } from './fused-conditions.js';
import type { Block, Region, RegionInstruction } from './region.js';
import { type Structure, structureOf } from './structure.js';

const REGISTER_COUNT = 8;
/**
 * Words of the state that instructions read and write again and again, and that nothing but they looks at between: they are
 * kept in locals. TurboFan then sees that TOP moves by one, and that only the last FIP of many is wanted.
 */
const WORDS_IN_LOCALS: ReadonlySet<number> = new Set([
  State.TASK_SWITCHED,
  State.FPU_CONTROL,
  State.FPU_STATUS,
  State.FPU_TOP,
  State.FPU_EMPTY,
  State.FPU_IP,
  State.FPU_CS,
  State.FPU_DP,
  State.FPU_DS,
  State.MXCSR,
]);
const ZERO_SLOT = 32;

/** What is known about the flags at a point of the code. */
type FlagsState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'words' }
  | { readonly kind: 'owed'; readonly origin: Pick<FlagsOrigin, 'operation' | 'width'> };

const UNKNOWN: FlagsState = { kind: 'unknown' };
const IN_WORDS: FlagsState = { kind: 'words' };

/** What the region's code needs besides routines: the interpreter's way to find code. */
export interface RegionFunctions extends Functions {
  /** (eip) → goes to the record for eip; a handler's signature. */
  lookup(): number;
}

export class RegionEmitter implements Setting {
  readonly #region: Region;
  readonly #structure: Structure;
  readonly #functions: RegionFunctions;
  readonly #memory: DataView;
  readonly #user: boolean;
  readonly #emit: Emitter;
  readonly #registers: readonly number[];
  readonly #eip: number;
  readonly #exit: number;
  readonly #budget: number;
  readonly #kind: number;
  readonly #left: number;
  readonly #right: number;
  readonly #result: number;
  readonly #leaving = {};
  readonly #loops = new Map<number, object>();
  readonly #merges = new Map<number, object>();
  /** Offset of a word of the state → its local. */
  readonly #words = new Map<number, number>();
  /** Words that some instruction of the region writes. */
  readonly #wordsWritten = new Set<number>();
  /** Words that are in locals here. */
  readonly #wordsInLocals = new Set<number>();
  readonly #used = new Set<number>();
  readonly #written = new Set<number>();
  #flagsWritten = false;
  #flags: FlagsState = IN_WORDS;
  #instruction: RegionInstruction | undefined;
  #block: Block | undefined;

  constructor(region: Region, functions: RegionFunctions, memory: DataView, user: boolean) {
    this.#region = region;
    this.#structure = structureOf(region);
    this.#functions = functions;
    this.#memory = memory;
    this.#user = user;
    this.#emit = new Emitter(this, functions, 1);
    this.#registers = Array.from({ length: REGISTER_COUNT }, () => this.#emit.newLocal('i32'));
    this.#eip = this.#emit.newLocal('i32');
    this.#exit = this.#emit.newLocal('i32');
    this.#budget = this.#emit.newLocal('i32');
    this.#kind = this.#emit.newLocal('i32');
    this.#left = this.#emit.newLocal('i32');
    this.#right = this.#emit.newLocal('i32');
    this.#result = this.#emit.newLocal('i32');
  }

  /** Which words go into locals: those that instructions read and write as wholes, and no other way. */
  #chooseWords(): void {
    const partly = new Set<number>();
    for (const { instructions } of this.#region.blocks.values()) {
      for (const { body } of instructions.filter(({ flow }) => flow !== 'foreign')) {
        const words = wordsOfBody(body);
        for (const offset of [...words.read, ...words.written]) this.#wordsInLocals.add(offset);
        for (const offset of words.written) this.#wordsWritten.add(offset);
        for (const offset of words.partly) partly.add(offset);
      }
    }
    const isKept = (offset: number): boolean => WORDS_IN_LOCALS.has(offset) && !partly.has(offset);
    for (const words of [this.#wordsInLocals, this.#wordsWritten])
      for (const offset of words) if (!isKept(offset)) words.delete(offset);
  }

  /** The function's body and its locals. */
  emit(): { readonly code: Uint8Array; readonly locals: Emitter['locals'] } {
    const emit = this.#emit;
    this.#chooseWords();
    emit.labelled('block', this.#leaving, () => this.#tree(this.#region.entry));
    this.#epilogue();
    const body = emit.code.view().slice();
    emit.code.clear();
    this.#prologue();
    const prologue = emit.code.view().slice();
    const code = new Uint8Array(prologue.length + body.length);
    code.set(prologue);
    code.set(body, prologue.length);
    return { code, locals: emit.locals };
  }

  #prologue(): void {
    const emit = this.#emit;
    for (const page of this.#region.otherPages) {
      // While the Guest runs no mapping changes: one look at the beginning is enough.
      this.#pushMapEntry(false, () => emit.const32(page * 4));
      emit.const32(this.#expectedEntry(page));
      emit.op(0x47 /* i32.ne */);
      emit.ifThen(() => {
        emit.setStateConstant(State.EIP, this.#region.entry);
        emit.returnConstant(EXIT_STALE);
      });
    }
    for (const register of this.#used) {
      emit.loadState(State.REGISTERS + 4 * register);
      emit.localSet(this.#registers[register] ?? 0);
    }
    for (const [offset, local] of this.#words) {
      emit.loadState(offset);
      emit.localSet(local);
    }
    emit.loadState(State.BUDGET);
    emit.localSet(this.#budget);
    emit.loadState(State.FLAGS_RESULT);
    emit.localSet(this.#result);
    emit.loadState(State.FLAGS_AUX);
    emit.localSet(this.#left);
  }

  #epilogue(): void {
    const emit = this.#emit;
    const store = (offset: number, local: number): void => {
      emit.const32(0);
      emit.localGet(local);
      emit.store(4, offset);
    };
    for (const register of this.#written) store(State.REGISTERS + 4 * register, this.#registers[register] ?? 0);
    for (const offset of this.#wordsWritten) store(offset, this.#word(offset));
    if (this.#flagsWritten) {
      store(State.FLAGS_RESULT, this.#result);
      emit.const32(0);
      this.#pushAux(UNKNOWN);
      emit.store(4, State.FLAGS_AUX);
    }
    store(State.BUDGET, this.#budget);
    emit.localGet(this.#exit);
    emit.ifThen(() => {
      store(State.EIP, this.#eip);
      emit.localGet(this.#exit);
      emit.op(WASM.return);
    });
    emit.localGet(this.#eip);
    emit.op(WASM.returnCall);
    emit.code.unsigned(this.#functions.lookup());
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
    this.#settleKind();
    this.#flags = UNKNOWN;
    this.#emit.labelled('loop', label, () => this.#within(eip, merges));
  }

  /** The block with its merge blocks behind it, the one that comes last in the order outermost. */
  #within(eip: number, merges: readonly number[]): void {
    const [outermost, ...others] = merges;
    if (outermost === undefined) {
      this.#instructions(eip);
      return;
    }
    const label = {};
    this.#merges.set(outermost, label);
    this.#emit.labelled('block', label, () => this.#within(eip, others));
    this.#flags = UNKNOWN;
    this.#tree(outermost);
  }

  #instructions(eip: number): void {
    const block = this.#region.blocks.get(eip);
    if (block === undefined) throw new Bug('a block that is not in its region');
    let last: RegionInstruction | undefined;
    for (const instruction of block.instructions) {
      last = instruction;
      if (instruction.flow === 'foreign') {
        this.#leaveTo(instruction.eip);
        return;
      }
      this.#block = block;
      this.#instruction = instruction;
      // Where flags may be set or not, what was known before goes into the local first.
      if (instruction.flagsMaybe) this.#settleKind();
      this.#emit.body(instruction.body);
      if (instruction.flagsMaybe) this.#flags = UNKNOWN;
    }
    if (last?.flow !== 'jump') this.#goTo(block, last?.nextEip ?? eip);
  }

  /** On to the block at `eip`, or out of the region. */
  #goTo(from: Block, eip: number): void {
    const inside = from.successors.includes(eip);
    const edge = inside ? this.#structure.edge(from.eip, eip) : 'exit';
    switch (edge) {
      case 'tree':
        this.#tree(eip);
        return;
      case 'forward':
        this.#settleKind();
        this.#emit.branch(this.#labelOf(this.#merges, eip));
        return;
      case 'back':
        this.#settleKind();
        this.#spendBudget(eip);
        this.#emit.branch(this.#labelOf(this.#loops, eip));
        return;
      case 'exit':
        this.#leaveTo(eip);
        return;
    }
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
    emit.ifThen(() => this.#leaveWith(EXIT_BUDGET, () => emit.const32(eip)));
  }

  /** To `eip`, outside of the region. Counts as a jump, or two regions could pass control to each other for ever. */
  #leaveTo(eip: number): void {
    this.#spendBudget(eip);
    this.#leaveWith(0, () => this.#emit.const32(eip));
  }

  #leaveWith(exit: number, pushEip: () => void): void {
    const emit = this.#emit;
    pushEip();
    emit.localSet(this.#eip);
    emit.const32(exit);
    emit.localSet(this.#exit);
    this.#settleKind();
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
    return bytes === 1 ? this.#memory.getUint8(at) : this.#memory.getInt32(at, true);
  }

  field(emit: Emitter, field: Field): void {
    emit.const32(this.constantField(field));
  }

  /** Byte offset into the register file. */
  #offset(number: RegisterNumber): number {
    if (typeof number === 'object') return number.fixed;
    const { record } = this.#current();
    if (number === 'base') return this.#memory.getUint8(record + Records.RECORD_BASE);
    if (number === 'index') return this.#memory.getUint8(record + Records.RECORD_INDEX);
    return this.#memory.getUint8(record + Records.RECORD_REGISTERS + number);
  }

  /** True for the absent base or index register. */
  isZeroRegister(file: RegisterFile, number: RegisterNumber): boolean {
    return file === 'general' && this.#offset(number) === ZERO_SLOT;
  }

  register: Setting['register'] = (emit, { file, bytes, number }) => {
    const offset = this.#offset(number);
    if (file !== 'general') {
      emit.const32(0);
      emit.load(bytes, REGISTER_FILES[file] + offset);
      return;
    }
    if (offset === ZERO_SLOT) {
      emit.const32(0);
      return;
    }
    const register = offset >> 2;
    this.#used.add(register);
    emit.localGet(this.#registers[register] ?? 0);
    if (bytes === 4) return;
    if ((offset & 3) !== 0) {
      emit.const32(8);
      emit.op(WASM.i32ShrU);
    }
    emit.const32(bytes === 1 ? 0xff : 0xffff);
    emit.op(WASM.i32And);
  };

  setRegister: Setting['setRegister'] = (emit, { file, bytes, number, value }) => {
    const offset = this.#offset(number);
    if (file !== 'general') {
      emit.const32(0);
      emit.value(value);
      emit.store(bytes, REGISTER_FILES[file] + offset);
      return;
    }
    const register = offset >> 2;
    const local = this.#registers[register] ?? 0;
    // Also used: what is stored on the way out must have been loaded, since not every way writes it.
    this.#used.add(register);
    this.#written.add(register);
    if (bytes === 4) {
      emit.value(value);
      emit.localSet(local);
      return;
    }
    const mask = bytes === 1 ? 0xff : 0xffff;
    const shift = (offset & 3) * 8;
    emit.localGet(local);
    emit.const32(~(mask << shift));
    emit.op(WASM.i32And);
    emit.value(value);
    emit.const32(mask);
    emit.op(WASM.i32And);
    if (shift !== 0) {
      emit.const32(shift);
      emit.op(WASM.i32Shl);
    }
    emit.op(WASM.i32Or);
    emit.localSet(local);
  };

  #word(offset: number): number {
    const known = this.#words.get(offset);
    if (known !== undefined) return known;
    const local = this.#emit.newLocal('i32');
    this.#words.set(offset, local);
    return local;
  }

  state: NonNullable<Setting['state']> = (emit, { bytes, offset, index }) => {
    if (index !== undefined || bytes !== 4 || !this.#wordsInLocals.has(offset)) return false;
    emit.localGet(this.#word(offset));
    return true;
  };

  setState: NonNullable<Setting['setState']> = (emit, { bytes, offset, index, value }) => {
    if (index !== undefined || bytes !== 4 || !this.#wordsInLocals.has(offset)) return false;
    emit.value(value);
    emit.localSet(this.#word(offset));
    return true;
  };

  beforeCall: NonNullable<Setting['beforeCall']> = (emit, routine) => {
    const { read, written, partly } = wordsOfRoutine(routine);
    for (const offset of this.#wordsWritten) {
      if (!read.has(offset) && !written.has(offset) && !partly.has(offset)) continue;
      emit.const32(0);
      emit.localGet(this.#word(offset));
      emit.store(4, offset);
    }
  };

  afterCall: NonNullable<Setting['afterCall']> = (emit, routine) => {
    const { written, partly } = wordsOfRoutine(routine);
    for (const offset of this.#wordsInLocals) {
      if (!written.has(offset) && !partly.has(offset)) continue;
      emit.loadState(offset);
      emit.localSet(this.#word(offset));
    }
  };

  // ---------------------------------------------------------------- Setting: flags

  flagsResult(emit: Emitter): void {
    emit.localGet(this.#result);
  }

  flagsAux(): void {
    this.#pushAux(this.#flags);
  }

  #pushAux(state: FlagsState): void {
    const emit = this.#emit;
    if (state.kind === 'words') {
      emit.localGet(this.#left);
      return;
    }
    if (state.kind === 'owed') emit.const32(lazyKind(state.origin.operation, state.origin.width));
    else emit.localGet(this.#kind);
    emit.localGet(this.#left);
    emit.localGet(this.#right);
    emit.localGet(this.#result);
    emit.call(this.#functions.routine(lazyAux));
  }

  setFlags: Setting['setFlags'] = (emit, { statements, result, aux, origin }) => {
    this.#flagsWritten = true;
    if (origin === undefined) {
      emit.statements(statements);
      emit.value(result);
      emit.value(aux);
      emit.localSet(this.#left);
      emit.localSet(this.#result);
      this.#setFlagsState(IN_WORDS);
      return;
    }
    const { operation, width, left, right } = origin;
    emit.value(origin.result);
    if (width !== 32) emit.op(width === 8 ? 0xc0 : 0xc1 /* i32.extend8_s, i32.extend16_s */);
    if (operation === 'logic') {
      emit.const32(0);
      emit.localSet(this.#left);
      emit.localSet(this.#result);
      // CF, OF and AF are 0: those are words already.
      this.#setFlagsState({ kind: 'owed', origin: { operation, width } });
      return;
    }
    emit.value(left);
    emit.value(right);
    emit.localSet(this.#right);
    emit.localSet(this.#left);
    emit.localSet(this.#result);
    this.#setFlagsState({ kind: 'owed', origin: { operation, width } });
  };

  /** Inside an if the flags may or may not be set: what is known then is in the local, and nothing afterwards. */
  #setFlagsState(state: FlagsState): void {
    this.#flags = state;
    if (this.#current().flagsMaybe) this.#settleKind();
  }

  /** Puts what is known about the flags into the local, for those who do not know it. */
  #settleKind(): void {
    const { kind } = this.#flags;
    if (kind === 'unknown') return;
    this.#emit.const32(kind === 'words' ? WORDS : lazyKind(this.#flags.origin.operation, this.#flags.origin.width));
    this.#emit.localSet(this.#kind);
  }

  condition: Setting['condition'] = (emit, { cc, statements, words }) => {
    if (this.#flags.kind === 'owed') {
      const operands = { left: this.#left, right: this.#right, result: this.#result };
      if (pushFused(emit, cc, this.#flags.origin, operands)) return;
    }
    emit.statements(statements);
    emit.value(words);
  };

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

  #map(write: boolean): number {
    if (this.#user) return write ? State.USER_WRITE_MAP : State.USER_READ_MAP;
    return write ? State.KERNEL_WRITE_MAP : State.KERNEL_READ_MAP;
  }

  #pushMapEntry(write: boolean, pushIndex: () => void): void {
    pushIndex();
    this.#emit.load(4, this.#map(write));
  }

  /** What the map says of `page` now. */
  #expectedEntry(page: number): number {
    return this.#memory.getInt32(this.#map(false) + page * 4, true);
  }

  leave(emit: Emitter, exit: number): void {
    this.#leaveWith(exit, () => emit.const32(this.#current().eip));
  }

  jump(emit: Emitter, target: Value): void {
    const before = this.#flags;
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
      emit.localGet(this.#budget);
      emit.const32(1);
      emit.op(WASM.i32Sub);
      emit.localTee(this.#budget);
      emit.const32(0);
      emit.op(WASM.i32LtS);
      // EXIT_BUDGET is 1: the comparison is the exit.
      emit.localSet(this.#exit);
      this.#settleKind();
      emit.branch(this.#leaving);
    }
    this.#flags = before;
  }

  /** A return that leads to behind a call of this region stays in it. */
  #returns(flags: FlagsState): void {
    const block = this.#block;
    if (block === undefined) return;
    for (const site of block.successors) {
      this.#emit.localGet(this.#eip);
      this.#emit.const32(site);
      this.#emit.op(0x46 /* i32.eq */);
      this.#emit.ifThen(() => this.#branchTo(block, site));
      this.#flags = flags;
    }
  }

  /** A tree child is emitted in the middle of its predecessor: what belongs to the latter is put back afterwards. */
  #branchTo(block: Block, eip: number): void {
    const instruction = this.#instruction;
    const saved = this.#emit.suspendBody();
    this.#goTo(block, eip);
    this.#emit.resumeBody(saved);
    this.#block = block;
    this.#instruction = instruction;
  }

  delegate(): void {
    throw new Bug('a delegated instruction is no part of a region');
  }
}
