// Where the record of the block at a guest-physical address is: a hash table in a typed array, since there are tens of thousands, and
// objects for so many would be most of what V8's collector has to look at.
//
// Blocks that lie together have their entries together, where one is most likely to be looked for when another one was: what takes
// time is to get at memory.
//
// Nothing is taken out of it. Records are made at ever higher addresses, so who knows when a page was forgotten knows which of
// its entries are older than that (see code-cache).

/** Two words for each: address and record. */
const ENTRY_WORDS = 2;
const LEAST_ENTRIES_SHIFT = 15;
const GROWTH_SHIFT = 2;
/** 64 bytes of code share 32 entries; who finds no room goes on behind them. */
const LINE_SHIFT = 6;
const ENTRY_OF_LINE = 0x3e;
/** 2^32 divided by the golden ratio: spreads what lies close together. */
const SPREAD = 0x9e3779b1;

export class RecordIndex {
  #entriesShift = LEAST_ENTRIES_SHIFT;
  #words = new Int32Array(ENTRY_WORDS << LEAST_ENTRIES_SHIFT);
  /** For so many more. */
  #room = 1 << (LEAST_ENTRIES_SHIFT - 1);

  /** The place of the entry for `address`, or of the first free one where it would be. */
  #place(address: number): number {
    const words = this.#words;
    const last = words.length - ENTRY_WORDS;
    const line = Math.imul(address >>> LINE_SHIFT, SPREAD) >>> (32 + LINE_SHIFT - 1 - this.#entriesShift);
    let place = (line << LINE_SHIFT) | (address & ENTRY_OF_LINE);
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
    this.#entriesShift += GROWTH_SHIFT;
    this.#words = new Int32Array(old.length << GROWTH_SHIFT);
    this.#room = this.#words.length / ENTRY_WORDS / 2;
    for (let i = 0; i < old.length; i += ENTRY_WORDS) {
      const record = old[i + 1] ?? 0;
      if (record !== 0) this.set(old[i] ?? 0, record);
    }
  }
}
