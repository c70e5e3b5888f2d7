// What is known of doubles in a region: which halves of XMM registers are plain ones, as long as there is trust.
//
// What instructions need to know of their operands (see instructions/sse/in-place) is followed from instruction to instruction
// here, so that they ask it of nothing twice. Where a loop begins, what is known and wanted is relied upon, and whoever comes
// round again with something else gives up trust. Trust begins on the way in: MXCSR is as usual, and what was plain when the
// region was made, and is wanted, still is.
import * as State from '../cpu/state.js';
import { DOUBLE, laneOf } from '../instructions/sse/format.js';
import { STEP } from '../instructions/sse/in-place.js';
import { isPlain, magnitude } from '../instructions/sse/quick.js';
import { USUAL, USUAL_BITS } from '../instructions/sse/exceptions.js';
import { Builder } from '../language/builder.js';
import type { Value } from '../language/nodes.js';
import { wordsOfBody } from '../language/state-words.js';
import type { Emitter } from '../wasm/emit.js';
import { WASM } from '../wasm/opcodes.js';
import { spelledOut } from '../instructions/form-facts.js';
import { bitOf, isPlainNumber, LANE_BYTES, laneAt, type OffsetOf, sourceOf, wantedPlain } from './plain-lanes.js';
import type { Region, RegionInstruction } from './region.js';

const LANES = 16;
const FRACTION = 52;

/** What the region's registers and blanks are. */
export interface Surroundings {
  /** The offset of a register of the instruction in its file. */
  offsetOf(instruction: RegionInstruction): OffsetOf;
  /** The local that holds the XMM register at this offset of its file. */
  xmm(offset: number): number;
  /** Halves of XMM registers that were plain doubles when the region was ordered. */
  readonly plain: number;
}

/** Halves of XMM registers that are plain doubles now. */
export function plainDoublesOf(state: DataView): number {
  let plain = 0;
  for (let lane = 0; lane < LANES; lane++) {
    if (isPlainNumber(state.getFloat64(State.XMM + lane * LANE_BYTES, true))) plain |= bitOf(lane);
  }
  return plain;
}

export class RegionSse {
  readonly #emit: Emitter;
  readonly #surroundings: Surroundings;
  readonly #wanted: ReadonlyMap<number, number>;
  readonly #entry: number;
  readonly #trust: number | undefined;
  readonly #vectors: { readonly lanes: number; readonly step: number } | undefined;
  /** Halves that are plain where code is being emitted. */
  known = 0;
  /** What all who have come so far to a block know. */
  readonly #arrivals = new Map<number, number>();
  /** What is relied upon where a loop begins. */
  readonly #relied = new Map<number, number>();
  /** Of the instruction that is being emitted: values of which it has said that they are plain, and registers that it wrote. */
  readonly #assured = new Map<Value, number>();
  #written = 0;
  #offsetOf: OffsetOf = () => 0;
  /** How many ifs are open, within this instruction. */
  #ifs = 0;

  constructor(emit: Emitter, region: Region, surroundings: Surroundings) {
    this.#emit = emit;
    this.#surroundings = surroundings;
    const bodies = [...region.blocks.values()].flatMap(({ instructions }) =>
      instructions.map(({ form }) => spelledOut(form).body),
    );
    const isUsed = bodies.some((body) => wordsOfBody(body).read.has(State.SSE_TRUST));
    const isWide = bodies.some((body) => wordsOfBody(body).partly.has(State.SSE_TRUST_LANES));
    if (isUsed || isWide) this.#trust = emit.newLocal('i32');
    if (isWide) this.#vectors = { lanes: emit.newLocal('v128'), step: emit.newLocal('v128') };
    this.#wanted = this.#trust === undefined ? new Map() : wantedPlain(region, (one) => surroundings.offsetOf(one));
    this.#entry = surroundings.plain & this.#wantedAt(region.entry);
    this.known = this.#entry;
  }

  #wantedAt(eip: number): number {
    return this.#wanted.get(eip) ?? 0;
  }

  // ---------------------------------------------------------------- trust

  /** Sees on the way in whether there is trust. All registers are in their locals. */
  load(): void {
    if (this.#trust === undefined) return;
    const emit = this.#emit;
    emit.loadState(State.MXCSR);
    emit.const32(USUAL_BITS);
    emit.op(WASM.i32And);
    emit.const32(USUAL);
    emit.op(WASM.i32Eq);
    for (const lane of lanesIn(this.#entry)) {
      this.#pushIsPlain(lane);
      emit.op(WASM.i32And);
    }
    emit.localSet(this.#trust);
    emit.const32(State.TRUSTED_EXPONENTS);
    emit.const32(0);
    emit.localGet(this.#trust);
    emit.op(WASM.select);
    emit.localSet(this.#trust);
    if (this.#vectors === undefined) return;
    const { lanes, step } = this.#vectors;
    this.#pushBoth(() => emit.localGet(this.#trust ?? 0));
    emit.localSet(lanes);
    // By way of memory, for V8 would make a constant anew wherever it is used, three instructions each time.
    emit.const32(0);
    this.#pushBoth(() => emit.const32(STEP));
    emit.store(16, State.SSE_TRUST_STEP);
    emit.const32(0);
    emit.load(16, State.SSE_TRUST_STEP);
    emit.localSet(step);
  }

  /** Pushes what `push` pushes, in the place of the exponents of two doubles. */
  #pushBoth(push: () => void): void {
    push();
    this.#emit.op(WASM.i64ExtendI32U);
    this.#emit.const64(FRACTION);
    this.#emit.op(WASM.i64Shl, ...WASM.i64x2Splat);
  }

  /** The local for a word of trust; undefined if it is none. */
  local(offset: number): number | undefined {
    if (offset === State.SSE_TRUST) return this.#trust;
    if (offset === State.SSE_TRUST_LANES) return this.#vectors?.lanes;
    return offset === State.SSE_TRUST_STEP ? this.#vectors?.step : undefined;
  }

  /** Emits the end of trust. */
  #doubt(): void {
    const emit = this.#emit;
    if (this.#trust !== undefined) {
      emit.const32(0);
      emit.localSet(this.#trust);
    }
    if (this.#vectors !== undefined) {
      emit.const64(0);
      emit.op(...WASM.i64x2Splat);
      emit.localSet(this.#vectors.lanes);
    }
  }

  /** Something of the state is written that has to do with trust. */
  writesState(offset: number): boolean {
    if (offset !== State.SSE_TRUST) return false;
    this.#doubt();
    return true;
  }

  /** MXCSR was loaded from somewhere, and is on the stack. */
  loadsMxcsr(): void {
    this.#emit.const32(USUAL_BITS);
    this.#emit.op(WASM.i32And);
    this.#emit.const32(USUAL);
    this.#emit.op(WASM.i32Ne);
    this.#emit.seldom();
    this.#emit.ifThen(() => this.#doubt());
  }

  get hasTrust(): boolean {
    return this.#trust !== undefined;
  }

  // ---------------------------------------------------------------- plain ones

  #pushIsPlain(lane: number): void {
    const b = new Builder();
    const local = this.#surroundings.xmm((lane >> 1) * 16);
    const bits = laneOf(b, DOUBLE, b.parameter('v128', local), lane & 1);
    const plain = isPlain(b, DOUBLE, magnitude(b, bits));
    this.#emit.statements(b.body().statements);
    this.#emit.value(plain);
  }

  /** The code of an instruction begins. */
  begin(instruction: RegionInstruction): void {
    this.#assured.clear();
    this.#written = 0;
    this.#offsetOf = this.#surroundings.offsetOf(instruction);
    this.#ifs = 0;
  }

  /** An instruction's code is interrupted by that of others: runs `others`. */
  within(others: () => void): void {
    const [ifs, offsetOf, written] = [this.#ifs, this.#offsetOf, this.#written];
    others();
    this.#ifs = ifs;
    this.#offsetOf = offsetOf;
    this.#written = written;
    this.#assured.clear();
  }

  beginIf(): void {
    this.#ifs++;
  }

  endIf(): void {
    this.#ifs--;
  }

  #source(value: Value, lane: 0 | 1): 'plain' | number | undefined {
    const source = sourceOf(
      value,
      lane,
      this.#offsetOf,
      (one, half) => ((this.#assured.get(one) ?? 0) & bitOf(half)) !== 0,
    );
    // What was read before it was written is not what is there now.
    return typeof source === 'number' && (this.#written & bitOf(source)) !== 0 ? undefined : source;
  }

  isAssured(value: Value, lane: 0 | 1): boolean {
    const source = this.#source(value, lane);
    return typeof source === 'number' ? (this.known & bitOf(source)) !== 0 : source === 'plain';
  }

  assure(value: Value, lane: 0 | 1): void {
    if (this.#ifs > 0) return;
    const source = this.#source(value, lane);
    if (typeof source === 'number') this.known |= bitOf(source);
    this.#assured.set(value, (this.#assured.get(value) ?? 0) | bitOf(lane));
  }

  /** The XMM register at `offset` of its file is being written. */
  writes(offset: number, value: Value): void {
    for (const lane of [0, 1] as const) {
      const bit = bitOf(laneAt(offset, lane));
      const plain = this.isAssured(value, lane) ? bit : 0;
      // On other ways through the instruction it stays what it was.
      this.known = this.#ifs > 0 ? this.known & (~bit | plain) : (this.known & ~bit) | plain;
    }
    this.#written |= bitOf(laneAt(offset, 0)) | bitOf(laneAt(offset, 1));
  }

  // ---------------------------------------------------------------- where ways meet

  /** Control is about to come to `eip` from here and from elsewhere. */
  arrive(eip: number): void {
    const relied = this.#relied.get(eip);
    if (relied === undefined) {
      this.#arrivals.set(eip, (this.#arrivals.get(eip) ?? -1) & this.known);
      return;
    }
    for (const lane of lanesIn(relied & ~this.known)) {
      this.#pushIsPlain(lane);
      this.#emit.op(WASM.i32Eqz);
      this.#emit.seldom();
      this.#emit.ifThen(() => this.#doubt());
    }
  }

  /** Code for `eip`, where ways meet, begins. */
  meet(eip: number): void {
    this.known = this.#arrivals.get(eip) ?? 0;
  }

  /** The same where more ways will come, from behind. */
  meetLoop(eip: number): void {
    this.meet(eip);
    this.known &= this.#wantedAt(eip);
    this.#relied.set(eip, this.known);
  }
}

function* lanesIn(mask: number): Generator<number> {
  for (let lane = 0; lane < LANES; lane++) if ((mask & bitOf(lane)) !== 0) yield lane;
}
