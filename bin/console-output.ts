// What the Guest prints, on its way to stdout and to a log file.
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { type Readable, Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { EXIT_FAILURE } from '../lib/errors.js';
import { describeFileError, errorCode } from '../launcher/file-errors.js';
import type { GuestConsole } from '../launcher/console-stream.js';
import type { End } from './ending.js';

export interface OutputOptions {
  readonly consoleLog: string | undefined;
  readonly stripCr: boolean;
}

/**
 * @returns `done`: a promise for the moment when everything has been passed on
 * @throws UserError when the log file cannot be opened
 */
export async function connectOutput(
  console: GuestConsole,
  options: OutputOptions,
  end: End,
): Promise<{ done: Promise<unknown> }> {
  const log = options.consoleLog === undefined ? undefined : await connectLog(console, options.consoleLog, end);
  const done: Promise<unknown>[] = [finished(console, { writable: false })];
  if (log !== undefined) done.push(log.done);
  const strip = options.stripCr && !process.stdout.isTTY;
  const source: Readable = strip ? console.pipe(new StripCarriageReturns()) : console;
  if (strip) done.push(finished(source));
  process.stdout.on('error', (error) => {
    // `lguest … | head` has seen enough. What the Guest prints now goes nowhere, and the Guest needs not wait.
    if (errorCode(error) === 'EPIPE') end(0, 'nobody reads stdout any more');
    else end(EXIT_FAILURE, `writing to stdout: ${error.message}`);
    source.unpipe(process.stdout);
    source.resume();
  });
  source.pipe(process.stdout, { end: false });
  return { done: Promise.all(done) };
}

/** --console-log: added to what is in the file already. */
async function connectLog(console: GuestConsole, path: string, end: End): Promise<{ done: Promise<unknown> }> {
  const file = createWriteStream(path, { flags: 'a' });
  await once(file, 'open').catch((error: unknown) => {
    throw describeFileError('ERR_LGUEST_CONSOLE_LOG', 'the console log', path, error);
  });
  const done = once(file, 'close');
  file.on('error', (error) => {
    end(EXIT_FAILURE, `writing ${path}: ${error.message}`);
    console.unpipe(file);
  });
  console.pipe(file);
  return { done };
}

const CARRIAGE_RETURN = 0x0d;
const NEWLINE = 0x0a;

/** Leaves out each carriage return that a newline follows: the Guest's terminal driver puts it there. */
export class StripCarriageReturns extends Transform {
  #held = false;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: (error: null, data: Buffer) => void): void {
    const out = Buffer.alloc(chunk.length + 1);
    let length = 0;
    for (const byte of chunk) {
      if (this.#held && byte !== NEWLINE) out[length++] = CARRIAGE_RETURN;
      this.#held = byte === CARRIAGE_RETURN;
      if (!this.#held) out[length++] = byte;
    }
    callback(null, out.subarray(0, length));
  }

  override _flush(callback: (error: null, data?: Buffer) => void): void {
    if (this.#held) callback(null, Buffer.of(CARRIAGE_RETURN));
    else callback(null);
  }
}
