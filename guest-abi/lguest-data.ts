// `struct lguest_data`: the one structure that Guest and Host share. The Guest says where it is, as a guest-physical
// address, in LHCALL_LGUEST_INIT. The layout is the same with and without PAE.
import { LHCALL_RING_SIZE } from './hypercalls.js';

/** One queued hypercall: number and four arguments, as in eax, ebx, ecx, edx, esi. */
export const HCALL_ARGS_WORDS = 5;
export const HCALL_ARGS_SIZE = HCALL_ARGS_WORDS * 4;

/** Offsets that every kernel from 2.6.32 on agrees on. */
export const LGUEST_DATA = {
  /** The Guest's own interrupt flag: X86_EFLAGS_IF, or a whole eflags image of which bit 9 counts. */
  irq_enabled: 0,
  /** Bit n set: irq n is masked. */
  blocked_interrupts: 4,
  /** Where the last page fault was that the Host handed on. */
  cr2: 8,
  /** The time of day, `time_sec` and `time_nsec`, brought up to date with each interrupt. */
  time_sec: 12,
  time_nsec: 16,
  /** X86_EFLAGS_IF when an interrupt waits for the Guest to enable interrupts. */
  irq_pending: 20,
  hcall_status: 24,
  hcalls: 24 + LHCALL_RING_SIZE,
  /** How much of the top of the address space the Guest must not use. */
  reserve_mem: 1368,
  /** The TSC's frequency. */
  tsc_khz: 1372,
} as const;

/** What follows, in Linux 4.1 to 4.12. */
export const LGUEST_DATA_4_1 = {
  /** The address of the one `iret` before which an interrupt must not push a frame. */
  noirq_iret: 1376,
  /** PAGE_OFFSET. */
  kernel_address: 1380,
  /** 0x80. */
  syscall_vec: 1384,
} as const;
export const LGUEST_DATA_4_1_SIZE = 1388;

/** What follows, in Linux 3.11 to 4.0. */
export const LGUEST_DATA_3_11 = {
  /** No interrupt may be delivered at noirq_start <= eip < noirq_end. */
  noirq_start: 1376,
  noirq_end: 1380,
  kernel_address: 1384,
  syscall_vec: 1388,
} as const;
export const LGUEST_DATA_3_11_SIZE = 1392;
