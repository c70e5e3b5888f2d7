// A function on the bus, as the bus and the instruction emulation see it.

/** How wide an access is, in bits. */
export type Width = 8 | 16 | 32;

export interface PciFunction {
  /** The word at configuration register `register` (a multiple of four). */
  readConfig(register: number): number;
  /**
   * Writes the bits of `mask` of a configuration register. False when the register cannot be written so, which is
   * general protection for the Guest.
   */
  writeConfig(register: number, mask: number, value: number, width: Width): boolean;
  /** Its device memory, if it has any. */
  readonly memory?: DeviceMemory;
}

/** Memory that is not memory: each access is a question to the device. */
export interface DeviceMemory {
  readonly address: number;
  readonly size: number;
  read(offset: number, width: Width): number;
  write(offset: number, width: Width, value: number): void;
}
