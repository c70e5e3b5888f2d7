// Segment registers: how a selector becomes base, limit and rights (Intel SDM volume 3, 3.4 and 5), at rings 1 and 3.
//
// The GDT is the one in `struct lguest_pages`, which the Host writes; there is no LDT. A check that fails gives a vector and
// an error code for the instruction to raise; nothing is changed then.
import {
  descriptorType,
  DESC_DPL_MASK,
  DESC_DPL_SHIFT,
  DESC_NOT_SYSTEM,
  DESC_PRESENT,
  GDT_ENTRIES,
  SELECTOR_INDEX_SHIFT,
  SELECTOR_RPL_MASK,
  SELECTOR_TI,
} from '../../guest-abi/x86/descriptors.js';
import { X86_TRAP_GP, X86_TRAP_NP, X86_TRAP_SS } from '../../guest-abi/x86/traps.js';
import type { Memory } from './memory.js';
import * as State from './state.js';

const SEGMENT_REGISTERS = 6;
const TYPE_CODE = 8;
const TYPE_CONFORMING = 4;
const TYPE_EXPAND_DOWN = 4;
/** Writable for data, readable for code. */
const TYPE_WRITABLE_OR_READABLE = 2;
const FLAG_GRANULARITY = 1 << 23;
const FLAG_BIG = 1 << 22;
const ERROR_CODE_MASK = 0xfffc;
const LAR_MASK = 0x00f0ff00;
/** System descriptors that lar and lsl can see: TSSs and the LDT; lar also call gates. */
const SYSTEM_WITH_LIMIT = [1, 2, 3, 9, 11];
const SYSTEM_WITH_RIGHTS = [...SYSTEM_WITH_LIMIT, 4, 5, 12];

/** A descriptor, taken apart. */
export interface Descriptor {
  readonly low: number;
  readonly high: number;
}

/** What a segment register knows of its segment. */
export interface SegmentCache {
  readonly base: number;
  readonly limit: number;
  readonly attributes: number;
}

/** What went wrong, or nothing did. */
export type SegmentFault = { readonly vector: number; readonly errorCode: number } | undefined;

export const dplOf = ({ high }: Descriptor): number => (high & DESC_DPL_MASK) >>> DESC_DPL_SHIFT;
const isPresent = ({ high }: Descriptor): boolean => (high & DESC_PRESENT) !== 0;
const isSystem = ({ high }: Descriptor): boolean => (high & DESC_NOT_SYSTEM) === 0;
const typeOf = ({ high }: Descriptor): number => descriptorType(high);
export const isCode = (d: Descriptor): boolean => !isSystem(d) && (typeOf(d) & TYPE_CODE) !== 0;
export const isConforming = (d: Descriptor): boolean => isCode(d) && (typeOf(d) & TYPE_CONFORMING) !== 0;
const isWritableData = (d: Descriptor): boolean =>
  !isSystem(d) && (typeOf(d) & (TYPE_CODE | TYPE_WRITABLE_OR_READABLE)) === TYPE_WRITABLE_OR_READABLE;
const isReadable = (d: Descriptor): boolean =>
  !isSystem(d) && (!isCode(d) || (typeOf(d) & TYPE_WRITABLE_OR_READABLE) !== 0);
const FLAT_LIMIT = -1;
const FLAT_CODE = State.SEGMENT_READABLE | State.SEGMENT_BIG;
const FLAT_DATA = FLAT_CODE | State.SEGMENT_WRITABLE;
const isNull = (selector: number): boolean => (selector & ERROR_CODE_MASK) === 0;

function limitOf({ low, high }: Descriptor): number {
  const limit = (low & 0xffff) | (high & 0xf0000);
  return (high & FLAG_GRANULARITY) !== 0 ? (limit << 12) | 0xfff : limit;
}

function baseOf({ low, high }: Descriptor): number {
  return (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000);
}

function attributesOf(d: Descriptor): number {
  const type = typeOf(d);
  let attributes = (d.high & FLAG_BIG) !== 0 ? State.SEGMENT_BIG : 0;
  if (isReadable(d)) attributes |= State.SEGMENT_READABLE;
  if (isWritableData(d)) attributes |= State.SEGMENT_WRITABLE;
  if (!isCode(d) && (type & TYPE_EXPAND_DOWN) !== 0) attributes |= State.SEGMENT_EXPAND_DOWN;
  return attributes;
}

export const cacheOf = (d: Descriptor): SegmentCache => ({
  base: baseOf(d),
  limit: limitOf(d) >>> 0,
  attributes: attributesOf(d),
});

/** Whether `bytes` bytes at `offset` (0 … 2^32 − 1) lie in the segment (5.3); the same question as `segmentAllows` asks. */
export function isInside({ limit, attributes }: SegmentCache, offset: number, bytes: number): boolean {
  const last = offset + bytes - 1;
  if ((attributes & State.SEGMENT_EXPAND_DOWN) === 0) return last <= limit;
  return offset > limit && last <= ((attributes & State.SEGMENT_BIG) !== 0 ? 0xffffffff : 0xffff);
}

const fault = (vector: number, selector: number): SegmentFault => ({ vector, errorCode: selector & ERROR_CODE_MASK });

export class Segments {
  readonly #memory: Memory;
  readonly #gdt: Uint32Array;
  /** The descriptor that each register was loaded from. */
  readonly #loaded = new Uint32Array(SEGMENT_REGISTERS * 2);

  constructor(memory: Memory, gdt: Uint32Array) {
    this.#memory = memory;
    this.#gdt = gdt;
  }

  get cpl(): number {
    return this.#memory.get(State.CPL);
  }

  selector(segment: number): number {
    return this.#memory.get(State.SEGMENTS + segment * State.SEGMENT_SIZE + State.SEGMENT_SELECTOR);
  }

  base(segment: number): number {
    return this.#memory.get(State.SEGMENTS + segment * State.SEGMENT_SIZE + State.SEGMENT_BASE);
  }

  limit(segment: number): number {
    return this.#memory.get(State.SEGMENTS + segment * State.SEGMENT_SIZE + State.SEGMENT_LIMIT) >>> 0;
  }

  attributes(segment: number): number {
    return this.#memory.get(State.SEGMENTS + segment * State.SEGMENT_SIZE + State.SEGMENT_ATTRIBUTES);
  }

  cache(segment: number): SegmentCache {
    return { base: this.base(segment), limit: this.limit(segment), attributes: this.attributes(segment) };
  }

  /** The descriptor that a selector names, if it is in the GDT. */
  descriptor(selector: number): Descriptor | undefined {
    const index = selector >>> SELECTOR_INDEX_SHIFT;
    if ((selector & SELECTOR_TI) !== 0 || index === 0 || index >= GDT_ENTRIES) return undefined;
    return { low: this.#gdt[index * 2] ?? 0, high: this.#gdt[index * 2 + 1] ?? 0 };
  }

  /** True when loading `selector` again would change nothing: the GDT still says what it said when it was loaded. */
  isCurrent(segment: number, selector: number): boolean {
    // Asked six times at every entry: without a call for each word.
    const { state } = this.#memory;
    const at = (State.SEGMENTS + segment * State.SEGMENT_SIZE) >> 2;
    if (state[at + State.SEGMENT_SELECTOR / 4] !== selector) return false;
    const index = selector >>> SELECTOR_INDEX_SHIFT;
    return state[at + State.SEGMENT_ATTRIBUTES / 4] !== 0
      ? this.#loaded[segment * 2] === this.#gdt[index * 2] && this.#loaded[segment * 2 + 1] === this.#gdt[index * 2 + 1]
      : isNull(selector);
  }

  /** Fills the register's cache, with no question asked. */
  install(segment: number, selector: number, d: Descriptor | undefined): void {
    this.#loaded[segment * 2] = d?.low ?? 0;
    this.#loaded[segment * 2 + 1] = d?.high ?? 0;
    const at = State.SEGMENTS + segment * State.SEGMENT_SIZE;
    this.#memory.set(at + State.SEGMENT_SELECTOR, selector);
    this.#memory.set(at + State.SEGMENT_BASE, d ? baseOf(d) : 0);
    this.#memory.set(at + State.SEGMENT_LIMIT, d ? limitOf(d) : 0);
    this.#memory.set(at + State.SEGMENT_ATTRIBUTES, d ? attributesOf(d) : 0);
  }

  /** The same for a selector of which it is known that its descriptor is a flat one: readable code, or writable data. */
  installFlat(segment: number, selector: number): void {
    const index = selector >>> SELECTOR_INDEX_SHIFT;
    this.#loaded[segment * 2] = this.#gdt[index * 2] ?? 0;
    this.#loaded[segment * 2 + 1] = this.#gdt[index * 2 + 1] ?? 0;
    const at = State.SEGMENTS + segment * State.SEGMENT_SIZE;
    this.#memory.set(at + State.SEGMENT_SELECTOR, selector);
    this.#memory.set(at + State.SEGMENT_BASE, 0);
    this.#memory.set(at + State.SEGMENT_LIMIT, FLAT_LIMIT);
    this.#memory.set(at + State.SEGMENT_ATTRIBUTES, segment === State.CS ? FLAT_CODE : FLAT_DATA);
  }

  /** Loads ds, es, fs, gs or ss as `mov` does at privilege `cpl`. */
  load(segment: number, selector: number, cpl = this.cpl): SegmentFault {
    if (segment === State.SS) return this.#loadStack(selector, cpl);
    if (isNull(selector)) {
      this.install(segment, selector, undefined);
      return undefined;
    }
    const d = this.descriptor(selector);
    if (d === undefined || !isReadable(d)) return fault(X86_TRAP_GP, selector);
    const rpl = selector & SELECTOR_RPL_MASK;
    if (!isConforming(d) && dplOf(d) < Math.max(cpl, rpl)) return fault(X86_TRAP_GP, selector);
    if (!isPresent(d)) return fault(X86_TRAP_NP, selector);
    this.install(segment, selector, d);
    return undefined;
  }

  #loadStack(selector: number, cpl: number): SegmentFault {
    const problem = this.checkStack(selector, cpl);
    if (problem) return problem;
    this.install(State.SS, selector, this.descriptor(selector));
    return undefined;
  }

  /** Whether `selector` could be SS at privilege `cpl`. */
  checkStack(selector: number, cpl: number): SegmentFault {
    if (isNull(selector)) return fault(X86_TRAP_GP, 0);
    const d = this.descriptor(selector);
    if (d === undefined || (selector & SELECTOR_RPL_MASK) !== cpl || !isWritableData(d) || dplOf(d) !== cpl)
      return fault(X86_TRAP_GP, selector);
    return isPresent(d) ? undefined : fault(X86_TRAP_SS, selector);
  }

  /** Whether `selector` could be CS at privilege `cpl`, which is its RPL: what iret and a return to an outer ring ask. */
  checkCode(selector: number, cpl: number): SegmentFault {
    if (isNull(selector)) return fault(X86_TRAP_GP, 0);
    const d = this.descriptor(selector);
    if (d === undefined || !isCode(d)) return fault(X86_TRAP_GP, selector);
    if (isConforming(d) ? dplOf(d) > cpl : dplOf(d) !== cpl) return fault(X86_TRAP_GP, selector);
    return isPresent(d) ? undefined : fault(X86_TRAP_NP, selector);
  }

  /**
   * A data segment register that the outer ring `cpl` must not keep becomes null. What it was loaded with counts, not what
   * the GDT says now; a null selector loses its RPL, too.
   */
  dropInner(segment: number, cpl: number): void {
    if (!this.stays(segment, cpl)) this.install(segment, 0, undefined);
  }

  /** Whether the outer ring `cpl` keeps this register as it is. */
  stays(segment: number, cpl: number): boolean {
    if (this.attributes(segment) === 0) return this.selector(segment) === 0;
    const loaded = { low: this.#loaded[segment * 2] ?? 0, high: this.#loaded[segment * 2 + 1] ?? 0 };
    return isConforming(loaded) || dplOf(loaded) >= cpl;
  }

  /** True when code and data can be addressed without looking at segments at all. */
  isFlat(): boolean {
    const flat = (segment: number, needed: number): boolean =>
      this.base(segment) === 0 &&
      this.limit(segment) === 0xffffffff &&
      (this.attributes(segment) & (needed | State.SEGMENT_EXPAND_DOWN)) === needed;
    const data = State.SEGMENT_READABLE | State.SEGMENT_WRITABLE;
    return (
      flat(State.CS, State.SEGMENT_READABLE | State.SEGMENT_BIG) &&
      flat(State.SS, data | State.SEGMENT_BIG) &&
      flat(State.DS, data) &&
      flat(State.ES, data)
    );
  }

  // ---------------------------------------------------------------- verr, verw, lar, lsl

  #visible(selector: number): Descriptor | undefined {
    const d = this.descriptor(selector);
    if (d === undefined) return undefined;
    const privilege = Math.max(this.cpl, selector & SELECTOR_RPL_MASK);
    return isConforming(d) || dplOf(d) >= privilege ? d : undefined;
  }

  canRead(selector: number): boolean {
    const d = this.#visible(selector);
    return d !== undefined && isReadable(d);
  }

  canWrite(selector: number): boolean {
    const d = this.#visible(selector);
    return d !== undefined && isWritableData(d);
  }

  accessRights(selector: number): number {
    const d = this.#visible(selector);
    if (d === undefined || (isSystem(d) && !SYSTEM_WITH_RIGHTS.includes(typeOf(d)))) return 0;
    return d.high & LAR_MASK;
  }

  visibleLimit(selector: number): number | undefined {
    const d = this.#visible(selector);
    if (d === undefined || (isSystem(d) && !SYSTEM_WITH_LIMIT.includes(typeOf(d)))) return undefined;
    return limitOf(d);
  }
}
