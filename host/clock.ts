// The clock event: the Guest asks to be interrupted after so many nanoseconds, by irq 0. Nothing runs in the
// background; whoever is about to run the Guest, or has just run it, looks at the clock.
import type { LgCpu } from './guest.js';
import { setInterrupt } from './interrupts-and-traps.js';

const CLOCK_IRQ = 0;

/** LHCALL_SET_CLOCKEVENT: irq 0 after `delta` nanoseconds, instead of what was asked before; 0 for never. */
export function guestSetClockevent(cpu: LgCpu, delta: number): void {
  cpu.clockEventAt = delta === 0 ? Infinity : cpu.lg.clock.now() + delta;
}

/** Raises irq 0 if its time has come. `now` is `lg.clock.now()`, a moment ago. */
export function checkClockEvent(cpu: LgCpu, now: number): void {
  if (now < cpu.clockEventAt) return;
  cpu.clockEventAt = Infinity;
  setInterrupt(cpu, CLOCK_IRQ);
}
