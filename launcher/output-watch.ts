// Listening in on what a Guest prints, for those who wait for a certain text.
import { UserError } from '../lib/errors.js';

/** How many characters since the last match are remembered: no expression can match more. */
const MEMORY = 64 * 1024;
const SHOWN_IN_ERRORS = 200;

export interface WaitOptions {
  /** Milliseconds. Without it, only the end of the Guest ends the waiting. */
  readonly timeout?: number;
}

interface Waiter {
  readonly pattern: RegExp;
  readonly resolve: (match: RegExpExecArray) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout> | undefined;
}

export class OutputWatch {
  /** Printed since the last match. */
  #heard = '';
  #ended = false;
  readonly #decoder = new TextDecoder();
  readonly #waiters = new Set<Waiter>();

  /** More was printed. */
  hear(bytes: Uint8Array): void {
    this.#heard = (this.#heard + this.#decoder.decode(bytes, { stream: true })).slice(-MEMORY);
    for (const waiter of this.#waiters) this.#tryMatch(waiter);
  }

  /** Nothing more will be printed. */
  end(): void {
    this.#ended = true;
    for (const waiter of this.#waiters) this.#fail(waiter, 'the Guest has ended');
  }

  /** @throws UserError ERR_LGUEST_WAIT when the time is over or the Guest has ended without printing it */
  waitFor(pattern: RegExp, options: WaitOptions): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const { timeout } = options;
      const onTime = (): void => this.#fail(waiter, `not printed within ${timeout} ms`);
      const timer = timeout === undefined ? undefined : setTimeout(onTime, timeout);
      // Sticky and global expressions remember a position, which here would be one of another text.
      const fresh = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''));
      const waiter: Waiter = { pattern: fresh, resolve, reject, timer };
      this.#waiters.add(waiter);
      this.#tryMatch(waiter);
      if (this.#ended && this.#waiters.has(waiter)) this.#fail(waiter, 'the Guest has ended');
    });
  }

  #tryMatch(waiter: Waiter): void {
    const match = waiter.pattern.exec(this.#heard);
    if (match === null) return;
    this.#heard = this.#heard.slice(match.index + match[0].length);
    this.#drop(waiter);
    waiter.resolve(match);
  }

  #fail(waiter: Waiter, why: string): void {
    this.#drop(waiter);
    const tail = JSON.stringify(this.#heard.slice(-SHOWN_IN_ERRORS));
    waiter.reject(new UserError('ERR_LGUEST_WAIT', `${waiter.pattern}: ${why}; the last that it printed: ${tail}`));
  }

  #drop(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    this.#waiters.delete(waiter);
  }
}
