// Where the record of the instruction at a guest-physical address is: a hash table in a typed array, since there is an entry for
// each instruction that was ever decoded, and objects for so many would be most of what V8's collector has to look at.
//
// Nothing is taken out of it. Records are made at ever higher addresses, so who knows when a page was forgotten knows which of
// its entries are older than that (see code-cache).

/** Two words for each: address and record. */
const ENTRY_WORDS = 2;
const LEAST_ENTRIES_SHIFT = 15;
/** 2^32 divided by the golden ratio: spreads what lies close together. */
const SPREAD = 0x9e3779b1;

export class RecordIndex {
  #shift = 32 - LEAST_ENTRIES_SHIFT;
  #words = new Int32Array(ENTRY_WORDS << LEAST_ENTRIES_SHIFT);
  #room = 1 << (LEAST_ENTRIES_SHIFT - 1);

  /** The place of the entry for `address`, or of the first free one where it would be. */
  #place(address: number): number {
    const words = this.#words;
    const last = words.length - ENTRY_WORDS;
    let place = (Math.imul(address, SPREAD) >>> this.#shift) * ENTRY_WORDS;
    while (words[place + 1] !== 0 && words[place] !== address) place = (place + ENTRY_WORDS) & last;
    return place;
  }

  /** @param address as a signed word, like all numbers here. @returns 0 for none */
  get(address: number): number {
    return this.#words[this.#place(address) + 1] ?? 0;
  }

  set(address: number, record: number): void {
    const place = this.#place(address);
    const isNew = this.#words[place + 1] === 0;
    this.#words[place] = address;
    this.#words[place + 1] = record;
    if (isNew && --this.#room === 0) this.#grow();
  }

  clear(): void {
    this.#words.fill(0);
    this.#room = this.#words.length / ENTRY_WORDS / 2;
  }

  #grow(): void {
    const old = this.#words;
    this.#words = new Int32Array(old.length * 2);
    this.#shift--;
    this.#room = old.length / ENTRY_WORDS;
    for (let i = 0; i < old.length; i += ENTRY_WORDS) {
      const record = old[i + 1] ?? 0;
      if (record !== 0) this.set(old[i] ?? 0, record);
    }
  }
}
