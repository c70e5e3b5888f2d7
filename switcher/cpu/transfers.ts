// Going elsewhere with a check of privilege: gates, iret, far jumps, calls and returns (Intel SDM volume 3, 5.8 and 6.12).
//
// The rings are 1 and 3, and there is no task to switch to. Every routine looks at everything before it changes anything;
// what it finds wrong it answers as a Problem, for the instruction to raise.
import {
  descriptorType,
  DESC_DPL_MASK,
  DESC_DPL_SHIFT,
  GATE_TRAP,
  LGUEST_CS,
  SELECTOR_RPL_MASK,
} from '../../guest-abi/x86/descriptors.js';
import { X86_EFLAGS_CLEARED_BY_GATE, X86_EFLAGS_IF, X86_EFLAGS_NT } from '../../guest-abi/x86/eflags.js';
import { X86_TRAP_GP, X86_TRAP_TS } from '../../guest-abi/x86/traps.js';
import { loadEflags, readEflags, writeEflags } from './flags.js';
import type { GuestAccess } from './guest-access.js';
import type { Memory } from './memory.js';
import { type Segments, dplOf, isConforming } from './segments.js';
import * as State from './state.js';

/** Why an instruction cannot be done: an exception, or memory that cannot be accessed (see GuestAccess). */
export type Problem =
  { readonly kind: 'exception'; readonly vector: number; readonly errorCode: number } | { readonly kind: 'page-fault' };

const PAGE_FAULT: Problem = { kind: 'page-fault' };
const exception = (vector: number, errorCode: number): Problem => ({ kind: 'exception', vector, errorCode });

const ESP = State.REGISTERS + 16;
const KERNEL_RING = 1;
const USER_RING = 3;

/** A gate of the IDT, taken apart. */
export interface Gate {
  readonly selector: number;
  readonly offset: number;
  readonly dpl: number;
  /** False when the gate leads to the Host. */
  readonly isDirect: boolean;
  readonly isTrapGate: boolean;
}

export function gateOf(idt: Uint32Array, vector: number): Gate {
  const low = idt[vector * 2] ?? 0;
  const high = idt[vector * 2 + 1] ?? 0;
  const selector = low >>> 16;
  return {
    selector,
    offset: ((high & 0xffff0000) | (low & 0xffff)) >>> 0,
    dpl: (high & DESC_DPL_MASK) >>> DESC_DPL_SHIFT,
    isDirect: selector !== LGUEST_CS,
    isTrapGate: descriptorType(high) === GATE_TRAP,
  };
}

export class Transfers {
  readonly #memory: Memory;
  readonly #segments: Segments;
  readonly #access: GuestAccess;
  readonly #tss: { ss1: number; esp1: number };

  constructor(memory: Memory, segments: Segments, access: GuestAccess, tss: { ss1: number; esp1: number }) {
    this.#memory = memory;
    this.#segments = segments;
    this.#access = access;
    this.#tss = tss;
  }

  setPrivilege(cpl: number): void {
    const user = cpl === USER_RING;
    this.#memory.set(State.CPL, cpl);
    this.#memory.set(State.READ_MAP, user ? State.USER_READ_MAP : State.KERNEL_READ_MAP);
    this.#memory.set(State.WRITE_MAP, user ? State.USER_WRITE_MAP : State.KERNEL_WRITE_MAP);
    this.#memory.set(State.JUMP_CACHE, user ? State.JUMP_CACHES + State.JUMP_CACHE_SIZE : State.JUMP_CACHES);
  }

  // ---------------------------------------------------------------- through a direct gate

  /** Enters the Guest's own handler, as the hardware does for a gate that the Host has let through. */
  enterGate(gate: Gate, returnEip: number, errorCode: number | undefined): Problem | undefined {
    const code = this.#segments.descriptor(gate.selector);
    const target = code ? dplOf(code) : KERNEL_RING;
    const cpl = this.#segments.cpl;
    const problem = this.#segments.checkCode((gate.selector & ~SELECTOR_RPL_MASK) | target, target);
    if (problem) return exception(problem.vector, problem.errorCode | 1);
    const outer = target < cpl;
    if (outer) {
      const stack = this.#segments.checkStack(this.#tss.ss1, target);
      if (stack) return exception(X86_TRAP_TS, stack.errorCode | 1);
    }
    const frame = [readEflags(this.#memory), this.#segments.selector(State.CS), returnEip];
    if (outer) frame.unshift(this.#segments.selector(State.SS), this.#memory.get(ESP));
    if (errorCode !== undefined) frame.push(errorCode);
    const esp = (outer ? this.#tss.esp1 : this.#memory.get(ESP)) | 0;
    const base = outer ? 0 : this.#segments.base(State.SS);
    const top = (esp - 4 * frame.length) | 0;
    // The handler's stack is written with the handler's privilege.
    const map = target === USER_RING ? State.USER_WRITE_MAP : State.KERNEL_WRITE_MAP;
    this.#access.begin();
    if (!this.#access.canWrite((base + top) | 0, 4 * frame.length, map)) return PAGE_FAULT;
    frame.forEach((word, i) => this.#access.write((base + esp - 4 * (i + 1)) | 0, 4, word, map));
    if (outer) {
      this.setPrivilege(target);
      this.#segments.install(State.SS, this.#tss.ss1, this.#segments.descriptor(this.#tss.ss1));
    }
    this.#memory.set(ESP, top);
    this.#segments.install(State.CS, (gate.selector & ~SELECTOR_RPL_MASK) | target, code);
    const cleared = gate.isTrapGate ? X86_EFLAGS_CLEARED_BY_GATE : X86_EFLAGS_CLEARED_BY_GATE | X86_EFLAGS_IF;
    writeEflags(this.#memory, readEflags(this.#memory) & ~cleared);
    this.#memory.set(State.EIP, gate.offset | 0);
    return undefined;
  }

  // ---------------------------------------------------------------- back, and far

  #stack(at: number, bytes: 2 | 4): number {
    const attributes = this.#segments.attributes(State.SS);
    const offset = (attributes & State.SEGMENT_BIG) !== 0 ? at : at & 0xffff;
    return this.#access.read((this.#segments.base(State.SS) + offset) | 0, bytes);
  }

  #setStackPointer(value: number): void {
    const big = (this.#segments.attributes(State.SS) & State.SEGMENT_BIG) !== 0;
    this.#memory.set(ESP, big ? value : (this.#memory.get(ESP) & ~0xffff) | (value & 0xffff));
  }

  interruptReturn(bytes: 2 | 4): Problem | undefined {
    if ((readEflags(this.#memory) & X86_EFLAGS_NT) !== 0) return exception(X86_TRAP_TS, 0);
    this.#access.begin();
    const esp = this.#memory.get(ESP);
    const eip = this.#stack(esp, bytes);
    const cs = this.#stack(esp + bytes, bytes) & 0xffff;
    const image = this.#stack(esp + 2 * bytes, bytes);
    if (this.#access.faultAddress !== undefined) return PAGE_FAULT;
    const problem = this.#return(bytes, eip, cs, esp + 3 * bytes, 0);
    if (problem) return problem;
    loadEflags(this.#memory, image, bytes, bytes === 4);
    return undefined;
  }

  farReturn(bytes: 2 | 4, drop: number): Problem | undefined {
    this.#access.begin();
    const esp = this.#memory.get(ESP);
    const eip = this.#stack(esp, bytes);
    const cs = this.#stack(esp + bytes, bytes) & 0xffff;
    if (this.#access.faultAddress !== undefined) return PAGE_FAULT;
    return this.#return(bytes, eip, cs, esp + 2 * bytes, drop);
  }

  /** To the same ring or an outer one; `above` is the stack pointer behind what was popped so far. */
  #return(bytes: 2 | 4, eip: number, cs: number, above: number, drop: number): Problem | undefined {
    const cpl = this.#segments.cpl;
    const target = cs & SELECTOR_RPL_MASK;
    const code =
      target < cpl ? { vector: X86_TRAP_GP, errorCode: cs & ~SELECTOR_RPL_MASK } : this.#segments.checkCode(cs, target);
    if (code) return exception(code.vector, code.errorCode);
    const descriptor = this.#segments.descriptor(cs);
    if (target === cpl) {
      this.#setStackPointer((above + drop) | 0);
      this.#segments.install(State.CS, cs, descriptor);
      this.#memory.set(State.EIP, eip);
      return undefined;
    }
    const esp = this.#stack(above + drop, bytes);
    const ss = this.#stack(above + drop + bytes, bytes) & 0xffff;
    if (this.#access.faultAddress !== undefined) return PAGE_FAULT;
    const stack = this.#segments.checkStack(ss, target);
    if (stack) return exception(stack.vector, stack.errorCode);
    this.setPrivilege(target);
    this.#segments.install(State.CS, cs, descriptor);
    this.#segments.install(State.SS, ss, this.#segments.descriptor(ss));
    this.#setStackPointer((esp + drop) | 0);
    for (const segment of [State.ES, State.DS, State.FS, State.GS]) this.#segments.dropInner(segment, target);
    this.#memory.set(State.EIP, eip);
    return undefined;
  }

  /** The CS that a far jump or call to `selector` loads, or what is wrong with it. Gates and tasks: there are none. */
  #farTarget(selector: number): Problem | { readonly cs: number } {
    const cpl = this.#segments.cpl;
    const code = this.#segments.descriptor(selector);
    if (code === undefined) return exception(X86_TRAP_GP, selector & ~SELECTOR_RPL_MASK & 0xffff);
    const rpl = selector & SELECTOR_RPL_MASK;
    if (!isConforming(code) && rpl > cpl) return exception(X86_TRAP_GP, selector & ~SELECTOR_RPL_MASK);
    const cs = (selector & ~SELECTOR_RPL_MASK) | cpl;
    const problem = this.#segments.checkCode(cs, cpl);
    return problem ? exception(problem.vector, problem.errorCode) : { cs };
  }

  farJump(bytes: 2 | 4, selector: number, offset: number): Problem | undefined {
    const target = this.#farTarget(selector);
    if ('kind' in target) return target;
    this.#segments.install(State.CS, target.cs, this.#segments.descriptor(target.cs));
    this.#memory.set(State.EIP, bytes === 2 ? offset & 0xffff : offset);
    return undefined;
  }

  farCall(bytes: 2 | 4, selector: number, offset: number): Problem | undefined {
    const target = this.#farTarget(selector);
    if ('kind' in target) return target;
    const esp = this.#memory.get(ESP);
    const top = (esp - 2 * bytes) | 0;
    const big = (this.#segments.attributes(State.SS) & State.SEGMENT_BIG) !== 0;
    const at = (this.#segments.base(State.SS) + (big ? top : top & 0xffff)) | 0;
    this.#access.begin();
    // In the order of the pushes: a fault is that of the first.
    if (!this.#access.canWrite(at + bytes, bytes) || !this.#access.canWrite(at, bytes)) return PAGE_FAULT;
    this.#access.write(at + bytes, bytes, this.#segments.selector(State.CS));
    this.#access.write(at, bytes, this.#memory.get(State.NEXT_EIP));
    this.#setStackPointer(top);
    this.#segments.install(State.CS, target.cs, this.#segments.descriptor(target.cs));
    this.#memory.set(State.EIP, bytes === 2 ? offset & 0xffff : offset);
    return undefined;
  }
}
