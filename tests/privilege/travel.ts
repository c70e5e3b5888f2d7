// Runs random programs through the rings, under every engine and on an emulated PC, and makes small what they disagree about.
import type { EngineName } from '../../switcher/cpu/cpu.js';
import { type Outcome, type RingCase, answerOf } from './case.js';
import { comparable } from './differences.js';
import { askPc } from './qemu.js';
import { type Program, caseOf, randomProgram, smaller } from './random-cases.js';
import { RingCpu } from './ring-cpu.js';

/** Who does otherwise than the evaluator. */
export type Other = EngineName | 'pc';

export interface Disagreement {
  readonly seed: number;
  readonly who: Other;
  readonly case: RingCase;
  readonly ours: string;
  readonly theirs: string;
}

/** The judge, and who is judged. The PC is asked for many at once, since starting it takes longer than most programs. */
export class Travel {
  readonly #judge = new RingCpu('evaluate');
  readonly #engines: ReadonlyMap<EngineName, RingCpu>;
  readonly #withPc: boolean;

  constructor(engines: readonly EngineName[], withPc: boolean) {
    this.#engines = new Map(engines.map((name) => [name, new RingCpu(name)]));
    this.#withPc = withPc;
  }

  /** The programs with `count` numbers from `seed` on. */
  run(seed: number, count: number): Disagreement[] {
    const programs = Array.from({ length: count }, (_, i) => randomProgram(seed + i));
    return this.#disagreements(programs).map((one) => this.#minimise(one.program, one.who));
  }

  #disagreements(programs: readonly Program[], only?: Other): { program: Program; who: Other; at: Disagreement }[] {
    const found: { program: Program; who: Other; at: Disagreement }[] = [];
    const note = (program: Program, who: Other, one: RingCase, ours: string, theirs: string): void => {
      if (ours !== theirs) found.push({ program, who, at: { seed: program.seed, who, case: one, ours, theirs } });
    };
    const forPc: { program: Program; one: RingCase; ours: Outcome }[] = [];
    for (const program of programs) {
      const one = caseOf(program);
      const ours = this.#judge.run(one);
      // What does not end in time may end elsewhere at any other place.
      if (ours.vector === undefined) continue;
      forPc.push({ program, one, ours });
      for (const [name, cpu] of this.#engines) {
        if (only === undefined || only === name)
          note(program, name, one, answerOf(one, ours), answerOf(one, cpu.run(one)));
      }
    }
    if (!this.#withPc || (only !== undefined && only !== 'pc')) return found;
    askPc(forPc.map(({ one }) => one)).forEach((theirs, i) => {
      const asked = forPc[i];
      if (asked) note(asked.program, 'pc', asked.one, comparable(asked.one, asked.ours), comparable(asked.one, theirs));
    });
    return found;
  }

  /** Leaves out what can be left out without the disagreement going with it. */
  #minimise(program: Program, who: Other): Disagreement {
    let [last] = this.#disagreements([program], who);
    for (let next = last; next !== undefined; [next] = this.#disagreements([...smaller(next.program)], who))
      last = next;
    return (
      last?.at ?? { seed: program.seed, who, case: caseOf(program), ours: 'it depends', theirs: 'on what ran before' }
    );
  }
}
