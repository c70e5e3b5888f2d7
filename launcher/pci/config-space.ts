// The configuration space of one function: words that are read as they are and written by rules.
import {
  PCI_BASE_ADDRESS_0,
  PCI_BASE_ADDRESS_1,
  PCI_CACHE_LINE_SIZE,
  PCI_CARDBUS_CIS,
  PCI_COMMAND,
  PCI_ROM_ADDRESS,
} from '../../guest-abi/pci/config-space.js';
import type { Width } from './function.js';

export class ConfigSpace {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #barSize: number;

  /** `size` in bytes; `barSize` is the power of two that BAR0 decodes, or 0. */
  constructor(size: number, barSize: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.#barSize = barSize;
  }

  /** All ones beyond the end, as for a function that is not there. */
  word(register: number): number {
    return register < this.bytes.length ? this.view.getUint32(register, true) : 0xffff_ffff;
  }

  /** Stores the bits of `mask` without asking any rule. */
  store(register: number, mask: number, value: number): void {
    this.view.setUint32(register, (this.word(register) & ~mask) | (value & mask), true);
  }

  /** Writes a register of the common header by its rule; false when it has none. */
  writeHeader(register: number, mask: number, value: number, width: Width): boolean {
    switch (register) {
      case PCI_COMMAND:
        // Linux enables the device and clears status bits. Nothing here depends on either, and nothing is kept.
        return width === 16;
      case PCI_CACHE_LINE_SIZE:
        this.store(register, width === 32 ? 0xffff : mask, value);
        return true;
      case PCI_BASE_ADDRESS_0:
        // "Software can determine how much address space the device requires by writing a value of all 1's to the
        // register and then reading the value back" (PCI 3.0, 6.2.5.1).
        this.store(register, mask, value);
        this.store(register, Math.max(this.#barSize - 1, 0), 0);
        return true;
      case PCI_ROM_ADDRESS:
        this.store(register, mask, value);
        return true;
      default:
        // The other BARs are free to be written, and the CardBus pointer after them has always been, too.
        if (register < PCI_BASE_ADDRESS_1 || register > PCI_CARDBUS_CIS) return false;
        this.store(register, mask, value);
        return true;
    }
  }
}
