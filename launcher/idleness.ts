// Whether a Guest has anything left to do.
//
// Nobody outside can know what a Guest waits for: a program that reads and finds nothing, and one that sleeps for a
// minute, look the same. So the answer is a habit and not a proof: a Guest that has slept through a while and printed
// nothing has nothing to do.
import { setTimeout as later } from 'node:timers/promises';

/** A kernel that has nothing to do still wakes now and then, for a timer of its own. */
const ASLEEP = 0.8;

/** Counts how long a Guest has slept, the present sleep included. */
export class Idleness {
  #slept = 0;
  #since: number | undefined;

  fallsAsleep(): void {
    this.#since = performance.now();
  }

  /** @returns how long it has slept, in milliseconds */
  wakes(): number {
    const now = performance.now();
    const slept = now - (this.#since ?? now);
    this.#slept += slept;
    this.#since = undefined;
    return slept;
  }

  /** Waits for the first window of `ms` through which it slept, and in which `printed` did not grow. */
  async wait(ms: number, printed: () => number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const before = { at: performance.now(), slept: this.#total(), printed: printed() };
      await later(ms, undefined, { signal });
      const share = (this.#total() - before.slept) / (performance.now() - before.at);
      if (share >= ASLEEP && printed() === before.printed) return;
    }
  }

  #total(): number {
    return this.#slept + (this.#since === undefined ? 0 : performance.now() - this.#since);
  }
}
