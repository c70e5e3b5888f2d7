// LHCALL_LGUEST_INIT, the first hypercall of every Guest: from now on both sides know where `struct lguest_data` is.
import type { GuestPhysical } from '../guest-abi/addresses.js';
import { guestPhysical, guestVirtual } from '../guest-abi/addresses.js';
import { LHCALL } from '../guest-abi/hypercalls.js';
import {
  LGUEST_DATA,
  LGUEST_DATA_3_11,
  LGUEST_DATA_3_11_SIZE,
  LGUEST_DATA_4_1,
  LGUEST_DATA_4_1_SIZE,
} from '../guest-abi/lguest-data.js';
import { IA32_SYSCALL_VECTOR } from '../guest-abi/x86/traps.js';
import type { LgCpu, NoInterrupts } from './guest.js';
import { addressOk, lgread32, lgwrite32 } from './guest-memory.js';
import { hexWord, killGuest, pointer, signed } from './kill-guest.js';
import { writeTimestamp } from './lguest-data.js';
import { pageTableGuestDataInit } from './page-tables.js';

/** What the Guest has written into its lguest_data before it says where it is. */
interface GuestWishes {
  readonly syscallVector: number;
  readonly kernelAddress: number;
  readonly noInterrupts: NoInterrupts;
}

const isSyscallVector = (cpu: LgCpu, vector: number): boolean =>
  vector === IA32_SYSCALL_VECTOR || vector === cpu.lg.hostSyscallVector;

/**
 * The structure does not say which version it is, but the system call vector gives it away: it is the last word, it has
 * one of two values, and in Linux 3.11 to 4.0 it is one word further on.
 */
function readWishes(cpu: LgCpu, data: GuestPhysical): GuestWishes | undefined {
  const word = (offset: number): number => lgread32(cpu, guestPhysical(data + offset));
  const vector = word(LGUEST_DATA_4_1.syscall_vec);
  if (isSyscallVector(cpu, vector)) {
    return {
      syscallVector: vector,
      kernelAddress: word(LGUEST_DATA_4_1.kernel_address),
      noInterrupts: { kind: 'iret', eip: word(LGUEST_DATA_4_1.noirq_iret) },
    };
  }
  if (!addressOk(cpu, data, LGUEST_DATA_3_11_SIZE)) return undefined;
  const olderVector = word(LGUEST_DATA_3_11.syscall_vec);
  if (!isSyscallVector(cpu, olderVector)) return undefined;
  return {
    syscallVector: olderVector,
    kernelAddress: word(LGUEST_DATA_3_11.kernel_address),
    noInterrupts: {
      kind: 'range',
      start: word(LGUEST_DATA_3_11.noirq_start),
      end: word(LGUEST_DATA_3_11.noirq_end),
    },
  };
}

/** The hypercall of a Guest of which nothing is known yet. */
export function initialize(cpu: LgCpu, number: number, address: number): void {
  const { lg } = cpu;
  if (number !== LHCALL.LHCALL_LGUEST_INIT) {
    killGuest(cpu, `hypercall ${signed(number)} before INIT`);
    return;
  }
  if (!addressOk(cpu, address, LGUEST_DATA_4_1_SIZE)) {
    killGuest(cpu, `bad guest page ${pointer(cpu.switcher.memory.base + address)}`);
    return;
  }
  const data = guestPhysical(address);
  lgwrite32(cpu, guestPhysical(data + LGUEST_DATA.tsc_khz), lg.tscKhz);
  const wishes = readWishes(cpu, data);
  if (wishes === undefined) {
    killGuest(cpu, 'bad syscall vector');
    return;
  }
  lg.lguestData = data;
  lg.syscallVector = wishes.syscallVector;
  lg.noInterrupts = wishes.noInterrupts;
  cpu.changes.idt = true;
  writeTimestamp(cpu);
  lgwrite32(cpu, guestPhysical(data + LGUEST_DATA.reserve_mem), -lg.switcherAddress);
  if (wishes.kernelAddress >= lg.switcherAddress) {
    killGuest(cpu, `bad kernel address ${hexWord(wishes.kernelAddress)}`);
    return;
  }
  pageTableGuestDataInit(cpu, guestVirtual(wishes.kernelAddress));
  lg.log.debug(`lguest_data at ${hexWord(data)}, kernel at ${hexWord(wishes.kernelAddress)}`);
}
