// A Guest of a few instructions, on the real CPU behind a real device: for what Host and CPU must get right together.
import { LHCALL, type LhcallName } from '../../guest-abi/hypercalls.js';
import { LHREQ } from '../../guest-abi/lguest-launcher.js';
import { allocateGuestMemory, type DeviceOptions, type LauncherMemory, LguestDevice } from '../../host/device.js';
import * as Layout from './guest-layout.js';

export { CODE, DATA, KERNEL, MESSAGE, STACK_TOP, USER, USER_CODE, USER_STACK, word } from './guest-layout.js';
const { BOOT, CODE, MESSAGE, RAM, RAM_PAGES, USER, USER_CODE, USER_STACK, word } = Layout;

/** Machine code, from hexadecimal: `0f 0b`. */
export const code = (hex: string): number[] =>
  hex
    .split(/\s+/)
    .filter(Boolean)
    .map((byte) => parseInt(byte, 16));

/** `mov` of number and arguments into eax, ebx, ecx, edx and esi, and `int $0x1f`. */
export function call(name: LhcallName | number, ...args: number[]): number[] {
  return Layout.hypercallBytes(typeof name === 'number' ? name : LHCALL[name], ...args);
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
  constructor(
    kernel: readonly number[],
    user: readonly number[] = [],
    options: DeviceOptions = {},
    layout: Layout.Layout = {},
  ) {
    const memory = freshMemory();
    this.memory = memory;
    this.#bytes = memory.bytes;
    this.device = new LguestDevice(memory, { sliceMilliseconds: 5, ...options });
    previous = this.device;
    Layout.writeLayout(memory.bytes, layout);
    this.#bytes.set(Layout.bootBytes(true), BOOT);
    this.#bytes.set(kernel, CODE);
    this.#bytes.set(user, USER_CODE - USER);
    const limits = [memory.base, RAM_PAGES, BOOT, Layout.DEVICE_LIMIT];
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
