// A Guest as a program sees it: made, run, watched, closed.
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { UserError } from '../lib/errors.js';
import { type Logger, silentLogger } from '../lib/log.js';
import type { ConsoleSize } from './console-port.js';
import { GuestConsole } from './console-stream.js';
import { Overlays } from './context.js';
import type { DeviceSpec } from './device-specs.js';
import { EXIT_CODES, type ExitInfo, type ExitReason, classifyDeath } from './exit-info.js';
import { type NamedCounts, addCounts } from './host-counters.js';
import { Idleness } from './idleness.js';
import { Machine, type MachineRequest, type Parts } from './machine.js';
import { memoryBytes } from './memory.js';
import type { EngineName } from './parts.js';
import { newRunCounters } from './run-guest.js';

export interface GuestOptions {
  /** Megabytes, or '64M', '0.5G'. */
  readonly memory: number | string;
  /** A vmlinux or bzImage: its name, or its bytes. */
  readonly kernel: string | URL | Uint8Array;
  /** A file, a folder that is packed on the fly, or the archive's bytes. */
  readonly initrd?: string | URL | Uint8Array;
  /**
   * Whether a kernel and an initrd that gzip packed are unpacked before the Guest begins; true by default. The Guest would take much
   * longer. What cannot be unpacked here is handed over as it is, and with `false` everything is.
   */
  readonly unpack?: boolean;
  /** The kernel's arguments. */
  readonly cmdline?: string | readonly string[];
  /** Made by `block(…)`, `rng()`, `net()`: their order is that of the slots on the bus. */
  readonly devices?: readonly DeviceSpec[];
  readonly console?: ConsoleSize;
  /** Ends the run when it is aborted. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the run is ended. */
  readonly timeout?: number;
  /** End with reason `restart` instead of starting the Guest anew. */
  readonly noReboot?: boolean;
  /** How the CPU runs. */
  readonly engine?: EngineName;
  /** Count the instructions that the CPU executes: the result's stats have their number then. Takes time. */
  readonly countInstructions?: boolean;
  /** Anything with pino's methods. Silent by default. */
  readonly logger?: Logger;
}

export interface GuestEvents {
  /** The first instruction is about to run; again after each restart. */
  boot: [];
  panic: [message: string];
  restart: [];
  exit: [info: ExitInfo];
}

/** A terminal as terminals were when nobody asked. */
const DEFAULT_SIZE: ConsoleSize = { cols: 80, rows: 24 };

type Life = { readonly state: 'ready'; readonly machine: Machine } | { readonly state: 'running' | 'ended' };
type End = Pick<ExitInfo, 'reason' | 'message'>;

export class Guest extends EventEmitter<GuestEvents> {
  readonly console: GuestConsole;
  readonly #parts: Parts;
  readonly #request: MachineRequest;
  readonly #options: GuestOptions;
  readonly #stop = new AbortController();
  readonly #counters = newRunCounters();
  readonly #idleness = new Idleness();
  readonly #ended = new AbortController();
  #life: Life;
  #running: Promise<ExitInfo> | undefined;
  #restarts = 0;
  #hostCounters: NamedCounts = {};
  #cpuCounters: NamedCounts = {};

  private constructor(
    parts: Parts,
    options: GuestOptions,
    request: MachineRequest,
    machine: Machine,
    console: GuestConsole,
  ) {
    super();
    this.#parts = parts;
    this.#options = options;
    this.#request = request;
    this.console = console;
    this.#life = { state: 'ready', machine };
  }

  /** What `createGuest` does, from parts of one's own. */
  static async build(parts: Parts, options: GuestOptions): Promise<Guest> {
    const cmdline = options.cmdline ?? '';
    const request: MachineRequest = {
      ramBytes: memoryBytes(options.memory),
      kernel: pathOrBytes(options.kernel),
      initrd: options.initrd === undefined ? undefined : pathOrBytes(options.initrd),
      unpack: options.unpack,
      commandLine: typeof cmdline === 'string' ? cmdline : cmdline.join(' '),
      devices: options.devices ?? [],
      log: options.logger ?? silentLogger,
      overlays: new Overlays(),
    };
    const console = new GuestConsole(options.console ?? DEFAULT_SIZE);
    const machine = await Machine.build(parts, request, console.port);
    return new Guest(parts, options, request, machine, console);
  }

  /**
   * Runs the Guest to its end, whichever it is: a panic, too, is a result. Rejects for mistakes of ours, and for files
   * that have gone when the Guest is started anew.
   */
  run(): Promise<ExitInfo> {
    this.#running ??= this.#runOnce();
    return this.#running;
  }

  /** Ends the run. Its result has this reason and message. */
  stop(reason: 'timeout' | 'aborted' = 'aborted', message = 'stopped from outside'): void {
    const end: End = { reason, message };
    this.#stop.abort(end);
  }

  /**
   * Waits until the Guest has nothing to do: until it has slept for `milliseconds` and printed nothing meanwhile. That
   * is how a Guest looks that waits for input, and also one that just takes its time.
   *
   * @returns false when it has ended before
   */
  async idle(milliseconds = 1000): Promise<boolean> {
    try {
      await this.#idleness.wait(milliseconds, () => this.console.bytesPrinted, this.#ended.signal);
      return true;
    } catch (error) {
      if (this.#ended.signal.aborted) return false;
      throw error;
    }
  }

  /** Ends the Guest if it still runs, and lets go of everything it held. May be called more than once. */
  async close(): Promise<void> {
    this.stop('aborted', 'closed');
    if (this.#life.state === 'ready') {
      const { machine } = this.#life;
      this.#life = { state: 'ended' };
      this.#ended.abort();
      await machine.close();
    }
    await this.#running?.catch(() => undefined);
    this.console.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #runOnce(): Promise<ExitInfo> {
    if (this.#life.state !== 'ready') throw new UserError('ERR_LGUEST_CLOSED', 'this Guest has been closed');
    const { signal, timeout } = this.#options;
    const began = performance.now();
    const onAbort = (): void => this.stop('aborted', abortMessage(signal?.reason));
    const timer =
      timeout === undefined ? undefined : setTimeout(() => this.stop('timeout', timeoutMessage(timeout)), timeout);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      const end = await this.#lives(this.#life.machine);
      this.#life = { state: 'ended' };
      this.console.hangUp();
      const info = this.#exitInfo(end, began);
      this.emit('exit', info);
      return info;
    } finally {
      this.#life = { state: 'ended' };
      this.#ended.abort();
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.console.hangUp();
    }
  }

  /** One machine after the other, as long as the Guest asks for a restart. */
  async #lives(first: Machine): Promise<End> {
    this.#life = { state: 'running' };
    for (let machine = first; ;) {
      let end: End | 'again';
      try {
        this.#describe(machine);
        this.emit('boot');
        end = await this.#oneLife(machine);
        this.#hostCounters = addCounts(this.#hostCounters, machine.counts());
        this.#cpuCounters = addCounts(this.#cpuCounters, machine.cpuCounts());
      } finally {
        await machine.close();
      }
      if (end !== 'again') return end;
      this.#restarts++;
      this.emit('restart');
      this.#request.log.info('the Guest restarts');
      machine = await Machine.build(this.#parts, this.#request, this.console.port);
    }
  }

  async #oneLife(machine: Machine): Promise<End | 'again'> {
    const outcome = await machine.run(this.#stop.signal, this.#counters, this.#idleness);
    switch (outcome.kind) {
      case 'stopped':
        return isEnd(this.#stop.signal.reason) ? this.#stop.signal.reason : { reason: 'aborted', message: 'stopped' };
      case 'failed':
        return { reason: 'failed', message: outcome.message };
      case 'restart':
        return this.#options.noReboot === true
          ? { reason: 'restart', message: 'the Guest asked for a restart' }
          : 'again';
      case 'dead': {
        const reason = classifyDeath(outcome.message);
        if (reason === 'panic') this.emit('panic', outcome.message);
        return { reason, message: outcome.message };
      }
    }
  }

  #describe(machine: Machine): void {
    const { format, unpacked, inspection, entry, initrd } = machine.kernel;
    const { log, ramBytes, commandLine } = this.#request;
    const version = inspection.version === undefined ? '' : ` Linux ${inspection.version}`;
    const how = (here: boolean): string => (here ? ', unpacked' : '');
    log.info(
      `memory ${ramBytes / 1024 / 1024}M, kernel ${format}${version}${how(unpacked)}, entry 0x${entry.toString(16)}`,
    );
    if (initrd !== undefined) {
      log.info(`initrd at 0x${initrd.address.toString(16)}, ${initrd.size} bytes${how(initrd.unpacked)}`);
    }
    log.info(`kernel arguments: ${commandLine}`);
  }

  #exitInfo(end: End, began: number): ExitInfo {
    const reason: ExitReason = end.reason;
    const firstByteAt = this.console.firstByteAt;
    return {
      reason,
      message: end.message,
      exitCode: EXIT_CODES[reason],
      stats: {
        ...this.#counters,
        wallMs: performance.now() - began,
        firstOutputMs: firstByteAt === undefined ? undefined : firstByteAt - began,
        consoleBytes: this.console.bytesPrinted,
        restarts: this.#restarts,
        host: this.#hostCounters,
        cpu: this.#cpuCounters,
      },
    };
  }
}

const pathOrBytes = (source: string | URL | Uint8Array): string | Uint8Array =>
  source instanceof URL ? fileURLToPath(source) : source;

const isEnd = (value: unknown): value is End =>
  typeof value === 'object' && value !== null && 'reason' in value && 'message' in value;

const abortMessage = (reason: unknown): string => (reason instanceof Error ? reason.message : 'stopped by its signal');

const timeoutMessage = (ms: number): string => `still running after ${ms / 1000} s`;
