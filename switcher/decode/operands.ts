// The notation of operands in the opcode map: Intel's, with the few additions that a table for a decoder needs.
//
//   where      E  register or memory by ModRM            G  general register by ModRM's middle field
//              R  register by ModRM                      M  memory by ModRM
//              Q  MMX register or memory by ModRM        P  MMX register by the middle field     N  MMX register by ModRM
//              W  XMM register or memory by ModRM        V  XMM register by the middle field     U  XMM register by ModRM
//              S C D  segment, control, debug register by the middle field
//              Z  general register by the opcode         O  memory at an offset in the instruction
//              I  immediate     J  near branch target    A  far pointer in the instruction
//              X  memory at DS:esi     Y  memory at ES:edi     BB  memory at DS:ebx+al     BD  memory at DS:edi
//   how wide   b 8   w 16   d 32   q 64   dq ps pd 128   ss 32   sd 64   s 48   f32 i16 d80 … what they say
//              v and z  16 or 32, the operand size        p  a far pointer: 32 or 48        a  two words: 32 or 64
//              bs  8, sign-extended to the operand size   *  as the instruction knows
//   M alone    an address that is computed and not used to get at memory
//   Rd/Mw      32 bits of a register, or 16 of memory
//   AL ES ST0  a fixed register   STi  an x87 register by ModRM   1  the constant
//
// X, Y, BB and BD are not operands of the form, for there is nothing in them to fill in; but the form's addressing
// speaks of them.
import type { MemoryWidth, Operand } from './instruction.js';
import { Bug } from '../../lib/errors.js';

/** The part of the instruction that fills in a register's number. */
export type RegisterField = 'middle' | 'low' | 'opcode' | number;

export type ImmediateField =
  'none' | 'byte' | 'signed-byte' | 'word' | 'operand-size' | 'branch-byte' | 'branch' | 'far' | 'one';

/** How the instruction gets at memory. `address` does not get at it, `stack` does so beside its operands. */
export type MemoryAccess = 'none' | 'modrm' | 'address' | 'offset' | 'source' | 'destination' | 'stack';

export interface OperandNotation {
  /** What stands in the form, for an operand size of 16 and of 32; undefined if nothing does. */
  readonly operand16: Operand | undefined;
  readonly operand32: Operand | undefined;
  readonly register: RegisterField | undefined;
  readonly immediate: ImmediateField;
  readonly memory: MemoryAccess;
  /** The instruction has a ModRM byte. */
  readonly modrm: boolean;
  /** With a memory operand (`mod` other than 3), with a register: false if that is another instruction. */
  readonly allowsMemory: boolean;
  readonly allowsRegister: boolean;
}

const NOTHING: OperandNotation = {
  operand16: undefined,
  operand32: undefined,
  register: undefined,
  immediate: 'none',
  memory: 'none',
  modrm: false,
  allowsMemory: true,
  allowsRegister: true,
};

type Width = 8 | 16 | 32;

const general = (width: Width): Operand => ({ kind: 'register', width });

const fixed = (operand: Operand, register: number): OperandNotation => ({
  ...NOTHING,
  operand16: operand,
  operand32: operand,
  register,
});

const immediate = (width16: Width, width32: Width, field: ImmediateField): OperandNotation => ({
  ...NOTHING,
  operand16: { kind: 'immediate', width: width16 },
  operand32: { kind: 'immediate', width: width32 },
  immediate: field,
});

const target = (operand: Operand, field: ImmediateField): OperandNotation => ({
  ...NOTHING,
  operand16: operand,
  operand32: operand,
  immediate: field,
});

const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];

/** The operands that are written in full. */
const WORDS = new Map<string, OperandNotation>([
  ['AL', fixed(general(8), 0)],
  ['AX', fixed(general(16), 0)],
  ['CL', fixed(general(8), 1)],
  ['DX', fixed(general(16), 2)],
  ['eAX', { ...fixed(general(32), 0), operand16: general(16) }],
  ...SEGMENTS.map((name, number): [string, OperandNotation] => [name, fixed({ kind: 'segment' }, number)]),
  ['ST0', fixed({ kind: 'st' }, 0)],
  ['STi', { ...fixed({ kind: 'st' }, 0), register: 'low', modrm: true }],
  ['1', immediate(8, 8, 'one')],
  ['Ib', immediate(8, 8, 'byte')],
  ['Ibs', immediate(16, 32, 'signed-byte')],
  ['Iw', immediate(16, 16, 'word')],
  ['Iz', immediate(16, 32, 'operand-size')],
  ['Jb', target({ kind: 'target' }, 'branch-byte')],
  ['Jz', target({ kind: 'target' }, 'branch')],
  ['Ap', target({ kind: 'far' }, 'far')],
  ['M', { ...NOTHING, ...memoryOperand(0, 0), memory: 'address', modrm: true, allowsRegister: false }],
]);

function memoryOperand(width16: MemoryWidth, width32: MemoryWidth): { operand16: Operand; operand32: Operand } {
  return { operand16: { kind: 'memory', width: width16 }, operand32: { kind: 'memory', width: width32 } };
}

/** Widths for an operand size of 16 and of 32. */
const WIDTHS = new Map<string, readonly [MemoryWidth, MemoryWidth]>([
  ['', [0, 0]],
  ['*', [0, 0]],
  ['b', [8, 8]],
  ['w', [16, 16]],
  ['d', [32, 32]],
  ['v', [16, 32]],
  ['p', [32, 48]],
  ['a', [32, 64]],
  ['s', [48, 48]],
  ['q', [64, 64]],
  ['dq', [128, 128]],
  ['ps', [128, 128]],
  ['pd', [128, 128]],
  ['ss', [32, 32]],
  ['sd', [64, 64]],
  ['i16', [16, 16]],
  ['i32', [32, 32]],
  ['i64', [64, 64]],
  ['f32', [32, 32]],
  ['f64', [64, 64]],
  ['f80', [80, 80]],
  ['d80', [80, 80]],
]);

const KINDS = new Map<string, Operand>([
  ['P', { kind: 'mmx' }],
  ['Q', { kind: 'mmx' }],
  ['N', { kind: 'mmx' }],
  ['V', { kind: 'xmm' }],
  ['W', { kind: 'xmm' }],
  ['U', { kind: 'xmm' }],
  ['S', { kind: 'segment' }],
  ['C', { kind: 'control' }],
  ['D', { kind: 'debug' }],
]);

const HIDDEN = new Map<string, MemoryAccess>([
  ['X', 'source'],
  ['Y', 'destination'],
  ['BB', 'source'],
  ['BD', 'source'],
]);

function registerOperands(where: string, width: readonly [number, number]): { operand16: Operand; operand32: Operand } {
  const kind = KINDS.get(where);
  if (kind !== undefined) return { operand16: kind, operand32: kind };
  const [width16, width32] = width;
  if ((width16 !== 8 && width16 !== 16 && width16 !== 32) || (width32 !== 8 && width32 !== 16 && width32 !== 32)) {
    throw new Bug(`no general register is ${width32} bits wide`);
  }
  return { operand16: general(width16), operand32: general(width32) };
}

function parse(text: string, register: boolean): OperandNotation {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  const [, where = '', how = ''] = /^(BB|BD|[A-Z])(.*)$/.exec(text) ?? [];
  const width = WIDTHS.get(how);
  if (width === undefined) throw new Bug(`the opcode map has an operand '${text}'`);
  const hidden = HIDDEN.get(where);
  if (hidden !== undefined) return { ...NOTHING, memory: hidden };
  const inMemory: OperandNotation = { ...NOTHING, ...memoryOperand(...width), memory: 'modrm', modrm: true };
  switch (where) {
    case 'M':
      return { ...inMemory, allowsRegister: false };
    case 'O':
      return { ...inMemory, memory: 'offset', modrm: false };
    case 'E':
    case 'Q':
    case 'W':
      if (!register) return inMemory;
      return { ...NOTHING, ...registerOperands(where, width), register: 'low', modrm: true };
    case 'R':
      return { ...NOTHING, ...registerOperands(where, width), register: 'low', modrm: true };
    case 'N':
    case 'U':
      return { ...NOTHING, ...registerOperands(where, width), register: 'low', modrm: true, allowsMemory: false };
    case 'Z':
      return { ...NOTHING, ...registerOperands(where, width), register: 'opcode' };
    default:
      return { ...NOTHING, ...registerOperands(where, width), register: 'middle', modrm: true };
  }
}

const known = [new Map<string, OperandNotation>(), new Map<string, OperandNotation>()] as const;

/** What `text` means when ModRM names a register, or when it names memory. */
export function operandNotation(text: string, register: boolean): OperandNotation {
  const cache = register ? known[1] : known[0];
  const found = cache.get(text);
  if (found !== undefined) return found;
  const [first = '', second] = text.split('/');
  const notation =
    second === undefined
      ? parse(text, register)
      : { ...parse(register ? first : second, register), allowsRegister: true };
  cache.set(text, notation);
  return notation;
}
