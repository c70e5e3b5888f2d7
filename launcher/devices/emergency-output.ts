// Characters that a kernel writes one by one, through configuration space, before it has a console driver or after it has
// lost it. They are passed on by lines, because a write to a terminal or a pipe costs far more than a character is worth.
import type { ConsolePort } from '../console-port.js';

/** What waits for a slow reader. More is dropped: this path has no way to make the Guest wait. */
const CAPACITY = 64 * 1024;
const NEWLINE = 0x0a;

export class EmergencyOutput {
  readonly #port: ConsolePort;
  readonly #buffer = new Uint8Array(CAPACITY);
  #length = 0;
  #flush: NodeJS.Immediate | undefined;
  #blocked = false;
  /** Characters that were lost. */
  dropped = 0;

  constructor(port: ConsolePort) {
    this.#port = port;
  }

  put(character: number): void {
    if (this.#length === CAPACITY) {
      this.dropped++;
      return;
    }
    this.#buffer[this.#length++] = character;
    if (character === NEWLINE) this.flush();
    else this.#flush ??= setImmediate(() => this.flush());
  }

  /** Passes on what has gathered, unless the reader is slow: then `unblock` does. */
  flush(): void {
    clearImmediate(this.#flush);
    this.#flush = undefined;
    if (this.#blocked || this.#length === 0) return;
    const bytes = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    this.#blocked = !this.#port.write(bytes);
  }

  /** The reader has caught up. */
  unblock(): void {
    this.#blocked = false;
    this.flush();
  }

  /** The last chance to print: nobody waits any more. */
  close(): void {
    this.unblock();
  }
}
