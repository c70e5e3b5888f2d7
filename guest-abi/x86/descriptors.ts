// Segment and gate descriptors: eight bytes each, kept as two words (low, high).
//
// a segment's high word:
//   31      24 23 22 21 20 19      16 15 14 13 12 11    8 7       0
//   base 31-24  G  D  L  A  limit 19-16 P  DPL  S   type   base 23-16        low word: base 15-0 | limit 15-0
// a gate's high word:
//   31                             16 15 14 13 12 11    8 7       0
//   offset 31-16                       P  DPL  0   type                      low word: selector  | offset 15-0
export const DESC_ACCESSED = 1 << 8;
/** AVL: the kernel's to use, nothing to the processor. */
export const DESC_AVL = 1 << 20;
/** S: a code or data segment; clear for system descriptors (TSS, LDT, gates). */
export const DESC_NOT_SYSTEM = 1 << 12;
export const DESC_DPL_SHIFT = 13;
export const DESC_DPL_MASK = 3 << DESC_DPL_SHIFT;
export const DESC_PRESENT = 1 << 15;
export const DESC_TYPE_SHIFT = 8;

/** The type of the descriptor with this high word: 0 … 15. */
export const descriptorType = (high: number): number => (high >>> DESC_TYPE_SHIFT) & 0xf;

export const GATE_INTERRUPT = 0xe;
export const GATE_TRAP = 0xf;
/** An interrupt gate, present, DPL 0, as high word. */
export const PRESENT_INTERRUPT_GATE = DESC_PRESENT | (GATE_INTERRUPT << DESC_TYPE_SHIFT);

/** The low two bits of a selector: the requested privilege level. */
export const SELECTOR_RPL_MASK = 3;
/** TI: the selector is one of the LDT's, which a Guest does not have. */
export const SELECTOR_TI = 4;
export const SELECTOR_INDEX_SHIFT = 3;

/** How many descriptors the GDT of a Guest has. */
export const GDT_ENTRIES = 32;
export const GDT_ENTRY_TLS_MIN = 6;
export const GDT_ENTRY_TLS_ENTRIES = 3;
/** The Host's own entries, which a Guest may store but never change: */
export const GDT_ENTRY_LGUEST_CS = 10;
export const GDT_ENTRY_LGUEST_DS = 11;
export const GDT_ENTRY_KERNEL_CS = 12;
export const GDT_ENTRY_KERNEL_DS = 13;
export const GDT_ENTRY_TSS = 16;
export const GDT_ENTRY_DOUBLEFAULT_TSS = 31;

/** A Guest's kernel runs in ring 1. */
export const GUEST_PL = 1;
export const USER_PL = 3;

/** A gate with this selector leads to the Host. */
export const LGUEST_CS = GDT_ENTRY_LGUEST_CS << SELECTOR_INDEX_SHIFT;
export const LGUEST_DS = GDT_ENTRY_LGUEST_DS << SELECTOR_INDEX_SHIFT;
/** What cs and ss are while a Guest's kernel runs: 0x61 and 0x69. */
export const GUEST_KERNEL_CS = (GDT_ENTRY_KERNEL_CS << SELECTOR_INDEX_SHIFT) | GUEST_PL;
export const GUEST_KERNEL_DS = (GDT_ENTRY_KERNEL_DS << SELECTOR_INDEX_SHIFT) | GUEST_PL;

/** A flat 4 GB segment as low word; the high words differ by type and privilege. */
export const FLAT_SEGMENT_LOW = 0x0000ffff;
export const FULL_EXEC_SEGMENT_HIGH = 0x00cf9b00;
export const FULL_SEGMENT_HIGH = 0x00cf9300;
/** A 32-bit TSS, available, DPL 0, as high word without a base. */
export const TSS_SEGMENT_HIGH = 0x00008900;
/** The last byte of a TSS that has no I/O bitmap. */
export const TSS_LIMIT = 0x67;
