// What a Guest can ask the Host for: `int $0x1f` with one of these numbers in eax and up to four words in ebx, ecx, edx
// and esi. Every register is unchanged afterwards: a hypercall returns nothing.

/** The vector of a hypercall. */
export const LGUEST_TRAP_ENTRY = 0x1f;

/** The hypercalls of Linux 4.0 to 4.12, and LHCALL_TS, which 4.10 dropped. */
export const LHCALL = {
  LHCALL_FLUSH_ASYNC: 0,
  LHCALL_LGUEST_INIT: 1,
  LHCALL_SHUTDOWN: 2,
  LHCALL_NEW_PGTABLE: 4,
  LHCALL_FLUSH_TLB: 5,
  LHCALL_LOAD_IDT_ENTRY: 6,
  LHCALL_SET_STACK: 7,
  LHCALL_TS: 8,
  LHCALL_SET_CLOCKEVENT: 9,
  LHCALL_HALT: 10,
  LHCALL_SET_PMD: 13,
  LHCALL_SET_PTE: 14,
  LHCALL_SET_PGD: 15,
  LHCALL_LOAD_TLS: 16,
  LHCALL_LOAD_GDT_ENTRY: 18,
  LHCALL_SEND_INTERRUPTS: 19,
} as const;

export type LhcallName = keyof typeof LHCALL;
export type LhcallNumber = (typeof LHCALL)[LhcallName];

/** The name of hypercall `number`, for counters and traces. */
export function lhcallName(number: number): LhcallName | undefined {
  return (Object.keys(LHCALL) as LhcallName[]).find((name) => LHCALL[name] === number);
}

/** How many queued hypercalls the ring in `lguest_data` holds. */
export const LHCALL_RING_SIZE = 64;
/** `hcall_status`: this place of the ring is free, or its call is done. Anything else is a call to make. */
export const LHCALL_RING_FREE = 0xff;

/** LHCALL_SHUTDOWN's second argument. */
export const LGUEST_SHUTDOWN_POWEROFF = 1;
export const LGUEST_SHUTDOWN_RESTART = 2;
/** How many bytes of LHCALL_SHUTDOWN's message the Host reads, the last of which it takes for a NUL. */
export const SHUTDOWN_MESSAGE_SIZE = 128;
