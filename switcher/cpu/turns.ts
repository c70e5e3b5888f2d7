// The turns in which the CPU spends its budget of jumps. Between two of them somebody looks at the clock (see lateness), and, now
// and then, the translator where the CPU is.
import { JUMPS_PER_LOOK } from './lateness.js';
import type { Memory } from './memory.js';
import * as State from './state.js';

/** Jumps between two looks of the translator. */
const SHORTEST = 1000;
const LONGEST = 50_000;
/** What a look counts at most that comes after a long time: a place where the CPU is met once may not be hot. */
const HEAVIEST = 3;
/** Between so many lengths they vary, lest a loop of a few jumps be met at the same one every time. */
const LENGTHS = 7;

export class Turns {
  readonly #memory: Memory;
  readonly #samples: boolean;
  #untilNextSample = SHORTEST;
  #untilSample = SHORTEST;
  #variation = 0;
  /** How many there were in all. */
  jumps = 0;

  /** @param samples whether there is a translator that wants to look */
  constructor(memory: Memory, samples: boolean) {
    this.#memory = memory;
    this.#samples = samples;
  }

  /** @returns how many of the `left` jumps are spent next, which is the budget from now on */
  begin(left: number): number {
    const longest = Math.min(left, JUMPS_PER_LOOK);
    const turn = this.#samples ? Math.min(longest, Math.max(1, this.#untilSample)) : longest;
    this.#memory.set(State.BUDGET, turn);
    return turn;
  }

  /** A turn is over. Jumps count whatever ends it: code that traps often must be seen too. What was charged does not. */
  end(turn: number): void {
    const spent = turn - this.#memory.get(State.BUDGET) - this.#memory.get(State.CHARGED);
    const jumps = Math.min(turn, Math.max(0, spent));
    this.#memory.set(State.CHARGED, 0);
    this.jumps += jumps;
    this.#untilSample = Math.max(0, this.#untilSample - jumps);
  }

  /** Whether it is time for the translator to look. */
  get isSampleDue(): boolean {
    return this.#samples && this.#untilSample === 0;
  }

  /** For how many looks the next one stands: those that were spared, because nothing new was seen before. */
  get weight(): number {
    return Math.min(this.#untilNextSample / SHORTEST, HEAVIEST);
  }

  /** @param isSettled whether it has seen nothing new: translated code makes its jumps quickly, and is not worth another look soon */
  sampled(isSettled: boolean): void {
    this.#untilNextSample = isSettled ? Math.min(this.#untilNextSample * 2, LONGEST) : SHORTEST;
    this.#variation = (this.#variation + 1) % LENGTHS;
    this.#untilSample = this.#untilNextSample + this.#variation;
  }
}
