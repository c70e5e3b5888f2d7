// Guest memory as a device sees it: little-endian words, byte ranges to do I/O in, and one test that every address
// and length from a driver must pass.
import type { LauncherMemory } from '../../host/device.js';

export class GuestMemory {
  /** The first guest-physical address that is not RAM. Device memory lies above and is not for DMA. */
  readonly limit: number;
  readonly #memory: LauncherMemory;
  readonly #view: DataView;

  constructor(memory: LauncherMemory) {
    this.limit = memory.bytes.length;
    this.#memory = memory;
    this.#view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset, this.limit);
  }

  /** Whether all of `length` bytes at `address` are RAM. Neither number needs to be small, or whole 32 bits. */
  contains(address: number, length: number): boolean {
    return address + length <= this.limit;
  }

  u16(address: number): number {
    return this.#view.getUint16(address, true);
  }

  u32(address: number): number {
    return this.#view.getUint32(address, true);
  }

  setU16(address: number, value: number): void {
    this.#view.setUint16(address, value, true);
    this.#memory.wrote(address, 2);
  }

  setU32(address: number, value: number): void {
    this.#view.setUint32(address, value, true);
    this.#memory.wrote(address, 4);
  }

  /** The bytes themselves, not a copy. Who writes to them calls `wrote` afterwards. */
  bytes(address: number, length: number): Uint8Array {
    return this.#memory.bytes.subarray(address, address + length);
  }

  wrote(address: number, length: number): void {
    this.#memory.wrote(address, length);
  }
}
