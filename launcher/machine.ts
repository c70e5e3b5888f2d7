// One life of a Guest: memory, the Host's device, the devices on the bus, and the kernel in its place. A restart throws
// all of it away and builds another, as the original does by executing itself anew.
import { LHREQ } from '../guest-abi/lguest-launcher.js';
import { UserError } from '../lib/errors.js';
import type { Logger } from '../lib/log.js';
import type { LauncherMemory } from '../host/device.js';
import type { ConsolePort } from './console-port.js';
import type { LauncherContext, Overlays } from './context.js';
import type { DeviceSpec } from './device-specs.js';
import { type NamedCounts, addCounts } from './host-counters.js';
import { type LoadRequest, type LoadedKernel, loadGuest } from './kernel/load.js';
import type { Idleness } from './idleness.js';
import { type Outcome, type RunCounters, type RunnableGuest, type Services, runGuest } from './run-guest.js';

const PAGE_SIZE = 4096;

/** The Host's device, opened. */
export interface OpenHost extends RunnableGuest {
  /** What has happened so often. */
  counts(): NamedCounts;
  /** What the CPU did for it. */
  cpuCounts(): NamedCounts;
  close(): void;
}

/** The bus with everything on it. */
export interface DeviceSet extends Services {
  /** First guest-physical address behind the last device's memory. */
  readonly mmioEnd: number;
  /** What the devices did, by name. */
  counts(): NamedCounts;
  /** Lets go of files and timers. What was written is with the operating system afterwards. */
  close(): void | Promise<void>;
}

/** What a machine is built from. Tests put their own parts here. */
export interface Parts {
  /** What takes a while, and goes on beside the reading of files. */
  prepare?(): Promise<void>;
  allocateMemory(ramBytes: number): LauncherMemory;
  openHost(memory: LauncherMemory, log: Logger): OpenHost;
  buildDevices(
    context: LauncherContext,
    specs: readonly DeviceSpec[],
    console: ConsolePort,
  ): DeviceSet | Promise<DeviceSet>;
}

export interface MachineRequest extends LoadRequest {
  readonly ramBytes: number;
  readonly devices: readonly DeviceSpec[];
  readonly log: Logger;
  readonly overlays: Overlays;
}

export class Machine {
  readonly kernel: LoadedKernel;
  readonly #host: OpenHost;
  readonly #devices: DeviceSet;
  readonly #fatal: AbortController;

  private constructor(kernel: LoadedKernel, host: OpenHost, devices: DeviceSet, fatal: AbortController) {
    this.kernel = kernel;
    this.#host = host;
    this.#devices = devices;
    this.#fatal = fatal;
  }

  /** @throws UserError for a kernel, an initrd, a disk that cannot be used */
  static async build(parts: Parts, request: MachineRequest, console: ConsolePort): Promise<Machine> {
    const memory = parts.allocateMemory(request.ramBytes);
    const host = parts.openHost(memory, request.log);
    const prepared = parts.prepare?.();
    // It is waited for below, unless there is no kernel to run.
    prepared?.catch(() => undefined);
    const fatal = new AbortController();
    let devices: DeviceSet | undefined;
    try {
      const kernel = await loadGuest(memory.bytes, request);
      const context: LauncherContext = {
        memory,
        lguest: host,
        log: request.log,
        overlays: request.overlays,
        kernelVersion: kernel.inspection.version,
        fatal: (message) => fatal.abort(new UserError('ERR_LGUEST_DEVICE', message)),
      };
      devices = await parts.buildDevices(context, request.devices, console);
      await prepared;
      initialize(host, memory, kernel.entry, request.ramBytes, devices.mmioEnd);
      return new Machine(kernel, host, devices, fatal);
    } catch (error) {
      await devices?.close();
      host.close();
      throw error;
    }
  }

  /** Runs the Guest until it ends, or a device cannot go on, or `signal` says stop. */
  async run(
    signal: AbortSignal,
    counters: RunCounters,
    idleness: Idleness,
  ): Promise<Outcome | { kind: 'failed'; message: string }> {
    const stop = AbortSignal.any([signal, this.#fatal.signal]);
    const outcome = await runGuest(this.#host, this.#devices, stop, counters, idleness);
    const reason: unknown = this.#fatal.signal.reason;
    return reason instanceof UserError ? { kind: 'failed', message: reason.message } : outcome;
  }

  /** What the Host counted. */
  counts(): NamedCounts {
    return addCounts(this.#host.counts(), this.#devices.counts());
  }

  cpuCounts(): NamedCounts {
    return this.#host.cpuCounts();
  }

  async close(): Promise<void> {
    this.#host.close();
    await this.#devices.close();
  }
}

/** `tell_kernel()`: where memory is, where it ends, where the Guest begins. */
function initialize(host: OpenHost, memory: LauncherMemory, entry: number, ramBytes: number, mmioEnd: number): void {
  const deviceLimit = Math.ceil(mmioEnd / PAGE_SIZE);
  const words = Uint32Array.of(LHREQ.LHREQ_INITIALIZE, memory.base, ramBytes / PAGE_SIZE, entry, deviceLimit);
  const result = host.write(words);
  if (result < 0) throw new UserError('ERR_LGUEST_HOST', `the Host refuses to begin: error ${-result}`);
}
