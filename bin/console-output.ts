// What the Guest prints, on its way to stdout and to a log file.
import { type WriteStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { Transform } from 'node:stream';

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

/** Opens the file for --console-log, or throws what the file system says. */
export async function openConsoleLog(path: string): Promise<WriteStream> {
  const stream = createWriteStream(path, { flags: 'a' });
  await once(stream, 'open');
  return stream;
}
