// The bus: 32 slots behind two ports, and the device memory of whatever sits in them.
import {
  PCI_CONFIG_ADDR,
  PCI_CONFIG_BUS,
  PCI_CONFIG_DATA,
  PCI_CONFIG_DEVICE,
  PCI_CONFIG_DEVICE_SHIFT,
  PCI_CONFIG_ENABLE,
  PCI_CONFIG_FUNCTION,
  PCI_CONFIG_REGISTER,
} from '../../guest-abi/pci/mechanism-1.js';
import type { DeviceMemory, PciFunction, Width } from './function.js';
import { hostBridge } from './host-bridge.js';

/** Slots for devices: 1 to 31. Slot 0 is the host bridge's. */
export const MAX_PCI_DEVICES = 31;

const PORTS_PER_REGISTER = 4;
const ALL_ONES = 0xffff_ffff;

/** An access of `width` bits that begins at byte `offset` of a word, as a mask over that word. */
const maskAt = (offset: number, width: Width): number =>
  ((width === 32 ? ALL_ONES : (1 << width) - 1) << (8 * offset)) >>> 0;

export class PciBus {
  readonly #slots: (PciFunction | undefined)[] = [hostBridge()];
  readonly #memories: DeviceMemory[] = [];
  /** The last word written to PCI_CONFIG_ADDR. */
  #address = 0;

  /** The number the next function gets. */
  get nextSlot(): number {
    return this.#slots.length;
  }

  /** Precondition: there is a free slot. */
  add(fn: PciFunction): void {
    this.#slots.push(fn);
    if (fn.memory !== undefined) this.#memories.push(fn.memory);
  }

  /** The device memory that holds guest-physical `address`. */
  memoryAt(address: number): DeviceMemory | undefined {
    return this.#memories.find((memory) => address >= memory.address && address < memory.address + memory.size);
  }

  /** Whether `port` belongs to configuration mechanism #1. */
  owns(port: number): boolean {
    return port >= PCI_CONFIG_ADDR && port < PCI_CONFIG_DATA + PORTS_PER_REGISTER;
  }

  /** `in` from one of the bus's ports. Bits above `width` are of no meaning. */
  read(port: number): number {
    if (port < PCI_CONFIG_DATA) return this.#address >>> (8 * (port - PCI_CONFIG_ADDR));
    const fn = this.#addressed();
    if (fn === undefined) return ALL_ONES;
    return fn.readConfig(this.#address & PCI_CONFIG_REGISTER) >>> (8 * (port - PCI_CONFIG_DATA));
  }

  /** `out` to one of the bus's ports. False is general protection. */
  write(port: number, width: Width, value: number): boolean {
    if (port < PCI_CONFIG_DATA) {
      const offset = port - PCI_CONFIG_ADDR;
      const mask = maskAt(offset, width);
      this.#address = ((this.#address & ~mask) | ((value << (8 * offset)) & mask)) >>> 0;
      return true;
    }
    const fn = this.#addressed();
    if (fn === undefined) return false;
    const offset = port - PCI_CONFIG_DATA;
    const register = this.#address & PCI_CONFIG_REGISTER;
    return fn.writeConfig(register, maskAt(offset, width), (value << (8 * offset)) >>> 0, width);
  }

  /** The function that configuration accesses go to, if there is one: this is bus 0, and functions are alone in their slots. */
  #addressed(): PciFunction | undefined {
    const where = this.#address & (PCI_CONFIG_ENABLE | PCI_CONFIG_BUS | PCI_CONFIG_FUNCTION);
    if (where >>> 0 !== PCI_CONFIG_ENABLE) return undefined;
    return this.#slots[(this.#address & PCI_CONFIG_DEVICE) >>> PCI_CONFIG_DEVICE_SHIFT];
  }
}
