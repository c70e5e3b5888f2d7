// Everything that a Guest finds behind ports and device memory, as one thing: the run loop brings it what the Host could
// not serve.
import { PT_REGS } from '../guest-abi/lguest-launcher.js';
import { alignUp } from '../lib/bits.js';
import { UserError } from '../lib/errors.js';
import type { LauncherContext } from './context.js';
import { type NamedCounts, addCounts } from './host-counters.js';
import { InstructionEmulator } from './emulate-insn.js';
import type { DeviceSet } from './machine.js';
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

/** Where a device was put. The interrupt has the number of the slot. */
export interface Placement {
  readonly slot: number;
  readonly address: number;
  readonly size: number;
}

export class Bus implements DeviceSet {
  readonly #fatal: LauncherContext['fatal'];
  readonly #memory: GuestMemory;
  readonly #registers: GuestRegisters;
  readonly #pci = new PciBus();
  readonly #emulator: InstructionEmulator;
  readonly #devices: { readonly device: VirtioDevice; readonly transport: VirtioTransport }[] = [];
  #mmioEnd: number;

  /** A bus with only its host bridge. Device memory begins above RAM. */
  constructor(context: LauncherContext) {
    const ramBytes = context.memory.bytes.length;
    this.#fatal = context.fatal;
    this.#memory = new GuestMemory(context.memory);
    this.#registers = new GuestRegisters(context.lguest);
    this.#emulator = new InstructionEmulator(this.#registers, this.#pci, context);
    this.#mmioEnd = ramBytes + DEVICE_PAGES * PAGE_SIZE;
  }

  /** Puts a device into the next slot: the console is the first, the others follow in the order of their options. */
  add(device: VirtioDevice): Placement {
    const slot = this.#pci.nextSlot;
    if (slot > MAX_PCI_DEVICES) {
      throw new UserError('ERR_LGUEST_TOO_MANY_DEVICES', `Can only handle ${MAX_PCI_DEVICES} PCI devices`);
    }
    const address = alignUp(this.#mmioEnd, barSize(transportSize(device)));
    const transport = new VirtioTransport(device, address, this.#ownerOf(slot));
    this.#pci.add(new VirtioPciFunction(device, transport, slot));
    this.#devices.push({ device, transport });
    this.#mmioEnd = transport.address + barSize(transport.size);
    return { slot, address: transport.address, size: transport.size };
  }

  /** The first guest-physical address above all device memory. */
  get mmioEnd(): number {
    return this.#mmioEnd;
  }

  /** Serves a privileged instruction, given its bytes. */
  instruction(insn: Uint8Array): void {
    this.#emulator.privileged(insn);
  }

  /** Serves an instruction that touched device memory at guest-physical `address`. */
  deviceMemory(address: number, insn: Uint8Array): void {
    this.#emulator.deviceMemory(address, insn);
  }

  /** What the devices have done so far, all of a kind together. */
  counts(): NamedCounts {
    return this.#devices.reduce<NamedCounts>((sum, { device }) => addCounts(sum, device.counts()), {});
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
      eip: () => this.#registers.get(PT_REGS.eip),
      broken: this.#fatal,
    };
  }
}
