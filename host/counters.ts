// How often things happened, for `--stats` and for tests. Counting must cost next to nothing: plain increments, in
// float64 so that they never wrap.
import { LGUEST_IRQS } from '../guest-abi/lguest-launcher.js';
import { TRAP_BAD_ENTRY } from '../switcher/switch.js';

/** Numbers below this have a counter of their own; the rest share the last one. */
const HYPERCALL_COUNTERS = 32;

export class HostCounters {
  /** By number; the last one counts unknown numbers too. */
  readonly hypercalls = new Float64Array(HYPERCALL_COUNTERS);
  /** Of those, how many came out of the ring. */
  queuedHypercalls = 0;
  /** By vector; 256 is a bad entry. */
  readonly traps = new Float64Array(TRAP_BAD_ENTRY + 1);
  /** By irq: how many were delivered. */
  readonly interrupts = new Float64Array(LGUEST_IRQS);
  /** Interrupts that used the frame of an `iret` again. */
  foldedInterrupts = 0;
  /** Page faults that the Host mended, handed on to the Guest, or gave to the Launcher. */
  pageFaultsFixed = 0;
  pageFaultsReflected = 0;
  pageFaultsForLauncher = 0;
  /** LHCALL_NEW_PGTABLE to a directory that had a shadow, and to one that had not. */
  directorySwitches = 0;
  directoryMisses = 0;
  /** Calls of runGuest. */
  entries = 0;

  countHypercall(number: number): void {
    const index = number < HYPERCALL_COUNTERS ? number : HYPERCALL_COUNTERS - 1;
    this.hypercalls[index] = (this.hypercalls[index] ?? 0) + 1;
  }

  countTrap(vector: number): void {
    this.traps[vector] = (this.traps[vector] ?? 0) + 1;
  }

  countInterrupt(irq: number): void {
    this.interrupts[irq] = (this.interrupts[irq] ?? 0) + 1;
  }
}
