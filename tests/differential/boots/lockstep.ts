// A whole boot under several engines, side by side: registers are compared at every stop, memory now and then; and what
// differs is looked for again more closely, until it is one block.
import { PAGE_SIZE } from '../../../guest-abi/addresses.js';
import type { EngineName } from '../../../host/device.js';
import { type Boot, BootMachine, type Step } from './boot-machine.js';
import { type Closeness, Difference, Follower, Leader } from './watched.js';

/** Instructions between two comparisons of memory. */
const MEMORY_EVERY = 5_000_000;
/** A Guest that sleeps so many milliseconds of its own time waits for something that does not come. */
const LONGEST_SLEEP = 10_000;

export interface Wanted {
  readonly boot: Boot;
  /** The first one leads: it may be the translator. */
  readonly engines: readonly [EngineName, ...EngineName[]];
  /** How often a place is met before it is translated. */
  readonly translateAfter?: number | undefined;
  /** How far to go, if the Guest does not end before. */
  readonly instructions?: number | undefined;
  readonly spoil?: Closeness['spoil'];
  /** Called now and then. */
  readonly progress?: (instructions: number) => void;
}

export interface Result {
  /** Undefined when there is none. */
  readonly difference: Difference | undefined;
  readonly instructions: number;
  readonly translated: number;
  /** How often registers were compared, and memory. */
  readonly stops: number;
  readonly memories: number;
  readonly printed: string;
  readonly end: string;
}

const MOST_PAGES = 64;

/** Memory differs, or what was printed. */
class MemoryDiffers extends Error {
  /** Where, as page numbers. */
  readonly pages: readonly number[];

  constructor(one: Uint8Array, other: Uint8Array) {
    const pages = Array.from({ length: one.length / PAGE_SIZE }, (_, page) => page).filter((page) => {
      const [from, to] = [page * PAGE_SIZE, (page + 1) * PAGE_SIZE];
      return Buffer.compare(one.subarray(from, to), other.subarray(from, to)) !== 0;
    });
    super(`the memory differs in ${pages.length} pages, of which the first is ${pages[0]}`);
    this.pages = pages.slice(0, MOST_PAGES);
  }
}

const eventLoopTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

class Lockstep {
  readonly #wanted: Wanted;
  readonly #leader: BootMachine<Leader>;
  readonly #followers: readonly BootMachine<Follower>[];
  #memories = 0;
  /** When memory was compared last, in instructions. */
  #compared = 0;
  #asleep = 0;

  private constructor(wanted: Wanted, leader: BootMachine<Leader>, followers: readonly BootMachine<Follower>[]) {
    this.#wanted = wanted;
    this.#leader = leader;
    this.#followers = followers;
  }

  static async make(wanted: Wanted, closeness: Closeness): Promise<Lockstep> {
    const { boot, engines, translateAfter } = wanted;
    const [first, ...others] = engines;
    const leader = await BootMachine.make(
      boot,
      first,
      translateAfter,
      (cpu, clock) => new Leader(cpu, clock, closeness),
    );
    const followers: BootMachine<Follower>[] = [];
    for (const engine of others) {
      const watch = (...args: ConstructorParameters<typeof Leader>): Follower =>
        new Follower(args[0], args[1], closeness, leader.door);
      followers.push(
        await BootMachine.make(boot, engine, translateAfter, (cpu, clock) => watch(cpu, clock, closeness)),
      );
    }
    return new Lockstep(wanted, leader, followers);
  }

  /** @throws Difference, MemoryDiffers */
  async run(): Promise<Omit<Result, 'difference'>> {
    const { instructions = Infinity, progress } = this.#wanted;
    for (;;) {
      const step = this.#stepAll();
      const { retired, entries } = this.#leader.door;
      if (retired - this.#compared >= MEMORY_EVERY) {
        this.#compareMemory();
        progress?.(retired);
      }
      this.#asleep = step.kind === 'asleep' ? this.#asleep + 1 : 0;
      const end = this.#endOf(step, retired >= instructions);
      if (end !== undefined) {
        this.#compareMemory();
        const { counters } = this.#leader.door;
        const translated = counters.retired?.translated ?? 0;
        const { printed } = this.#leader.console;
        return { instructions: retired, translated, stops: entries, memories: this.#memories, printed, end };
      }
      if (step.kind === 'turn' || step.kind === 'asleep') await eventLoopTurn();
    }
  }

  #endOf(step: Step, isFarEnough: boolean): string | undefined {
    if (step.kind === 'dead') return step.words;
    if (isFarEnough) return 'far enough';
    return this.#asleep > LONGEST_SLEEP ? 'asleep' : undefined;
  }

  #stepAll(): Step {
    const { door } = this.#leader;
    const began = door.entries;
    const step = this.#leader.step();
    for (const follower of this.#followers) {
      const same = follower.step();
      if (JSON.stringify(same) !== JSON.stringify(step) || follower.door.entries !== door.entries)
        throw new Difference(began, door.retired, [`${JSON.stringify(step)}, ${JSON.stringify(same)}`], []);
    }
    // What everybody has been to is not needed again.
    for (let entry = began; entry < door.entries; entry++) delete door.stops[entry];
    return step;
  }

  #compareMemory(): void {
    const { memory, console, door } = this.#leader;
    this.#memories++;
    for (const follower of this.#followers) {
      const isSame = Buffer.compare(memory.bytes, follower.memory.bytes) === 0;
      if (!isSame || console.printed !== follower.console.printed)
        throw new MemoryDiffers(memory.bytes, follower.memory.bytes);
    }
    this.#compared = door.retired;
  }

  async close(): Promise<void> {
    for (const machine of [this.#leader, ...this.#followers]) await machine.close();
  }
}

async function attempt(
  wanted: Wanted,
  closeness: Closeness,
): Promise<Omit<Result, 'difference'> | Difference | MemoryDiffers> {
  const lockstep = await Lockstep.make(wanted, closeness);
  try {
    return await lockstep.run();
  } catch (error) {
    if (error instanceof Difference || error instanceof MemoryDiffers) return error;
    throw error;
  } finally {
    await lockstep.close();
  }
}

/** Boots it under all engines, and finds where they part. */
export async function compareBoots(wanted: Wanted): Promise<Result> {
  const spoil = wanted.spoil === undefined ? {} : { spoil: wanted.spoil };
  let found = await attempt(wanted, spoil);
  // What differs in memory shows only when somebody looks: at the pages of which it is known by then.
  const watched = found instanceof MemoryDiffers ? { pages: found.pages } : {};
  if (found instanceof MemoryDiffers) found = await attempt(wanted, { ...spoil, ...watched });
  if (found instanceof MemoryDiffers) throw found;
  if (!(found instanceof Difference)) return { ...found, difference: undefined };
  const closer = await attempt(wanted, { ...spoil, ...watched, jumpsFrom: found.entry });
  const difference = closer instanceof Difference ? closer : found;
  return {
    difference,
    instructions: difference.from,
    translated: NaN,
    stops: NaN,
    memories: NaN,
    printed: '',
    end: '',
  };
}
