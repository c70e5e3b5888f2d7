// Time that goes by with what a Guest does, and with looking: the same for the same Guest, whatever the machine below is doing.
import type { Clock, WallTime } from '../../../lib/clock.js';
import { wallTimeAfter } from '../../../lib/clock.js';

/** A processor of a hundred million instructions a second. */
const NANOSECONDS_PER_INSTRUCTION = 10;
const NANOSECONDS_PER_LOOK = 100;
const BEGINNING = { seconds: 1_500_000_000, nanoseconds: 0 };

export class SteppedClock implements Clock {
  #now = 0;

  now(): number {
    this.#now += NANOSECONDS_PER_LOOK;
    return this.#now;
  }

  wall(): WallTime {
    return wallTimeAfter(BEGINNING, this.#now);
  }

  executed(instructions: number): void {
    this.#now += instructions * NANOSECONDS_PER_INSTRUCTION;
  }

  sleep(nanoseconds: number): void {
    this.#now += nanoseconds;
  }
}
