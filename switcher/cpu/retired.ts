// How many instructions the CPU has completed, for whoever wants to know: `--stats`, and the comparison of engines.
//
// Engines count an instruction when they begin it. Those that fault come out of the engine, and are taken back here; so the
// number is exact whenever the CPU stands still, and the same under every engine. Without a counter nothing is counted, and
// no engine does anything for it.
import type { Memory } from './memory.js';
import * as State from './state.js';

const NEVER = -1n;

export class RetiredCounter {
  readonly #words: BigInt64Array;
  /** Time that the CPU was at it, decoding and translating included. */
  milliseconds = 0;

  constructor(memory: Memory) {
    // RETIRED, RETIRED_LIMIT and RETIRED_TRANSLATED lie in a row.
    this.#words = new BigInt64Array(memory.wasm.buffer, State.RETIRED, 3);
    this.#words[1] = NEVER;
  }

  get instructions(): number {
    return Number(this.#words[0]);
  }

  get translated(): number {
    return Number(this.#words[2]);
  }

  /** The CPU comes back when so many instructions are done. Translated code does not look at it. */
  set limit(instructions: number | undefined) {
    this.#words[1] = instructions === undefined ? NEVER : BigInt(instructions);
  }

  get hasLimit(): boolean {
    return this.#words[1] !== NEVER;
  }

  get isAtLimit(): boolean {
    return this.#words[0] === this.#words[1];
  }

  /** An instruction is begun by the evaluator, which does not count itself. */
  begin(): void {
    this.#words[0] = (this.#words[0] ?? 0n) + 1n;
  }

  /** The instruction that was begun last is not done, or not yet: it faulted, or gave way. */
  undo(): void {
    this.#words[0] = (this.#words[0] ?? 0n) - 1n;
  }
}
