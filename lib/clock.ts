// What time it is, for everything in a machine that asks: the time-stamp counter, `lguest_data.time`, and the clock
// event all derive from one Clock. A Guest compares them with each other (Linux's clocksource watchdog gives up the TSC
// after 62 ms of disagreement), so they may all be wrong together but never against each other.
// Imported, because the global of this name is looked up by a getter each time: three times as slow.

/** The same instant as CLOCK_REALTIME would give it. */
export interface WallTime {
  /** Seconds since 1970, UTC. */
  readonly seconds: number;
  /** 0 … 999 999 999. */
  readonly nanoseconds: number;
}

export interface Clock {
  /** Nanoseconds since the machine began: monotonic, fractions allowed. A float64 is exact for a hundred days of them. */
  now(): number;
  /** The time of day at `now()`. It runs with `now()`: a Host clock set back does not go back here. */
  wall(): WallTime;
}

const NANOSECONDS_PER_SECOND = 1e9;
const NANOSECONDS_PER_MILLISECOND = 1e6;

/** `start` and `elapsed` nanoseconds later, kept apart because nanoseconds since 1970 do not fit in a float64. */
export function wallTimeAfter(start: WallTime, elapsed: number): WallTime {
  const nanoseconds = start.nanoseconds + Math.floor(elapsed);
  return {
    seconds: start.seconds + Math.floor(nanoseconds / NANOSECONDS_PER_SECOND),
    nanoseconds: nanoseconds % NANOSECONDS_PER_SECOND,
  };
}

/** A clock that starts now, on the Host's monotonic clock and today's date. */
export function systemClock(): Clock {
  const began = performance.now();
  const today = Date.now();
  const start: WallTime = {
    seconds: Math.floor(today / 1000),
    nanoseconds: (today % 1000) * NANOSECONDS_PER_MILLISECOND,
  };
  const now = (): number => (performance.now() - began) * NANOSECONDS_PER_MILLISECOND;
  return { now, wall: () => wallTimeAfter(start, now()) };
}
