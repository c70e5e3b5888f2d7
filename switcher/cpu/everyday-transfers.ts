// The transfers that a Guest makes all day: from ring 3 through a direct gate into its kernel, or by way of the Host, and back
// by iret.
//
// Each is done here when nothing about it is unusual: flat segments, a stack that lies on one page and may be written. What
// is unusual, or wrong, is left to Transfers, which knows all the rules; nothing has been changed then. The answers are the
// same (every case of tests/privilege goes by here first), only sooner: nothing is allocated, and the code cache
// need not be asked about modes, since flat code stays flat.
import {
  DESC_ACCESSED,
  DESC_AVL,
  DESC_DPL_MASK,
  DESC_DPL_SHIFT,
  DESC_PRESENT,
  descriptorType,
  FLAT_SEGMENT_LOW,
  FULL_EXEC_SEGMENT_HIGH,
  FULL_SEGMENT_HIGH,
  GATE_TRAP,
  GDT_ENTRIES,
  GUEST_PL,
  LGUEST_CS,
  SELECTOR_INDEX_SHIFT,
  SELECTOR_RPL_MASK,
  SELECTOR_TI,
  USER_PL,
} from '../../guest-abi/x86/descriptors.js';
import { X86_EFLAGS_CLEARED_BY_GATE, X86_EFLAGS_IF, X86_EFLAGS_NT, X86_EFLAGS_RF } from '../../guest-abi/x86/eflags.js';
import { PAGE_OFFSET_MASK, PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import { loadEflags, readEflags } from './flags.js';
import type { Memory } from './memory.js';
import type { Segments } from './segments.js';
import * as State from './state.js';
import type { CpuTables } from './tables.js';
import type { Transfers } from './transfers.js';

const ESP = State.REGISTERS + 16;
/** ss, esp, eflags, cs, eip; from the same ring, the last three. */
const FRAME_BYTES = 20;
const INNER_FRAME_BYTES = 12;
/** Of a descriptor, what makes no difference: whether it was accessed, and the bit that is for the kernel's own use. */
const WITHOUT_MATTER = ~(DESC_ACCESSED | DESC_AVL);
const DATA_SEGMENTS = [State.ES, State.DS, State.FS, State.GS] as const;

const flatHigh = (high: number, ring: number): number => (high | (ring << DESC_DPL_SHIFT)) & WITHOUT_MATTER;
const KERNEL_CODE = flatHigh(FULL_EXEC_SEGMENT_HIGH, GUEST_PL);
const KERNEL_DATA = flatHigh(FULL_SEGMENT_HIGH, GUEST_PL);
const USER_CODE = flatHigh(FULL_EXEC_SEGMENT_HIGH, USER_PL);
const USER_DATA = flatHigh(FULL_SEGMENT_HIGH, USER_PL);

export class EverydayTransfers {
  readonly #memory: Memory;
  readonly #segments: Segments;
  readonly #transfers: Transfers;
  readonly #gdt: Uint32Array;
  readonly #idt: Uint32Array;
  readonly #tss: CpuTables['tss'];

  constructor(memory: Memory, segments: Segments, transfers: Transfers, { gdt, idt, tss }: CpuTables) {
    this.#memory = memory;
    this.#segments = segments;
    this.#transfers = transfers;
    this.#gdt = gdt;
    this.#idt = idt;
    this.#tss = tss;
  }

  /** Whether `selector` names the flat segment whose high word is `high`, of the privilege that is its RPL. */
  #isFlat(selector: number, high: number): boolean {
    const index = selector >>> SELECTOR_INDEX_SHIFT;
    return (
      index < GDT_ENTRIES &&
      (selector & SELECTOR_TI) === 0 &&
      this.#gdt[index * 2] === FLAT_SEGMENT_LOW &&
      ((this.#gdt[index * 2 + 1] ?? 0) & WITHOUT_MATTER) === high
    );
  }

  /** Where the frame at `linear` is in the CPU's memory; 0 when it is not on one page that `map` allows. */
  #frameAt(linear: number, bytes: number, map: number): number {
    if ((linear & PAGE_OFFSET_MASK) > PAGE_SIZE - bytes) return 0;
    const entry = this.#memory.view.getInt32(map + (linear >>> PAGE_SHIFT) * 4, true);
    return entry === 0 ? 0 : (entry + linear + State.MAP_BIAS) >>> 0;
  }

  /**
   * `int vector` at ring 3, with NEXT_EIP as the address to return to, in code that is flat.
   *
   * @returns whether it is done
   */
  enterKernel(vector: number): boolean {
    const low = this.#idt[vector * 2] ?? 0;
    const high = this.#idt[vector * 2 + 1] ?? 0;
    const selector = low >>> 16;
    if (selector === LGUEST_CS || this.#segments.cpl !== USER_PL) return false;
    if ((high & (DESC_PRESENT | DESC_DPL_MASK)) !== (DESC_PRESENT | DESC_DPL_MASK)) return false;
    const cs = (selector & ~SELECTOR_RPL_MASK) | GUEST_PL;
    const { ss1, esp1 } = this.#tss;
    if (!this.#isFlat(cs, KERNEL_CODE) || !this.#isFlat(ss1, KERNEL_DATA)) return false;
    if ((ss1 & SELECTOR_RPL_MASK) !== GUEST_PL) return false;
    const esp = (esp1 - FRAME_BYTES) | 0;
    const at = this.#frameAt(esp, FRAME_BYTES, State.KERNEL_WRITE_MAP);
    if (at === 0) return false;

    const memory = this.#memory;
    const { view } = memory;
    const rest = memory.get(State.EFLAGS_REST) & ~X86_EFLAGS_RF;
    memory.set(State.EFLAGS_REST, rest);
    view.setInt32(at, memory.get(State.NEXT_EIP), true);
    view.setInt32(at + 4, this.#segments.selector(State.CS), true);
    view.setInt32(at + 8, readEflags(memory), true);
    view.setInt32(at + 12, memory.get(ESP), true);
    view.setInt32(at + 16, this.#segments.selector(State.SS), true);
    const cleared =
      descriptorType(high) === GATE_TRAP ? X86_EFLAGS_CLEARED_BY_GATE : X86_EFLAGS_CLEARED_BY_GATE | X86_EFLAGS_IF;
    memory.set(State.EFLAGS_REST, rest & ~cleared);
    memory.set(State.EIP, (high & 0xffff0000) | (low & 0xffff));
    this.#go(GUEST_PL, cs, ss1, esp);
    return true;
  }

  /**
   * iret from ring 1, in code that is flat.
   *
   * @returns whether it is done
   */
  interruptReturn(): boolean {
    const memory = this.#memory;
    const { view } = memory;
    if (this.#segments.cpl !== GUEST_PL || (memory.get(State.EFLAGS_REST) & X86_EFLAGS_NT) !== 0) return false;
    const esp = memory.get(ESP);
    const at = this.#frameAt(esp, INNER_FRAME_BYTES, State.KERNEL_READ_MAP);
    if (at === 0) return false;
    const eip = view.getInt32(at, true);
    const cs = view.getInt32(at + 4, true) & 0xffff;
    const image = view.getInt32(at + 8, true);
    if ((cs & SELECTOR_RPL_MASK) === GUEST_PL) {
      if (!this.#segments.isCurrent(State.CS, cs)) return false;
      memory.set(ESP, (esp + INNER_FRAME_BYTES) | 0);
    } else {
      if ((esp & PAGE_OFFSET_MASK) > PAGE_SIZE - FRAME_BYTES) return false;
      const ss = view.getInt32(at + 16, true) & 0xffff;
      if ((cs & ss & SELECTOR_RPL_MASK) !== USER_PL) return false;
      if (!this.#isFlat(cs, USER_CODE) || !this.#isFlat(ss, USER_DATA)) return false;
      for (const segment of DATA_SEGMENTS) if (!this.#segments.stays(segment, USER_PL)) return false;
      this.#go(USER_PL, cs, ss, view.getInt32(at + 12, true));
    }
    memory.set(State.EIP, eip);
    loadEflags(memory, image, 4, true);
    return true;
  }

  /**
   * What an entry through the door loads when the Host sends a program's CPU to a handler of its kernel, in code that is flat.
   *
   * @returns whether it is done
   */
  enterHandler(cs: number, ss: number): boolean {
    if ((cs & SELECTOR_RPL_MASK) !== GUEST_PL || (ss & SELECTOR_RPL_MASK) !== GUEST_PL) return false;
    if (!this.#isFlat(cs, KERNEL_CODE) || !this.#isFlat(ss, KERNEL_DATA)) return false;
    this.#go(GUEST_PL, cs, ss, this.#memory.get(ESP));
    return true;
  }

  #go(ring: number, cs: number, ss: number, esp: number): void {
    this.#transfers.setPrivilege(ring);
    this.#segments.installFlat(State.CS, cs);
    this.#segments.installFlat(State.SS, ss);
    this.#memory.set(ESP, esp);
  }
}
