// Guest memory as the CPU's own routines reach it: by linear address, through the flat maps, with the faults of the current
// privilege (or, where the manual says "system access", of the kernel's).
import { PAGE_OFFSET_MASK, PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import type { Memory } from './memory.js';
import * as State from './state.js';

/** An access that the maps do not allow. */
export interface PageFault {
  readonly kind: 'page-fault';
  readonly address: number;
  readonly isWrite: boolean;
  /** Whether it was made with the rights of ring 3. */
  readonly isUser: boolean;
}

/** Forgets the code that lies in virtual page `vpn` and keeps it from being written; false when there is none. */
export type CodeRemover = (vpn: number, user: boolean) => boolean;

export class GuestAccess {
  readonly #memory: Memory;
  readonly #removeCode: CodeRemover;
  /** The first fault since the last `begin`. */
  fault: PageFault | undefined;

  constructor(memory: Memory, removeCode: CodeRemover) {
    this.#memory = memory;
    this.#removeCode = removeCode;
  }

  /** Forgets an earlier fault. */
  begin(): void {
    this.fault = undefined;
  }

  /** Where the byte at `linear` is in the WebAssembly.Memory, 0 after a fault. */
  #byteAddress(linear: number, map: number, isWrite: boolean): number {
    const at = map + (linear >>> PAGE_SHIFT) * 4;
    let entry = this.#memory.view.getInt32(at, true);
    if (entry === 0) {
      const isUser = map === State.USER_READ_MAP || map === State.USER_WRITE_MAP;
      if (isWrite && this.#removeCode(linear >>> PAGE_SHIFT, isUser)) entry = this.#memory.view.getInt32(at, true);
      else {
        this.fault ??= { kind: 'page-fault', address: linear >>> 0, isWrite, isUser };
        return 0;
      }
    }
    return (entry + linear + State.MAP_BIAS) >>> 0;
  }

  /** 2 or 4 bytes; 0 after a fault. */
  read(linear: number, bytes: 2 | 4): number {
    const { view, all } = this.#memory;
    const map = this.#memory.get(State.READ_MAP);
    if (isOnOnePage(linear, bytes)) {
      const at = this.#byteAddress(linear, map, false);
      if (at === 0) return 0;
      return bytes === 2 ? view.getUint16(at, true) : view.getInt32(at, true);
    }
    let value = 0;
    for (let i = 0; i < bytes; i++) {
      const at = this.#byteAddress((linear + i) | 0, map, false);
      if (at === 0) return 0;
      value |= (all[at] ?? 0) << (8 * i);
    }
    return value;
  }

  /** Whether `bytes` bytes, a page at most, can be written. Nothing is written yet. */
  canWrite(linear: number, bytes: number, map = this.#memory.get(State.WRITE_MAP)): boolean {
    if (this.#byteAddress(linear, map, true) === 0) return false;
    // A fault on the second page is reported at its first byte.
    return isOnOnePage(linear, bytes) || this.#byteAddress((linear + bytes) & ~PAGE_OFFSET_MASK, map, true) !== 0;
  }

  /** 2 or 4 bytes that `canWrite` has said can be written. */
  write(linear: number, bytes: 2 | 4, value: number, map = this.#memory.get(State.WRITE_MAP)): void {
    const { view, all } = this.#memory;
    if (isOnOnePage(linear, bytes)) {
      const at = this.#byteAddress(linear, map, true);
      if (at === 0) return;
      if (bytes === 2) view.setInt16(at, value, true);
      else view.setInt32(at, value, true);
      return;
    }
    for (let i = 0; i < bytes; i++) {
      const at = this.#byteAddress((linear + i) | 0, map, true);
      if (at !== 0) all[at] = value >>> (8 * i);
    }
  }
}

const isOnOnePage = (linear: number, bytes: number): boolean => (linear & PAGE_OFFSET_MASK) + bytes <= PAGE_SIZE;
