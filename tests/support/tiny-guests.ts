// Guests of a few instructions, for what a real CPU and the real Host have to do with the Launcher.
import { LHCALL } from '../../guest-abi/hypercalls.js';
import { elf } from './kernel-files.js';

const LOAD = 0x100000;
const LGUEST_DATA = 0x200000;
const TEXT = 0x101000;
/** struct lguest_data: all that the Host asks of a Guest at LHCALL_LGUEST_INIT. */
const KERNEL_ADDRESS_FIELD = 1380;
const SYSCALL_VEC_FIELD = 1384;
const LGUEST_DATA_SIZE = 1388;

const word = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
const movEax = (value: number): number[] => [0xb8, ...word(value)];
const movEbx = (value: number): number[] => [0xbb, ...word(value)];
const movEcx = (value: number): number[] => [0xb9, ...word(value)];
const HYPERCALL = [0xcd, 0x1f];

export const INIT = [...movEax(LHCALL.LHCALL_LGUEST_INIT), ...movEbx(LGUEST_DATA), ...HYPERCALL];
/** Says the Guest's text. Reason 1 is power-off, 2 restart. */
export const shutdown = (reason: 1 | 2): number[] => [
  ...movEax(LHCALL.LHCALL_SHUTDOWN),
  ...movEbx(TEXT),
  ...movEcx(reason),
  ...HYPERCALL,
];
/** jmp . */
export const SPIN = [0xeb, 0xfe];
/** 1: in $0x80, %al; jmp 1b */
export const PORT_LOOP = [0xe4, 0x80, 0xeb, 0xfc];
/** Sleeps, and sleeps again when it is woken. */
export const HALT_LOOP = [...movEax(LHCALL.LHCALL_HALT), ...HYPERCALL, 0xeb, 0xf7];

/** A kernel file with this code, and `text` for `shutdown` to say. */
export function tinyGuest(code: readonly number[], text = ''): Buffer {
  const data = Buffer.alloc(LGUEST_DATA_SIZE);
  data.fill(0xff, 24, 88);
  data.writeUInt32LE(0xc0000000, KERNEL_ADDRESS_FIELD);
  data.writeUInt32LE(0x80, SYSCALL_VEC_FIELD);
  return elf(
    [
      // The last bytes are never reached: by them every Guest is one that could ask for something.
      { physical: LOAD, bytes: Uint8Array.of(...code, ...HYPERCALL) },
      { physical: TEXT, bytes: Buffer.from(`${text}\0`) },
      { physical: LGUEST_DATA, bytes: data },
    ],
    LOAD,
  );
}
