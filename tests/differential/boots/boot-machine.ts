// A whole machine whose every step depends on the Guest alone: Host, Launcher, console, and a clock that counts instructions.
import {
  allocateGuestMemory,
  EAGAIN,
  EINTR,
  type EngineName,
  LGUEST_PENDING,
  LGUEST_PENDING_INSN_SIZE,
  LGUEST_PENDING_SIZE,
  type LauncherMemory,
  LguestDevice,
  LHREQ,
} from '../../../host/device.js';
import type { Bus } from '../../../launcher/bus.js';
import { buildDevices } from '../../../launcher/devices/index.js';
import { loadGuest } from '../../../launcher/kernel/load.js';
import { silentLogger } from '../../../lib/log.js';
import { createSwitcher } from '../../../switcher/guest-cpu.js';
import type { Switcher } from '../../../switcher/switch.js';
import { FakeConsole } from '../../support/fake-console.js';
import { SteppedClock } from './stepped-clock.js';

const PAGE = 4096;
const TRAP_GENERAL_PROTECTION = 13;
const NAP = 1_000_000;

export interface Boot {
  readonly kernel: string;
  readonly initrd?: string | undefined;
  readonly commandLine: string;
  readonly megabytes: number;
  /** What is typed, from the beginning on. */
  readonly typed?: string | undefined;
}

/** What a step ended with. */
export type Step =
  | { readonly kind: 'on' }
  /** The event loop has to turn. */
  | { readonly kind: 'turn' }
  | { readonly kind: 'asleep' }
  | { readonly kind: 'dead'; readonly words: string };

export class BootMachine<Door extends Switcher> {
  readonly memory: LauncherMemory;
  readonly console = new FakeConsole();
  readonly door: Door;
  readonly #device: LguestDevice;
  readonly #bus: Bus;
  readonly #clock: SteppedClock;
  readonly #buffer = new Uint8Array(1024);
  #broken: string | undefined;

  private constructor(memory: LauncherMemory, clock: SteppedClock, door: Door) {
    this.memory = memory;
    this.door = door;
    this.#clock = clock;
    this.#device = new LguestDevice(memory, { clock });
    const fatal = (message: string): void => void (this.#broken ??= message);
    this.#bus = buildDevices({ memory, lguest: this.#device, log: silentLogger, fatal }, [], this.console);
  }

  /** @param watch puts something between the Host and the CPU */
  static async make<Door extends Switcher>(
    boot: Boot,
    engine: EngineName,
    translateAfter: number | undefined,
    watch: (inner: Switcher, clock: SteppedClock) => Door,
  ): Promise<BootMachine<Door>> {
    const clock = new SteppedClock();
    const bytes = boot.megabytes * 2 ** 20;
    const door = watch(
      createSwitcher(bytes, clock, { engine, translateAfter, counts: true, isRepeatable: true }),
      clock,
    );
    const memory = allocateGuestMemory(bytes, { clock, createSwitcher: () => door });
    const machine = new BootMachine(memory, clock, door);
    const { entry } = await loadGuest(memory.bytes, boot);
    const limit = Math.ceil(machine.#bus.mmioEnd / PAGE);
    machine.#device.write(Uint32Array.of(LHREQ.LHREQ_INITIALIZE, memory.base, bytes / PAGE, entry, limit));
    if (boot.typed !== undefined) machine.console.type(boot.typed);
    return machine;
  }

  /** Until the Launcher is needed, and what it has to do. */
  step(): Step {
    const result = this.#device.read(this.#buffer);
    switch (result) {
      case LGUEST_PENDING_SIZE:
        this.#serve();
        return this.#broken === undefined ? { kind: 'on' } : { kind: 'dead', words: this.#broken };
      case -EINTR:
        return { kind: 'turn' };
      case -EAGAIN:
        this.#clock.sleep(NAP);
        return { kind: 'asleep' };
      default:
        return { kind: 'dead', words: `${result} ${this.#lastWords()}` };
    }
  }

  #serve(): void {
    const pending = new DataView(this.#buffer.buffer);
    const insn = this.#buffer.subarray(LGUEST_PENDING.insn, LGUEST_PENDING.insn + LGUEST_PENDING_INSN_SIZE);
    if (pending.getUint8(LGUEST_PENDING.trap) === TRAP_GENERAL_PROTECTION) this.#bus.instruction(insn);
    else this.#bus.deviceMemory(pending.getUint32(LGUEST_PENDING.addr, true), insn);
  }

  #lastWords(): string {
    const length = this.#device.read(this.#buffer);
    return length < 0 ? '' : Buffer.from(this.#buffer.subarray(0, length - 1)).toString('latin1');
  }

  async close(): Promise<void> {
    this.#device.close();
    await this.#bus.close();
  }
}
