// One run of one process, by its console: when each row began and ended, and how much processor time the process used
// meanwhile, all its threads together.
//
// A machine that does other things too makes wall times long; the processor time of a process hardly changes. What the Guest
// itself says of the time goes by its own clock, which is the wall's.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type ProcessMemory, processMemory } from './process-memory.js';
import { BOOT } from './rows.js';

const NANOSECONDS = 1e9;
/** What a process is given of our environment: what it may need, and nothing that makes one of them slower than the others. */
const ENVIRONMENT = ['PATH', 'HOME', 'TMPDIR', 'TERM', 'LANG', 'XDG_CACHE_HOME', 'LGUEST_CACHE'];
const UNKNOWN: ProcessMemory = { resident: NaN, guest: NaN };

/** Seconds. */
export interface Times {
  readonly wall: number;
  readonly cpu: number;
}

/** When, in microseconds of the machine's monotonic clock; and processor time but that of the main thread. */
interface Instant extends Times {
  readonly at: number;
  readonly otherThreads: number;
  readonly memory: ProcessMemory;
}

export interface Measured extends Times {
  /** Microseconds of the machine's monotonic clock. */
  readonly from: number;
  readonly to: number;
  /** Processor time of all threads but the first. */
  readonly otherThreads: number;
  /** At the end, if somebody wants to know. */
  readonly memory: ProcessMemory;
  /** The number that the workload gives: equal wherever it is right. */
  readonly result: string;
}

export interface Run {
  readonly rows: ReadonlyMap<string, Measured>;
  /** The most memory that the process ever had, in bytes. */
  readonly peakMemory: number;
  /** What the process said, for when a row is missing. */
  readonly log: readonly string[];
}

/** A file of /proc, or nothing when the process has just ended. */
function processFile(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return '';
  }
}

function tasks(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Processor time of a process since it began, its threads together, in seconds; NaN when that is not to be known. */
export function processorTime(pid: number): number {
  const times = tasks(pid).map((task) => Number(processFile(`${pid}/task/${task}/schedstat`).split(' ')[0]));
  return times.length === 0 ? NaN : times.reduce((sum, time) => sum + time, 0) / NANOSECONDS;
}

function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(processFile(`${pid}/status`))?.[1] ?? NaN) * 1024;
}

function mainThreadTime(pid: number): number {
  return Number(processFile(`${pid}/task/${pid}/schedstat`).split(' ')[0]) / NANOSECONDS;
}

/** The same for all peers. A file of certificates, for instance, which Node may be told to read, costs each of its starts 35 ms. */
function plainEnvironment(ours: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(ENVIRONMENT.flatMap((name) => (ours[name] === undefined ? [] : [[name, ours[name]]])));
}

const between = (from: Instant, to: Instant): Omit<Measured, 'result'> => ({
  wall: to.wall - from.wall,
  cpu: to.cpu - from.cpu,
  from: from.at,
  to: to.at,
  otherThreads: to.otherThreads - from.otherThreads,
  memory: to.memory,
});

/** Follows the lines of a console. */
class RowReader {
  readonly rows = new Map<string, Measured>();
  readonly #clock: Command['clock'];
  readonly #boots: readonly string[];
  readonly #start: Instant;
  #began: Instant | undefined;

  constructor({ clock, boots = [BOOT] }: Command, start: Instant) {
    this.#clock = clock;
    this.#boots = boots;
    this.#start = start;
  }

  line(text: string, now: Instant): void {
    const [mark, name = '', result = '', wall, cpu] = text.trim().split(' ');
    if (mark === '@user-space') {
      for (const boot of this.#boots) this.rows.set(boot, { ...between(this.#start, now), result: '' });
    }
    if (mark === '@begin') this.#began = now;
    if (mark !== '@end' || this.#began === undefined) return;
    const own = this.#clock === 'own' ? { wall: Number(wall), cpu: Number(cpu) } : {};
    this.rows.set(name, { ...between(this.#began, now), ...own, result });
    this.#began = undefined;
  }
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** How the times are taken: as the program itself gives them, or by watching the process. */
  readonly clock: 'own' | 'watched';
  readonly timeoutMs: number;
  /** The rows for which its boot counts. */
  readonly boots?: readonly string[];
  /** Until it ends by itself, and not only until it says `@done`. */
  readonly toTheEnd?: boolean;
  /** How much memory the Guest has, to tell it from the rest of the process. */
  readonly ramBytes?: number;
}

/** Runs a command until it says `@done` or ends. */
export async function runAndMeasure(command: Command): Promise<Run> {
  const began = performance.now();
  const child = spawn(command.file, command.args, {
    env: plainEnvironment(process.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot run ${command.file}`);
  const ended = once(child, 'close');
  const timer = setTimeout(() => child.kill('SIGKILL'), command.timeoutMs);
  const start: Instant = {
    wall: 0,
    cpu: 0,
    at: Number(process.hrtime.bigint() / 1000n),
    otherThreads: 0,
    memory: UNKNOWN,
  };
  const reader = new RowReader(command, start);
  const log: string[] = [];
  let peak = 0;
  const onLine = (text: string): void => {
    const cpu = processorTime(pid);
    const now: Instant = {
      wall: (performance.now() - began) / 1000,
      cpu,
      at: Number(process.hrtime.bigint() / 1000n),
      otherThreads: cpu - mainThreadTime(pid),
      memory: command.ramBytes === undefined ? UNKNOWN : processMemory(pid, command.ramBytes),
    };
    log.push(text);
    reader.line(text, now);
    if (text.startsWith('@')) peak = peakMemory(pid);
    if (text.startsWith('@done') && command.toTheEnd !== true) child.kill('SIGKILL');
  };
  createInterface({ input: child.stdout }).on('line', onLine);
  createInterface({ input: child.stderr }).on('line', (text) => log.push(text));
  await ended;
  clearTimeout(timer);
  return { rows: reader.rows, peakMemory: peak, log };
}
