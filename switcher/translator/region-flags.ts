// The flags of a region: owed in locals until somebody wants them, and a condition right behind its comparison becomes that
// comparison (see language/lazy-flags).
import * as State from '../cpu/state.js';
import { lazyAux, lazyCarry, lazyKind, type Owed, WORDS } from '../language/lazy-flags.js';
import { Builder } from '../language/builder.js';
import { auxOf } from '../language/flags.js';
import type { FlagsOrigin, Value } from '../language/nodes.js';
import type { Emitter } from '../wasm/emit.js';
import { WASM } from '../wasm/opcodes.js';
import type { Of, Saying } from '../wasm/setting.js';
import { pushFused } from './fused-conditions.js';

/** What is known about the flags at a point of the code. */
export type FlagsKnowledge =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'words' }
  | { readonly kind: 'owed'; readonly operation: FlagsOrigin['operation']; readonly width: FlagsOrigin['width'] };

const UNKNOWN: FlagsKnowledge = { kind: 'unknown' };
const IN_WORDS: FlagsKnowledge = { kind: 'words' };

const EXTEND = { 8: 0xc0, 16: 0xc1 } as const;

export class RegionFlags {
  readonly #emit: Emitter;
  readonly #kind: number;
  readonly #left: number;
  readonly #right: number;
  readonly #result: number;
  #written = false;
  /** What is known where code is being emitted now. */
  known: FlagsKnowledge = IN_WORDS;

  constructor(emit: Emitter) {
    this.#emit = emit;
    this.#kind = emit.newLocal('i32');
    this.#left = emit.newLocal('i32');
    this.#right = emit.newLocal('i32');
    this.#result = emit.newLocal('i32');
  }

  load(): void {
    this.#emit.loadState(State.FLAGS_RESULT);
    this.#emit.localSet(this.#result);
    this.#emit.loadState(State.FLAGS_AUX);
    this.#emit.localSet(this.#left);
  }

  store(): void {
    if (!this.#written) return;
    this.#emit.storeState(State.FLAGS_RESULT, this.#result);
    this.#emit.const32(0);
    this.#pushAux(UNKNOWN);
    this.#emit.store(4, State.FLAGS_AUX);
  }

  /** Others come to this point too, with flags from somewhere else. */
  forget(): void {
    this.known = UNKNOWN;
  }

  /** Puts what is known about the flags into the local, for those who do not know it. */
  settle(): void {
    if (this.known.kind === 'unknown') return;
    this.#emit.const32(this.known.kind === 'words' ? WORDS : lazyKind(this.known.operation, this.known.width));
    this.#emit.localSet(this.#kind);
  }

  settleAndForget(): void {
    this.settle();
    this.forget();
  }

  pushResult(): void {
    this.#emit.localGet(this.#result);
  }

  pushAux(): void {
    this.#pushAux(this.known);
  }

  #pushAux(known: FlagsKnowledge): void {
    const emit = this.#emit;
    if (known.kind === 'words') {
      emit.localGet(this.#left);
      return;
    }
    if (known.kind === 'owed') {
      this.#pushOwed(known);
      return;
    }
    this.#push(lazyAux);
  }

  #pushOwed({ operation, width }: Extract<FlagsKnowledge, { kind: 'owed' }>): void {
    this.#push((b, { left, right, result }) => auxOf(b, operation, width, left, right, result));
  }

  /** Computed on the spot, because V8 drops what nobody uses in the end; of a call it cannot know that. */
  #push(compute: (b: Builder, owed: Owed) => Value): void {
    const b = new Builder();
    const local = (index: number): Value => b.parameter('i32', index);
    const value = compute(b, {
      kind: local(this.#kind),
      left: local(this.#left),
      right: local(this.#right),
      result: local(this.#result),
    });
    this.#emit.statements(b.body().statements);
    this.#emit.value(value);
  }

  /** @param maybe the flags are set on some ways through the instruction only: what is known goes into the local at once */
  set({ statements, result, aux, origin }: Saying<'setFlags'>, maybe: boolean): void {
    const emit = this.#emit;
    this.#written = true;
    if (origin === undefined) {
      emit.statements(statements);
      emit.value(result);
      emit.value(aux);
      emit.localSet(this.#left);
      emit.localSet(this.#result);
      this.known = IN_WORDS;
    } else {
      this.#owe(origin);
    }
    if (maybe) this.settleAndForget();
  }

  #owe({ operation, width, left, right, result }: FlagsOrigin): void {
    const emit = this.#emit;
    emit.value(result);
    if (width !== 32) emit.op(EXTEND[width]);
    if (operation === 'logic') {
      // CF, OF and AF are 0, and that is all there is to owe.
      emit.const32(0);
      emit.localSet(this.#left);
    } else {
      emit.value(left);
      emit.value(right);
      emit.localSet(this.#right);
      emit.localSet(this.#left);
    }
    emit.localSet(this.#result);
    this.known = { kind: 'owed', operation, width };
  }

  condition({ cc, statements, words }: Of<'condition'>): void {
    if (this.known.kind === 'owed') {
      const operands = { left: this.#left, right: this.#right, result: this.#result };
      if (pushFused(this.#emit, cc, this.known, operands)) return;
    }
    if (this.known.kind === 'unknown' && (cc === 'b' || cc === 'ae')) {
      this.#push(lazyCarry);
      if (cc === 'ae') this.#emit.op(WASM.i32Eqz);
      return;
    }
    this.#emit.statements(statements);
    this.#emit.value(words);
  }
}
