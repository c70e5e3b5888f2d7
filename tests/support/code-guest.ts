// A Guest of a few instructions, on the real CPU behind a real device: for what Host and CPU must get right together.
import { LHCALL, type LhcallName } from '../../guest-abi/hypercalls.js';
import { LGUEST_DATA, LGUEST_DATA_4_1 } from '../../guest-abi/lguest-data.js';
import { LHREQ } from '../../guest-abi/lguest-launcher.js';
import { allocateGuestMemory, type DeviceOptions, type LauncherMemory, LguestDevice } from '../../host/device.js';

const PAGE = 4096;
const RAM = 64 * PAGE;
const RAM_PAGES = RAM / PAGE;
/** Guest-physical addresses. All of RAM is mapped at KERNEL too, for ring 1, and its upper half at USER for ring 3. */
export const DATA = 0x2000;
const DIRECTORY = 0x4000;
const KERNEL_TABLE = 0x5000;
const USER_TABLE = 0x6000;
const BOOT = 0x8000;
export const CODE = 0x10000;
export const STACK_TOP = 0x20000;
export const MESSAGE = 0x1000;
export const KERNEL = 0xc0000000;
export const USER = 0x8000000;
/** Where ring 3 sees the second half of RAM. */
export const USER_CODE = USER + 0x20000;
export const USER_STACK = USER + 0x40000;
const P_RW = 0x63;
const P_RW_USER = 0x67;
const HYPERCALL_REGISTERS = [0xb8, 0xbb, 0xb9, 0xba, 0xbe];

/** Machine code, from hexadecimal: `0f 0b`. */
export const code = (hex: string): number[] =>
  hex
    .split(/\s+/)
    .filter(Boolean)
    .map((byte) => parseInt(byte, 16));

export const word = (value: number): number[] => [value, value >>> 8, value >>> 16, value >>> 24].map((b) => b & 0xff);

/** `mov` of number and arguments into eax, ebx, ecx, edx and esi, and `int $0x1f`. */
export function call(name: LhcallName | number, ...args: number[]): number[] {
  const values = [typeof name === 'number' ? name : LHCALL[name], ...args];
  return [...values.flatMap((value, i) => [HYPERCALL_REGISTERS[i] ?? 0, ...word(value)]), 0xcd, 0x1f];
}

/** `mov dword [address], value` */
export const store = (address: number, value: number): number[] => [0xc7, 0x05, ...word(address), ...word(value)];

/** LHCALL_LOAD_IDT_ENTRY for a handler in the kernel. */
export function gate(vector: number, handler: number, type: 'interrupt' | 'trap' = 'interrupt', dpl = 0): number[] {
  const high = (handler & 0xffff0000) | 0x8000 | (dpl << 13) | (type === 'trap' ? 0xf00 : 0xe00);
  return call('LHCALL_LOAD_IDT_ENTRY', vector, handler & 0xffff, high);
}

/** The end that a Guest comes to when nothing else has ended it before: it says "done". */
export const done = call('LHCALL_SHUTDOWN', MESSAGE, 1);

/** `push ss, esp, eflags, cs, eip; iret` to ring 3, after the segments that a program has. */
export const toUser = (eip = USER_CODE, esp = USER_STACK, flags = 0x202): number[] => [
  ...call('LHCALL_LOAD_GDT_ENTRY', 14, 0xffff, 0x00cffa00),
  ...call('LHCALL_LOAD_GDT_ENTRY', 15, 0xffff, 0x00cff200),
  ...[0x7b, esp, flags, 0x73, eip].flatMap((value) => [0x68, ...word(value)]),
  0xcf,
];

/** One machine for all, one after the other: making one takes longer than most Guests live. */
let machine: LauncherMemory | undefined;
let previous: LguestDevice | undefined;

function freshMemory(): LauncherMemory {
  machine ??= allocateGuestMemory(RAM);
  previous?.close();
  machine.bytes.fill(0);
  machine.wrote(0, RAM);
  return machine;
}

export class CodeGuest {
  readonly device: LguestDevice;
  readonly memory: LauncherMemory;
  readonly #bytes: Uint8Array;

  /** The kernel's code runs at KERNEL + CODE, with paging on, on a stack that ends at KERNEL + STACK_TOP. */
  constructor(kernel: readonly number[], user: readonly number[] = [], options: DeviceOptions = {}) {
    const memory = freshMemory();
    this.memory = memory;
    this.#bytes = memory.bytes;
    this.device = new LguestDevice(memory, { sliceMilliseconds: 5, ...options });
    previous = this.device;
    const put = (at: number, value: number): void => this.#bytes.set(word(value), at);
    this.#bytes.fill(0xff, DATA + LGUEST_DATA.hcall_status, DATA + LGUEST_DATA.hcalls);
    put(DATA + LGUEST_DATA_4_1.kernel_address, KERNEL);
    put(DATA + LGUEST_DATA_4_1.syscall_vec, 0x80);
    put(DIRECTORY, KERNEL_TABLE | P_RW);
    put(DIRECTORY + (KERNEL >>> 22) * 4, KERNEL_TABLE | P_RW);
    put(DIRECTORY + (USER >>> 22) * 4, USER_TABLE | P_RW_USER);
    for (let page = 0; page < RAM_PAGES; page++) {
      put(KERNEL_TABLE + 4 * page, (page * PAGE) | P_RW);
      if (page >= RAM_PAGES / 2) put(USER_TABLE + 4 * page, (page * PAGE) | P_RW_USER);
    }
    this.#bytes.set(Buffer.from('done\0'), MESSAGE);
    const boot = [
      ...call('LHCALL_LGUEST_INIT', DATA),
      ...call('LHCALL_NEW_PGTABLE', DIRECTORY),
      0xbc, // mov esp
      ...word(KERNEL + STACK_TOP),
      0xb8, // mov eax
      ...word(KERNEL + CODE),
      0xff, // jmp eax
      0xe0,
    ];
    this.#bytes.set(boot, BOOT);
    this.#bytes.set(kernel, CODE);
    this.#bytes.set(user, USER_CODE - USER);
    const limits = [memory.base, RAM_PAGES, BOOT, RAM_PAGES + 16];
    this.device.write(Uint32Array.of(LHREQ.LHREQ_INITIALIZE, ...limits));
  }

  /** Puts code elsewhere in guest-physical memory. */
  put(address: number, bytes: readonly number[]): this {
    this.#bytes.set(bytes, address);
    return this;
  }

  /**
   * Runs until something other than the end of a slice happens, or there have been `slices` of five milliseconds.
   *
   * @returns a dead Guest's last words, or `read: ` and what read() gave
   */
  run(slices = 100): string {
    const buffer = new Uint8Array(256);
    for (let slice = 0; slice < slices; slice++) {
      const result = this.device.read(buffer);
      if (result === -4) continue;
      if (result !== -2) return `read: ${result}`;
      const length = this.device.read(buffer);
      return Buffer.from(buffer.subarray(0, length - 1)).toString('latin1');
    }
    return 'read: -4';
  }
}
