// What comes out of the Switcher: traps, and whose business each of them is. Most are the Guest's own; some the Host
// can mend in silence; some only the Launcher can serve.
import { guestVirtual } from '../guest-abi/addresses.js';
import { LGUEST_TRAP_ENTRY } from '../guest-abi/hypercalls.js';
import { LGUEST_PENDING } from '../guest-abi/lguest-launcher.js';
import { LGUEST_REGS } from '../guest-abi/lguest-regs.js';
import {
  FIRST_EXTERNAL_VECTOR,
  IA32_SYSCALL_VECTOR,
  IDT_ENTRIES,
  PF_PROT,
  X86_TRAP_GP,
  X86_TRAP_PF,
} from '../guest-abi/x86/traps.js';
import type { LgCpu, PendingTrap } from './guest.js';
import { HYPERCALL_PENDING, TRAP_13_PENDING, TRAP_14_PENDING } from './guest.js';
import { copyFromGuest } from './guest-page-tables.js';
import { deliverTrap } from './interrupts-and-traps.js';
import { hexWord, killGuest } from './kill-guest.js';
import { setCr2 } from './lguest-data.js';
import { demandPage } from './page-tables.js';

const { trapnum, errcode, eip } = LGUEST_REGS;

/** Leaves the rest to the Launcher, who gets to see the instruction. */
function letLauncherEmulate(cpu: LgCpu, pending: PendingTrap): void {
  cpu.pendingBytes[LGUEST_PENDING.trap] = pending.trap;
  copyFromGuest(cpu, cpu.pendingInsn, guestVirtual(cpu.regs[eip] ?? 0));
  cpu.pending = pending;
  cpu.lg.trace?.('to-launcher', pending.trap);
}

/** True when the fault is dealt with; false when the Guest has to be told. */
function handlePageFault(cpu: LgCpu): boolean {
  const cr2 = guestVirtual(cpu.switcher.cr2);
  const code = cpu.regs[errcode] ?? 0;
  const result = demandPage(cpu, cr2, code);
  switch (result) {
    case 'mapped':
      cpu.counters.pageFaultsFixed++;
      cpu.lg.trace?.('page-mapped', cr2);
      return true;
    case 'mmio':
      cpu.counters.pageFaultsForLauncher++;
      cpu.pendingAddress = cpu.pageTables.mmioAddress;
      // Should the Launcher give the fault back: there is a page, it just leads nowhere.
      cpu.regs[errcode] = code | PF_PROT;
      letLauncherEmulate(cpu, TRAP_14_PENDING);
      return true;
    case 'not-present':
    case 'protection':
      cpu.counters.pageFaultsReflected++;
      // The CPU faulted on the shadow, where a page may be missing only because nobody has touched it. Linux takes a
      // fault on a page that is "not there" for another kind of trouble than one that is there and read-only.
      cpu.regs[errcode] = (code & ~PF_PROT) | (result === 'protection' ? PF_PROT : 0);
      setCr2(cpu, cr2);
      return false;
  }
}

/** Hands the trap to the Guest's own handler, or ends it if it has none. */
function reflect(cpu: LgCpu, vector: number): void {
  cpu.lg.trace?.('reflect', vector);
  const at = cpu.regs[eip] ?? 0;
  if (deliverTrap(cpu, vector)) return;
  const detail = vector === X86_TRAP_PF ? cpu.switcher.cr2 : (cpu.regs[errcode] ?? 0);
  killGuest(cpu, `unhandled trap ${vector} at ${hexWord(at)} (${hexWord(detail)})`);
}

/** The Guest has stopped with `regs.trapnum`. */
export function handleTrap(cpu: LgCpu): void {
  const vector = cpu.regs[trapnum] ?? 0;
  cpu.counters.countTrap(vector);
  cpu.lg.trace?.('trap', vector);
  if (vector === LGUEST_TRAP_ENTRY) {
    if (!cpu.hypercallMade) cpu.pending = HYPERCALL_PENDING;
    cpu.hypercallMade = false;
    return;
  }
  if (vector === X86_TRAP_GP && cpu.regs[errcode] === 0) {
    letLauncherEmulate(cpu, TRAP_13_PENDING);
    return;
  }
  if (vector === X86_TRAP_PF && handlePageFault(cpu)) return;
  if (isHostInterrupt(cpu, vector)) return;
  reflect(cpu, vector);
}

/** A real interrupt came while the Guest ran: the Host's business, and done by now. */
function isHostInterrupt(cpu: LgCpu, vector: number): boolean {
  if (vector < FIRST_EXTERNAL_VECTOR || vector >= IDT_ENTRIES) return false;
  return vector !== IA32_SYSCALL_VECTOR && vector !== cpu.lg.hostSyscallVector;
}
