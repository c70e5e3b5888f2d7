// The door between Host and Guest, seen from the Host's side.
//
// In the original the Switcher is some hundred bytes of assembly, mapped at the top of every address space, that swap
// one CPU between Host and Guest. Here the Guest has a CPU of its own: an emulated one, that lives in one
// WebAssembly.Memory together with the Guest's RAM. What passes through the door is the same in both.
import type { ShadowMap } from './cpu/shadow-map.js';
import type { CpuCounters } from './counters.js';
import type { PhysicalMemory } from './physical-memory.js';

/**
 * How code is run: by the evaluator, which is slow and the measure of the others; by the generated interpreter; or by the
 * interpreter with what is hot translated.
 */
export type EngineName = 'evaluate' | 'interpret' | 'translate';

/** A reason to come back through the door that no real trap has: a segment would not load on the way in. */
export const TRAP_BAD_ENTRY = 256;
/** The vector of a real interrupt of the Host, which the Host ignores: here, a slice of running time has ended. */
export const TRAP_HOST_INTERRUPT = 32;

/** `struct lguest_pages`: what Host and Switcher share. Offsets and layout are guest-abi/lguest-regs. */
export interface LguestPages {
  /** `struct lguest_regs`, 18 words, in and out. */
  readonly regs: Uint32Array;
  /** The IDT that the CPU really uses: 256 gates of two words. A gate to the Host is "not direct". */
  readonly guestIdt: Uint32Array;
  /** The GDT that the CPU really uses: 32 descriptors of two words. */
  readonly guestGdt: Uint32Array;
  /** `guest_tss`: ss1 and esp1, where the CPU goes when a direct gate takes it from ring 3 to ring 1. */
  readonly guestTss: { ss1: number; esp1: number };
}

/**
 * Whom the CPU asks before it comes out. What this one can deal with at the door, with the Guest's registers left as they
 * are, costs no way through it; `true` says that the Guest may go on, `false` that it is to come out as ever.
 */
export interface Doorkeeper {
  /** `int vector` through a gate to the Host, which the Guest may use; it would go on behind it. The registers are words. */
  interrupt(vector: number, eax: number, ebx: number, ecx: number, edx: number, esi: number): boolean;
  /** A page fault at `address`; the instruction would be done again. */
  pageFault(address: number, errorCode: number): boolean;
}

export interface Switcher {
  readonly memory: PhysicalMemory;
  readonly pages: LguestPages;
  /** The flat maps that are the CPU's view of the current shadow page directory. */
  readonly shadowMap: ShadowMap;
  /** The linear address of the last page fault (trap 14). */
  readonly cr2: number;
  /** CR0.TS: with it set the Guest's next FPU instruction raises trap 7 (only Guests before 4.10 ask for it). */
  taskSwitched: boolean;
  /** None by default. */
  doorkeeper: Doorkeeper | undefined;
  /** What the CPU did so often. */
  readonly counters: CpuCounters;
  /**
   * Loads the Guest's registers from `pages.regs`, runs it, and stores them back when something needs the Host:
   * `regs[TRAPNUM]` says what (0…255, TRAP_HOST_INTERRUPT when `budget` ran out, TRAP_BAD_ENTRY when the CPU could not
   * enter with these segments), `regs[ERRCODE]` and `cr2` go with it.
   *
   * A page fault's error code here has only W and U right (2 = write, 4 = user); P is for the Host to say, which
   * knows the Guest's own page tables.
   *
   * @param budget how many basic blocks to run at most; some thousands of them take a millisecond.
   * @param until at how many instructions, since the beginning, to come back; for a CPU that counts them.
   */
  runGuest(budget: number, until?: number): void;
}
