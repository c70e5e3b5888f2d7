// `struct lguest_regs` and `struct lguest_pages`: the two pages that Host and Switcher share for each virtual CPU.
//
//   page 0, writable from the Guest's ring 0          page 1, read-only there: struct lguest_ro_state
//   +----------------------------+--------------+     +------------+-------+-----+-----+-----------------
//   | the Switcher's stack       | lguest_regs  |     | host state | descs | TSS | IDT | GDT (256 bytes)
//   +----------------------------+--------------+     +------------+-------+-----+-----+-----------------
//   0                         0xFB8         0x1000    0x1000
//
// The registers end exactly where the stack begins, so that a trap pushes straight into them.

/** Word indices in `struct lguest_regs`: what a Guest's registers are between two of its instructions. */
export const LGUEST_REGS = {
  eax: 0,
  ebx: 1,
  ecx: 2,
  edx: 3,
  esi: 4,
  edi: 5,
  ebp: 6,
  gs: 7,
  fs: 8,
  ds: 9,
  es: 10,
  trapnum: 11,
  errcode: 12,
  eip: 13,
  cs: 14,
  eflags: 15,
  esp: 16,
  ss: 17,
} as const;
export const LGUEST_REGS_WORDS = 18;
export const LGUEST_REGS_SIZE = LGUEST_REGS_WORDS * 4;

/** Byte offsets in `struct lguest_pages`. */
export const LGUEST_PAGES = {
  regs: 4096 - LGUEST_REGS_SIZE,
  state: 4096,
} as const;

/** Byte offsets in `struct lguest_ro_state`, from its own beginning. */
export const LGUEST_RO_STATE = {
  host_cr3: 0,
  host_idt_desc: 4,
  host_gdt_desc: 10,
  host_sp: 16,
  guest_idt_desc: 20,
  guest_gdt_desc: 26,
  guest_tss: 32,
  guest_idt: 136,
  guest_gdt: 2184,
} as const;
export const LGUEST_RO_STATE_SIZE = 2440;
