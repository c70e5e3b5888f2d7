// A Guest that is not there: registers and memory behind the same two calls as the Host's device, and instructions that
// touch ports and device memory, as drivers do. What is tested is everything on the Launcher's side of that.
import { EINVAL } from '../../guest-abi/errno.js';
import { LHREQ, PT_REGS } from '../../guest-abi/lguest-launcher.js';
import { Bus } from '../../launcher/bus.js';
import type { LauncherContext, LguestFd } from '../../launcher/context.js';
import type { Width } from '../../launcher/pci/function.js';
import type { PhysicalMemory } from '../../switcher/physical-memory.js';
import type { Logger } from '../../lib/log.js';
import { MiB } from '../../lib/bits.js';

export const RAM = MiB;
const START = 0xc100_0000;
const ignore = (): void => undefined;
const KERNEL_CS = 0x61;
const INSN_SIZE = 7;

/** `mov eax, [ebx]` and its sisters; a load leaves the value in al, ax or eax. */
const LOAD: Record<Width, number[]> = { 8: [0x8a, 0x03], 16: [0x66, 0x8b, 0x03], 32: [0x8b, 0x03] };
const STORE: Record<Width, number[]> = { 8: [0x88, 0x03], 16: [0x66, 0x89, 0x03], 32: [0x89, 0x03] };
/** `in eax, dx` and `out dx, eax` and their sisters. */
const IN: Record<Width, number[]> = { 8: [0xec], 16: [0x66, 0xed], 32: [0xed] };
const OUT: Record<Width, number[]> = { 8: [0xee], 16: [0x66, 0xef], 32: [0xef] };

export class FakeGuest implements LguestFd {
  readonly bytes = new Uint8Array(RAM);
  readonly view = new DataView(this.bytes.buffer);
  /** What the Launcher said it had written to, as `address+length`. */
  readonly wrote: string[] = [];
  readonly memory: PhysicalMemory = {
    base: 0,
    bytes: this.bytes,
    words: new Uint32Array(this.bytes.buffer),
    wrote: (address, length) => void this.wrote.push(`${address}+${length}`),
  };
  readonly registers = new Map<number, number>([[PT_REGS.cs, KERNEL_CS]]);
  readonly irqs: number[] = [];
  readonly traps: number[] = [];
  readonly warnings: string[] = [];
  /** Why the Guest could not go on. */
  readonly broken: string[] = [];
  /** Whether the Guest has gates for traps. */
  takesTraps = true;
  readonly context: LauncherContext;
  readonly bus: Bus;
  #asked: number | undefined;

  constructor() {
    const warn = (text: string): void => void this.warnings.push(text);
    const log: Logger = { trace: ignore, debug: ignore, info: ignore, warn, error: warn };
    const fatal = (why: string): void => void this.broken.push(why);
    this.context = { memory: this.memory, lguest: this, log, fatal };
    this.bus = new Bus(this.context);
  }

  write(message: Uint32Array): number {
    const [request, first = 0, second = 0] = message;
    switch (request) {
      case LHREQ.LHREQ_IRQ:
        this.irqs.push(first);
        return 0;
      case LHREQ.LHREQ_GETREG:
        this.#asked = first;
        return 8;
      case LHREQ.LHREQ_SETREG:
        this.registers.set(first, second);
        return 12;
      case LHREQ.LHREQ_TRAP:
        if (!this.takesTraps) return -EINVAL;
        this.traps.push(first);
        return 0;
      default:
        return -EINVAL;
    }
  }

  read(buffer: Uint8Array): number {
    if (this.#asked === undefined) return -EINVAL;
    new DataView(buffer.buffer, buffer.byteOffset).setUint32(0, this.get(this.#asked), true);
    this.#asked = undefined;
    return 4;
  }

  get(register: number): number {
    return this.registers.get(register) ?? 0;
  }

  set(register: number, value: number): void {
    this.registers.set(register, value >>> 0);
  }

  /** Executes an instruction that stopped with a trap. Answers how far eip went. */
  execute(trap: 13 | 14, insn: readonly number[], addr = 0): number {
    const bytes = new Uint8Array(INSN_SIZE);
    bytes.set(insn.slice(0, INSN_SIZE));
    this.set(PT_REGS.eip, START);
    if (trap === 13) this.bus.instruction(bytes);
    else this.bus.deviceMemory(addr, bytes);
    return this.get(PT_REGS.eip) - START;
  }

  in(port: number, width: Width): number {
    this.set(PT_REGS.edx, port);
    this.set(PT_REGS.eax, 0);
    this.execute(13, IN[width]);
    return this.get(PT_REGS.eax);
  }

  out(port: number, width: Width, value: number): void {
    this.set(PT_REGS.edx, port);
    this.set(PT_REGS.eax, value);
    this.execute(13, OUT[width]);
  }

  load(address: number, width: Width): number {
    this.set(PT_REGS.eax, 0);
    this.execute(14, LOAD[width], address);
    return this.get(PT_REGS.eax);
  }

  store(address: number, width: Width, value: number): void {
    this.set(PT_REGS.eax, value);
    this.execute(14, STORE[width], address);
  }

  /** Configuration mechanism #1. */
  readConfig(slot: number, offset: number, width: Width = 32): number {
    this.out(0xcf8, 32, configAddress(slot, offset));
    return this.in(0xcfc + (offset & 3), width);
  }

  writeConfig(slot: number, offset: number, value: number, width: Width = 32): void {
    this.out(0xcf8, 32, configAddress(slot, offset));
    this.out(0xcfc + (offset & 3), width, value);
  }

  text(address: number, length: number): string {
    return Buffer.from(this.bytes.subarray(address, address + length)).toString('latin1');
  }

  put(address: number, text: string | Uint8Array): void {
    this.bytes.set(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, address);
  }
}

const configAddress = (slot: number, offset: number): number => (0x8000_0000 | (slot << 11) | (offset & 0xfc)) >>> 0;
