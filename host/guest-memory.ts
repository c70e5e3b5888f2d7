// Every touch of the Guest's memory that the Host makes on the Guest's word goes through here. An address out of range
// reads as zero, writes nothing, and kills the Guest.
import type { GuestPhysical } from '../guest-abi/addresses.js';
import type { LgCpu } from './guest.js';
import { hexWord, killGuest } from './kill-guest.js';

/** Whether `length` bytes at `address` are all RAM. Numbers, not words: nothing wraps. */
export const addressOk = (cpu: LgCpu, address: number, length: number): boolean => address + length <= cpu.lg.memoryEnd;

/** The word at `address`, aligned or not. */
export function lgread32(cpu: LgCpu, address: GuestPhysical): number {
  const memory = cpu.switcher.memory;
  if (address + 4 > cpu.lg.memoryEnd) {
    killGuest(cpu, `bad read address ${hexWord(address)} len 4`);
    return 0;
  }
  if ((address & 3) === 0) return memory.words[address >>> 2] ?? 0;
  const bytes = memory.bytes;
  return (
    ((bytes[address] ?? 0) |
      ((bytes[address + 1] ?? 0) << 8) |
      ((bytes[address + 2] ?? 0) << 16) |
      ((bytes[address + 3] ?? 0) << 24)) >>>
    0
  );
}

/** Stores a word at `address`, aligned or not. */
export function lgwrite32(cpu: LgCpu, address: GuestPhysical, value: number): void {
  const memory = cpu.switcher.memory;
  if (address + 4 > cpu.lg.memoryEnd) {
    killGuest(cpu, `bad write address ${hexWord(address)} len 4`);
    return;
  }
  if ((address & 3) === 0) {
    memory.words[address >>> 2] = value;
  } else {
    const bytes = memory.bytes;
    bytes[address] = value;
    bytes[address + 1] = value >>> 8;
    bytes[address + 2] = value >>> 16;
    bytes[address + 3] = value >>> 24;
  }
  memory.wrote(address, 4);
}

/** Stores one byte. */
export function lgwrite8(cpu: LgCpu, address: GuestPhysical, value: number): void {
  const memory = cpu.switcher.memory;
  if (address + 1 > cpu.lg.memoryEnd) {
    killGuest(cpu, `bad write address ${hexWord(address)} len 1`);
    return;
  }
  memory.bytes[address] = value;
  memory.wrote(address, 1);
}

/** Fills `into` from `address`: with zeros, and a dead Guest, when that is not RAM. */
export function lgread(cpu: LgCpu, into: Uint8Array, address: GuestPhysical): void {
  if (!addressOk(cpu, address, into.length)) {
    into.fill(0);
    killGuest(cpu, `bad read address ${hexWord(address)} len ${into.length}`);
    return;
  }
  const bytes = cpu.switcher.memory.bytes;
  for (let i = 0; i < into.length; i++) into[i] = bytes[address + i] ?? 0;
}
