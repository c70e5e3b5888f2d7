// Everything that a Guest finds behind ports and device memory, as one thing: the run loop asks it to `emulate` what the
// Host could not serve, and it answers whether the Guest can go on.
import { alignUp } from '../lib/bits.js';
import { UserError } from '../lib/errors.js';
import type { LauncherContext } from './context.js';
import { InstructionEmulator } from './emulate-insn.js';
import type { PendingTrap } from './emulate-insn.js';
import { MAX_PCI_DEVICES, PciBus } from './pci/bus.js';
import { GuestRegisters } from './registers.js';
import type { VirtioDevice } from './virtio/device.js';
import { GuestMemory } from './virtio/guest-memory.js';
import { VirtioPciFunction, barSize } from './virtio/pci-function.js';
import { VirtioTransport, transportSize } from './virtio/transport.js';
import type { TransportOwner } from './virtio/transport.js';

const PAGE_SIZE = 4096;
/** Pages between RAM and the first BAR: the device pages of kernels before 4.0, which no device uses any more. */
const DEVICE_PAGES = 256;

export interface BusOptions extends LauncherContext {
  /** Where RAM ends and, after the device pages, device memory begins. A multiple of the page size. */
  readonly ramBytes: number;
  /** A driver broke a rule while the Guest was not waiting for it (output that went on after a pause). */
  readonly onBroken?: (reason: string) => void;
}

/** What became of a trap. */
export type Emulation = { readonly kind: 'done' } | { readonly kind: 'fatal'; readonly reason: string };

/** Where a device was put. The interrupt has the number of the slot. */
export interface Placement {
  readonly slot: number;
  readonly address: number;
  readonly size: number;
}

const done: Emulation = { kind: 'done' };

export class Bus {
  readonly #options: BusOptions;
  readonly #memory: GuestMemory;
  readonly #registers: GuestRegisters;
  readonly #pci = new PciBus();
  readonly #emulator: InstructionEmulator;
  readonly #devices: { readonly device: VirtioDevice; readonly transport: VirtioTransport }[] = [];
  #nextAddress: number;
  /** The first thing that went wrong. */
  #broken: string | undefined;

  constructor(options: BusOptions) {
    this.#options = options;
    this.#memory = new GuestMemory(options.memory, options.ramBytes);
    this.#registers = new GuestRegisters(options.lguest);
    this.#emulator = new InstructionEmulator(this.#registers, this.#pci, options.log);
    this.#nextAddress = options.ramBytes + DEVICE_PAGES * PAGE_SIZE;
  }

  /** Puts a device into the next slot: the console is the first, the others follow in the order of their options. */
  add(device: VirtioDevice): Placement {
    const slot = this.#pci.nextSlot;
    if (slot > MAX_PCI_DEVICES) {
      throw new UserError('ERR_LGUEST_TOO_MANY_DEVICES', `Can only handle ${MAX_PCI_DEVICES} PCI devices`);
    }
    const address = alignUp(this.#nextAddress, barSize(transportSize(device)));
    const transport = new VirtioTransport(device, address, this.#ownerOf(slot));
    this.#pci.add(new VirtioPciFunction(device, transport, slot));
    this.#devices.push({ device, transport });
    this.#nextAddress = transport.address + barSize(transport.size);
    return { slot, address: transport.address, size: transport.size };
  }

  /** The first page number above device memory: the last word of LHREQ_INITIALIZE. */
  get deviceLimit(): number {
    return alignUp(this.#nextAddress, PAGE_SIZE) / PAGE_SIZE;
  }

  /** Serves what read() on the Host's device stopped for. */
  emulate(pending: PendingTrap): Emulation {
    const reason = this.#emulator.emulate(pending);
    const fatal = this.#broken ?? reason;
    return fatal === undefined ? done : { kind: 'fatal', reason: fatal };
  }

  /** Takes the devices away from their drivers, as before a restart. */
  reset(): void {
    for (const { transport } of this.#devices) transport.reset();
  }

  /** Resets and closes every device. Nothing of theirs keeps the process alive afterwards. */
  close(): void {
    this.reset();
    for (const { device } of this.#devices) device.close();
  }

  #ownerOf(irq: number): TransportOwner {
    return {
      memory: this.#memory,
      interrupt: () => this.#registers.raiseInterrupt(irq),
      eip: () => this.#registers.get('eip'),
      broken: (reason) => {
        if (this.#broken !== undefined) return;
        this.#broken = reason;
        this.#options.onBroken?.(reason);
      },
    };
  }
}

/** A bus with only its host bridge. */
export const createBus = (options: BusOptions): Bus => new Bus(options);
