// Numbers that look random and are the same in every run.

/** A generator of bytes: xorshift32 by Marsaglia. */
export function randomBytes(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  };
}
