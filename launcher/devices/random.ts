// Where entropy comes from: the Host's, or a stream that is the same every time.
import type Crypto from 'node:crypto';
import { createRequire } from 'node:module';

/** Fills all of `target` with random bytes. */
export type FillRandom = (target: Uint8Array) => void;

/** Loaded when it is needed: most Guests have no source of entropy. */
const crypto = (): typeof Crypto => createRequire(import.meta.url)('node:crypto');

export const hostRandom: FillRandom = (target) => {
  crypto().randomFillSync(target);
};

/** For runs that must be repeatable: the key stream of a cipher whose key is the seed. */
export function seededRandom(seed: number | string): FillRandom {
  const { createCipheriv, createHash } = crypto();
  const key = createHash('sha256').update(String(seed)).digest().subarray(0, 16);
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  return (target) => target.set(stream.update(Buffer.alloc(target.length)));
}
