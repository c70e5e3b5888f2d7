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

/** Choices made of such bytes. */
export interface Choices {
  /** A number from 0 to `n` − 1; `n` is at most 65,536. */
  below(n: number): number;
  pick<T>(choices: readonly [T, ...T[]]): T;
}

export function randomChoices(seed: number): Choices {
  const random = randomBytes(seed);
  const below = (n: number): number => (random() | (random() << 8)) % n;
  return { below, pick: (choices) => choices[below(choices.length)] ?? choices[0] };
}
