// Guest-physical memory: RAM that the Launcher allocates and the emulated CPU runs in.
//
// It is a window of one WebAssembly.Memory, below which lie the CPU's own state and maps, out of the Guest's reach.
export interface PhysicalMemory {
  /** Where guest-physical 0 is: what LHREQ_INITIALIZE calls `base`. */
  readonly base: number;
  /** Guest-physical memory, byte by byte. Never reallocated. */
  readonly bytes: Uint8Array;
  /** The same as 32-bit words (guest-physical address >>> 2). */
  readonly words: Uint32Array;
  /**
   * Whoever writes to `bytes` or `words` from outside the CPU (a device, a Host writing a page table entry) says so
   * afterwards, so that code decoded from those bytes is forgotten. Cheap when the pages hold no code.
   */
  wrote(address: number, length: number): void;
}
