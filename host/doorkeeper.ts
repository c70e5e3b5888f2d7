// What the Host does without having the Guest come out: the everyday hypercalls about page tables, and page faults that it
// mends in silence. Both end where they began, with the same registers, so that the way out through the door and back in,
// which costs more than they do, is left out. Whatever is to be done besides is a reason to come out.
import { LGUEST_TRAP_ENTRY, LHCALL } from '../guest-abi/hypercalls.js';
import { guestVirtual } from '../guest-abi/addresses.js';
import { X86_TRAP_PF } from '../guest-abi/x86/traps.js';
import type { Doorkeeper } from '../switcher/switch.js';
import type { LgCpu } from './guest.js';
import { makeHypercall } from './hypercalls.js';
import { demandPage } from './page-tables.js';

/** What these change, the CPU sees at once. */
const SERVED: ReadonlySet<number> = new Set([
  LHCALL.LHCALL_FLUSH_ASYNC,
  LHCALL.LHCALL_NEW_PGTABLE,
  LHCALL.LHCALL_FLUSH_TLB,
  LHCALL.LHCALL_SET_PTE,
  LHCALL.LHCALL_SET_PGD,
  LHCALL.LHCALL_SET_PMD,
]);

/** Whether somebody waits for the Guest to come out: an interrupt, who looks at the clock, who watches every station. */
const isAwaited = (cpu: LgCpu): boolean =>
  cpu.irqsPending !== 0 || cpu.lg.trace !== undefined || cpu.runningTime.trapped();

/** Whether the Guest cannot go on as it is: calls that were queued may have been about anything. */
function mustComeOut(cpu: LgCpu): boolean {
  const { gdt, idt, stack, tls } = cpu.changes;
  return gdt || idt || stack || tls || cpu.life.state !== 'running';
}

export function doorkeeperOf(cpu: LgCpu): Doorkeeper {
  return {
    interrupt: (vector, eax, ebx, ecx, edx, esi) => {
      if (vector !== LGUEST_TRAP_ENTRY || !SERVED.has(eax) || cpu.lg.lguestData === undefined) return false;
      if (isAwaited(cpu)) return false;
      makeHypercall(cpu, eax, ebx, ecx, edx, esi);
      cpu.hypercallMade = mustComeOut(cpu);
      if (cpu.hypercallMade) return false;
      cpu.counters.countTrap(vector);
      return true;
    },
    pageFault: (address, errorCode) => {
      if (isAwaited(cpu) || demandPage(cpu, guestVirtual(address), errorCode) !== 'mapped') return false;
      cpu.counters.countTrap(X86_TRAP_PF);
      cpu.counters.pageFaultsFixed++;
      return true;
    },
  };
}
