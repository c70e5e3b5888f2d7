// Going elsewhere with a check of privilege: gates, iret, far jumps, calls and returns (Intel SDM volume 3, 5.8 and 6.12).
//
// The rings are 1 and 3, and there is no task to switch to. Every routine looks at everything before it changes anything;
// what it finds wrong it answers as a Problem, for the instruction to raise.
import {
  descriptorType,
  DESC_DPL_MASK,
  DESC_DPL_SHIFT,
  DESC_PRESENT,
  GATE_TRAP,
  LGUEST_CS,
  SELECTOR_RPL_MASK,
} from '../../guest-abi/x86/descriptors.js';
import { X86_EFLAGS_CLEARED_BY_GATE, X86_EFLAGS_IF, X86_EFLAGS_NT } from '../../guest-abi/x86/eflags.js';
import { X86_TRAP_GP, X86_TRAP_NP, X86_TRAP_SS, X86_TRAP_TS } from '../../guest-abi/x86/traps.js';
import { loadEflags, readEflags, writeEflags } from './flags.js';
import type { GuestAccess, PageFault } from './guest-access.js';
import type { Memory } from './memory.js';
import {
  type Descriptor,
  type SegmentCache,
  type Segments,
  cacheOf,
  dplOf,
  isConforming,
  isInside,
} from './segments.js';
import * as State from './state.js';

/** Why an instruction cannot be done. */
export type Problem = { readonly kind: 'exception'; readonly vector: number; readonly errorCode: number } | PageFault;

const exception = (vector: number, errorCode: number): Problem => ({ kind: 'exception', vector, errorCode });

const ESP = State.REGISTERS + 16;
const KERNEL_RING = 1;
const USER_RING = 3;
const WORD = 4;
/** In the error code that a gate gives: it is about a vector, not a selector. */
const ERROR_CODE_IDT = 2;
/** … the event was not one that the program asked for, by `int n`, `int3` or `into`. */
export const ERROR_CODE_EXT = 1;

/** A gate of the IDT, taken apart. */
export interface Gate {
  readonly vector: number;
  readonly selector: number;
  readonly offset: number;
  readonly dpl: number;
  readonly isPresent: boolean;
  /** False when the gate leads to the Host. */
  readonly isDirect: boolean;
  readonly isTrapGate: boolean;
}

/** `isDirect` of that gate alone. */
export const leadsToHost = (idt: Uint32Array, vector: number): boolean => (idt[vector * 2] ?? 0) >>> 16 === LGUEST_CS;

export function gateOf(idt: Uint32Array, vector: number): Gate {
  const low = idt[vector * 2] ?? 0;
  const high = idt[vector * 2 + 1] ?? 0;
  const selector = low >>> 16;
  return {
    vector,
    selector,
    offset: ((high & 0xffff0000) | (low & 0xffff)) >>> 0,
    dpl: (high & DESC_DPL_MASK) >>> DESC_DPL_SHIFT,
    isPresent: (high & DESC_PRESENT) !== 0,
    isDirect: selector !== LGUEST_CS,
    isTrapGate: descriptorType(high) === GATE_TRAP,
  };
}

/** Whether `int vector` at ring `cpl` leads to the Host. */
export const mayAskHost = (idt: Uint32Array, vector: number, cpl: number): boolean =>
  leadsToHost(idt, vector) && ((idt[vector * 2 + 1] ?? 0) & DESC_DPL_MASK) >>> DESC_DPL_SHIFT >= cpl;

/** The error code of a fault that is about this gate itself. */
export const gateErrorCode = (vector: number, external: number): number => vector * 8 + ERROR_CODE_IDT + external;

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
    const modeBits = this.#memory.get(State.CODE_KIND) & ~State.USER_CODE;
    this.#memory.set(State.CODE_KIND, modeBits | (user ? State.USER_CODE : 0));
  }

  // ---------------------------------------------------------------- through a direct gate

  /**
   * Enters the Guest's own handler, as the hardware does for a gate that the Host has let through.
   *
   * @param external ERROR_CODE_EXT, or 0 when the program asked for it
   */
  enterGate(gate: Gate, returnEip: number, errorCode: number | undefined, external: number): Problem | undefined {
    if (!gate.isPresent) return exception(X86_TRAP_NP, gateErrorCode(gate.vector, external));
    const code = this.#segments.descriptor(gate.selector);
    const cpl = this.#segments.cpl;
    const target = code === undefined || isConforming(code) ? cpl : dplOf(code);
    const selector = (gate.selector & ~SELECTOR_RPL_MASK) | target;
    if (target > cpl) return exception(X86_TRAP_GP, (selector & ~SELECTOR_RPL_MASK) | external);
    const problem = this.#segments.checkCode(selector, target);
    if (problem) return exception(problem.vector, problem.errorCode | external);
    const isOuter = target < cpl;
    // A TSS has a stack for ring 2 as well; that of a Guest is null.
    const stackSelector = target === KERNEL_RING ? this.#tss.ss1 : 0;
    const stack = isOuter ? this.#segments.checkStack(stackSelector, target) : undefined;
    if (stack) return exception(stack.vector === X86_TRAP_SS ? X86_TRAP_SS : X86_TRAP_TS, stack.errorCode | external);
    const frame = [readEflags(this.#memory), this.#segments.selector(State.CS), returnEip];
    if (isOuter) frame.unshift(this.#segments.selector(State.SS), this.#memory.get(ESP));
    if (errorCode !== undefined) frame.push(errorCode);
    const inner = isOuter ? this.#segments.descriptor(stackSelector) : undefined;
    const cache = inner ? cacheOf(inner) : this.#segments.cache(State.SS);
    const top = isOuter ? this.#tss.esp1 : this.#memory.get(ESP);
    // The handler's stack is written with the handler's privilege.
    const map = target === USER_RING ? State.USER_WRITE_MAP : State.KERNEL_WRITE_MAP;
    if (!hasRoom(cache, top, frame.length, WORD))
      return exception(X86_TRAP_SS, (isOuter ? stackSelector & ~SELECTOR_RPL_MASK : 0) | external);
    const trouble =
      this.#checkTarget(code, gate.offset, external) ?? this.#checkPushes(cache, top, frame.length, WORD, map);
    if (trouble) return trouble;
    this.#push(cache, top, frame, WORD, map);
    if (isOuter) {
      this.setPrivilege(target);
      this.#segments.install(State.SS, stackSelector, inner);
      this.#memory.set(ESP, top);
    }
    this.#setStackPointer(top - WORD * frame.length);
    this.#segments.install(State.CS, selector, code);
    const cleared = gate.isTrapGate ? X86_EFLAGS_CLEARED_BY_GATE : X86_EFLAGS_CLEARED_BY_GATE | X86_EFLAGS_IF;
    writeEflags(this.#memory, readEflags(this.#memory) & ~cleared);
    this.#memory.set(State.EIP, gate.offset | 0);
    return undefined;
  }

  // ---------------------------------------------------------------- stacks

  /** Whether memory lets `count` words be pushed from `top` down, in the order of the pushes: a fault is that of the first. */
  #checkPushes(cache: SegmentCache, top: number, count: number, bytes: 2 | 4, map: number): Problem | undefined {
    this.#access.begin();
    for (let i = 1; i <= count; i++) {
      const linear = (cache.base + stackOffset(cache, top - i * bytes)) | 0;
      if (!this.#access.canWrite(linear, bytes, map)) return this.#access.fault;
    }
    return undefined;
  }

  /** What `checkPushes` had nothing against. */
  #push(cache: SegmentCache, top: number, words: readonly number[], bytes: 2 | 4, map: number): void {
    words.forEach((word, i) =>
      this.#access.write((cache.base + stackOffset(cache, top - (i + 1) * bytes)) | 0, bytes, word, map),
    );
  }

  /** `count` values of `bytes` bytes from offset `at` of the stack, or what is wrong with the first that cannot be had. */
  #pop(at: number, count: number, bytes: 2 | 4): number[] | Problem {
    const cache = this.#segments.cache(State.SS);
    const words: number[] = [];
    this.#access.begin();
    for (let i = 0; i < count; i++) {
      const offset = stackOffset(cache, at + i * bytes);
      if (!isInside(cache, offset, bytes)) return exception(X86_TRAP_SS, 0);
      words.push(this.#access.read((cache.base + offset) | 0, bytes));
      if (this.#access.fault !== undefined) return this.#access.fault;
    }
    return words;
  }

  #setStackPointer(value: number): void {
    const isBig = (this.#segments.attributes(State.SS) & State.SEGMENT_BIG) !== 0;
    this.#memory.set(ESP, isBig ? value : (this.#memory.get(ESP) & ~0xffff) | (value & 0xffff));
  }

  /** An instruction pointer beyond its code segment's limit is found by whoever goes there. */
  #checkTarget(code: Descriptor | undefined, eip: number, external = 0): Problem | undefined {
    return code !== undefined && eip >>> 0 > cacheOf(code).limit ? exception(X86_TRAP_GP, external) : undefined;
  }

  // ---------------------------------------------------------------- back, and far

  interruptReturn(bytes: 2 | 4): Problem | undefined {
    // To the task that the TSS names: it names none.
    if ((readEflags(this.#memory) & X86_EFLAGS_NT) !== 0) return exception(X86_TRAP_TS, 0);
    const esp = this.#memory.get(ESP);
    const popped = this.#pop(esp, 3, bytes);
    if ('kind' in popped) return popped;
    const [eip = 0, cs = 0, image = 0] = popped;
    const problem = this.#return(bytes, eip, cs & 0xffff, esp + 3 * bytes, 0);
    if (problem) return problem;
    loadEflags(this.#memory, image, bytes, bytes === 4);
    return undefined;
  }

  farReturn(bytes: 2 | 4, drop: number): Problem | undefined {
    const esp = this.#memory.get(ESP);
    const popped = this.#pop(esp, 2, bytes);
    if ('kind' in popped) return popped;
    const [eip = 0, cs = 0] = popped;
    return this.#return(bytes, eip, cs & 0xffff, esp + 2 * bytes, drop);
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
      const beyond = this.#checkTarget(descriptor, eip);
      if (beyond) return beyond;
      this.#setStackPointer(above + drop);
      this.#segments.install(State.CS, cs, descriptor);
      this.#memory.set(State.EIP, eip);
      return undefined;
    }
    const popped = this.#pop(above + drop, 2, bytes);
    if ('kind' in popped) return popped;
    const [esp = 0, ssWord = 0] = popped;
    const ss = ssWord & 0xffff;
    const stack = this.#segments.checkStack(ss, target);
    if (stack) return exception(stack.vector, stack.errorCode);
    const beyond = this.#checkTarget(descriptor, eip);
    if (beyond) return beyond;
    this.setPrivilege(target);
    this.#segments.install(State.CS, cs, descriptor);
    this.#segments.install(State.SS, ss, this.#segments.descriptor(ss));
    this.#setStackPointer(esp + drop);
    for (const segment of [State.ES, State.DS, State.FS, State.GS]) this.#segments.dropInner(segment, target);
    this.#memory.set(State.EIP, eip);
    return undefined;
  }

  /** The code segment that a far jump or call to `selector` loads, or what is wrong. Gates and tasks: there are none. */
  #farTarget(selector: number): Problem | { readonly cs: number; readonly code: Descriptor } {
    const cpl = this.#segments.cpl;
    const code = this.#segments.descriptor(selector);
    if (code === undefined) return exception(X86_TRAP_GP, selector & ~SELECTOR_RPL_MASK & 0xffff);
    const rpl = selector & SELECTOR_RPL_MASK;
    if (!isConforming(code) && rpl > cpl) return exception(X86_TRAP_GP, selector & ~SELECTOR_RPL_MASK);
    const cs = (selector & ~SELECTOR_RPL_MASK) | cpl;
    const problem = this.#segments.checkCode(cs, cpl);
    return problem ? exception(problem.vector, problem.errorCode) : { cs, code };
  }

  farJump(bytes: 2 | 4, selector: number, offset: number): Problem | undefined {
    const target = this.#farTarget(selector);
    if ('kind' in target) return target;
    const eip = bytes === 2 ? offset & 0xffff : offset;
    const beyond = this.#checkTarget(target.code, eip);
    if (beyond) return beyond;
    this.#segments.install(State.CS, target.cs, target.code);
    this.#memory.set(State.EIP, eip);
    return undefined;
  }

  farCall(bytes: 2 | 4, selector: number, offset: number): Problem | undefined {
    const target = this.#farTarget(selector);
    if ('kind' in target) return target;
    const cache = this.#segments.cache(State.SS);
    const esp = this.#memory.get(ESP);
    const eip = bytes === 2 ? offset & 0xffff : offset;
    const map = this.#memory.get(State.WRITE_MAP);
    if (!hasRoom(cache, esp, 2, bytes)) return exception(X86_TRAP_SS, 0);
    const trouble = this.#checkTarget(target.code, eip) ?? this.#checkPushes(cache, esp, 2, bytes, map);
    if (trouble) return trouble;
    this.#push(cache, esp, [this.#segments.selector(State.CS), this.#memory.get(State.NEXT_EIP)], bytes, map);
    this.#setStackPointer(esp - 2 * bytes);
    this.#segments.install(State.CS, target.cs, target.code);
    this.#memory.set(State.EIP, eip);
    return undefined;
  }
}

/** Where in its segment a stack pointer points: 16 bits of it count if the segment is not a big one. */
const stackOffset = ({ attributes }: SegmentCache, pointer: number): number =>
  (attributes & State.SEGMENT_BIG) !== 0 ? pointer >>> 0 : pointer & 0xffff;

/** Whether `count` words below `top` lie in the stack's segment. */
function hasRoom(cache: SegmentCache, top: number, count: number, bytes: number): boolean {
  for (let i = 1; i <= count; i++) if (!isInside(cache, stackOffset(cache, top - i * bytes), bytes)) return false;
  return true;
}
