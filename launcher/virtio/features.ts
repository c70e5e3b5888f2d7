// Which features are offered and which were accepted, read and written through a 32-bit window onto 64 bits.
import { VIRTIO_F_VERSION_1 } from '../../guest-abi/virtio/virtio-config.js';

const BITS_PER_WORD = 32;

export class Features {
  readonly offered: bigint;
  #accepted = 0n;

  constructor(bits: readonly number[]) {
    this.offered = [...bits, VIRTIO_F_VERSION_1].reduce((word, bit) => word | (1n << BigInt(bit)), 0n);
  }

  /** The 32 offered features that `select` names: 0 those below 32, 1 those above. There are no others. */
  word(select: number): number {
    return select > 1 ? 0 : Number(BigInt.asUintN(BITS_PER_WORD, this.offered >> BigInt(BITS_PER_WORD * select)));
  }

  /** Replaces a word of what the driver accepts. Answers what is wrong with that, if anything. */
  accept(select: number, word: number): string | undefined {
    const shift = BigInt(BITS_PER_WORD * select);
    const kept = this.#accepted & ~(0xffff_ffffn << shift);
    const accepted = kept | (BigInt(word >>> 0) << shift);
    if ((accepted & ~this.offered) !== 0n) {
      return `over-accepted features 0x${accepted.toString(16)} of 0x${this.offered.toString(16)}`;
    }
    this.#accepted = accepted;
    return undefined;
  }

  has(bit: number): boolean {
    return ((this.#accepted >> BigInt(bit)) & 1n) === 1n;
  }

  reset(): void {
    this.#accepted = 0n;
  }
}
