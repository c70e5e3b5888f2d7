// Who says what a case has to do, and in what an engine differs from it.
//
// The CPU of this machine says it, if there is one to ask; else the evaluator, our slow and obviously right engine.
import type { EngineName } from '../../switcher/cpu/cpu.js';
import { NativeCpu } from '../native/harness.js';
import type { Plan } from '../native/templates/template.js';
import { compareOutcomes } from '../support/compare.js';
import { BREAKPOINT, type MachineState, type Outcome, PAGE_FAULT } from '../support/machine-state.js';
import { EmulatedCpu } from '../support/test-cpu.js';

/** What takes more jumps than these is not a case: the engines have far more patience, since each counts in its own way. */
const LONGEST = 10_000;

/** Whether what happened here can be tried on the real CPU: it touched the pages, or what surely is no memory there. */
export function isHarmless({ trap }: Outcome): boolean {
  if (trap.vector !== PAGE_FAULT) return trap.vector >= 0;
  return trap.cr2 < 0x10000 || (trap.cr2 >= 0x0ff00000 && trap.cr2 < 0x40000000);
}

export interface Case {
  readonly name: string;
  readonly code: Uint8Array;
  readonly state: MachineState;
  readonly tolerance: Partial<Plan>;
}

export class Judge {
  readonly #native: NativeCpu | undefined;
  readonly #measure: EmulatedCpu;
  readonly #engines: readonly (readonly [EngineName, EmulatedCpu])[];

  constructor(engines: readonly EngineName[], native: boolean) {
    this.#native = native ? new NativeCpu() : undefined;
    // Asked first, so that only the harmless is tried on the real CPU.
    this.#measure = new EmulatedCpu(native ? 'interpret' : 'evaluate');
    this.#engines = engines.map((engine) => [engine, new EmulatedCpu(engine)]);
  }

  /** Whether the case may be tried. */
  admits({ state }: Case): boolean {
    this.#measure.reset(state);
    return isHarmless(this.#measure.run(LONGEST));
  }

  /** What each of these cases, all admitted, has to end as. */
  answers(cases: readonly Case[]): Promise<Outcome[]> {
    const states = cases.map(({ state }) => state);
    if (this.#native !== undefined) return this.#native.run(states);
    return Promise.resolve(
      states.map((state) => {
        this.#measure.reset(state);
        return this.#measure.run();
      }),
    );
  }

  /** In what the engines differ from `there`, by engine. */
  differences({ state, tolerance }: Case, there: Outcome): [EngineName, string[]][] {
    const faulted = there.trap.vector !== BREAKPOINT;
    const ignore = [...(tolerance.ignore ?? []), ...(faulted ? (tolerance.ignoreOnFault ?? []) : [])];
    return this.#engines.flatMap(([engine, cpu]): [EngineName, string[]][] => {
      cpu.reset(state);
      const lines = compareOutcomes(state, there, cpu.run(), { ...tolerance, ignore });
      return lines.length === 0 ? [] : [[engine, lines]];
    });
  }

  /** All of that for one case; the answer is undefined if the case must not be tried or does not end. */
  async try(one: Case): Promise<{ answer: Outcome | undefined; differences: [EngineName, string[]][] }> {
    const [answer] = this.admits(one) ? await this.answers([one]) : [];
    if (answer === undefined || answer.trap.vector < 0) return { answer: undefined, differences: [] };
    return { answer, differences: this.differences(one, answer) };
  }

  close(): void {
    this.#native?.close();
  }
}
