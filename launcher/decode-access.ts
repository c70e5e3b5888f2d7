// Which instruction touched a port or device memory: just the few forms that drivers use, from the seven bytes that the
// Host hands out.
//
// The address is known already; of the operand only its length matters. The general decoder lives in the Switcher, behind
// the Host, where the Launcher does not reach.
import type { Width } from './pci/function.js';

/** A port instruction. The port is its last byte, or in dx. */
export interface PortAccess {
  readonly direction: 'in' | 'out';
  readonly width: Width;
  readonly immediate: boolean;
  readonly length: number;
}

/** Where a load puts what it read: `register` as in ModRM; `width` is that of the register. */
export interface Load {
  readonly kind: 'load';
  readonly width: Width;
  readonly into: { readonly register: number; readonly width: Width; readonly signed: boolean };
  readonly length: number;
}

export interface Store {
  readonly kind: 'store';
  readonly width: Width;
  readonly from: { readonly register: number } | { readonly immediate: number };
  readonly length: number;
}

export type MemoryAccess = Load | Store;

const OPERAND_SIZE = 0x66;
const ADDRESS_SIZE = 0x67;
/** es, cs, ss, ds, fs, gs: which segment is in the address already. */
const SEGMENT_PREFIXES: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]);

export const OPCODE_CLI = 0xfa;

/** The opcodes of `in` and `out` behind so many prefixes, made once: there is a storm of them. */
function portForms(wide: Width, prefixes: number): ReadonlyMap<number, PortAccess> {
  const immediate = { immediate: true, length: prefixes + 2 };
  const inDx = { immediate: false, length: prefixes + 1 };
  return new Map([
    [0xe4, { direction: 'in', width: 8, ...immediate }],
    [0xe5, { direction: 'in', width: wide, ...immediate }],
    [0xe6, { direction: 'out', width: 8, ...immediate }],
    [0xe7, { direction: 'out', width: wide, ...immediate }],
    [0xec, { direction: 'in', width: 8, ...inDx }],
    [0xed, { direction: 'in', width: wide, ...inDx }],
    [0xee, { direction: 'out', width: 8, ...inDx }],
    [0xef, { direction: 'out', width: wide, ...inDx }],
  ]);
}

const PORT_FORMS = portForms(32, 0);
const PORT_FORMS_16 = portForms(16, 1);

/** `in` and `out`, with at most an operand size prefix, as the original's Launcher knows them. */
export function decodePortAccess(insn: Uint8Array): PortAccess | undefined {
  const opcode = insn[0] ?? 0;
  return opcode === OPERAND_SIZE ? PORT_FORMS_16.get(insn[1] ?? 0) : PORT_FORMS.get(opcode);
}

/** An instruction with its prefixes taken off. */
interface Body {
  readonly insn: Uint8Array;
  /** Where the opcode is. */
  readonly at: number;
  /** What an operand that is not a byte is wide. */
  readonly wide: Width;
  readonly address16: boolean;
}

function stripPrefixes(insn: Uint8Array): Body {
  let at = 0;
  let wide: Width = 32;
  let address16 = false;
  for (;;) {
    const byte = insn[at] ?? 0;
    if (byte === OPERAND_SIZE) wide = 16;
    else if (byte === ADDRESS_SIZE) address16 = true;
    else if (!SEGMENT_PREFIXES.has(byte)) return { insn, at, wide, address16 };
    at++;
  }
}

/**
 * Bytes of a ModRM operand at `at`: ModRM, SIB and displacement. Undefined for a register operand, which cannot have
 * touched memory, and where the bytes that tell are missing.
 */
function operandLength({ insn, address16 }: Body, at: number): number | undefined {
  const modrm = insn[at];
  if (modrm === undefined) return undefined;
  const mod = modrm >>> 6;
  const rm = modrm & 7;
  if (mod === 3) return undefined;
  if (address16) return 1 + (mod === 0 ? (rm === 6 ? 2 : 0) : mod);
  const sib = rm === 4 ? insn[at + 1] : undefined;
  if (rm === 4 && sib === undefined) return undefined;
  const displacement = mod === 1 ? 1 : mod === 2 || rm === 5 || (sib !== undefined && (sib & 7) === 5) ? 4 : 0;
  return 1 + (rm === 4 ? 1 : 0) + displacement;
}

/** The immediate operand of `width` bits at `at`, if the bytes are all there. */
function immediateAt(insn: Uint8Array, at: number, width: Width): number | undefined {
  const length = width / 8;
  if (at + length > insn.length) return undefined;
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = (value << 8) | (insn[at + i] ?? 0);
  return value >>> 0;
}

/** `mov` to and from a register, from an immediate, `movzx` and `movsx`. */
export function decodeMemoryAccess(insn: Uint8Array): MemoryAccess | undefined {
  const body = stripPrefixes(insn);
  const { at, wide, address16 } = body;
  const opcode = insn[at] ?? 0;
  if (opcode === 0x0f) return decodeExtendingLoad(body);
  const width = (opcode & 1) === 0 ? 8 : wide;
  const operand = operandLength(body, at + 1);
  const register = ((insn[at + 1] ?? 0) >>> 3) & 7;
  switch (opcode & 0xfe) {
    case 0x88: // mov r/m, r
      return operand === undefined ? undefined : { kind: 'store', width, from: { register }, length: at + 1 + operand };
    case 0x8a: // mov r, r/m
      return operand === undefined
        ? undefined
        : { kind: 'load', width, into: { register, width, signed: false }, length: at + 1 + operand };
    case 0xa0: // mov al/eax, moffs
      return { kind: 'load', width, into: { register: 0, width, signed: false }, length: at + 1 + (address16 ? 2 : 4) };
    case 0xa2: // mov moffs, al/eax
      return { kind: 'store', width, from: { register: 0 }, length: at + 1 + (address16 ? 2 : 4) };
    case 0xc6: {
      // mov r/m, imm
      if (operand === undefined || register !== 0) return undefined;
      const immediate = immediateAt(insn, at + 1 + operand, width);
      if (immediate === undefined) return undefined;
      return { kind: 'store', width, from: { immediate }, length: at + 1 + operand + width / 8 };
    }
    default:
      return undefined;
  }
}

function decodeExtendingLoad(body: Body): Load | undefined {
  const { insn, at, wide } = body;
  const opcode = insn[at + 1] ?? 0;
  const operand = operandLength(body, at + 2);
  if (operand === undefined) return undefined;
  const width = (opcode & 1) === 0 ? 8 : 16;
  const register = ((insn[at + 2] ?? 0) >>> 3) & 7;
  const length = at + 2 + operand;
  switch (opcode & 0xfe) {
    case 0xb6: // movzx
      return { kind: 'load', width, into: { register, width: wide, signed: false }, length };
    case 0xbe: // movsx
      return { kind: 'load', width, into: { register, width: wide, signed: true }, length };
    default:
      return undefined;
  }
}
