// The Guest's console as a stream of Node: what the Guest prints can be read, what is written is typed.
//
// Backpressure goes all the way in both directions. A slow reader makes the device keep the Guest's output buffers,
// so the Guest waits; what is written waits until the Guest has posted a buffer for it. Only while nobody has begun to
// read is there no waiting: then the latest output is kept and the oldest forgotten, so that a program that only
// calls `waitFor` needs no reader.
import { Duplex } from 'node:stream';
import type { ConsolePort, ConsoleSize } from './console-port.js';
import { OutputWatch, type WaitOptions } from './output-watch.js';

/** What is kept for a reader who comes late. */
const BACKLOG_SIZE = 256 * 1024;
/** Output is passed on in pieces of this size, or when the event loop turns: an early console prints byte by byte. */
const PIECE_SIZE = 16 * 1024;

type Callback = (error?: Error | null) => void;

export class GuestConsole extends Duplex {
  /** The end of the cable that the console device holds. */
  readonly port: ConsolePort;
  /** When the first byte was printed, by performance.now(). */
  firstByteAt: number | undefined;
  bytesPrinted = 0;

  #size: ConsoleSize;
  readonly #watch = new OutputWatch();
  #ended = false;

  /** Printed but not passed on yet. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #flushScheduled = false;
  /** Passed on, but there was nobody to read it. */
  #backlog: Buffer = Buffer.alloc(0);
  #reader: 'none' | 'ready' | 'slow' = 'none';

  /** Typed but not taken by the Guest yet, and what to call when it has been. */
  #input: Uint8Array = new Uint8Array();
  #inputTaken: Callback | undefined;

  constructor(size: ConsoleSize) {
    super();
    this.#size = size;
    const getSize = (): ConsoleSize => this.#size;
    this.port = {
      write: (bytes) => this.#print(bytes),
      read: (max) => this.#take(max),
      get size() {
        return getSize();
      },
      onWritable: undefined,
      onReadable: undefined,
      onResize: undefined,
    };
  }

  get size(): ConsoleSize {
    return this.#size;
  }

  /** Tells the Guest that its terminal has another size now. */
  resize(cols: number, rows: number): void {
    if (cols === this.#size.cols && rows === this.#size.rows) return;
    this.#size = { cols, rows };
    this.port.onResize?.();
  }

  /** Types a line and Enter. Resolves when the Guest has taken it. */
  sendLine(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  /**
   * Waits until the Guest has printed something that matches, counting from the end of the last match.
   *
   * @throws UserError ERR_LGUEST_WAIT when the time is over or the Guest has ended without printing it
   */
  waitFor(pattern: RegExp, options: WaitOptions = {}): Promise<RegExpExecArray> {
    return this.#watch.waitFor(pattern, options);
  }

  /** The Guest has ended: what it printed last is passed on, and nothing else will come. */
  hangUp(): void {
    if (this.#ended) return;
    this.flush();
    this.#ended = true;
    this.#watch.end();
    this.#releaseInput();
    if (this.#backlog.length > 0) this.push(this.#backlog);
    this.#backlog = Buffer.alloc(0);
    this.push(null);
  }

  // What the Guest prints.

  #print(bytes: Uint8Array): boolean {
    if (this.#ended) return true;
    this.firstByteAt ??= performance.now();
    this.bytesPrinted += bytes.length;
    this.#pieces.push(Uint8Array.from(bytes));
    this.#pieceBytes += bytes.length;
    if (this.#pieceBytes >= PIECE_SIZE) {
      this.flush();
    } else if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      setImmediate(() => this.flush());
    }
    return this.#reader !== 'slow';
  }

  /** Passes on what has been printed, without waiting for the event loop to turn. */
  flush(): void {
    this.#flushScheduled = false;
    if (this.#pieceBytes === 0 || this.#ended) return;
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#watch.hear(bytes);
    if (this.#reader === 'none') {
      this.#backlog = Buffer.concat([this.#backlog, bytes]).subarray(-BACKLOG_SIZE);
    } else if (!this.push(bytes)) {
      this.#reader = 'slow';
    }
  }

  /** Somebody reads, or reads on. */
  override _read(): void {
    const before = this.#reader;
    this.#reader = 'ready';
    const backlog = this.#backlog;
    this.#backlog = Buffer.alloc(0);
    if (backlog.length > 0 && !this.push(backlog)) this.#reader = 'slow';
    else if (before === 'slow') this.port.onWritable?.();
  }

  // What is typed.

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    if (this.#ended || chunk.length === 0) {
      callback();
      return;
    }
    this.#input = chunk;
    this.#inputTaken = callback;
    this.port.onReadable?.();
  }

  #take(max: number): Uint8Array {
    const taken = this.#input.subarray(0, max);
    this.#input = this.#input.subarray(taken.length);
    if (this.#input.length === 0) this.#releaseInput();
    return taken;
  }

  /** On the next tick: the device is in the middle of filling the Guest's buffer. */
  #releaseInput(): void {
    const callback = this.#inputTaken;
    this.#inputTaken = undefined;
    this.#input = new Uint8Array();
    if (callback !== undefined) queueMicrotask(callback);
  }

  /** A closed console wants no more, and holds nobody up. */
  override _destroy(error: Error | null, callback: Callback): void {
    this.#ended = true;
    this.#watch.end();
    this.#releaseInput();
    callback(error);
  }
}
