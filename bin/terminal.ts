// The terminal on stdin, lent to the Guest: every key is the Guest's while it runs, and the user's again however it
// ends.
import type { ReadStream } from 'node:tty';

export class Terminal {
  readonly #stdin: ReadStream;
  #raw = false;
  readonly #restore = (): void => this.leave();
  readonly #suspend = (): void => {
    // From outside: ^Z is the Guest's. The shell wants its terminal back, and stopping is what the signal was for.
    this.#set(false);
    process.kill(process.pid, 'SIGSTOP');
  };
  readonly #resume = (): void => {
    if (this.#raw) this.#set(true);
  };

  constructor(stdin: ReadStream) {
    this.#stdin = stdin;
  }

  enter(): void {
    this.#raw = true;
    this.#set(true);
    process.on('exit', this.#restore);
    process.on('SIGTSTP', this.#suspend);
    process.on('SIGCONT', this.#resume);
  }

  /** May be called more than once. */
  leave(): void {
    if (!this.#raw) return;
    this.#raw = false;
    this.#set(false);
    process.off('exit', this.#restore);
    process.off('SIGTSTP', this.#suspend);
    process.off('SIGCONT', this.#resume);
  }

  #set(raw: boolean): void {
    try {
      this.#stdin.setRawMode(raw);
    } catch {
      // The terminal has been hung up: there is nothing left to restore.
    }
  }
}
