// What is typed, before the Guest sees it: the ways out of a terminal that belongs to somebody else.
//
// Three ^C within a second always lead out, as in the original, and the Guest gets them all the same. An escape key is
// kept from the Guest; typed twice, it gets through once.

export type KeyboardAction = 'quit' | 'info';

export interface Typed {
  /** What the Guest gets. */
  readonly bytes: Uint8Array;
  readonly actions: readonly KeyboardAction[];
}

const CONTROL_C = 0x03;
const QUIT_COUNT = 3;
const QUIT_WITHIN_MS = 1000;
const COMMANDS: Readonly<Record<string, KeyboardAction>> = { x: 'quit', i: 'info' };

export class Keyboard {
  readonly #escape: number | undefined;
  #escaped = false;
  /** When the latest ^C were typed, nothing else in between. */
  #interrupts: number[] = [];

  constructor(escape: number | undefined) {
    this.#escape = escape;
  }

  /** @param now milliseconds, from any beginning */
  feed(bytes: Uint8Array, now: number): Typed {
    const passed: number[] = [];
    const actions: KeyboardAction[] = [];
    for (const byte of bytes) {
      if (this.#isQuit(byte, now)) actions.push('quit');
      if (this.#escaped) {
        this.#escaped = false;
        const action = COMMANDS[String.fromCharCode(byte).toLowerCase()];
        if (action !== undefined) actions.push(action);
        else passed.push(byte);
      } else if (byte === this.#escape) {
        this.#escaped = true;
      } else {
        passed.push(byte);
      }
    }
    return { bytes: Uint8Array.from(passed), actions };
  }

  #isQuit(byte: number, now: number): boolean {
    if (byte !== CONTROL_C) {
      this.#interrupts = [];
      return false;
    }
    this.#interrupts = [...this.#interrupts, now].slice(-QUIT_COUNT);
    const [first] = this.#interrupts;
    if (this.#interrupts.length < QUIT_COUNT || first === undefined || now - first > QUIT_WITHIN_MS) return false;
    this.#interrupts = [];
    return true;
  }
}
