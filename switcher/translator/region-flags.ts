// The flags of a region: owed in locals until somebody wants them, and a condition right behind its comparison becomes that
// comparison (see language/lazy-flags).
import * as State from '../cpu/state.js';
import {
  isOwed,
  lazyAux,
  lazyCarry,
  lazyKind,
  lazyResult,
  type Owed,
  type OwedOperation,
  WORDS,
} from '../language/lazy-flags.js';
import { Builder } from '../language/builder.js';
import type { FlagsOrigin, Value } from '../language/nodes.js';
import type { Emitter } from '../wasm/emit.js';
import { WASM } from '../wasm/opcodes.js';
import type { Of, Saying } from '../wasm/setting.js';
import { pushFused } from './fused-conditions.js';

/** What is known about the flags at a point of the code. */
export type FlagsKnowledge =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'words' }
  | { readonly kind: 'owed'; readonly operation: OwedOperation; readonly width: FlagsOrigin['width'] };

export const UNKNOWN: FlagsKnowledge = { kind: 'unknown' };
const IN_WORDS: FlagsKnowledge = { kind: 'words' };

/** The words are what is owed after a logical operation. */
const isInWords = (known: FlagsKnowledge): boolean =>
  known.kind === 'words' || (known.kind === 'owed' && known.operation === 'logic');

/** What is known where control comes from two places, with `one` and `other` known there. */
export function inCommon(one: FlagsKnowledge, other: FlagsKnowledge): FlagsKnowledge {
  if (isInWords(one) && isInWords(other)) return one.kind === other.kind ? one : IN_WORDS;
  if (one.kind !== 'owed' || other.kind !== 'owed') return UNKNOWN;
  return one.operation === other.operation && one.width === other.width ? one : UNKNOWN;
}

const EXTEND = { 8: 0xc0, 16: 0xc1 } as const;

export class RegionFlags {
  readonly #emit: Emitter;
  readonly #kind: number;
  readonly #first: number;
  readonly #second: number;
  #written = false;
  /** What is known where code is being emitted now. */
  known: FlagsKnowledge = IN_WORDS;

  constructor(emit: Emitter) {
    this.#emit = emit;
    this.#kind = emit.newLocal('i32');
    this.#first = emit.newLocal('i32');
    this.#second = emit.newLocal('i32');
  }

  load(): void {
    this.#emit.loadState(State.FLAGS_RESULT);
    this.#emit.localSet(this.#first);
    this.#emit.loadState(State.FLAGS_AUX);
    this.#emit.localSet(this.#second);
  }

  store(): void {
    if (!this.#written) return;
    const emit = this.#emit;
    this.known = UNKNOWN;
    for (const [offset, push] of [
      [State.FLAGS_RESULT, () => this.pushResult()],
      [State.FLAGS_AUX, () => this.pushAux()],
    ] as const) {
      emit.const32(0);
      push();
      emit.store(4, offset);
    }
  }

  /** Others come to this point too, with flags from somewhere else. */
  forget(): void {
    this.known = UNKNOWN;
  }

  /** Puts what is known about the flags into the local, for those who do not know it. */
  settle(): void {
    if (this.known.kind === 'unknown') return;
    this.#emit.const32(this.#kindOf(this.known));
    this.#emit.localSet(this.#kind);
  }

  settleAndForget(): void {
    this.settle();
    this.forget();
  }

  #kindOf(known: Exclude<FlagsKnowledge, { kind: 'unknown' }>): number {
    return known.kind === 'words' ? WORDS : lazyKind(known.operation, known.width);
  }

  pushResult(): void {
    this.#push(lazyResult);
  }

  pushAux(): void {
    this.#push(lazyAux);
  }

  /** Computed on the spot, because V8 drops what nobody uses in the end; of a call it cannot know that. */
  #push(compute: (b: Builder, owed: Owed) => Value): void {
    const { known } = this;
    const b = new Builder();
    const local = (index: number): Value => b.parameter('i32', index);
    const kind = known.kind === 'unknown' ? local(this.#kind) : b.i32(this.#kindOf(known));
    const value = compute(b, { kind, first: local(this.#first), second: local(this.#second) });
    this.#emit.statements(b.body().statements);
    this.#emit.value(value);
  }

  /** @param maybe the flags are set on some ways through the instruction only: what is known goes into the local at once */
  set({ statements, result, aux, origin }: Saying<'setFlags'>, maybe: boolean): void {
    const emit = this.#emit;
    this.#written = true;
    if (origin !== undefined && isOwed(origin.operation)) {
      this.#owe(origin, origin.operation);
    } else {
      emit.statements(statements);
      emit.value(result);
      emit.value(aux);
      emit.localSet(this.#second);
      emit.localSet(this.#first);
      this.known = IN_WORDS;
    }
    if (maybe) this.settleAndForget();
  }

  #owe({ width, left, right, result }: FlagsOrigin, operation: OwedOperation): void {
    const emit = this.#emit;
    if (operation === 'cmp') {
      emit.value(left);
    } else {
      emit.value(result);
      if (width !== 32) emit.op(EXTEND[width]);
    }
    if (operation === 'logic') emit.const32(0);
    else emit.value(right);
    emit.localSet(this.#second);
    emit.localSet(this.#first);
    this.known = { kind: 'owed', operation, width };
  }

  condition({ cc, statements, words }: Of<'condition'>): void {
    if (this.known.kind === 'owed') {
      const operands = { first: this.#first, second: this.#second };
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
