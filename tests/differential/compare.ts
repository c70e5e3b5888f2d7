// Random cases on a real CPU and on our engines, and in what they differ.
import type { EngineName } from '../../switcher/cpu/cpu.js';
import { type Case, Judge } from './judge.js';
import { caseMaker, type WantedCases } from './make-case.js';

const BATCH = 4096;

export interface Wanted extends WantedCases {
  readonly cases: number;
  readonly engines: readonly EngineName[];
  /** Whether a real CPU is the judge; else it is our evaluator. */
  readonly native: boolean;
  /** Says when there has been enough, whatever is left. */
  readonly isOver?: () => boolean;
}

/** A case in which an engine did not end as it had to. */
export interface Difference {
  readonly case: Case;
  readonly engine: EngineName;
  readonly lines: readonly string[];
}

/** Gives the differences as they are found, and at last the number of cases. */
export async function* compare(wanted: Wanted, judge: Judge): AsyncGenerator<Difference, number> {
  const make = caseMaker(wanted);
  let done = 0;
  while (done < wanted.cases && wanted.isOver?.() !== true) {
    const cases: Case[] = [];
    while (cases.length < Math.min(BATCH, wanted.cases - done)) {
      const one = make();
      if (judge.admits(one)) cases.push(one);
    }
    const answers = await judge.answers(cases);
    for (const [i, one] of cases.entries()) {
      const answer = answers[i];
      if (answer === undefined) continue;
      for (const [engine, lines] of judge.differences(one, answer)) yield { case: one, engine, lines };
    }
    done += cases.length;
  }
  return done;
}
