// The heart of the Host: a loop that runs the Guest until something happens that the Launcher must know of.
import { LGUEST_REGS } from '../guest-abi/lguest-regs.js';
import { LGUEST_PENDING_SIZE } from '../guest-abi/lguest-launcher.js';
import { EAGAIN, EINTR, ENOENT, ERESTART } from '../guest-abi/errno.js';
import { SELECTOR_RPL_MASK } from '../guest-abi/x86/descriptors.js';
import {
  X86_EFLAGS_FIXED,
  X86_EFLAGS_IF,
  X86_EFLAGS_IOPL,
  X86_EFLAGS_VIF,
  X86_EFLAGS_VIP,
  X86_EFLAGS_VM,
} from '../guest-abi/x86/eflags.js';
import { TRAP_BAD_ENTRY, TRAP_HOST_INTERRUPT } from '../switcher/switch.js';
import { checkClockEvent } from './clock.js';
import type { LgCpu } from './guest.js';
import { NOTHING_PENDING } from './guest.js';
import { doHypercalls } from './hypercalls.js';
import { copyTraps, interruptPending, tryDeliverInterrupt } from './interrupts-and-traps.js';
import { copyGdt, copyGdtTls } from './segments.js';
import { handleTrap } from './traps.js';

const { trapnum, cs, ss, eflags } = LGUEST_REGS;

/** Copies what the Guest has changed since it last ran to where the CPU looks. */
function copyInGuestInfo(cpu: LgCpu): void {
  const { changes } = cpu;
  if (changes.stack) {
    cpu.switcher.pages.guestTss.ss1 = cpu.ss1;
    cpu.switcher.pages.guestTss.esp1 = cpu.esp1;
    changes.stack = false;
  }
  if (changes.gdt) {
    copyGdt(cpu);
  } else if (changes.tls) {
    copyGdtTls(cpu);
  }
  changes.gdt = false;
  changes.tls = false;
  if (changes.idt) {
    copyTraps(cpu);
    changes.idt = false;
  }
}

/**
 * Through the door, and back. Whatever was done to the registers out here, the Guest enters with real interrupts on and
 * without rights over ports, and never in ring 0.
 */
function enterGuest(cpu: LgCpu): void {
  const { regs } = cpu;
  copyInGuestInfo(cpu);
  regs[trapnum] = TRAP_BAD_ENTRY;
  if (((regs[cs] ?? 0) & SELECTOR_RPL_MASK) === 0 || ((regs[ss] ?? 0) & SELECTOR_RPL_MASK) === 0) return;
  const kept = (regs[eflags] ?? 0) & ~(X86_EFLAGS_IOPL | X86_EFLAGS_VM | X86_EFLAGS_VIF | X86_EFLAGS_VIP);
  regs[eflags] = kept | X86_EFLAGS_IF | X86_EFLAGS_FIXED;
  cpu.counters.entries++;
  cpu.switcher.runGuest(cpu.runningTime.budget);
}

/** Looks at the clock. True when the slice of running time is over. */
function lookAtClock(cpu: LgCpu, usedUp: boolean): boolean {
  const now = cpu.lg.clock.now();
  checkClockEvent(cpu, now);
  return cpu.runningTime.looked(now, usedUp);
}

function beginSlice(cpu: LgCpu): void {
  const now = cpu.lg.clock.now();
  cpu.runningTime.beginSlice(now);
  checkClockEvent(cpu, now);
}

function endSlice(cpu: LgCpu, errno: number): number {
  cpu.runningTime.endSlice();
  return -errno;
}

// Questions of their own, because what is known about `life` does not outlast the next call.
const isDead = (cpu: LgCpu): boolean => cpu.life.state === 'dead';
const isHalted = (cpu: LgCpu): boolean => cpu.life.state === 'halted';

/**
 * Runs the Guest until the Launcher is needed.
 *
 * @param buffer where `struct lguest_pending` goes: LGUEST_PENDING_SIZE bytes at least
 * @returns LGUEST_PENDING_SIZE; -EINTR when the slice of running time is over; -EAGAIN when the Guest is halted and
 *   nothing will wake it but time or an interrupt; -ENOENT when it has died, -ERESTART when it wants to begin anew
 */
export function runGuest(cpu: LgCpu, buffer: Uint8Array): number {
  const { lg, runningTime } = cpu;
  if (!runningTime.inSlice) beginSlice(cpu);
  // A slice may have ended just when the Launcher was needed, which then came first.
  let sliceOver = runningTime.sliceOver;

  while (!isDead(cpu)) {
    if (cpu.pending.kind === 'hypercall') {
      cpu.pending = NOTHING_PENDING;
      doHypercalls(cpu);
      // Before anything else is reported: who dies with the end of a slice is dead, not interrupted.
      if (isDead(cpu)) break;
    }
    if (cpu.pending.kind === 'trap') {
      buffer.set(cpu.pendingBytes);
      return LGUEST_PENDING_SIZE;
    }
    if (sliceOver) return endSlice(cpu, EINTR);

    const irq = interruptPending(cpu);
    if (irq >= 0) tryDeliverInterrupt(cpu, irq);
    if (isDead(cpu)) break;
    if (isHalted(cpu)) {
      sliceOver = lookAtClock(cpu, false);
      if (interruptPending(cpu) < 0) return endSlice(cpu, EAGAIN);
      continue;
    }

    lg.trace?.('enter', cpu.regs[LGUEST_REGS.eip] ?? 0);
    enterGuest(cpu);
    const usedUp = cpu.regs[trapnum] === TRAP_HOST_INTERRUPT;
    handleTrap(cpu);
    if (usedUp || runningTime.trapped()) sliceOver = lookAtClock(cpu, usedUp);
  }
  return cpu.life.state === 'dead' && cpu.life.restart ? -ERESTART : -ENOENT;
}
