// EFLAGS as one word, made from and taken apart into the three that the CPU keeps (see language/flags).
import * as EFLAGS from '../../guest-abi/x86/eflags.js';
import type { Memory } from './memory.js';
import * as State from './state.js';

const ARITHMETIC =
  EFLAGS.X86_EFLAGS_CF |
  EFLAGS.X86_EFLAGS_PF |
  EFLAGS.X86_EFLAGS_AF |
  EFLAGS.X86_EFLAGS_ZF |
  EFLAGS.X86_EFLAGS_SF |
  EFLAGS.X86_EFLAGS_OF;
/** What popf and iret may change where IOPL is lower than the privilege. RF is iret's alone. */
const CHANGEABLE =
  ARITHMETIC |
  EFLAGS.X86_EFLAGS_TF |
  EFLAGS.X86_EFLAGS_DF |
  EFLAGS.X86_EFLAGS_NT |
  EFLAGS.X86_EFLAGS_AC |
  EFLAGS.X86_EFLAGS_ID;

const isOdd = (byte: number): boolean => {
  let fold = byte ^ (byte >>> 4);
  fold ^= fold >>> 2;
  return ((fold ^ (fold >>> 1)) & 1) === 1;
};

/** EFLAGS as pushf would show it, RF and VM included. */
export function readEflags(memory: Memory): number {
  const result = memory.get(State.FLAGS_RESULT);
  const aux = memory.get(State.FLAGS_AUX);
  const carry = aux >>> 31;
  let flags = memory.get(State.EFLAGS_REST) | carry;
  if (!isOdd((result ^ (aux >>> 8)) & 0xff)) flags |= EFLAGS.X86_EFLAGS_PF;
  if ((aux & 8) !== 0) flags |= EFLAGS.X86_EFLAGS_AF;
  if (result === 0) flags |= EFLAGS.X86_EFLAGS_ZF;
  if (result < 0 !== ((aux & 1) !== 0)) flags |= EFLAGS.X86_EFLAGS_SF;
  if (((aux >>> 30) & 1) !== carry) flags |= EFLAGS.X86_EFLAGS_OF;
  return flags;
}

/** Sets all of EFLAGS. */
export function writeEflags(memory: Memory, image: number): void {
  const carry = image & EFLAGS.X86_EFLAGS_CF;
  const overflow = (image & EFLAGS.X86_EFLAGS_OF) !== 0 ? 1 : 0;
  const aux =
    (carry << 31) |
    ((carry ^ overflow) << 30) |
    ((image & EFLAGS.X86_EFLAGS_AF) !== 0 ? 8 : 0) |
    ((image & EFLAGS.X86_EFLAGS_SF) !== 0 ? 1 : 0) |
    ((image & EFLAGS.X86_EFLAGS_PF) !== 0 ? 0 : 0x100);
  memory.set(State.FLAGS_RESULT, (image & EFLAGS.X86_EFLAGS_ZF) !== 0 ? 0 : 0x100);
  memory.set(State.FLAGS_AUX, aux);
  memory.set(State.EFLAGS_REST, (image & ~ARITHMETIC) | EFLAGS.X86_EFLAGS_FIXED);
}

/** popf and iret of `bytes` bytes at a privilege above IOPL: IF, IOPL and VM stay. */
export function loadEflags(memory: Memory, image: number, bytes: number, andRf: boolean): void {
  const changeable = (bytes === 2 ? CHANGEABLE & 0xffff : CHANGEABLE) | (andRf ? EFLAGS.X86_EFLAGS_RF : 0);
  writeEflags(memory, (readEflags(memory) & ~changeable & ~EFLAGS.X86_EFLAGS_RF) | (image & changeable));
}
