// What the rooms of the Launcher share about one running Guest. The original keeps these in static variables.
import type { Logger } from '../lib/log.js';
import type { LauncherMemory } from '../host/device.js';

/** The two calls of the Host's device (`/dev/lguest`) that devices and the instruction emulator make. */
export interface LguestFd {
  /** @returns what the request returns: 0 or more, or a negative errno */
  write(message: Uint32Array, cpuId?: number): number;
  /** @returns the number of bytes stored in `buffer`, or a negative errno */
  read(buffer: Uint8Array, cpuId?: number): number;
}

/** What the Guest wrote to its snapshots, which its restarts do not end. One overlay for each place among the devices. */
export class Overlays {
  readonly #overlays = new Map<number, Map<number, Uint8Array>>();

  of(index: number): Map<number, Uint8Array> {
    const overlay = this.#overlays.get(index) ?? new Map<number, Uint8Array>();
    this.#overlays.set(index, overlay);
    return overlay;
  }
}

export interface LauncherContext {
  readonly memory: LauncherMemory;
  readonly lguest: LguestFd;
  readonly log: Logger;
  readonly overlays?: Overlays;
  /** `4.12.0`, when the kernel in memory says so: some have faults that devices must know about. */
  readonly kernelVersion?: string | undefined;
  /**
   * The Launcher cannot go on with this Guest: a driver broke the rules (`net: bad driver: …`), an instruction could not
   * be given back. The original calls errx() here. The run ends with this message before the next Guest instruction,
   * and only the first one counts.
   */
  fatal(message: string): void;
}
