// Where entropy comes from: the Host's, or a stream that is the same every time.
import crypto from 'node:crypto';

/** Fills all of `target` with random bytes. */
export type FillRandom = (target: Uint8Array) => void;

export const hostRandom: FillRandom = (target) => {
  crypto.randomFillSync(target);
};

/** For runs that must be repeatable: the key stream of a cipher whose key is the seed. */
export function seededRandom(seed: number | string): FillRandom {
  const key = crypto.createHash('sha256').update(String(seed)).digest().subarray(0, 16);
  const stream = crypto.createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  return (target) => target.set(stream.update(Buffer.alloc(target.length)));
}
