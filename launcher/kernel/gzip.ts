// What gzip has packed, unpacked outside of the Guest: zlib needs milliseconds for it, on a thread of its own, and the Guest, in
// emulation, a quarter of its boot.
import { gunzip } from 'node:zlib';

const MAGIC = [0x1f, 0x8b];
/** A member ends with its checksum and with its length before it was packed, 32 bits each. */
const LENGTH_SIZE = 4;
/** What is unpacked at a time, at least. */
const CHUNK_SIZE = 64 * 1024;

export const isGzip = (bytes: Uint8Array): boolean => MAGIC.every((byte, index) => bytes[index] === byte);

/**
 * What is in a gzip member (RFC 1952), behind which there may be nothing but zeros.
 *
 * @param most how many bytes it may give; no more than these are ever made
 * @returns undefined for anything else: no gzip, several members, more than `most`, damage. An empty member before it goes
 *   unnoticed, for it says nothing.
 */
export function unpackGzip(packed: Uint8Array, most: number): Promise<Buffer | undefined> {
  if (!isGzip(packed) || most < 1) return Promise.resolve(undefined);
  // The length, unless there is padding: then it is a smaller number, and a hint that costs a few turns.
  const length = packed.length < LENGTH_SIZE ? 0 : lengthBefore(packed, packed.length);
  if (length > most) return Promise.resolve(undefined);
  const options = { info: true, maxOutputLength: most, chunkSize: Math.max(length + 1, CHUNK_SIZE) };
  return new Promise((resolve) => {
    // With `info` the result is not what the types say.
    gunzip(packed, options, (error, result: unknown) => {
      if (error !== null || !isUnpacked(result)) return resolve(undefined);
      const end = result.engine.bytesWritten;
      // zlib goes on behind a member with the next one, and stops at a zero.
      const one = lengthBefore(packed, end) === result.buffer.length && isZero(packed.subarray(end));
      resolve(one ? result.buffer : undefined);
    });
  });
}

interface Unpacked {
  readonly buffer: Buffer;
  /** How many bytes it was given that it had a use for. */
  readonly engine: { readonly bytesWritten: number };
}

const isUnpacked = (result: unknown): result is Unpacked =>
  typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result;

const lengthBefore = (packed: Uint8Array, end: number): number =>
  new DataView(packed.buffer, packed.byteOffset).getUint32(end - LENGTH_SIZE, true);

function isZero(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}
