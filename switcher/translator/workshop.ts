// Where regions are made: here and now, while the Guest waits; or, when a Guest has waited long enough for that, by another
// thread while it goes on.
import { availableParallelism } from 'node:os';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { beforeLoading } from '../../lib/loading.js';
import { type Job, READY } from './job.js';
import { makeRegion, type Outcome } from './make-region.js';

/** How often a place is met before it is worth the time that its translation takes from the Guest. */
const PATIENCE = 40;
/** What makes the first few is not warm yet, and takes five times as long; a boot would make no others. */
const PATIENCE_AT_FIRST = 100;
const FIRST_REGIONS = 4;
/** The same where it takes nothing from the Guest. */
const PATIENCE_WITH_HELP = 24;
/** A Guest that was kept waiting for so long is no boot: that is better off without another thread. */
const WORTH_A_THREAD_MS = 200;
/** What the other thread is given: a job to be at, and one for when that is done. */
const JOBS_AT_A_TIME = 2;
/** Longer than the largest region takes on the slowest machine: who has not answered by then never will. */
const LONGEST_JOB_MS = 10_000;
/** It makes little that lasts. */
const YOUNG_GENERATION_MB = 4;

export interface Workshop {
  /** How often a place should be met before it is brought here; 0: everything is, wherever code is looked for. */
  readonly patience: number;
  readonly hasRoom: boolean;
  /** @param done is called when the region is made: at once, or by `collect` */
  take(job: Job, done: (outcome: Outcome) => void): void;
  collect(): void;
}

/** Whoever brings a job waits for it. So it is known when a translation is there, whatever the machine below is like. */
export const atOnce = (patience = PATIENCE): Workshop => ({
  patience,
  hasRoom: true,
  take: (job, done) => done(makeRegion(job)),
  collect: () => undefined,
});

interface Order {
  readonly job: Job;
  /** When it was given, or the one before it was done. */
  since: number;
  readonly done: (outcome: Outcome) => void;
}

/** What the other thread runs: translator/worker, as the bundle has it. */
const WORKER = new URL('../../bundle/worker.cjs', import.meta.url);

/** Makes regions itself until that has taken `worthAThread` milliseconds, and has them made then. */
export class GrowingWorkshop implements Workshop {
  #helper: 'none' | 'starting' | 'there' | 'failed' = 'none';
  #port: MessageChannel['port1'] | undefined;
  #worker: Worker | undefined;
  /** To be called when the thread has loaded what it needs. */
  #loaded: (() => void) | undefined;
  readonly #orders: Order[] = [];
  readonly #worthAThread: number;
  readonly #program: URL;
  readonly #longestJob: number;
  #spent = 0;
  #made = 0;

  constructor(worthAThread = WORTH_A_THREAD_MS, program = WORKER, longestJob = LONGEST_JOB_MS) {
    this.#worthAThread = worthAThread;
    this.#program = program;
    this.#longestJob = longestJob;
  }

  get isHelped(): boolean {
    return this.#helper === 'there';
  }

  get patience(): number {
    if (this.isHelped) return PATIENCE_WITH_HELP;
    return this.#made < FIRST_REGIONS ? PATIENCE_AT_FIRST : PATIENCE;
  }

  get hasRoom(): boolean {
    return this.#orders.length < JOBS_AT_A_TIME;
  }

  take(job: Job, done: Order['done']): void {
    if (this.isHelped) {
      this.#orders.push({ job, done, since: performance.now() });
      this.#port?.postMessage(job);
      return;
    }
    const began = performance.now();
    const outcome = makeRegion(job);
    this.#made++;
    this.#spent += performance.now() - began;
    if (this.#helper === 'none' && this.#spent >= this.#worthAThread) this.#start();
    done(outcome);
  }

  collect(): void {
    if (this.#port === undefined) return;
    for (let got = receiveMessageOnPort(this.#port); got !== undefined; got = receiveMessageOnPort(this.#port)) {
      if (got.message === READY) this.#started();
      else this.#delivered(got.message as Outcome);
    }
    const [first] = this.#orders;
    if (first !== undefined && performance.now() - first.since > this.#longestJob) this.#fail();
  }

  #delivered(outcome: Outcome): void {
    const order = this.#orders.shift();
    const [next] = this.#orders;
    if (next !== undefined) next.since = performance.now();
    order?.done(outcome);
  }

  #start(): void {
    this.#helper = 'starting';
    this.#loaded = beforeLoading();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    try {
      const worker = new Worker(this.#program, {
        workerData: port2,
        transferList: [port2],
        execArgv: [],
        env: {},
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      });
      // Nobody waits for it at the end of the process.
      worker.unref();
      worker.on('error', () => this.#fail());
      worker.on('exit', () => this.#fail());
      this.#worker = worker;
    } catch {
      // Where threads are not allowed.
      this.#fail();
    }
  }

  #started(): void {
    if (this.#helper !== 'starting') return;
    this.#helper = 'there';
    this.#loaded?.();
    this.#loaded = undefined;
  }

  /** Without the other thread, all is as it was before. */
  #fail(): void {
    if (this.#helper === 'failed') return;
    this.#helper = 'failed';
    this.collect();
    this.#loaded?.();
    this.#loaded = undefined;
    this.#port?.close();
    this.#port = undefined;
    void this.#worker?.terminate();
    this.#worker = undefined;
    for (const { job, done } of this.#orders.splice(0)) done(makeRegion(job));
  }
}

let shared: Workshop | undefined;

/** The one for all Guests of this process. On a machine with one processor, another thread would take from the Guest what it gives. */
export const workshop = (): Workshop =>
  (shared ??= new GrowingWorkshop(availableParallelism() > 1 ? WORTH_A_THREAD_MS : Infinity));
