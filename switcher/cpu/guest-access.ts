// Guest memory as the CPU's own routines reach it: by linear address, through the flat maps, with the faults of the current
// privilege (or, where the manual says "system access", of the kernel's).
import type { Memory } from './memory.js';
import * as State from './state.js';

export class GuestAccess {
  readonly #memory: Memory;
  /** The first linear address that could not be accessed since the last `begin`, and whether a write wanted it. */
  faultAddress: number | undefined;
  faultIsWrite = false;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Forgets an earlier fault. */
  begin(): void {
    this.faultAddress = undefined;
  }

  #byteAddress(linear: number, map: number, write: boolean): number {
    const entry = this.#memory.view.getInt32(map + (linear >>> 12) * 4, true);
    if (entry === 0) {
      if (this.faultAddress === undefined) {
        this.faultAddress = linear >>> 0;
        this.faultIsWrite = write;
      }
      return 0;
    }
    return (entry + linear + State.MAP_BIAS) >>> 0;
  }

  /** 2 or 4 bytes; 0 after a fault. */
  read(linear: number, bytes: 2 | 4): number {
    const map = this.#memory.get(State.READ_MAP);
    let value = 0;
    for (let i = 0; i < bytes; i++) {
      const at = this.#byteAddress((linear + i) | 0, map, false);
      if (at === 0) return 0;
      value |= (this.#memory.all[at] ?? 0) << (8 * i);
    }
    return bytes === 2 ? value & 0xffff : value;
  }

  /** Whether all `bytes` bytes can be written, without writing them. */
  canWrite(linear: number, bytes: number, map = this.#memory.get(State.WRITE_MAP)): boolean {
    for (const at of [linear, linear + bytes - 1]) {
      if (this.#byteAddress(at === linear ? at | 0 : this.#laterPage(linear, at), map, true) === 0) return false;
    }
    return true;
  }

  /** A fault on the second page is reported at its first byte. */
  #laterPage(first: number, last: number): number {
    return first >>> 12 === last >>> 12 ? last | 0 : last & ~0xfff;
  }

  /** 2 or 4 bytes that `canWrite` has said can be written. */
  write(linear: number, bytes: 2 | 4, value: number, map = this.#memory.get(State.WRITE_MAP)): void {
    for (let i = 0; i < bytes; i++) {
      const at = this.#byteAddress((linear + i) | 0, map, true);
      if (at !== 0) this.#memory.all[at] = value >>> (8 * i);
    }
  }
}
