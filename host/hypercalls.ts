// Hypercalls: what the Guest asks for. The table has a row for each name in guest-abi/hypercalls, or it does not compile;
// each routine lives with its subject.
import { guestPhysical, guestVirtual } from '../guest-abi/addresses.js';
import type { LhcallName } from '../guest-abi/hypercalls.js';
import {
  LGUEST_SHUTDOWN_RESTART,
  LHCALL,
  LHCALL_RING_FREE,
  LHCALL_RING_SIZE,
  SHUTDOWN_MESSAGE_SIZE,
} from '../guest-abi/hypercalls.js';
import { HCALL_ARGS_SIZE, LGUEST_DATA } from '../guest-abi/lguest-data.js';
import { LGUEST_REGS } from '../guest-abi/lguest-regs.js';
import { guestSetClockevent } from './clock.js';
import type { LgCpu } from './guest.js';
import { HALTED } from './guest.js';
import { lgread, lgread32, lgwrite8 } from './guest-memory.js';
import { initialize } from './initialize.js';
import { guestSetStack, loadGuestIdtEntry } from './interrupts-and-traps.js';
import { killGuest, messageText, restartGuest, signed } from './kill-guest.js';
import {
  guestNewPagetable,
  guestPagetableClearAll,
  guestPagetableFlushUser,
  guestSetPgd,
  guestSetPmd,
  guestSetPte,
} from './page-tables.js';
import { guestLoadTls, loadGuestGdtEntry } from './segments.js';

/** A hypercall's routine: the four words are ebx, ecx, edx and esi. */
type Hypercall = (cpu: LgCpu, arg1: number, arg2: number, arg3: number, arg4: number) => void;

const HYPERCALLS: Record<LhcallName, Hypercall> = {
  // Nothing to do: to come here was the point, for the ring is drained on the way and interrupts go in on the way back.
  LHCALL_FLUSH_ASYNC: () => undefined,
  LHCALL_SEND_INTERRUPTS: () => undefined,
  LHCALL_LGUEST_INIT: (cpu) => killGuest(cpu, 'already have lguest_data'),
  LHCALL_SHUTDOWN: (cpu, message, reason) => shutdown(cpu, message, reason),
  LHCALL_NEW_PGTABLE: (cpu, cr3) => guestNewPagetable(cpu, guestPhysical(cr3)),
  LHCALL_FLUSH_TLB: (cpu, all) => (all === 0 ? guestPagetableFlushUser(cpu) : guestPagetableClearAll(cpu)),
  LHCALL_LOAD_IDT_ENTRY: (cpu, vector, low, high) => loadGuestIdtEntry(cpu, vector, low, high),
  LHCALL_SET_STACK: (cpu, segment, esp, pages) => guestSetStack(cpu, segment, esp, pages),
  LHCALL_TS: (cpu, taskSwitched) => {
    cpu.switcher.taskSwitched = taskSwitched !== 0;
  },
  LHCALL_SET_CLOCKEVENT: (cpu, delta) => guestSetClockevent(cpu, delta),
  LHCALL_HALT: (cpu) => halt(cpu),
  LHCALL_SET_PMD: (cpu, page, index) =>
    cpu.pageTables.mode === 'pae'
      ? guestSetPmd(cpu, guestPhysical(page), index)
      : badHypercall(cpu, LHCALL.LHCALL_SET_PMD),
  LHCALL_SET_PTE: (cpu, gpgdir, vaddr, low, high) =>
    guestSetPte(cpu, guestPhysical(gpgdir), guestVirtual(vaddr), low, high),
  LHCALL_SET_PGD: (cpu, gpgdir, index) => guestSetPgd(cpu, guestPhysical(gpgdir), index),
  LHCALL_LOAD_TLS: (cpu, table) => guestLoadTls(cpu, guestPhysical(table)),
  LHCALL_LOAD_GDT_ENTRY: (cpu, index, low, high) => loadGuestGdtEntry(cpu, index, low, high),
};

/** The same by number, with holes where there is no such hypercall. */
const BY_NUMBER: readonly (Hypercall | undefined)[] = Array.from(
  { length: 1 + Math.max(...Object.values(LHCALL)) },
  (_, number) => {
    const name = (Object.keys(LHCALL) as LhcallName[]).find((each) => LHCALL[each] === number);
    return name === undefined ? undefined : HYPERCALLS[name];
  },
);

/** The newline was in the original's message by mistake, and is what a Guest's author will search for. */
function badHypercall(cpu: LgCpu, number: number): void {
  killGuest(cpu, `Bad hypercall ${signed(number)}\n`);
}

function halt(cpu: LgCpu): void {
  if (cpu.life.state !== 'dead') cpu.life = HALTED;
  cpu.lg.trace?.('halt', 0);
}

/** LHCALL_SHUTDOWN: the Guest has come to its end, and says why. */
function shutdown(cpu: LgCpu, message: number, reason: number): void {
  const bytes = new Uint8Array(SHUTDOWN_MESSAGE_SIZE);
  lgread(cpu, bytes, guestPhysical(message));
  bytes[SHUTDOWN_MESSAGE_SIZE - 1] = 0;
  killGuest(cpu, `CRASH: ${messageText(bytes.subarray(0, bytes.indexOf(0)))}`);
  if (reason === LGUEST_SHUTDOWN_RESTART) restartGuest(cpu);
}

function doHypercall(cpu: LgCpu, number: number, arg1: number, arg2: number, arg3: number, arg4: number): void {
  cpu.counters.countHypercall(number);
  const hypercall = BY_NUMBER[number];
  if (hypercall === undefined) badHypercall(cpu, number);
  else hypercall(cpu, arg1, arg2, arg3, arg4);
}

/** Word `index` of the queued call at `call`. */
const callWord = (cpu: LgCpu, call: number, index: number): number => lgread32(cpu, guestPhysical(call + 4 * index));

/**
 * Makes the calls that the Guest has queued. Which places are ready is looked up once, so that a call that makes
 * another one ready cannot keep the Host here.
 */
function doAsyncHcalls(cpu: LgCpu): void {
  const data = cpu.lg.lguestData;
  if (data === undefined) return;
  // Most often there is none, and the first look says so.
  const first = cpu.switcher.memory.bytes[data + LGUEST_DATA.hcall_status + cpu.nextHcall];
  if (first === LHCALL_RING_FREE) return;
  const status = cpu.hcallStatus;
  lgread(cpu, status, guestPhysical(data + LGUEST_DATA.hcall_status));
  for (let done = 0; done < LHCALL_RING_SIZE; done++) {
    const n = cpu.nextHcall;
    if (status[n] === LHCALL_RING_FREE) return;
    cpu.nextHcall = (n + 1) % LHCALL_RING_SIZE;
    const call = data + LGUEST_DATA.hcalls + n * HCALL_ARGS_SIZE;
    const number = callWord(cpu, call, 0);
    cpu.counters.queuedHypercalls++;
    cpu.lg.trace?.('queued-hypercall', number);
    doHypercall(
      cpu,
      number,
      callWord(cpu, call, 1),
      callWord(cpu, call, 2),
      callWord(cpu, call, 3),
      callWord(cpu, call, 4),
    );
    lgwrite8(cpu, guestPhysical(data + LGUEST_DATA.hcall_status + n), LHCALL_RING_FREE);
  }
}

/** The queued calls, then this one. */
export function makeHypercall(
  cpu: LgCpu,
  number: number,
  arg1: number,
  arg2: number,
  arg3: number,
  arg4: number,
): void {
  doAsyncHcalls(cpu);
  cpu.lg.trace?.('hypercall', number);
  doHypercall(cpu, number, arg1, arg2, arg3, arg4);
}

/** A hypercall is pending: its number and arguments are in the registers, which stay as they are. */
export function doHypercalls(cpu: LgCpu): void {
  const { regs } = cpu;
  const number = regs[LGUEST_REGS.eax] ?? 0;
  const arg1 = regs[LGUEST_REGS.ebx] ?? 0;
  if (cpu.lg.lguestData === undefined) {
    cpu.counters.countHypercall(number);
    initialize(cpu, number, arg1);
    return;
  }
  const { ecx, edx, esi } = LGUEST_REGS;
  makeHypercall(cpu, number, arg1, regs[ecx] ?? 0, regs[edx] ?? 0, regs[esi] ?? 0);
}
