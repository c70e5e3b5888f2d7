// The registers of a region, in locals: loaded on the way in as far as they are used, stored on the way out as far as they are
// written. The x87's are among them where it is known which is which (see region-x87).
import { REGISTER_FILES } from '../cpu/register-files.js';
import * as State from '../cpu/state.js';
import type { Form } from '../decode/instruction.js';
import type { RegisterFile, Routine, Value } from '../language/nodes.js';
import { wordsOfBody, wordsOfRoutine } from '../language/state-words.js';
import type { ValueType } from '../language/operators.js';
import type { Emitter } from '../wasm/emit.js';
import { WASM } from '../wasm/opcodes.js';
import type { Of, Saying } from '../wasm/setting.js';
import { spelledOut } from '../instructions/form-facts.js';
import type { Region } from './region.js';
import { RegionSse, type Surroundings } from './region-sse.js';
import { RegionX87, TopIsUncertain, type X87Shape } from './region-x87.js';

/** The register file's slot that is always zero. */
export const ZERO_SLOT = 32;

/**
 * Words of the state that instructions read and write again and again, and that nothing but they looks at between. TurboFan
 * then sees that only the last FIP of many is wanted.
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
  State.FPU_C1,
  State.MXCSR,
]);

/** The words of which region-x87 knows something. */
const KNOWN_WORDS = [State.FPU_TOP, State.FPU_EMPTY, State.FPU_CONTROL] as const;

const SELECTORS = State.SEGMENTS + State.SEGMENT_SELECTOR;

/** Locals that stand for places in the state, made when first asked for. */
class Places {
  readonly #emit: Emitter;
  readonly #bytes: 4 | 8 | 16;
  readonly #type: ValueType;
  readonly #locals = new Map<number, number>();
  readonly #written = new Set<number>();

  constructor(emit: Emitter, bytes: 4 | 8 | 16) {
    this.#emit = emit;
    this.#bytes = bytes;
    this.#type = bytes === 16 ? 'v128' : bytes === 8 ? 'i64' : 'i32';
  }

  get isUsed(): boolean {
    return this.#locals.size > 0;
  }

  /** The local for the place at `offset`, if it has one already. */
  known(offset: number): number | undefined {
    return this.#locals.get(offset);
  }

  /** The local for the place at `offset`, to be read. */
  local(offset: number): number {
    const known = this.#locals.get(offset);
    if (known !== undefined) return known;
    const local = this.#emit.newLocal(this.#type);
    this.#locals.set(offset, local);
    return local;
  }

  /** The same, to be written. What is stored on the way out must have been loaded: not every way writes it. */
  written(offset: number): number {
    this.#written.add(offset);
    return this.local(offset);
  }

  load(): void {
    for (const [offset, local] of this.#locals) {
      this.#emit.const32(0);
      this.#emit.load(this.#bytes, offset);
      this.#emit.localSet(local);
    }
  }

  store(): void {
    for (const offset of this.#written) {
      this.#emit.const32(0);
      this.#emit.localGet(this.local(offset));
      this.#emit.store(this.#bytes, offset);
    }
  }
}

export class RegionRegisters {
  readonly #emit: Emitter;
  readonly #general: Places;
  readonly #xmm: Places;
  readonly #words: Places;
  readonly #wideWords: Places;
  readonly #selectors: Places;
  readonly #significands: Places;
  readonly #signExponents: Places;
  /** Words that some instruction of the region reads or writes, and those that one writes. */
  readonly #wordsInLocals = new Set<number>();
  readonly #wordsWritten = new Set<number>();
  readonly x87: RegionX87;
  readonly sse: RegionSse;

  /** @param shape what the region is made for; undefined keeps the x87's registers in memory */
  constructor(emit: Emitter, region: Region, shape: X87Shape | undefined, around: Omit<Surroundings, 'xmm'>) {
    this.#emit = emit;
    this.#general = new Places(emit, 4);
    this.#xmm = new Places(emit, 16);
    this.#words = new Places(emit, 4);
    this.#wideWords = new Places(emit, 8);
    this.#selectors = new Places(emit, 4);
    this.#significands = new Places(emit, 8);
    this.#signExponents = new Places(emit, 4);
    this.#chooseWords(region);
    const isKept = KNOWN_WORDS.every((offset) => this.#wordsInLocals.has(offset));
    this.x87 = new RegionX87(emit, isKept ? shape : undefined, {
      pushWord: (offset) => emit.localGet(this.#words.local(offset)),
      number: (register) => this.#number(register),
    });
    const xmm = (offset: number): number => this.#xmm.local(REGISTER_FILES.xmm + offset);
    this.sse = new RegionSse(emit, region, { ...around, xmm });
  }

  /** Which words go into locals: those that instructions read and write as wholes, and no other way. */
  #chooseWords(region: Region): void {
    const forms = new Set<Form>();
    for (const { instructions } of region.blocks.values())
      for (const { form, flow } of instructions) if (flow !== 'foreign') forms.add(form);
    const all = [...forms].map((form) => wordsOfBody(spelledOut(form).body));
    for (const offset of WORDS_IN_LOCALS) {
      const isWritten = all.some(({ written }) => written.has(offset));
      if (!isWritten && !all.some(({ read }) => read.has(offset))) continue;
      if (all.some(({ partly }) => partly.has(offset))) continue;
      this.#wordsInLocals.add(offset);
      if (isWritten) this.#wordsWritten.add(offset);
    }
  }

  #number(register: number): { significand: number; signExponent: number } | undefined {
    const at = State.FPU_REGISTERS + register * State.FPU_REGISTER_SIZE;
    const significand = this.#significands.known(at);
    const signExponent = this.#signExponents.known(at + State.FPU_SIGN_EXPONENT);
    return significand === undefined || signExponent === undefined ? undefined : { significand, signExponent };
  }

  // ---------------------------------------------------------------- on the way in and out

  #all(): Places[] {
    return [
      this.#general,
      this.#xmm,
      this.#words,
      this.#wideWords,
      this.#selectors,
      this.#significands,
      this.#signExponents,
    ];
  }

  load(): void {
    for (const places of this.#all()) places.load();
    // What was asked for on the way in is as good as written here: V8 sees then that it does not change in a loop.
    for (const [offset, word] of this.x87.sureWords()) {
      if (!this.#wordsInLocals.has(offset)) continue;
      this.#emit.const32(word);
      this.#emit.localSet(this.#words.local(offset));
    }
  }

  store(): void {
    for (const places of this.#all()) places.store();
  }

  // ---------------------------------------------------------------- general and XMM registers

  register({ bytes }: Of<'register'>, file: RegisterFile, offset: number): void {
    const emit = this.#emit;
    if (file === 'xmm') {
      emit.localGet(this.#xmm.local(REGISTER_FILES.xmm + offset));
      return;
    }
    if (offset === ZERO_SLOT) {
      emit.const32(0);
      return;
    }
    emit.localGet(this.#general.local(REGISTER_FILES.general + (offset & ~3)));
    if (bytes === 4) return;
    if ((offset & 3) !== 0) {
      emit.const32(8);
      emit.op(WASM.i32ShrU);
    }
    emit.const32(bytes === 1 ? 0xff : 0xffff);
    emit.op(WASM.i32And);
  }

  setRegister({ bytes, value }: Saying<'setRegister'>, file: RegisterFile, offset: number): void {
    const emit = this.#emit;
    if (file === 'xmm') {
      this.sse.writes(offset, value);
      emit.value(value);
      emit.localSet(this.#xmm.written(REGISTER_FILES.xmm + offset));
      return;
    }
    const local = this.#general.written(REGISTER_FILES.general + (offset & ~3));
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
  }

  // ---------------------------------------------------------------- words of the state, and the x87's registers

  state(node: Of<'state'>): boolean {
    const { bytes, offset, index } = node;
    const local = this.#localOf(bytes, offset, index, false);
    if (local === undefined) return false;
    const register = bytes === 8 && offset === State.FPU_REGISTERS ? this.#registerAt(index) : undefined;
    if (register !== undefined) this.x87.reads(node, register);
    this.#emit.localGet(local);
    return true;
  }

  setState({ bytes, offset, index, value }: Saying<'setState'>): boolean {
    if (this.sse.writesState(offset)) return true;
    if (offset === State.MXCSR && this.sse.hasTrust) {
      this.#emit.value(value);
      this.sse.loadsMxcsr();
    }
    const local = this.#localOf(bytes, offset, index, true);
    if (local === undefined) return false;
    if (index === undefined) this.x87.writes(offset, value);
    this.#writesNumber(bytes, offset, index, value);
    this.#emit.value(value);
    this.#emit.localSet(local);
    return true;
  }

  /** The x87 register that is meant by an index, if registers are in locals. */
  #registerAt(index: Of<'state'>['index']): number | undefined {
    if (!this.x87.isStatic || index === undefined) return undefined;
    const at = this.#emit.constantOf(index);
    return typeof at === 'number' ? at / State.FPU_REGISTER_SIZE : undefined;
  }

  /** Who writes a significand writes sign and exponent next, that go with it; but for MMX, which has no numbers. */
  #writesNumber(bytes: number, offset: number, index: Of<'state'>['index'], value: Value): void {
    const part = offset - State.FPU_REGISTERS;
    const register = this.#registerAt(index);
    if (register === undefined) return;
    if (part === 0 && bytes === 8) this.x87.writesNumber(register, value);
    if (part === State.FPU_SIGN_EXPONENT && this.#emit.constantOf(value) !== undefined)
      this.x87.writesAnything(register);
  }

  #localOf(bytes: number, offset: number, index: Of<'state'>['index'], write: boolean): number | undefined {
    if (offset === SELECTORS && !write) return this.#selectorOf(index);
    const trust = this.sse.local(offset);
    if (trust !== undefined) return trust;
    if (offset === State.FPU_INEXACT && bytes === 8) {
      return write ? this.#wideWords.written(offset) : this.#wideWords.local(offset);
    }
    if (index === undefined) {
      if (bytes !== 4 || !this.#wordsInLocals.has(offset)) return undefined;
      return write ? this.#words.written(offset) : this.#words.local(offset);
    }
    if (!this.x87.isStatic || offset < State.FPU_REGISTERS || offset >= State.XMM) return undefined;
    const at = this.#emit.constantOf(index);
    if (typeof at !== 'number') throw new TopIsUncertain();
    this.x87.use();
    const places = this.#partOf(offset - State.FPU_REGISTERS, bytes);
    return write ? places.written(offset + at) : places.local(offset + at);
  }

  /** Segment registers do not change in a region: what loads them is the interpreter's. */
  #selectorOf(index: Of<'state'>['index']): number | undefined {
    const at = index === undefined ? 0 : this.#emit.constantOf(index);
    return typeof at === 'number' ? this.#selectors.local(SELECTORS + at) : undefined;
  }

  #partOf(part: number, bytes: number): Places {
    if (part === 0 && bytes === 8) return this.#significands;
    if (part === State.FPU_SIGN_EXPONENT && bytes === 4) return this.#signExponents;
    throw new TopIsUncertain();
  }

  /** Around the call of a routine, which finds the words in memory and may change them there. */
  beforeCall(routine: Routine): void {
    const { read, written, partly } = wordsOfRoutine(routine);
    for (const offset of this.#wordsWritten) {
      if (!read.has(offset) && !written.has(offset) && !partly.has(offset)) continue;
      this.#emit.storeState(offset, this.#words.written(offset));
    }
  }

  afterCall(routine: Routine): void {
    const { written, partly } = wordsOfRoutine(routine);
    if (KNOWN_WORDS.some((offset) => written.has(offset))) throw new TopIsUncertain();
    for (const offset of this.#wordsInLocals) {
      if (!written.has(offset) && !partly.has(offset)) continue;
      this.#emit.loadState(offset);
      this.#emit.localSet(this.#words.local(offset));
    }
  }
}
