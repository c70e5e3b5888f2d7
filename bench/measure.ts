// One run of one process, by its console: when each row began and ended, and how much processor time the process used
// meanwhile, all its threads together.
//
// A machine that does other things too makes wall times long; the processor time of a process hardly changes. What the Guest
// itself says of the time goes by its own clock, which is the wall's.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { BOOT } from './rows.js';

const NANOSECONDS = 1e9;

/** Seconds. */
export interface Times {
  readonly wall: number;
  readonly cpu: number;
}

export interface Measured extends Times {
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

const subtract = (a: Times, b: Times): Times => ({ wall: a.wall - b.wall, cpu: a.cpu - b.cpu });

/** Follows the lines of a console. */
class RowReader {
  readonly rows = new Map<string, Measured>();
  readonly #clock: Command['clock'];
  #began: Times | undefined;

  constructor(clock: Command['clock']) {
    this.#clock = clock;
  }

  line(text: string, now: Times): void {
    const [mark, name = '', result = '', wall, cpu] = text.trim().split(' ');
    if (mark === '@user-space') this.rows.set(BOOT, { ...now, result: '' });
    if (mark === '@begin') this.#began = now;
    if (mark !== '@end' || this.#began === undefined) return;
    const times = this.#clock === 'own' ? { wall: Number(wall), cpu: Number(cpu) } : subtract(now, this.#began);
    this.rows.set(name, { ...times, result });
    this.#began = undefined;
  }
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** How the times are taken: as the program itself gives them, or by watching the process. */
  readonly clock: 'own' | 'watched';
  readonly timeoutMs: number;
}

/** Runs a command until it says `@done` or ends. */
export async function runAndMeasure(command: Command): Promise<Run> {
  const began = performance.now();
  const child = spawn(command.file, command.args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot run ${command.file}`);
  const ended = once(child, 'close');
  const timer = setTimeout(() => child.kill('SIGKILL'), command.timeoutMs);
  const reader = new RowReader(command.clock);
  const log: string[] = [];
  let peak = 0;
  const onLine = (text: string): void => {
    const now: Times = { wall: (performance.now() - began) / 1000, cpu: processorTime(pid) };
    log.push(text);
    reader.line(text, now);
    if (text.startsWith('@')) peak = peakMemory(pid);
    if (text.startsWith('@done')) child.kill('SIGKILL');
  };
  createInterface({ input: child.stdout }).on('line', onLine);
  createInterface({ input: child.stderr }).on('line', (text) => log.push(text));
  await ended;
  clearTimeout(timer);
  return { rows: reader.rows, peakMemory: peak, log };
}
