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

interface Waiter {
  readonly resolve: () => void;
  readonly signal: AbortSignal | undefined;
  /** Ends listening to a signal that is not kept. */
  readonly forget: (() => void) | undefined;
}

/**
 * A Linux without NO_HZ wakes its idle CPU a hundred times a second, or more often, and what happens here then is what an idle
 * Guest costs. So nothing is made for each wait but its promise: the timer is used again, and a signal is listened to once.
 */
export class Waiters {
  readonly #clock: Clock;
  readonly #waiting: Waiter[] = [];
  /** Whom everybody waits for. */
  #cpu: LgCpu | undefined;
  /** Of the latest length; it may have fired, and is then not running. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerMs = 0;
  /** The signal that is listened to, between two waits as well. */
  #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.wake();
  readonly #onTimer = (): void => this.#look(true);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when `cpu` can run, or everybody is sent home, or `signal` is aborted. */
  wait(cpu: LgCpu, signal: AbortSignal | undefined): Promise<void> {
    const milliseconds = millisecondsToGo(cpu, this.#clock);
    if (milliseconds === 0 || signal?.aborted === true) return Promise.resolve();
    this.#cpu = cpu;
    this.#setTimer(milliseconds);
    const forget = this.#listen(signal);
    return new Promise((resolve) => this.#waiting.push({ resolve, signal, forget }));
  }

  /** Something has happened: everybody looks again. */
  wake(): void {
    if (this.#waiting.length > 0) this.#look(false);
  }

  /** The end: nobody has anything to wait for. */
  close(): void {
    this.#clearTimer();
    this.#release(() => true);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#signal = undefined;
  }

  /** Who can go, goes. Timers of Node's may be a little early: then there is another wait. */
  #look(timerFired: boolean): void {
    const milliseconds = this.#cpu === undefined ? 0 : millisecondsToGo(this.#cpu, this.#clock);
    if (milliseconds > 0) {
      this.#release((waiter) => waiter.signal?.aborted === true);
      if (this.#waiting.length > 0) return this.#setTimer(milliseconds);
    }
    // One that has fired can be used again; one that still runs would keep the process alive.
    if (!timerFired) this.#clearTimer();
    this.#release(() => true);
  }

  #release(goes: (waiter: Waiter) => boolean): void {
    for (let index = this.#waiting.length - 1; index >= 0; index--) {
      const waiter = this.#waiting[index];
      if (waiter === undefined || !goes(waiter)) continue;
      this.#waiting.splice(index, 1);
      waiter.forget?.();
      waiter.resolve();
    }
  }

  #setTimer(milliseconds: number): void {
    if (milliseconds === Infinity) return this.#clearTimer();
    const ms = Math.min(milliseconds, LONGEST_TIMER_MS);
    if (this.#timer !== undefined && this.#timerMs === ms) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timerMs = ms;
    this.#timer = setTimeout(this.#onTimer, ms);
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Listens to `signal`. @returns what ends that, for a signal that is not kept */
  #listen(signal: AbortSignal | undefined): (() => void) | undefined {
    if (signal === undefined || signal === this.#signal) return undefined;
    if (this.#waiting.length > 0) {
      const onAbort = (): void => this.wake();
      signal.addEventListener('abort', onAbort);
      return () => signal.removeEventListener('abort', onAbort);
    }
    signal.addEventListener('abort', this.#onAbort);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#signal = signal;
    return undefined;
  }
}
