// /dev/lguest: all that a Launcher sees of the Host. It writes requests, reads why the Guest stopped, and closes it.
//
// What the original answers to a mistake is answered here too, as a negative error number. Nothing a caller passes makes
// it throw, except memory that is not a Guest's, and options that make no sense.
import { EBADF, EBUSY, EFAULT, EINVAL, ENOENT, EPERM, ERESTART } from '../guest-abi/errno.js';
import { PAGE_COUNT, PAGE_SIZE } from '../guest-abi/addresses.js';
import { LGUEST_PENDING_SIZE, LHREQ, LHREQ_RESULT, PT_REGS } from '../guest-abi/lguest-launcher.js';
import { LGUEST_REGS } from '../guest-abi/lguest-regs.js';
import { GUEST_KERNEL_CS, GUEST_KERNEL_DS } from '../guest-abi/x86/descriptors.js';
import { X86_EFLAGS_FIXED, X86_EFLAGS_IF } from '../guest-abi/x86/eflags.js';
import { FIRST_EXTERNAL_VECTOR, IA32_SYSCALL_VECTOR, IDT_ENTRIES } from '../guest-abi/x86/traps.js';
import type { Clock } from '../lib/clock.js';
import { UserError } from '../lib/errors.js';
import { silentLogger } from '../lib/log.js';
import type { CpuCounters } from '../switcher/counters.js';
import { runGuest } from './core.js';
import type { HostCounters } from './counters.js';
import { doorkeeperOf } from './doorkeeper.js';
import { type HostLog, LgCpu, Lguest, type LguestOptions, NOTHING_PENDING, TSC_KHZ } from './guest.js';
import { deliverTrap, isIrq, setInterrupt, setupDefaultIdtEntries } from './interrupts-and-traps.js';
import { messageBytes } from './kill-guest.js';
import { type LauncherMemory, type Machine, machineOf } from './machine.js';
import { setupGuestGdt } from './segments.js';
import type { HostTrace } from './trace.js';
import { Waiters } from './waiters.js';

export type { Clock, WallTime } from '../lib/clock.js';
export * from '../guest-abi/errno.js';
export * from '../guest-abi/lguest-launcher.js';
export type { HostCounters } from './counters.js';
export type { CpuCounters } from '../switcher/counters.js';
export type { EngineName } from '../switcher/guest-cpu.js';
export type { HostLog } from './guest.js';
export { allocateGuestMemory, type LauncherMemory, type MachineOptions, prepareMachines } from './machine.js';
export type { HostTrace, TraceStation } from './trace.js';

const NANOSECONDS_PER_MILLISECOND = 1e6;
const DEFAULT_SLICE_MS = 10;

export interface DeviceOptions {
  /** What time it is; by default what the machine's time-stamp counter goes by. */
  readonly clock?: Clock;
  /** Silent by default. */
  readonly log?: HostLog;
  /** Called at each station of the Guest's way through the Host. */
  readonly trace?: HostTrace;
  /** How long the Guest runs before a read() answers -EINTR, so that others have a turn. */
  readonly sliceMilliseconds?: number;
  /** A system call vector that the Guest may have besides 0x80: the original's module parameter. */
  readonly syscallVector?: number;
  /** What the Guest is told of its time-stamp counter: kilohertz, or 0 for "not to be trusted". By default the truth. */
  readonly tscKhz?: number;
}

/** Registers that are the Guest's own to change, since they decide what it may do. */
const READ_ONLY = ['cs', 'ds', 'es', 'fs', 'gs', 'ss', 'eflags'] as const;
const SETTABLE = ['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'esp', 'eip'] as const;
const NO_REGISTER = -1;

/** Where registers are in `regs`, by the word of `struct pt_regs` that names them. */
function places(names: readonly (keyof typeof PT_REGS & keyof typeof LGUEST_REGS)[]): Int8Array {
  const table = new Int8Array(PT_REGS.ss / 4 + 1).fill(NO_REGISTER);
  for (const name of names) table[PT_REGS[name] / 4] = LGUEST_REGS[name];
  return table;
}

const READABLE_PLACES = places([...READ_ONLY, ...SETTABLE]);
const SETTABLE_PLACES = places(SETTABLE);

/** Where LHREQ_GETREG and LHREQ_SETREG find a register, or NO_REGISTER. */
const placeOf = (table: Int8Array, offset: number): number =>
  (offset & 3) === 0 ? (table[offset >>> 2] ?? NO_REGISTER) : NO_REGISTER;

/** The registers of a Guest that has not begun: a flat kernel in ring 1, with its boot parameters at 0. */
function setupRegs(cpu: LgCpu, startEip: number): void {
  const { regs } = cpu;
  regs.fill(0);
  regs[LGUEST_REGS.cs] = GUEST_KERNEL_CS;
  regs[LGUEST_REGS.ds] = GUEST_KERNEL_DS;
  regs[LGUEST_REGS.es] = GUEST_KERNEL_DS;
  regs[LGUEST_REGS.ss] = GUEST_KERNEL_DS;
  regs[LGUEST_REGS.eflags] = X86_EFLAGS_IF | X86_EFLAGS_FIXED;
  regs[LGUEST_REGS.eip] = startEip;
}

/** The options, complete and checked: a slice that is no number would never end. */
function lguestOptions(options: DeviceOptions, machineClock: Clock): LguestOptions {
  const { sliceMilliseconds = DEFAULT_SLICE_MS, syscallVector = IA32_SYSCALL_VECTOR, tscKhz = TSC_KHZ } = options;
  if (!Number.isFinite(sliceMilliseconds) || sliceMilliseconds < 0) {
    throw new UserError('ERR_LGUEST_OPTION', `a slice of ${sliceMilliseconds} milliseconds is none`);
  }
  if (!Number.isInteger(syscallVector) || syscallVector < FIRST_EXTERNAL_VECTOR || syscallVector >= IDT_ENTRIES) {
    throw new UserError('ERR_LGUEST_OPTION', `${syscallVector} is no vector for system calls`);
  }
  if (!Number.isInteger(tscKhz) || tscKhz < 0 || tscKhz >= 2 ** 32) {
    throw new UserError('ERR_LGUEST_OPTION', `a time-stamp counter of ${tscKhz} kHz is none`);
  }
  return {
    clock: options.clock ?? machineClock,
    log: options.log ?? silentLogger,
    trace: options.trace,
    syscallVector,
    tscKhz,
    sliceNanoseconds: sliceMilliseconds * NANOSECONDS_PER_MILLISECOND,
  };
}

/** What has become of an open file. */
type State =
  { readonly kind: 'open' } | { readonly kind: 'initialized'; readonly cpu: LgCpu } | { readonly kind: 'closed' };

export class LguestDevice {
  readonly #memory: LauncherMemory;
  readonly #machine: Machine;
  readonly #options: LguestOptions;
  readonly #waiters: Waiters;
  #state: State = { kind: 'open' };
  /** A read() is under way: the Guest runs, and whoever calls now was called by it (a trace, a device). */
  #running = false;

  /** @throws Bug when `memory` does not come from allocateGuestMemory, UserError for options that make no sense */
  constructor(memory: LauncherMemory, options: DeviceOptions = {}) {
    this.#memory = memory;
    this.#machine = machineOf(memory);
    this.#options = lguestOptions(options, this.#machine.clock);
    this.#waiters = new Waiters(this.#options.clock);
  }

  /**
   * A request: LHREQ_… and its words.
   *
   * @returns what the original returns (16 for INITIALIZE, 8 for GETREG, 12 for SETREG, 0 for IRQ and TRAP) or a negative
   *   error: -EFAULT when words are missing; -EINVAL for what is no request, or before INITIALIZE; -EBUSY for a second
   *   INITIALIZE; -ENOENT when the Guest is dead, or for a register that there is not; -EBADF after close()
   */
  write(message: Uint32Array, cpuId = 0): number {
    const request = message[0];
    if (this.#state.kind === 'closed') return -EBADF;
    if (request === undefined) return -EFAULT;
    if (request === LHREQ.LHREQ_INITIALIZE) return this.#initialize(message);
    if (this.#state.kind !== 'initialized' || cpuId !== 0) return -EINVAL;
    const { cpu } = this.#state;
    if (cpu.life.state === 'dead') return -ENOENT;
    switch (request) {
      case LHREQ.LHREQ_IRQ:
        return this.#irq(cpu, message[1]);
      case LHREQ.LHREQ_GETREG:
        return this.#getReg(cpu, message[1]);
      case LHREQ.LHREQ_SETREG:
        return this.#setReg(cpu, message[1], message[2]);
      case LHREQ.LHREQ_TRAP:
        return this.#trap(cpu, message[1]);
      default:
        return -EINVAL;
    }
  }

  /**
   * Runs the Guest until the Launcher is needed, or gives the register that LHREQ_GETREG asked for.
   *
   * @returns LGUEST_PENDING_SIZE with `struct lguest_pending` in `buffer`; 4 with a register; -EINTR when the slice of
   *   running time is over, and -EAGAIN when the Guest sleeps: read again, after `ready()`; -ENOENT when the Guest has
   *   died, and from then on the length of the reason, NUL included, cut to the buffer; -ERESTART when it wants to begin
   *   anew; -EFAULT when the buffer is too small, and nothing has run; -EINVAL before INITIALIZE; -EPERM when called
   *   from inside a read(): the Guest belongs to the caller that runs it; -EBADF after close()
   */
  read(buffer: Uint8Array, cpuId = 0): number {
    if (this.#state.kind === 'closed') return -EBADF;
    if (this.#state.kind !== 'initialized' || cpuId !== 0) return -EINVAL;
    if (this.#running) return -EPERM;
    const { cpu } = this.#state;
    if (cpu.life.state === 'dead') return cpu.life.restart ? -ERESTART : copyMessage(buffer, cpu.life.reason);
    if (cpu.pending.kind === 'trap') cpu.pending = NOTHING_PENDING;
    if (cpu.registerToRead !== undefined) return readRegister(cpu, buffer, cpu.registerToRead);
    if (buffer.length < LGUEST_PENDING_SIZE) return -EFAULT;
    this.#running = true;
    try {
      return runGuest(cpu, buffer);
    } finally {
      this.#running = false;
    }
  }

  /** poll(): resolves when a read() would get somewhere, when the device is closed, or when `signal` is aborted. */
  ready(signal?: AbortSignal): Promise<void> {
    const state = this.#state;
    return state.kind === 'initialized' ? this.#waiters.wait(state.cpu, signal) : Promise.resolve();
  }

  /** Lets go of the Guest and of its memory, which another device can have. Harmless when done twice. */
  close(): void {
    if (this.#state.kind === 'initialized') {
      const { cpu } = this.#state;
      if (cpu.life.state !== 'dead') cpu.life = { state: 'dead', reason: 'closed', restart: false };
      this.#machine.inUse = false;
    }
    this.#state = { kind: 'closed' };
    this.#waiters.close();
  }

  /** What has happened so often; undefined before INITIALIZE. */
  get counters(): HostCounters | undefined {
    return this.#state.kind === 'initialized' ? this.#state.cpu.counters : undefined;
  }

  /** What the emulated CPU did so often, since the memory was allocated. */
  get cpuCounters(): CpuCounters {
    return this.#machine.switcher.counters;
  }

  /**
   * Memory and limits are checked here, where they enter; the original finds out page by page ("failed to get page"), by
   * asking the Launcher's own page tables.
   */
  #initialize(message: Uint32Array): number {
    if (this.#state.kind === 'initialized' || this.#machine.inUse) return -EBUSY;
    const [, base, pfnLimit, startEip, deviceLimit] = message;
    if (base === undefined || pfnLimit === undefined || startEip === undefined || deviceLimit === undefined) {
      return -EFAULT;
    }
    if (base !== this.#memory.base >>> 0 || pfnLimit > this.#memory.bytes.length / PAGE_SIZE) return -EFAULT;
    if (deviceLimit < pfnLimit || deviceLimit > PAGE_COUNT) return -EINVAL;
    const lg = new Lguest({ pfnLimit, deviceLimit }, this.#options);
    const cpu = new LgCpu(lg, this.#machine.switcher, this.#options.sliceNanoseconds);
    this.#machine.inUse = true;
    this.#machine.switcher.taskSwitched = false;
    this.#machine.switcher.doorkeeper = doorkeeperOf(cpu);
    setupRegs(cpu, startEip);
    setupGuestGdt(cpu);
    setupDefaultIdtEntries(cpu);
    this.#state = { kind: 'initialized', cpu };
    return LHREQ_RESULT.INITIALIZE;
  }

  #irq(cpu: LgCpu, irq: number | undefined): number {
    if (irq === undefined) return -EFAULT;
    if (!isIrq(irq)) return -EINVAL;
    setInterrupt(cpu, irq);
    this.#waiters.wake();
    return LHREQ_RESULT.IRQ;
  }

  #getReg(cpu: LgCpu, offset: number | undefined): number {
    if (offset === undefined) return -EFAULT;
    const place = placeOf(READABLE_PLACES, offset);
    cpu.registerToRead = place === NO_REGISTER ? undefined : place;
    return place === NO_REGISTER ? -ENOENT : LHREQ_RESULT.GETREG;
  }

  #setReg(cpu: LgCpu, offset: number | undefined, value: number | undefined): number {
    if (offset === undefined || value === undefined) return -EFAULT;
    const place = placeOf(SETTABLE_PLACES, offset);
    if (place === NO_REGISTER) return -ENOENT;
    cpu.regs[place] = value;
    return LHREQ_RESULT.SETREG;
  }

  #trap(cpu: LgCpu, vector: number | undefined): number {
    if (vector === undefined) return -EFAULT;
    return deliverTrap(cpu, vector) ? LHREQ_RESULT.TRAP : -EINVAL;
  }
}

function readRegister(cpu: LgCpu, buffer: Uint8Array, index: number): number {
  if (buffer.length < 4) return -EFAULT;
  const value = cpu.regs[index] ?? 0;
  buffer[0] = value;
  buffer[1] = value >>> 8;
  buffer[2] = value >>> 16;
  buffer[3] = value >>> 24;
  cpu.registerToRead = undefined;
  return 4;
}

function copyMessage(buffer: Uint8Array, reason: string): number {
  const bytes = messageBytes(reason);
  const length = Math.min(buffer.length, bytes.length);
  buffer.set(bytes.subarray(0, length));
  return length;
}
