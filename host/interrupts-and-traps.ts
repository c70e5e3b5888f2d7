// What goes into the Guest: interrupts, and the traps it has to handle itself. The Host does by hand what a CPU does at
// a gate: pushes a frame on the Guest's kernel stack and sends the Guest to the handler it has registered.
//
// Gates come in two kinds. Most lead to the Host, which looks at the trap first. A trap gate of the Guest's (system
// calls, before Linux 4.6) leads straight to the Guest: no exit at all.
import { guestPhysical, guestVirtual, PAGE_SIZE, pageOffset } from '../guest-abi/addresses.js';
import { LGUEST_TRAP_ENTRY } from '../guest-abi/hypercalls.js';
import { LGUEST_IRQS } from '../guest-abi/lguest-launcher.js';
import { LGUEST_REGS } from '../guest-abi/lguest-regs.js';
import {
  DESC_DPL_MASK,
  DESC_DPL_SHIFT,
  DESC_PRESENT,
  descriptorType,
  GATE_INTERRUPT,
  GATE_TRAP,
  GUEST_KERNEL_CS,
  GUEST_PL,
  LGUEST_CS,
  PRESENT_INTERRUPT_GATE,
  SELECTOR_RPL_MASK,
} from '../guest-abi/x86/descriptors.js';
import {
  X86_EFLAGS_CLEARED_BY_GATE,
  X86_EFLAGS_FIXED,
  X86_EFLAGS_IF,
  X86_EFLAGS_IOPL,
} from '../guest-abi/x86/eflags.js';
import {
  FIRST_EXTERNAL_VECTOR,
  hasErrorCode,
  IDT_ENTRIES,
  X86_TRAP_DF,
  X86_TRAP_GP,
  X86_TRAP_NM,
  X86_TRAP_NMI,
  X86_TRAP_PF,
  X86_TRAP_SPURIOUS,
} from '../guest-abi/x86/traps.js';
import type { LgCpu } from './guest.js';
import { RUNNING } from './guest.js';
import { lgread32, lgwrite32 } from './guest-memory.js';
import { guestPa } from './guest-page-tables.js';
import { killGuest } from './kill-guest.js';
import {
  deliverableInterrupts,
  interruptsEnabled,
  setInterruptPending,
  setInterruptsEnabled,
  writeTimestamp,
} from './lguest-data.js';
import { pinStackPages } from './page-tables.js';

const { eip, cs, eflags, esp, ss, errcode } = LGUEST_REGS;

const inGuestKernel = (cpu: LgCpu): boolean => ((cpu.regs[ss] ?? 0) & SELECTOR_RPL_MASK) === GUEST_PL;

/**
 * Pushes `count` words of `cpu.frame`, first one first, from `top` down. The original translates the top of the stack
 * once and trusts that the pages below it follow; here each page is looked up, so a stack may lie anywhere.
 */
function pushWords(cpu: LgCpu, top: number, count: number): number {
  let sp = top;
  let physical = 0;
  for (let i = 0; i < count; i++) {
    const wasPageStart = i === 0 || pageOffset(sp) === 0 || pageOffset(sp) > PAGE_SIZE - 4;
    sp = (sp - 4) >>> 0;
    physical = wasPageStart ? guestPa(cpu, guestVirtual(sp)) : physical - 4;
    if (cpu.life.state === 'dead') return sp;
    lgwrite32(cpu, guestPhysical(physical), cpu.frame[i] ?? 0);
  }
  return sp;
}

/** Pushes the frame of a trap or interrupt, as a CPU does, on the current stack or from ring 3 on the kernel's. */
function pushGuestInterruptStack(cpu: LgCpu, withErrorCode: boolean): void {
  const { regs, frame } = cpu;
  const fromKernel = inGuestKernel(cpu);
  let count = 0;
  if (!fromKernel) {
    frame[count++] = regs[ss] ?? 0;
    frame[count++] = regs[esp] ?? 0;
  }
  // The flag that the CPU really has is always on; the Guest's own is in lguest_data.
  const flags = regs[eflags] ?? 0;
  frame[count++] = interruptsEnabled(cpu) ? flags | X86_EFLAGS_IF : flags & ~X86_EFLAGS_IF;
  frame[count++] = regs[cs] ?? 0;
  frame[count++] = regs[eip] ?? 0;
  if (withErrorCode) frame[count++] = regs[errcode] ?? 0;

  const top = fromKernel ? (regs[esp] ?? 0) : cpu.esp1;
  if (!fromKernel) regs[ss] = cpu.ss1;
  regs[esp] = pushWords(cpu, top, count);
}

/** Sends the Guest to the handler of a gate. */
function guestRunInterrupt(cpu: LgCpu, low: number, high: number): void {
  const { regs } = cpu;
  regs[cs] = GUEST_KERNEL_CS;
  regs[eip] = (high & 0xffff0000) | (low & 0xffff);
  regs[eflags] = (regs[eflags] ?? 0) & ~X86_EFLAGS_CLEARED_BY_GATE;
  if (descriptorType(high) === GATE_INTERRUPT) setInterruptsEnabled(cpu, false);
}

/**
 * The Guest is about to `iret`, and its interrupt flag is already that of where it returns to. A frame pushed now would
 * be one more on the stack each time this happens; instead the interrupt takes over the frame that the `iret` was to
 * pop. Of that frame only eflags matters here. IF and IOPL stay what they must be, whatever the frame says.
 */
function foldInterrupt(cpu: LgCpu): void {
  const { regs } = cpu;
  const physical = guestPa(cpu, guestVirtual((regs[esp] ?? 0) + 8));
  if (cpu.life.state === 'dead') return;
  const flags = lgread32(cpu, guestPhysical(physical)) & ~(X86_EFLAGS_CLEARED_BY_GATE | X86_EFLAGS_IOPL);
  regs[eflags] = flags | X86_EFLAGS_IF | X86_EFLAGS_FIXED;
  cpu.counters.foldedInterrupts++;
}

const gatePresent = (high: number): boolean => (high & DESC_PRESENT) !== 0;

/** Raises irq `irq`: it stays pending until the Guest takes it. */
export function setInterrupt(cpu: LgCpu, irq: number): void {
  cpu.irqsPending |= 1 << irq;
}

/** The lowest interrupt that the Guest does not block, or -1. */
export function interruptPending(cpu: LgCpu): number {
  const pending = deliverableInterrupts(cpu);
  return pending === 0 ? -1 : 31 - Math.clz32(pending & -pending);
}

/** Whether the Guest stands where no interrupt may come in at all. */
function inNoInterruptRange(cpu: LgCpu): boolean {
  const window = cpu.lg.noInterrupts;
  if (window.kind !== 'range') return false;
  const at = cpu.regs[eip] ?? 0;
  return at >= window.start && at < window.end;
}

function standsAtNoInterruptIret(cpu: LgCpu): boolean {
  const window = cpu.lg.noInterrupts;
  return window.kind === 'iret' && cpu.regs[eip] === window.eip && inGuestKernel(cpu);
}

/** Delivers `irq`, which is pending and not blocked, if the Guest has interrupts enabled; wakes it if it was halted. */
export function tryDeliverInterrupt(cpu: LgCpu, irq: number): void {
  if (cpu.life.state === 'halted') {
    setInterruptsEnabled(cpu, true);
    cpu.life = RUNNING;
  } else if (inNoInterruptRange(cpu)) {
    return;
  } else if (!interruptsEnabled(cpu)) {
    setInterruptPending(cpu, true);
    return;
  }
  const vector = FIRST_EXTERNAL_VECTOR + irq;
  const high = cpu.idt[2 * vector + 1] ?? 0;
  if (gatePresent(high)) {
    cpu.irqsPending &= ~(1 << irq);
    cpu.counters.countInterrupt(irq);
    cpu.lg.trace?.('interrupt', irq);
    if (standsAtNoInterruptIret(cpu)) foldInterrupt(cpu);
    else pushGuestInterruptStack(cpu, false);
    guestRunInterrupt(cpu, cpu.idt[2 * vector] ?? 0, high);
  }
  // The Guest's clock stands still between interrupts: this is where it goes on.
  writeTimestamp(cpu);
  setInterruptPending(cpu, deliverableInterrupts(cpu) !== 0);
}

/** Makes the Guest handle trap `vector`. False when it has registered no handler. */
export function deliverTrap(cpu: LgCpu, vector: number): boolean {
  if (vector >= IDT_ENTRIES) return false;
  const high = cpu.idt[2 * vector + 1] ?? 0;
  if (!gatePresent(high)) return false;
  pushGuestInterruptStack(cpu, hasErrorCode(vector));
  guestRunInterrupt(cpu, cpu.idt[2 * vector] ?? 0, high);
  return true;
}

/** Vectors that a Guest cannot have: NMI, double fault, the spurious one, and the hypercall. */
const isReserved = (vector: number): boolean =>
  vector === X86_TRAP_NMI || vector === X86_TRAP_DF || vector === X86_TRAP_SPURIOUS || vector === LGUEST_TRAP_ENTRY;

/** LHCALL_LOAD_IDT_ENTRY. The Guest's selector is ignored: its handlers run in its kernel's segment. */
export function loadGuestIdtEntry(cpu: LgCpu, vector: number, low: number, high: number): void {
  if (isReserved(vector)) return;
  if (vector >= IDT_ENTRIES) {
    killGuest(cpu, `Setting idt entry ${vector}`);
    return;
  }
  cpu.changes.idt = true;
  if (!gatePresent(high)) {
    cpu.idt[2 * vector] = 0;
    cpu.idt[2 * vector + 1] = 0;
    return;
  }
  const type = descriptorType(high);
  if (type !== GATE_INTERRUPT && type !== GATE_TRAP) killGuest(cpu, `bad IDT type ${type}`);
  cpu.idt[2 * vector] = (GUEST_KERNEL_CS << 16) | (low & 0xffff);
  cpu.idt[2 * vector + 1] = high & 0xffffef00;
}

/** Whether the CPU may go to the Guest's handler without asking the Host, who has no interest in such a trap. */
function directTrap(cpu: LgCpu, vector: number): boolean {
  if (vector >= FIRST_EXTERNAL_VECTOR) return vector === cpu.lg.syscallVector;
  return vector !== X86_TRAP_NM && vector !== X86_TRAP_GP && vector !== X86_TRAP_PF && vector !== LGUEST_TRAP_ENTRY;
}

/** A gate to the Host. Its offset is the vector: it leads nowhere that could be told apart otherwise. */
function setDefaultGate(cpu: LgCpu, vector: number, dpl: number): void {
  const real = cpu.switcher.pages.guestIdt;
  real[2 * vector] = (LGUEST_CS << 16) | vector;
  real[2 * vector + 1] = PRESENT_INTERRUPT_GATE | (dpl << DESC_DPL_SHIFT);
}

/** The IDT that the CPU uses, as long as the Guest has registered nothing: all to the Host, hypercalls from ring 1. */
export function setupDefaultIdtEntries(cpu: LgCpu): void {
  for (let vector = 0; vector < IDT_ENTRIES; vector++) {
    setDefaultGate(cpu, vector, vector === LGUEST_TRAP_ENTRY ? GUEST_PL : 0);
  }
}

/** Brings the IDT that the CPU uses up to date with what the Guest has registered. */
export function copyTraps(cpu: LgCpu): void {
  const { syscallVector } = cpu.lg;
  for (let vector = 0; vector < FIRST_EXTERNAL_VECTOR; vector++) copyTrap(cpu, vector);
  // Of the others it is the only one that may be direct, and a kernel loads hundreds of them one by one.
  if (syscallVector >= FIRST_EXTERNAL_VECTOR && syscallVector < IDT_ENTRIES) copyTrap(cpu, syscallVector);
}

function copyTrap(cpu: LgCpu, vector: number): void {
  if (!directTrap(cpu, vector)) return;
  const real = cpu.switcher.pages.guestIdt;
  const high = cpu.idt[2 * vector + 1] ?? 0;
  if (descriptorType(high) === GATE_TRAP) {
    real[2 * vector] = cpu.idt[2 * vector] ?? 0;
    real[2 * vector + 1] = high;
  } else {
    setDefaultGate(cpu, vector, (high & DESC_DPL_MASK) >>> DESC_DPL_SHIFT);
  }
}

/** LHCALL_SET_STACK: where the kernel's stack is for traps from ring 3, and how many of its pages must be there. */
export function guestSetStack(cpu: LgCpu, segment: number, stackPointer: number, pages: number): void {
  if ((segment & SELECTOR_RPL_MASK) !== GUEST_PL) {
    killGuest(cpu, `bad stack segment ${segment | 0}`);
    return;
  }
  if (pages > 2) {
    killGuest(cpu, `bad stack pages ${pages}`);
    return;
  }
  cpu.ss1 = segment & 0xffff;
  cpu.esp1 = guestVirtual(stackPointer);
  cpu.stackPages = pages;
  cpu.changes.stack = true;
  pinStackPages(cpu);
}

/** Whether a Launcher can raise `irq`. */
export const isIrq = (irq: number): boolean => irq < LGUEST_IRQS;
