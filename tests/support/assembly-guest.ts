// A Guest written in assembly, on the real CPU behind a real device. What it says in the end, and what it leaves in memory, is
// the result; `out %al, $n` is how it asks the test to do something meanwhile.
import { type LhcallName, LHCALL } from '../../guest-abi/hypercalls.js';
import { LGUEST_DATA } from '../../guest-abi/lguest-data.js';
import { LGUEST_PENDING, LGUEST_PENDING_SIZE, LHREQ, PT_REGS } from '../../guest-abi/lguest-launcher.js';
import {
  allocateGuestMemory,
  type DeviceOptions,
  EAGAIN,
  EINTR,
  ENOENT,
  type EngineName,
  type LauncherMemory,
  LguestDevice,
} from '../../host/device.js';
import type { Clock, WallTime } from '../../lib/clock.js';
import { Bus } from '../../launcher/bus.js';
import type { VirtioDevice } from '../../launcher/virtio/device.js';
import { silentLogger } from '../../lib/log.js';
import { assemble, type Names } from './assemble.js';
import * as Layout from './guest-layout.js';

export const ENGINES: readonly EngineName[] = ['evaluate', 'interpret', 'translate'];

const LOOK = 250_000;
const NANOSECONDS_PER_SECOND = 1e9;
const BEGINNING = 1_500_000_000;

/**
 * Time goes by when somebody looks: what a Guest does takes as long on every machine. A look is worth what the Host wants one
 * budget of the CPU's to take, so that the budget stays small.
 */
export class LookClock implements Clock {
  #now = 0;

  now(): number {
    this.#now += LOOK;
    return this.#now;
  }

  wall(): WallTime {
    const seconds = Math.floor(this.#now / NANOSECONDS_PER_SECOND);
    return { seconds: BEGINNING + seconds, nanoseconds: this.#now % NANOSECONDS_PER_SECOND };
  }

  advance(nanoseconds: number): void {
    this.#now += nanoseconds;
  }

  reset(): void {
    this.#now = 0;
  }
}

interface Machine {
  readonly memory: LauncherMemory;
  readonly clock: LookClock;
  device: LguestDevice | undefined;
}

/** One machine for each engine, used again and again: making one takes longer than most Guests live. */
const machines = new Map<string, Machine>();

function freshMachine(engine: EngineName, countInstructions: boolean): Machine {
  const key = `${engine}${countInstructions ? ', counting' : ''}`;
  const known = machines.get(key);
  if (known === undefined) {
    const clock = new LookClock();
    // Whatever is met is translated: a Guest of a few instructions would else never be.
    const memory = allocateGuestMemory(Layout.RAM, { engine, translateAfter: 0, clock, countInstructions });
    const made = { memory, clock, device: undefined };
    machines.set(key, made);
    return made;
  }
  known.device?.close();
  known.clock.reset();
  known.memory.bytes.fill(0);
  known.memory.wrote(0, Layout.RAM);
  return known;
}

/** `paging`: behind LHCALL_NEW_PGTABLE, at KERNEL. `linear`: behind LHCALL_LGUEST_INIT. `reset`: nothing has been done. */
export type Begin = 'paging' | 'linear' | 'reset';

/** What is to be done at `out %al, $n`. */
export type Ports = Readonly<Record<number, (guest: AssemblyGuest) => void>>;

export interface GuestOptions extends DeviceOptions {
  readonly engine?: EngineName;
  readonly countInstructions?: boolean;
  readonly pae?: boolean;
  readonly begin?: Begin;
  /** Assembly for ring 3, at USER_CODE. */
  readonly user?: string;
  readonly ports?: Ports;
  readonly names?: Names;
  /** What is on the bus; nothing, by default, and everything the Launcher is needed for ends run(). */
  readonly devices?: readonly VirtioDevice[];
  /** Guest-physical words to be stored before it begins. */
  readonly words?: Readonly<Record<number, number>>;
}

const PTE = { twoLevel: { size: 4, shift: 22 }, pae: { size: 8, shift: 21 } } as const;
/** Kernel pages behind RAM, for experiments: nothing is mapped there. */
const LAB_PAGE = 0x100;

/** What a text may call by name. Virtual addresses but for `…_PA`; in a Guest without page tables they are the same. */
export function namesOf(paging: boolean, pae: boolean): Names {
  const origin = paging ? Layout.KERNEL : 0;
  const { size } = pae ? PTE.pae : PTE.twoLevel;
  const fields = Object.entries(LGUEST_DATA).map(([name, offset]) => [name, origin + Layout.DATA + offset]);
  const { KERNEL, USER, USER_CODE, USER_STACK } = Layout;
  return {
    ...(Object.fromEntries(fields) as Names),
    ...{ KERNEL, USER, USER_CODE, USER_STACK, PTE_SIZE: size },
    STACK: origin + Layout.STACK_TOP,
    RESULT: origin + Layout.RESULT,
    DONE: Layout.MESSAGE,
    DATA_PA: Layout.DATA,
    RESULT_PA: Layout.RESULT,
    CODE_PA: Layout.CODE,
    RAM_END: Layout.RAM,
    RAM_LAST: origin + Layout.RAM - 4,
    DEVICES_END: Layout.DEVICE_LIMIT * Layout.PAGE,
    DIRECTORY_PA: Layout.DIRECTORY,
    DIRECTORY_2_PA: Layout.DIRECTORY_2,
    DIRECTORY: origin + Layout.DIRECTORY,
    KERNEL_TABLE: origin + Layout.KERNEL_TABLE,
    KERNEL_MIDDLE: origin + Layout.KERNEL_MIDDLE,
    USER_TABLE: origin + Layout.USER_TABLE,
    USER_TABLE_2: origin + Layout.USER_TABLE_2,
    LAB: Layout.KERNEL + LAB_PAGE * Layout.PAGE,
    LAB_PTE: origin + Layout.KERNEL_TABLE + LAB_PAGE * size,
    USER_PTE: origin + Layout.USER_TABLE + (Layout.RAM_PAGES / 2) * size,
  };
}

export class AssemblyGuest {
  readonly device: LguestDevice;
  readonly memory: LauncherMemory;
  readonly clock: LookClock;
  readonly labels: ReadonlyMap<string, number>;
  readonly #names: Names;
  readonly #ports: Ports;
  readonly #buffer = new Uint8Array(256);
  readonly #bus: Bus | undefined;
  /** What devices could not go on with. */
  readonly broken: string[] = [];

  constructor(kernel: string, options: GuestOptions = {}) {
    const {
      engine = 'interpret',
      pae = false,
      begin = 'paging',
      user = '',
      ports = {},
      names = {},
      words = {},
    } = options;
    const machine = freshMachine(engine, options.countInstructions ?? false);
    this.memory = machine.memory;
    this.clock = machine.clock;
    this.#ports = ports;
    const paging = begin === 'paging';
    const { base } = this.memory;
    this.#names = { ...namesOf(paging, pae), BASE: base, MINUS_BASE: -base, ...names };
    const program = assemble(user, Layout.USER_CODE, this.#names);
    const code = assemble(kernel, Layout.CODE + (paging ? Layout.KERNEL : 0), {
      ...this.#names,
      ...Object.fromEntries(program.labels),
    });
    this.labels = new Map([...program.labels, ...code.labels]);
    const start = this.labels.get('noirq_start') ?? this.labels.get('noirq_iret') ?? 0;
    const end = this.labels.get('noirq_end');
    const { bytes } = this.memory;
    Layout.writeLayout(bytes, { pae, noInterrupts: end === undefined ? { start } : { start, end } });
    bytes.set(Layout.bootBytes(paging), Layout.BOOT);
    bytes.set(code.bytes, Layout.CODE);
    bytes.set(program.bytes, Layout.USER_CODE - Layout.USER);
    for (const [at, value] of Object.entries(words)) bytes.set(Layout.word(value), Number(at));
    const entry = begin === 'reset' ? Layout.CODE : Layout.BOOT;
    this.device = new LguestDevice(this.memory, { sliceMilliseconds: 5, ...options });
    machine.device = this.device;
    this.#bus = this.#makeBus(options.devices);
    const limit = this.#bus === undefined ? Layout.DEVICE_LIMIT : Math.ceil(this.#bus.mmioEnd / Layout.PAGE);
    this.write(LHREQ.LHREQ_INITIALIZE, this.memory.base, Layout.RAM_PAGES, entry, limit);
  }

  #makeBus(devices: readonly VirtioDevice[] | undefined): Bus | undefined {
    if (devices === undefined) return undefined;
    const fatal = (message: string): void => void this.broken.push(message);
    const bus = new Bus({ memory: this.memory, lguest: this.device, log: silentLogger, fatal });
    for (const device of devices) bus.add(device);
    return bus;
  }

  write(...words: number[]): number {
    return this.device.write(Uint32Array.from(words));
  }

  irq(number: number): void {
    this.write(LHREQ.LHREQ_IRQ, number);
  }

  reg(name: keyof typeof PT_REGS): number {
    this.write(LHREQ.LHREQ_GETREG, PT_REGS[name]);
    const value = new Uint8Array(4);
    this.device.read(value);
    return new DataView(value.buffer).getUint32(0, true);
  }

  setReg(name: keyof typeof PT_REGS, value: number): void {
    this.write(LHREQ.LHREQ_SETREG, PT_REGS[name], value);
  }

  /** The guest-physical word at `at`, or that behind a name. */
  word(at: number | string, index = 0): number {
    const address = typeof at === 'number' ? at : (this.#names[at] ?? this.labels.get(at) ?? NaN);
    const view = new DataView(this.memory.bytes.buffer, this.memory.bytes.byteOffset);
    return view.getUint32((address % Layout.KERNEL) + 4 * index, true);
  }

  /** RESULT and the words behind it. */
  results(count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.word(Layout.RESULT, i));
  }

  poke(address: number, value: number): void {
    this.memory.bytes.set(Layout.word(value), address);
    this.memory.wrote(address, 4);
  }

  /** Does what the Guest asks for by `out %al, $n` or of a device, and lets it go on. False for anything else. */
  #serve(): boolean {
    const [trap, opcode, port = 0] = this.#buffer;
    const action = opcode === 0xe6 ? this.#ports[port] : undefined;
    if (trap !== 13 || action === undefined) return this.#serveDevice();
    this.setReg('eip', this.reg('eip') + 2);
    action(this);
    return true;
  }

  #serveDevice(): boolean {
    if (this.#bus === undefined) return false;
    const insn = this.#buffer.slice(LGUEST_PENDING.insn, LGUEST_PENDING.addr);
    const address = Buffer.from(this.#buffer).readUInt32LE(LGUEST_PENDING.addr);
    if (this.#buffer[LGUEST_PENDING.trap] === 13) this.#bus.instruction(insn);
    else this.#bus.deviceMemory(address, insn);
    return this.broken.length === 0;
  }

  /**
   * Runs until something other than the end of a slice or a known port happens.
   *
   * @returns a dead Guest's last words; `asleep`; `trap 13: ` or `trap 14: ` with what the Launcher gets to see; `busy` after
   *   so many slices; `read: ` and what read() gave
   */
  run(slices = 200): string {
    for (let slice = 0; slice < slices; slice++) {
      const result = this.device.read(this.#buffer);
      if (result === -EINTR) continue;
      if (result === -EAGAIN) return 'asleep';
      if (result === -ENOENT) return this.lastWords();
      if (result !== LGUEST_PENDING_SIZE) return `read: ${result}`;
      if (!this.#serve()) return this.#pending();
    }
    return 'busy';
  }

  lastWords(): string {
    const length = this.device.read(this.#buffer);
    return Buffer.from(this.#buffer.subarray(0, length - 1)).toString('latin1');
  }

  #pending(): string {
    const trap = this.#buffer[LGUEST_PENDING.trap];
    const insn = Buffer.from(this.#buffer.subarray(LGUEST_PENDING.insn, LGUEST_PENDING.addr)).toString('hex');
    const address = Buffer.from(this.#buffer).readUInt32LE(LGUEST_PENDING.addr);
    return trap === 14 ? `trap 14: ${insn} at 0x${address.toString(16)}` : `trap ${trap}: ${insn}`;
  }
}

/** `LHCALL_LOAD_GDT_ENTRY` for ring 3's segments, and off to `label` there. */
export const toUser = (label: string, stack = 'USER_STACK'): string => `
  hcall LHCALL_LOAD_GDT_ENTRY, 14, 0xffff, 0x00cffa00
  hcall LHCALL_LOAD_GDT_ENTRY, 15, 0xffff, 0x00cff200
  mov $0x7b, %eax; mov %eax, %ds; mov %eax, %es
  push $0x7b; push $${stack}; push $0x202; push $0x73; push $${label}; iret
`;

/** The end that a Guest comes to when nothing has ended it before. */
export const DONE = 'CRASH: done';

/** Its interrupt flag on, and no interrupt blocked. */
export const OPEN = 'movl $0, blocked_interrupts; movl $0x200, irq_enabled';

/** Names of all hypercalls that take arguments of any kind. */
export const HYPERCALL_NAMES = Object.keys(LHCALL) as LhcallName[];
