// Characters that a kernel writes one by one, through configuration space, before it has a console driver or after it has
// lost it.
import type { ConsolePort } from '../console-port.js';

/** What waits for a slow reader. More is dropped: this path has no way to make the Guest wait. */
const CAPACITY = 64 * 1024;

export class EmergencyOutput {
  readonly #port: ConsolePort;
  readonly #waiting = new Uint8Array(CAPACITY);
  #length = 0;
  #blocked = false;
  /** Characters that were lost. */
  dropped = 0;

  constructor(port: ConsolePort) {
    this.#port = port;
  }

  put(character: number): void {
    if (!this.#blocked) {
      this.#blocked = !this.#port.write(Uint8Array.of(character));
    } else if (this.#length < CAPACITY) {
      this.#waiting[this.#length++] = character;
    } else {
      this.dropped++;
    }
  }

  /** The reader has caught up. Answers whether it still has. */
  flush(): boolean {
    const waiting = this.#waiting.subarray(0, this.#length);
    this.#length = 0;
    this.#blocked = waiting.length > 0 && !this.#port.write(waiting);
    return !this.#blocked;
  }
}
