// Whether it is time to come back, though the budget is not used up.
//
// The budget counts jumps, and how many of them make a slice is learned from what ran before: a Guest that went round an empty
// loop and now does what takes a thousand times as long for each jump would keep the Host waiting. So a run is cut into turns,
// and somebody looks at the clock between them; and now and then when exits are settled, which take longer than any jump.
//
// This is the time of the machine below, and not the Guest's: nothing that the Guest sees depends on it but where it is
// interrupted.

/** Jumps between two looks: short of some instructions that take long, and which charge for that, some tens of milliseconds. */
export const JUMPS_PER_LOOK = 16_384;
const EXITS_PER_LOOK = 32;
/** A few times what the Host wants. */
const LATE_MILLISECONDS = 1;

export class Lateness {
  /** Since when, or NaN when nobody has looked yet: most runs are over before. */
  #since = NaN;
  #exits = 0;

  /** The CPU is entered. */
  begin(): void {
    this.#since = NaN;
    this.#exits = 0;
  }

  /** A turn is over. */
  turned(): boolean {
    const now = performance.now();
    if (Number.isNaN(this.#since)) this.#since = now;
    return now - this.#since > LATE_MILLISECONDS;
  }

  /** An exit was settled. */
  settled(): boolean {
    return ++this.#exits % EXITS_PER_LOOK === 0 && this.turned();
  }
}
