// What the CPU did so often, for `--stats` and for measurements. Everything here is counted where it is rare: code that runs
// counts nothing.

/** Of code that is looked for and decoded. */
export interface CodeCounters {
  /** Jumps to where no chain, no jump cache and no entry of the block table led. */
  lookups: number;
  /** Those of them that found what was decoded before. */
  found: number;
  blocksDecoded: number;
  instructionsDecoded: number;
  /** Pages whose code was forgotten, because they were written to. */
  pagesForgotten: number;
  /** How often all code was forgotten, for want of room or because the code segment moved. */
  flushes: number;
}

export interface TranslatorCounters {
  /** How often the CPU was looked at, to see where it is busy. */
  samples: number;
  /** Regions that were made, and how many of them there are now. */
  regions: number;
  live: number;
  /** Bytes of WebAssembly in those there are now. */
  liveBytes: number;
  /** Instructions of the Guest in all regions that were made, and bytes of WebAssembly. */
  instructions: number;
  bytes: number;
  /** Time for making them, until the engine below takes over. */
  milliseconds: number;
  /** How many of them another thread made, and in which of that time, which is not the Guest's. */
  elsewhere: number;
  millisecondsElsewhere: number;
  /** Regions that had to go because there were too many. */
  reclaimed: number;
  /** Regions that V8 would not have, and what it said of the last that was no good. */
  refused: number;
  mistakes: readonly string[];
  /** Regions that found their pages moved. */
  stale: number;
}

/** What was executed, where somebody counts that: it takes time. */
export interface RetiredCounters {
  /** Instructions that were completed; a repeated one counts once, one that faulted and is run again only then. */
  readonly instructions: number;
  /** Of them, those in translated code. */
  readonly translated: number;
  /** Time that the CPU was at it, decoding and translating included. */
  readonly milliseconds: number;
}

export interface CpuCounters {
  /** Jumps, as the budget counts them: in translated code only those of loops and out of it. */
  readonly jumps: number;
  /** How often running code came back to JavaScript, by reason. */
  readonly exits: Readonly<Record<string, number>>;
  /** Undefined when nobody counts. */
  readonly retired: RetiredCounters | undefined;
  readonly code: Readonly<CodeCounters>;
  /** Undefined when nothing is translated. */
  readonly translator: Readonly<TranslatorCounters> | undefined;
}

export const newCodeCounters = (): CodeCounters => ({
  lookups: 0,
  found: 0,
  blocksDecoded: 0,
  instructionsDecoded: 0,
  pagesForgotten: 0,
  flushes: 0,
});

export const newTranslatorCounters = (): TranslatorCounters => ({
  samples: 0,
  regions: 0,
  live: 0,
  liveBytes: 0,
  instructions: 0,
  bytes: 0,
  milliseconds: 0,
  elsewhere: 0,
  millisecondsElsewhere: 0,
  reclaimed: 0,
  refused: 0,
  mistakes: [],
  stale: 0,
});
