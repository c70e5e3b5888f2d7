// How long the Guest runs before somebody looks at the clock, and how long before read() comes back.
//
// The CPU counts basic blocks, not nanoseconds: how many of them make a quarter of a millisecond depends on the machine,
// on the Guest's code and on how warm it is. So the budget of each runGuest is learned from the one before.

/** The time that one runGuest should take: short enough that interrupts are prompt, long enough that it costs nothing. */
const TARGET_NANOSECONDS = 250_000;
const FIRST_BUDGET = 2_000;
const MIN_BUDGET = 64;
const MAX_BUDGET = 1 << 22;
/**
 * A Guest that keeps trapping uses up no budget: the clock is looked at after so many traps. How much Guest code runs
 * between two traps is learned too, since a look costs a quarter of what the Host needs for a simple trap.
 */
const MAX_TRAPS_PER_LOOK = 64;

export class RunningTime {
  /** Basic blocks for the next runGuest. */
  budget = FIRST_BUDGET;
  readonly #slice: number;
  /** Undefined between two slices. */
  #sliceEnd: number | undefined = undefined;
  #sliceOver = false;
  #lastLook = 0;
  /** Whether nothing but one full budget has run since the last look: only then is its price known. */
  #undisturbed = false;
  #trapsPerLook = 1;
  #trapsLeft = 1;

  constructor(sliceNanoseconds: number) {
    this.#slice = sliceNanoseconds;
  }

  /**
   * Whether a slice is under way. A read() that comes back for the Launcher's sake does not end one: what a slice is for is
   * to let everybody else have a turn, and a Launcher that serves port after port gives nobody one.
   */
  get inSlice(): boolean {
    return this.#sliceEnd !== undefined;
  }

  /** Whether the slice was over when somebody last looked: a fresh one, however short, runs the Guest once. */
  get sliceOver(): boolean {
    return this.#sliceOver;
  }

  /** -EINTR or -EAGAIN: whoever reads again has let others have their turn. */
  endSlice(): void {
    this.#sliceEnd = undefined;
    this.#sliceOver = false;
  }

  beginSlice(now: number): void {
    this.#sliceEnd = now + this.#slice;
    this.#sliceOver = false;
    this.#lastLook = now;
    this.#undisturbed = false;
    this.#trapsLeft = this.#trapsPerLook;
  }

  /** The Guest came out with a trap, its budget not used up. True when it is time to look at the clock. */
  trapped(): boolean {
    this.#undisturbed = false;
    return --this.#trapsLeft <= 0;
  }

  /** Somebody looked at the clock, `usedUp` because a budget was. True when the slice is over. */
  looked(now: number, usedUp: boolean): boolean {
    const elapsed = now - this.#lastLook;
    if (!usedUp) this.#learnTraps(elapsed);
    else if (this.#undisturbed) this.#learnBudget(elapsed);
    this.#lastLook = now;
    this.#undisturbed = usedUp;
    this.#trapsLeft = this.#trapsPerLook;
    this.#sliceOver = this.#sliceEnd !== undefined && now >= this.#sliceEnd;
    return this.#sliceOver;
  }

  /** At most by half or double at a time: the machine may just have been busy with something else. */
  #learnBudget(elapsed: number): void {
    const ratio = Math.min(2, Math.max(0.5, TARGET_NANOSECONDS / Math.max(1, elapsed)));
    this.budget = Math.min(MAX_BUDGET, Math.max(MIN_BUDGET, Math.floor(this.budget * ratio)));
  }

  /** Carefully up, for traps that come fast; at once down. */
  #learnTraps(elapsed: number): void {
    if (elapsed < TARGET_NANOSECONDS / 4) {
      this.#trapsPerLook = Math.min(MAX_TRAPS_PER_LOOK, this.#trapsPerLook * 2);
    } else if (elapsed > TARGET_NANOSECONDS) {
      this.#trapsPerLook = Math.max(1, Math.floor((this.#trapsPerLook * TARGET_NANOSECONDS) / elapsed));
    }
  }
}
