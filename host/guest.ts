// `struct lguest` and `struct lg_cpu`: all that the Host knows about one Guest. No behaviour lives here; each room of
// the Host works on the part it owns.
import type { GuestPhysical, GuestVirtual } from '../guest-abi/addresses.js';
import { guestVirtual, PAGE_SIZE, SWITCHER_ADDRESS } from '../guest-abi/addresses.js';
import { LHCALL_RING_SIZE } from '../guest-abi/hypercalls.js';
import { LGUEST_PENDING, LGUEST_PENDING_INSN_SIZE, LGUEST_PENDING_SIZE } from '../guest-abi/lguest-launcher.js';
import { GDT_ENTRIES } from '../guest-abi/x86/descriptors.js';
import { IA32_SYSCALL_VECTOR, IDT_ENTRIES } from '../guest-abi/x86/traps.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';
import type { Switcher } from '../switcher/switch.js';
import { HostCounters } from './counters.js';
import type { HostTrace } from './trace.js';
import { PageTables } from './page-table-state.js';
import { RunningTime } from './running-time.js';

/** The methods of a logger that the Host uses. */
export type HostLog = Pick<Logger, 'debug' | 'info' | 'warn'>;

/** The emulated time-stamp counter counts nanoseconds. */
export const TSC_KHZ = 1_000_000;

/** Whether a CPU runs. The two living states are one object each, so that changing over costs nothing. */
export type Life =
  | { readonly state: 'running' }
  | { readonly state: 'halted' }
  | { readonly state: 'dead'; readonly reason: string; readonly restart: boolean };
export const RUNNING: Life = { state: 'running' };
export const HALTED: Life = { state: 'halted' };

/** What is to be done before the Guest can go on. */
export type Pending =
  { readonly kind: 'none' } | { readonly kind: 'hypercall' } | { readonly kind: 'trap'; readonly trap: 13 | 14 };
export const NOTHING_PENDING: Pending = { kind: 'none' };
export const HYPERCALL_PENDING: Pending = { kind: 'hypercall' };
export type PendingTrap = Extract<Pending, { kind: 'trap' }>;
export const TRAP_13_PENDING: PendingTrap = { kind: 'trap', trap: 13 };
export const TRAP_14_PENDING: PendingTrap = { kind: 'trap', trap: 14 };

/** Where no interrupt frame may be pushed, because the Guest's interrupt flag is already that of what it returns to. */
export type NoInterrupts =
  | { readonly kind: 'nowhere' }
  /** Linux 4.1 to 4.12: at this one `iret`, whose frame can be used again. */
  | { readonly kind: 'iret'; readonly eip: number }
  /** Linux 3.11 to 4.0: anywhere in start <= eip < end; the interrupt waits. */
  | { readonly kind: 'range'; readonly start: number; readonly end: number };

/** Parts of what the CPU really uses that have to be copied from what the Guest asked for, before it runs again. */
export interface Changes {
  idt: boolean;
  gdt: boolean;
  tls: boolean;
  stack: boolean;
}

/** What the Launcher says in LHREQ_INITIALIZE, checked. */
export interface GuestLimits {
  /** The first page that is not RAM. */
  readonly pfnLimit: number;
  /** The first page that is neither RAM nor a device's. */
  readonly deviceLimit: number;
}

export class Lguest {
  readonly pfnLimit: number;
  readonly deviceLimit: number;
  /** The first byte that is not RAM; a number up to 2^32, not a word. */
  readonly memoryEnd: number;
  readonly switcherAddress = SWITCHER_ADDRESS;
  readonly clock: Clock;
  readonly log: HostLog;
  readonly trace: HostTrace | undefined;
  readonly tscKhz: number;
  /** An additional system call vector that the Guest may ask for. */
  readonly hostSyscallVector: number;
  /** Where `struct lguest_data` is, once LHCALL_LGUEST_INIT has said so. */
  lguestData: GuestPhysical | undefined = undefined;
  noInterrupts: NoInterrupts = { kind: 'nowhere' };
  syscallVector: number = IA32_SYSCALL_VECTOR;

  constructor(limits: GuestLimits, options: LguestOptions) {
    this.pfnLimit = limits.pfnLimit;
    this.deviceLimit = limits.deviceLimit;
    this.memoryEnd = limits.pfnLimit * PAGE_SIZE;
    this.clock = options.clock;
    this.log = options.log;
    this.trace = options.trace;
    this.tscKhz = options.tscKhz;
    this.hostSyscallVector = options.syscallVector;
  }
}

export interface LguestOptions {
  readonly clock: Clock;
  readonly log: HostLog;
  readonly trace: HostTrace | undefined;
  readonly syscallVector: number;
  readonly tscKhz: number;
  /** How long the Guest runs before others get a turn. */
  readonly sliceNanoseconds: number;
}

export class LgCpu {
  readonly lg: Lguest;
  readonly switcher: Switcher;
  /** `struct lguest_regs`; indices are LGUEST_REGS. */
  readonly regs: Uint32Array;
  readonly counters = new HostCounters();
  readonly runningTime: RunningTime;
  readonly pageTables: PageTables;

  life: Life = RUNNING;
  pending: Pending = NOTHING_PENDING;
  /** The Guest comes out with a hypercall that has been made already (see doorkeeper). */
  hypercallMade = false;
  /** `struct lguest_pending` as read() will store it. */
  readonly pendingBytes = new Uint8Array(LGUEST_PENDING_SIZE);
  /** Its `insn`. */
  readonly pendingInsn = this.pendingBytes.subarray(
    LGUEST_PENDING.insn,
    LGUEST_PENDING.insn + LGUEST_PENDING_INSN_SIZE,
  );
  readonly #pendingView = new DataView(this.pendingBytes.buffer);
  /** The index in `regs` that the next read() is to give, after LHREQ_GETREG. */
  registerToRead: number | undefined = undefined;

  /** Bit n: irq n has been raised and not been delivered. */
  irqsPending = 0;
  /** When the clock event is due, on `lg.clock`; Infinity when none is armed. */
  clockEventAt = Infinity;

  /** The next place of the ring of queued hypercalls to look at. It is never reset. */
  nextHcall = 0;
  readonly hcallStatus = new Uint8Array(LHCALL_RING_SIZE);

  /** The Guest's kernel stack for traps from ring 3: LHCALL_SET_STACK. */
  esp1: GuestVirtual = guestVirtual(0);
  ss1 = 0;
  stackPages = 0;

  /** What the Guest has registered with LHCALL_LOAD_IDT_ENTRY, selector and type already ours. */
  readonly idt = new Uint32Array(IDT_ENTRIES * 2);
  /** What the Guest has registered with LHCALL_LOAD_GDT_ENTRY and LHCALL_LOAD_TLS, made safe. */
  readonly gdt = new Uint32Array(GDT_ENTRIES * 2);
  readonly changes: Changes = { idt: true, gdt: true, tls: true, stack: true };
  /** Scratch: the words of an interrupt frame, in the order of pushing. */
  readonly frame = new Uint32Array(6);

  constructor(lg: Lguest, switcher: Switcher, sliceNanoseconds: number) {
    this.lg = lg;
    this.switcher = switcher;
    this.regs = switcher.pages.regs;
    this.pageTables = new PageTables(switcher.shadowMap);
    this.runningTime = new RunningTime(sliceNanoseconds);
  }

  /** `addr` of `struct lguest_pending`. */
  set pendingAddress(address: GuestPhysical) {
    this.#pendingView.setUint32(LGUEST_PENDING.addr, address, true);
  }
}
