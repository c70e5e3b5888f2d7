// What passes between Launcher and Host through /dev/lguest: requests by write(), reasons to stop by read().

/** The first word of everything that is written to the device. */
export const LHREQ = {
  /** + base, pfn_limit, start_eip, device_limit */
  LHREQ_INITIALIZE: 0,
  /** Of the days before virtio: refused. */
  LHREQ_GETDMA: 1,
  /** + irq */
  LHREQ_IRQ: 2,
  /** Of the days before virtio: refused. */
  LHREQ_BREAK: 3,
  /** Until Linux 3.x: refused. */
  LHREQ_EVENTFD: 4,
  /** + offset in struct pt_regs; the next read() gives the value. */
  LHREQ_GETREG: 5,
  /** + offset in struct pt_regs, value */
  LHREQ_SETREG: 6,
  /** + trap number */
  LHREQ_TRAP: 7,
} as const;

/** What write() answers when it succeeds. INITIALIZE never counted its last word. */
export const LHREQ_RESULT = { INITIALIZE: 16, IRQ: 0, GETREG: 8, SETREG: 12, TRAP: 0 } as const;

/** Interrupts that a Launcher can raise: 0 (the clock) … 31. */
export const LGUEST_IRQS = 32;

/** `struct lguest_pending`, what read() stores when the Guest has done something that only the Launcher can serve. */
export const LGUEST_PENDING = {
  /** u8: 13 (insn has the bytes of a privileged instruction) or 14 (addr is a device's). */
  trap: 0,
  /** u8[7]: the instruction at eip. */
  insn: 1,
  /** u32: the guest-physical address that trap 14 touched. */
  addr: 8,
} as const;
export const LGUEST_PENDING_SIZE = 12;
export const LGUEST_PENDING_INSN_SIZE = 7;

/** Offsets in `struct pt_regs`, by which LHREQ_GETREG and LHREQ_SETREG name a register. */
export const PT_REGS = {
  ebx: 0,
  ecx: 4,
  edx: 8,
  esi: 12,
  edi: 16,
  ebp: 20,
  eax: 24,
  ds: 28,
  es: 32,
  fs: 36,
  gs: 40,
  orig_eax: 44,
  eip: 48,
  cs: 52,
  eflags: 56,
  esp: 60,
  ss: 64,
} as const;
