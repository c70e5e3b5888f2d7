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
  /**
   * The signal that is listened to, between two waits as well: a Guest's idle loop comes here a hundred times a second, with
   * the same one, and adding and removing a listener would be a third of what that costs.
   */
  #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.wake();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when `cpu` can run, or everybody is sent home, or `signal` is aborted. */
  wait(cpu: LgCpu, signal: AbortSignal | undefined): Promise<void> {
    if (millisecondsToGo(cpu, this.#clock) === 0 || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const forget = this.#listen(signal);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const look = (whateverHappens: boolean): void => {
        clearTimeout(timer);
        const goes = whateverHappens || signal?.aborted === true;
        const wait = goes ? 0 : millisecondsToGo(cpu, this.#clock);
        if (wait === 0) {
          this.#waiting.delete(look);
          forget?.();
          resolve();
        } else if (wait !== Infinity) {
          // Timers of Node's may be a little early: then this comes here again.
          timer = setTimeout(look, Math.min(wait, LONGEST_TIMER_MS), false);
        }
      };
      this.#waiting.add(look);
      look(false);
    });
  }

  /** Listens to `signal`. @returns what ends that, for a signal that is not kept */
  #listen(signal: AbortSignal | undefined): (() => void) | undefined {
    if (signal === undefined || signal === this.#signal) return undefined;
    if (this.#waiting.size > 0) {
      const onAbort = (): void => this.wake();
      signal.addEventListener('abort', onAbort);
      return () => signal.removeEventListener('abort', onAbort);
    }
    signal.addEventListener('abort', this.#onAbort);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#signal = signal;
    return undefined;
  }

  /** Something has happened: everybody looks again. */
  wake(): void {
    for (const look of this.#waiting) look(false);
  }

  /** The end: nobody has anything to wait for. */
  close(): void {
    for (const look of this.#waiting) look(true);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#signal = undefined;
  }
}
