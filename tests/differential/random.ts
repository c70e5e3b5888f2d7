// Numbers that look random and are the same for the same seed, with a liking for the edges.

/** Marsaglia's xorshift of 32 bits, on two words. */
export class Random {
  #a: number;
  #b: number;

  constructor(seed: number) {
    this.#a = (seed ^ 0x9e3779b9) | 0 || 1;
    this.#b = Math.imul(seed + 1, 0x85ebca6b) | 0 || 2;
    for (let i = 0; i < 16; i++) this.word();
  }

  /** 0 … 2^32−1 */
  word(): number {
    const t = this.#a ^ (this.#a << 10);
    this.#a = this.#b;
    this.#b = this.#b ^ (this.#b >>> 13) ^ t ^ (t >>> 10);
    return this.#b >>> 0;
  }

  /** 0 … count−1 */
  below(count: number): number {
    return Math.floor((this.word() / 2 ** 32) * count);
  }

  /** True once in `count` times. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0];
  }

  /** A 32-bit word: an edge, a small number, one with few bits, or anything. */
  value(): number {
    switch (this.below(5)) {
      case 0:
        return this.pick([0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]);
      case 1:
        return this.below(64);
      case 2:
        return (this.word() & this.word() & this.word()) >>> 0;
      case 3:
        return (this.word() | this.word() | this.word()) >>> 0;
      default:
        return this.word();
    }
  }

  wide(): bigint {
    return (BigInt(this.value()) << 32n) | BigInt(this.value());
  }
}
