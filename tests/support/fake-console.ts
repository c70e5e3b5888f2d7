// Somebody at the other end of the console's cable.
import type { ConsolePort, ConsoleSize } from '../../launcher/console-port.js';

export class FakeConsole implements ConsolePort {
  printed = '';
  /** Whether the reader keeps up. */
  fast = true;
  size: ConsoleSize = { cols: 0, rows: 0 };
  onWritable: (() => void) | undefined;
  onReadable: (() => void) | undefined;
  onResize: (() => void) | undefined;
  /** How much was asked for, each time. */
  readonly asked: number[] = [];
  #typed: Uint8Array = new Uint8Array(0);

  write(bytes: Uint8Array): boolean {
    this.printed += Buffer.from(bytes).toString('latin1');
    return this.fast;
  }

  read(max: number): Uint8Array {
    this.asked.push(max);
    const bytes = this.#typed.subarray(0, max);
    this.#typed = this.#typed.subarray(bytes.length);
    return bytes;
  }

  type(text: string): void {
    this.#typed = Buffer.concat([this.#typed, Buffer.from(text, 'latin1')]);
    this.onReadable?.();
  }

  catchUp(): void {
    this.fast = true;
    this.onWritable?.();
  }

  resize(cols: number, rows: number): void {
    this.size = { cols, rows };
    this.onResize?.();
  }
}
