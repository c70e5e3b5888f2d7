// A Guest to test the Host with: a FakeSwitcher behind a real LguestDevice, with the few things that every Guest does
// (lguest_data, page tables, gates) at hand.
import { LHCALL, type LhcallName } from '../../guest-abi/hypercalls.js';
import { LGUEST_DATA, LGUEST_DATA_3_11, LGUEST_DATA_4_1 } from '../../guest-abi/lguest-data.js';
import { LHREQ } from '../../guest-abi/lguest-launcher.js';
import { LGUEST_REGS } from '../../guest-abi/lguest-regs.js';
import type { DeviceOptions } from '../../host/device.js';
import { allocateGuestMemory, LguestDevice } from '../../host/device.js';
import { FakeSwitcher, ManualClock, type Step } from './fake-switcher.js';

export const PAGE = 4096;
export const RAM_PAGES = 256;
export const RAM = RAM_PAGES * PAGE;
/** 16 pages of device windows above RAM. */
export const DEVICE_LIMIT = RAM_PAGES + 16;
export const KERNEL = 0xc0000000;
/** Guest-physical: lguest_data. */
export const DATA = 0x3000;
/** Guest-physical: where page table pages are taken from, upwards. */
const TABLES = 0x80000;
export const NOIRQ_IRET = KERNEL + 0x1234;
export const P = 1;
export const RW = 2;
export const USER = 4;
export const ACCESSED = 0x20;
export const DIRTY = 0x40;

export interface TestGuestOptions extends DeviceOptions {
  readonly pae?: boolean;
  readonly layout?: '4.1' | '3.11';
  readonly syscallVec?: number;
  readonly kernelAddress?: number;
}

/** `int $0x1f` with eax = number, and so on. */
export function hypercall(name: LhcallName | number, ...args: number[]): Step {
  const number = typeof name === 'number' ? name : LHCALL[name];
  return (switcher) => {
    const [a = 0, b = 0, c = 0, d = 0] = args;
    switcher.setReg('eax', number);
    switcher.setReg('ebx', a);
    switcher.setReg('ecx', b);
    switcher.setReg('edx', c);
    switcher.setReg('esi', d);
    switcher.setReg('trapnum', 0x1f);
  };
}

export function trap(vector: number, errorCode = 0): Step {
  return (switcher) => {
    switcher.setReg('trapnum', vector);
    switcher.setReg('errcode', errorCode);
  };
}

/** A page fault; the error code has 2 for a write, 4 for CPL 3. */
export function pageFault(address: number, errorCode = 0): Step {
  return (switcher) => {
    switcher.cr2 = address;
    trap(14, errorCode)(switcher);
  };
}

/** From now on the Guest is in this ring, with this stack. */
export function inRing(ring: 1 | 3, esp: number, eip: number): Step {
  return (switcher) => {
    switcher.setReg('cs', ring === 1 ? 0x61 : 0x73);
    switcher.setReg('ss', ring === 1 ? 0x69 : 0x7b);
    switcher.setReg('esp', esp);
    switcher.setReg('eip', eip);
  };
}

/** Several things at once, the last of which traps. */
export const both =
  (...steps: Step[]): Step =>
  (switcher) => {
    for (const step of steps) step(switcher);
  };

export class TestGuest {
  readonly clock = new ManualClock();
  readonly switcher: FakeSwitcher;
  readonly device: LguestDevice;
  readonly pae: boolean;
  #tablesUsed = 0;
  readonly #options: TestGuestOptions;

  constructor(options: TestGuestOptions = {}) {
    this.#options = options;
    this.pae = options.pae ?? false;
    const switcher = new FakeSwitcher(RAM, this.clock);
    this.switcher = switcher;
    const memory = allocateGuestMemory(RAM, { createSwitcher: () => switcher, clock: this.clock });
    this.device = new LguestDevice(memory, options);
  }

  write(...words: number[]): number {
    return this.device.write(Uint32Array.from(words));
  }

  initialize(startEip = 0x1000): number {
    const { base } = this.switcher.memory;
    return this.write(LHREQ.LHREQ_INITIALIZE, base, RAM_PAGES, startEip, DEVICE_LIMIT);
  }

  /** Does these steps, and gives what read() gives: -EINTR if nothing else stops the Guest. */
  run(...steps: Step[]): number {
    this.switcher.script.push(...steps);
    return this.device.read(new Uint8Array(256));
  }

  /** Why the Guest is dead. */
  lastWords(): string {
    const buffer = new Uint8Array(256);
    const length = this.device.read(buffer);
    return length < 0 ? `read: ${length}` : Buffer.from(buffer.subarray(0, length - 1)).toString('latin1');
  }

  /** Runs steps that kill, and tells the reason. */
  killedBy(...steps: Step[]): string {
    const result = this.run(...steps);
    return result === -2 ? this.lastWords() : `alive: ${result}`;
  }

  peek(address: number): number {
    return new DataView(this.switcher.memory.bytes.buffer).getUint32(address, true);
  }

  poke(address: number, value: number): void {
    new DataView(this.switcher.memory.bytes.buffer).setUint32(address, value, true);
  }

  data(field: keyof typeof LGUEST_DATA): number {
    return this.peek(DATA + LGUEST_DATA[field]);
  }

  setData(field: keyof typeof LGUEST_DATA, value: number): void {
    this.poke(DATA + LGUEST_DATA[field], value);
  }

  regs(): Record<keyof typeof LGUEST_REGS, number> {
    const names = Object.keys(LGUEST_REGS) as (keyof typeof LGUEST_REGS)[];
    return Object.fromEntries(names.map((name) => [name, this.switcher.reg(name)])) as Record<
      keyof typeof LGUEST_REGS,
      number
    >;
  }

  /** lguest_data as a kernel's image has it. */
  prepareData(at = DATA): void {
    const { layout = '4.1', syscallVec = 0x80, kernelAddress = KERNEL } = this.#options;
    this.switcher.memory.bytes.fill(0xff, at + LGUEST_DATA.hcall_status, at + LGUEST_DATA.hcalls);
    this.poke(at + LGUEST_DATA.blocked_interrupts, 1);
    if (layout === '4.1') {
      this.poke(at + LGUEST_DATA_4_1.noirq_iret, NOIRQ_IRET);
      this.poke(at + LGUEST_DATA_4_1.kernel_address, kernelAddress);
      this.poke(at + LGUEST_DATA_4_1.syscall_vec, syscallVec);
    } else {
      this.poke(at + LGUEST_DATA_3_11.noirq_start, NOIRQ_IRET);
      this.poke(at + LGUEST_DATA_3_11.noirq_end, NOIRQ_IRET + 7);
      this.poke(at + LGUEST_DATA_3_11.kernel_address, kernelAddress);
      this.poke(at + LGUEST_DATA_3_11.syscall_vec, syscallVec);
    }
  }

  /** INITIALIZE and LHCALL_LGUEST_INIT: still in linear mode. */
  begin(): this {
    this.initialize();
    this.prepareData();
    this.run(hypercall('LHCALL_LGUEST_INIT', DATA));
    return this;
  }

  /** … and a page table, with the first megabyte mapped at KERNEL. Returns where it is. */
  beginPaging(): number {
    this.begin();
    const directory = this.newDirectory();
    this.run(hypercall('LHCALL_NEW_PGTABLE', directory));
    return directory;
  }

  newTablePage(): number {
    return TABLES + PAGE * this.#tablesUsed++;
  }

  #kernelTable = 0;

  /** A new top level, that maps the kernel: all RAM at KERNEL, writable, not yet accessed. */
  newDirectory(): number {
    const directory = this.newTablePage();
    if (this.#kernelTable === 0) {
      this.map(directory, KERNEL, 0 | P | RW);
      for (let page = 1; page < RAM_PAGES; page++) this.map(directory, KERNEL + page * PAGE, (page * PAGE) | P | RW);
      this.#kernelTable = this.peek(this.#topAddress(directory, KERNEL));
    }
    this.poke(this.#topAddress(directory, KERNEL), this.#kernelTable);
    return directory;
  }

  #topAddress(directory: number, vaddr: number): number {
    return this.pae ? directory + (vaddr >>> 30) * 8 : directory + (vaddr >>> 22) * 4;
  }

  #table(entryAddress: number, flags: number): number {
    if ((this.peek(entryAddress) & P) === 0) this.poke(entryAddress, this.newTablePage() | flags);
    return this.peek(entryAddress) & ~0xfff;
  }

  /** Where the PTE of `vaddr` is; lower tables are made as needed. */
  pteAddress(directory: number, vaddr: number): number {
    if (!this.pae) return this.#table(this.#topAddress(directory, vaddr), 0x67) + ((vaddr >>> 12) & 1023) * 4;
    return this.#table(this.pmdAddress(directory, vaddr), 0x67) + ((vaddr >>> 12) & 511) * 8;
  }

  /** Where the entry above the PTE is: in the top level, or with PAE in the middle one. */
  pmdAddress(directory: number, vaddr: number): number {
    if (!this.pae) return this.#topAddress(directory, vaddr);
    return this.#table(this.#topAddress(directory, vaddr), P) + ((vaddr >>> 21) & 511) * 8;
  }

  topAddress(directory: number, vaddr: number): number {
    return this.#topAddress(directory, vaddr);
  }

  map(directory: number, vaddr: number, pte: number, high = 0): void {
    const address = this.pteAddress(directory, vaddr);
    this.poke(address, pte);
    if (this.pae) this.poke(address + 4, high);
  }

  pte(directory: number, vaddr: number): number {
    return this.peek(this.pteAddress(directory, vaddr));
  }

  /** A gate as LHCALL_LOAD_IDT_ENTRY takes it. */
  gate(vector: number, handler: number, type: 'interrupt' | 'trap' = 'interrupt', dpl = 0): Step {
    const high = (handler & 0xffff0000) | 0x8000 | (dpl << 13) | (type === 'trap' ? 0xf00 : 0xe00);
    return hypercall('LHCALL_LOAD_IDT_ENTRY', vector, (0x60 << 16) | (handler & 0xffff), high);
  }

  /** The words on the Guest's stack, from esp up. */
  stack(count: number, top = this.switcher.reg('esp')): number[] {
    return Array.from({ length: count }, (_, i) => this.peek(top - (top >= KERNEL ? KERNEL : 0) + 4 * i));
  }
}
