// What the Host cannot serve: instructions that touch ports or device memory. They are read from the bytes at the Guest's
// eip, done here, and stepped over. What is none of these goes back to the Guest as the trap it was.
//
// An early console writes byte by byte through a window in PCI's configuration space, forty thousand accesses to ports in a
// boot, so the way through here is short and allocates nothing.
import { PT_REGS } from '../guest-abi/lguest-launcher.js';
import { PCI_CONFIG_ADDR } from '../guest-abi/pci/mechanism-1.js';
import { hex } from '../lib/bits.js';
import { unreachable } from '../lib/errors.js';
import type { LauncherContext } from './context.js';
import { OPCODE_CLI, decodeMemoryAccess, decodePortAccess } from './decode-access.js';
import type { MemoryAccess, PortAccess } from './decode-access.js';
import type { PciBus } from './pci/bus.js';
import type { DeviceMemory, Width } from './pci/function.js';
import type { GuestRegisters, SettableRegister } from './registers.js';

/** General protection and page fault, the two traps that the Host hands out. */
const TRAP_GENERAL_PROTECTION = 13;
const TRAP_PAGE_FAULT = 14;

/** The keyboard controller's status: "output buffer full", which makes Linux give up on it at once. */
const I8042_STATUS = 0x64;

/**
 * The interval timer's second counter, by which Linux measures its time-stamp counter. There is none, but one that stands
 * at 0 is given up at the first look; at all ones, the original's answer, it is looked at a hundred thousand times.
 */
const PIT_CHANNEL_2 = 0x42;

/** General registers by their number in an instruction. */
const { eax, ecx, edx, ebx, esp, ebp, esi, edi } = PT_REGS;
const byNumber = [eax, ecx, edx, ebx, esp, ebp, esi, edi] as const satisfies SettableRegister[];

/** The ring in which the Guest's kernel runs: it may use ports, its processes may not. */
const GUEST_KERNEL_RING = 1;
const RING_MASK = 3;

const maskOf = (width: Width): number => (width === 32 ? 0xffff_ffff : (1 << width) - 1);

/** Complaints about a Guest's instructions, after which the log hears no more of them. */
const MAX_WARNINGS = 32;

export class InstructionEmulator {
  readonly #registers: GuestRegisters;
  readonly #bus: PciBus;
  readonly #context: Pick<LauncherContext, 'log' | 'fatal'>;
  #warnings = 0;

  constructor(registers: GuestRegisters, bus: PciBus, context: Pick<LauncherContext, 'log' | 'fatal'>) {
    this.#registers = registers;
    this.#bus = bus;
    this.#context = context;
  }

  /** A general protection fault without error code, by the seven bytes at eip. */
  privileged(insn: Uint8Array): void {
    const isCli = insn[0] === OPCODE_CLI;
    const access = isCli ? undefined : decodePortAccess(insn);
    if ((!isCli && access === undefined) || (this.#registers.get(PT_REGS.cs) & RING_MASK) !== GUEST_KERNEL_RING) {
      return this.#reinject(TRAP_GENERAL_PROTECTION);
    }
    // An old kernel's cmpxchg8b emulation does `cli`. Its interrupts are its own affair: they are in lguest_data.
    if (access === undefined) return this.#skip(1);
    const port = access.immediate ? (insn[access.length - 1] ?? 0) : this.#registers.get(PT_REGS.edx) & 0xffff;
    if (access.direction === 'in') this.#in(port, access);
    else this.#out(port, access);
  }

  /** A page fault on device memory at guest-physical `address`, by the seven bytes at eip. */
  deviceMemory(address: number, insn: Uint8Array): void {
    const memory = this.#bus.memoryAt(address);
    if (memory === undefined) {
      this.#warn(`MMIO touching ${hex(address)} (not a device)`);
      return this.#reinject(TRAP_PAGE_FAULT);
    }
    const access = decodeMemoryAccess(insn);
    if (access === undefined) {
      const bytes = Array.from(insn.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
      this.#warn(`Unknown MMIO instruction touching ${hex(address)}: ${bytes} at ${this.#registers.get(PT_REGS.eip)}`);
      return this.#reinject(TRAP_PAGE_FAULT);
    }
    this.#access(memory, address - memory.address, access);
    this.#skip(access.length);
  }

  #in(port: number, { width, length }: PortAccess): void {
    const mask = maskOf(width);
    const kept = width === 32 ? 0 : this.#registers.get(PT_REGS.eax) & ~mask;
    this.#registers.set(PT_REGS.eax, kept | (this.#readPort(port) & mask));
    this.#skip(length);
  }

  /** A port with nothing behind it reads as all ones. */
  #readPort(port: number): number {
    if (port >= PCI_CONFIG_ADDR && this.#bus.owns(port)) return this.#bus.read(port);
    if (port === PIT_CHANNEL_2) return 0;
    return port === I8042_STATUS ? 1 : 0xffff_ffff;
  }

  #out(port: number, { width, length }: PortAccess): void {
    const value = (this.#registers.get(PT_REGS.eax) & maskOf(width)) >>> 0;
    if (this.#bus.owns(port) && !this.#bus.write(port, width, value)) {
      this.#warn(`Attempt to write to port ${port} (${hex(maskOf(width))} mask)`);
      return this.#reinject(TRAP_GENERAL_PROTECTION);
    }
    this.#skip(length);
  }

  #access(memory: DeviceMemory, offset: number, access: MemoryAccess): void {
    switch (access.kind) {
      case 'store': {
        const { from, width } = access;
        memory.write(offset, width, 'immediate' in from ? from.immediate : this.#readRegister(from.register, width));
        return;
      }
      case 'load': {
        const { register, width, signed } = access.into;
        const value = memory.read(offset, access.width);
        const unused = 32 - access.width;
        this.#writeRegister(register, width, signed ? (value << unused) >> unused : value);
        return;
      }
      default:
        unreachable(access);
    }
  }

  /** Byte registers 4 to 7 are ah, ch, dh and bh. */
  #readRegister(number: number, width: Width): number {
    if (width === 8) return (this.#registers.get(byNumber[number & 3] ?? PT_REGS.eax) >>> (number < 4 ? 0 : 8)) & 0xff;
    return (this.#registers.get(byNumber[number] ?? PT_REGS.eax) & maskOf(width)) >>> 0;
  }

  #writeRegister(number: number, width: Width, value: number): void {
    if (width === 32) return this.#registers.set(byNumber[number] ?? PT_REGS.eax, value);
    const shift = width === 8 && number >= 4 ? 8 : 0;
    const register = byNumber[width === 8 ? number & 3 : number] ?? PT_REGS.eax;
    const mask = maskOf(width) << shift;
    this.#registers.set(register, (this.#registers.get(register) & ~mask) | ((value << shift) & mask));
  }

  #skip(length: number): void {
    this.#registers.set(PT_REGS.eip, this.#registers.get(PT_REGS.eip) + length);
  }

  /** Lets the Guest's own handler see what happened. */
  #reinject(trap: number): void {
    if (this.#registers.trap(trap)) return;
    this.#context.fatal(
      `Reinjecting trap ${trap} for fault at ${hex(this.#registers.get(PT_REGS.eip))}: Invalid argument`,
    );
  }

  #warn(text: string): void {
    this.#warnings++;
    if (this.#warnings <= MAX_WARNINGS) this.#context.log.warn(text);
    if (this.#warnings === MAX_WARNINGS) this.#context.log.warn('… and no more of these');
  }
}
