// Those who wait for a sleeping Guest to have something to do. A Guest that waits for its clock costs one timer of the
// Host's; one that waits for an interrupt costs nothing.
import type { Clock } from '../lib/clock.js';
import type { LgCpu } from './guest.js';
import { deliverableInterrupts } from './lguest-data.js';

const NANOSECONDS_PER_MILLISECOND = 1e6;
/** setTimeout takes no more than this, and a Guest's clock event (32 bits of nanoseconds) is much sooner. */
const LONGEST_TIMER_MS = 0x7fffffff;

/** Milliseconds until a read() would get somewhere: 0 for now, Infinity for not before an interrupt comes. */
function millisecondsToGo(cpu: LgCpu, clock: Clock): number {
  if (cpu.life.state !== 'halted' || deliverableInterrupts(cpu) !== 0) return 0;
  const nanoseconds = cpu.clockEventAt - clock.now();
  return nanoseconds <= 0 ? 0 : Math.ceil(nanoseconds / NANOSECONDS_PER_MILLISECOND);
}

export class Waiters {
  readonly #clock: Clock;
  /** Each looks again whether it can go, and goes at once when `true` is passed. */
  readonly #waiting = new Set<(whateverHappens: boolean) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when `cpu` can run, or everybody is sent home, or `signal` is aborted. */
  wait(cpu: LgCpu, signal: AbortSignal | undefined): Promise<void> {
    if (millisecondsToGo(cpu, this.#clock) === 0 || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const look = (whateverHappens: boolean): void => {
        clearTimeout(timer);
        const wait = whateverHappens ? 0 : millisecondsToGo(cpu, this.#clock);
        if (wait === 0) {
          this.#waiting.delete(look);
          signal?.removeEventListener('abort', onAbort);
          resolve();
        } else if (wait !== Infinity) {
          // Timers of Node's may be a little early: then this comes here again.
          timer = setTimeout(look, Math.min(wait, LONGEST_TIMER_MS), false);
        }
      };
      const onAbort = (): void => look(true);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(look);
      look(false);
    });
  }

  /** Something has happened: everybody looks again. */
  wake(): void {
    for (const look of this.#waiting) look(false);
  }

  wakeAll(): void {
    for (const look of this.#waiting) look(true);
  }
}
