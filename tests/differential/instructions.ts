// Random instructions: an example of a form with other registers, another address and other immediates, as far as the
// decoder still calls it the same form; and a state in which it does something.
import { type FormExample, formExamples, newInstruction } from '../../switcher/decode/all-forms.js';
import { decode } from '../../switcher/decode/decode.js';
import { type Form, type Instruction, NO_REGISTER } from '../../switcher/decode/instruction.js';
import { hasModrm } from '../../switcher/decode/lookup.js';
import { CODE_ADDRESS, type MachineState } from '../support/machine-state.js';
import type { Random } from './random.js';
import { dataAddress, lowAddress, operandBytes, randomState } from './states.js';

export interface RandomCase {
  readonly form: Form;
  readonly code: Uint8Array;
  readonly state: MachineState;
}

/**
 * What goes to addresses out of thin air, loads segments, asks the machine what it is, or differs between makes: for the
 * vectors, not for chance.
 */
export const LEFT_OUT = new Set(
  (
    'call jmp ret retf iret callf jmpf int int1 ud cpuid rdtsc rdpmc sysenter sysexit sgdt sidt sldt str smsw ' +
    'lds les lfs lgs lss lar lsl verr verw arpl ldmxcsr fxrstor fxsave fnsave fnstenv nop enter'
  ).split(' '),
);
export const STRINGS = /^(movs|cmps|scas|lods|stos)[bwl]$/;
const BIT_TESTS = ['bt', 'bts', 'btr', 'btc'];
export const PREFIXES = [0x66, 0x67, 0xf2, 0xf3];
/** How the decoder numbers opcodes that follow 0F. */
const TWO_BYTE_OPCODES = 0x100;
const ESP = 4;
const EBX = 3;
const ECX = 1;

const isSuitable = ({ form }: FormExample): boolean =>
  !LEFT_OUT.has(form.mnemonic) && !form.operands.some(({ kind }) => kind === 'segment');

/** `fstp` by an older name, which does not look whether there is something on the stack. */
const isOldStore = ({ bytes }: FormExample): boolean => bytes[0] === 0xd9 && (bytes[1] ?? 0) >> 3 === 0x1b;

export const suitableExamples = (): FormExample[] =>
  formExamples().filter((example) => isSuitable(example) && !isOldStore(example));

const decoded: Instruction = newInstruction();

function isStill({ form, mode }: FormExample, code: Uint8Array): boolean {
  return (
    decode(code, code.length, CODE_ADDRESS, mode, decoded) === 'ok' &&
    decoded.form === form &&
    decoded.length === code.length
  );
}

/** Where the ModRM byte is, or −1. */
function modrmAt(bytes: Uint8Array): number {
  let at = 0;
  while (PREFIXES.includes(bytes[at] ?? 0)) at++;
  const two = bytes[at] === 0x0f;
  const opcode = two ? TWO_BYTE_OPCODES + (bytes[at + 1] ?? 0) : (bytes[at] ?? 0);
  return hasModrm(opcode) ? at + (two ? 2 : 1) : -1;
}

/** Registers that point into the data, and that few instructions change: bp si di, ebp esi edi. */
const POINTERS_16 = [2, 3, 4, 5] as const;
const POINTERS_32 = [5, 6, 7] as const;

/** An address beside one of the pointers. */
function nearPointer(random: Random, middle: number, is16: boolean): number[] {
  const rm = is16 ? random.pick([...POINTERS_16]) : random.pick([...POINTERS_32]);
  return [0x40 | middle | rm, random.below(256) & (random.oneIn(4) ? -1 : ~15)];
}

/** ModRM, SIB and displacement for an address in memory, with the given middle field. */
function addressBytes(random: Random, middle: number, is16: boolean): number[] {
  const mod = random.below(3);
  const rm = random.below(8);
  const displacement = (bytes: number): number[] => Array.from({ length: bytes }, () => random.below(256));
  const modrm = (mod << 6) | middle | rm;
  if (is16) return [modrm, ...displacement(mod === 0 ? (rm === 6 ? 2 : 0) : mod)];
  const bytes = mod === 1 ? 1 : mod === 2 ? 4 : 0;
  if (rm !== ESP) return [modrm, ...displacement(mod === 0 && rm === 5 ? 4 : bytes)];
  const sib = random.below(256);
  return [modrm, sib, ...displacement(mod === 0 && (sib & 7) === 5 ? 4 : bytes)];
}

/** @param steady for one of several instructions: addresses beside pointers, branches to the next instruction */
export function mutate(random: Random, example: FormExample, steady = false): Uint8Array {
  const { form, bytes } = example;
  let code: Uint8Array = Uint8Array.from(bytes);
  const accept = (other: Uint8Array): void => {
    if (isStill(example, other)) code = other;
  };
  const at = modrmAt(bytes);
  if (at >= 0) {
    const modrm = bytes[at] ?? 0;
    for (const mask of [0x38, 0x07]) {
      const other = Uint8Array.from(code);
      other[at] = ((code[at] ?? 0) & ~mask) | (random.word() & mask);
      accept(other);
    }
    if (modrm < 0xc0) {
      const middle = (code[at] ?? 0) & 0x38;
      const rest = code.subarray(at + 1);
      const address = (steady ? nearPointer : addressBytes)(random, middle, form.addressSize === 16);
      accept(Uint8Array.from([...code.subarray(0, at), ...address, ...rest]));
    }
  } else if (random.oneIn(2)) {
    const opcode = bytes.findIndex((byte) => !PREFIXES.includes(byte)) + (bytes.includes(0x0f) ? 1 : 0);
    const other = Uint8Array.from(code);
    other[opcode] = ((code[opcode] ?? 0) & ~7) | random.below(8);
    accept(other);
  }
  return withImmediate(random, example, code, steady);
}

/** The immediate is what comes last. Branches keep theirs short. */
function withImmediate(random: Random, example: FormExample, code: Uint8Array, steady: boolean): Uint8Array {
  const { form } = example;
  const last = form.operands.at(-1);
  const bytes = last?.kind === 'immediate' ? last.width / 8 : last?.kind === 'target' ? 1 : 0;
  if (bytes === 0 || (steady && last?.kind === 'target')) return code;
  const other = Uint8Array.from(code);
  const limit = /^sh[lr]d$/.test(form.mnemonic) ? 17 : 2 ** 32;
  const value = last?.kind === 'target' ? random.below(128) : random.value() % limit;
  const start = last?.kind === 'target' ? firstOfTarget(code) : code.length - bytes;
  for (let i = 0; i < bytes; i++) other[start + i] = value >>> (8 * i);
  if (isStill(example, other)) return other;
  // `add r32, imm8`: what the form calls 32 bits may be 8 in the code
  const short = Uint8Array.from(code);
  short[code.length - 1] = value;
  return isStill(example, short) ? short : code;
}

const firstOfTarget = (code: Uint8Array): number => {
  const opcode = code.findIndex((byte) => !PREFIXES.includes(byte));
  return opcode + (code[opcode] === 0x0f ? 2 : 1);
};

/** Moves the operand in memory of `instruction`, which is `code`, to `target`: by its displacement, or else by its base. */
export function aim(instruction: Instruction, code: Uint8Array, state: MachineState, target: number): void {
  const { base, indexRegister, scale, displacement, form } = instruction;
  const mask = form.addressSize === 16 ? 0xffff : 0xffffffff;
  const register = (number: number): number => (number === NO_REGISTER ? 0 : (state.registers[number] ?? 0));
  const rest = (register(indexRegister) << scale) + displacement;
  if (base !== NO_REGISTER && base !== indexRegister) {
    state.registers[base] = (register(base) & ~mask) | ((target - rest) & mask);
    return;
  }
  if (indexRegister !== NO_REGISTER && scale === 0 && base === NO_REGISTER) {
    state.registers[indexRegister] = (register(indexRegister) & ~mask) | ((target - displacement) & mask);
    return;
  }
  if (base === NO_REGISTER && indexRegister === NO_REGISTER)
    return aimAbsolute(displacement, code, target, form.addressSize / 8);
  // both are the same register: an address of its own, wherever that is
  state.registers[base === NO_REGISTER ? indexRegister : base] = 0x30000000;
}

/** The displacement is found by its value: there is only one number as large. */
function aimAbsolute(displacement: number, code: Uint8Array, target: number, bytes: number): void {
  const view = new DataView(code.buffer, code.byteOffset);
  for (let at = 1; at + bytes <= code.length; at++) {
    const found = bytes === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
    if (found !== (bytes === 2 ? displacement & 0xffff : displacement >>> 0)) continue;
    if (bytes === 2) view.setUint16(at, target, true);
    else view.setUint32(at, target, true);
    return;
  }
}

/** Segments with a base, for forms that are not flat. */
const SELECTOR = 0x63;
const BASE = 0x10000100;
const ES = 0;
const DS = 3;

const baseOf = (mode: FormExample['mode'], segment: number): number =>
  !mode.flat && (segment === ES || segment === DS) ? BASE : 0;

/** An offset for an operand in this segment. */
function offset(random: Random, { form, mode }: FormExample, segment: number): number {
  const base = baseOf(mode, segment);
  if (form.addressSize === 32) return dataAddress(random) - base;
  return base === 0 ? lowAddress(random) : (dataAddress(random) - base) & 0xffff;
}

function prepareRegisters(random: Random, example: FormExample, state: MachineState): void {
  const { registers, segments } = state;
  const { form, mode } = example;
  if (!mode.flat) segments[DS] = segments[ES] = SELECTOR;
  if (form.repeat !== 'none')
    registers[ECX] = random.below(0x20) | (form.addressSize === 16 ? random.word() & 0xffff0000 : 0);
  if (STRINGS.test(form.mnemonic) || form.mnemonic.startsWith('maskmov')) {
    const rest = form.addressSize === 16 ? 0x10000000 : 0;
    registers[6] = offset(random, example, DS) | rest;
    registers[7] = offset(random, example, ES) | rest;
  }
  // What a double shift of 16 bits gives is undefined beyond 16.
  if (/^sh[lr]d$/.test(form.mnemonic)) registers[ECX] = random.below(17);
  if (form.mnemonic === 'xlat') registers[EBX] = offset(random, example, DS);
}

export function randomCase(random: Random, example: FormExample): RandomCase | undefined {
  const code = mutate(random, example);
  const state = randomState(random);
  const { form } = example;
  prepareRegisters(random, example, state);
  if (!isStill(example, code)) return undefined;
  const inMemory = form.operands.some(({ kind }) => kind === 'memory');
  const { segment } = decoded;
  const target = offset(random, example, segment);
  if (inMemory && BIT_TESTS.includes(form.mnemonic)) {
    const number = decoded.registers[1];
    if (number !== decoded.base && number !== decoded.indexRegister)
      state.registers[number] = (random.word() << 20) >> 20;
    else return undefined;
  }
  if (inMemory) {
    aim(decoded, code, state, target);
    if (!isStill(example, code)) return undefined;
  }
  if (/^sh[lr]d$/.test(form.mnemonic) && ((state.registers[ECX] ?? 0) & 31) > 16) return undefined;
  state.patches = [
    { address: CODE_ADDRESS, bytes: code },
    ...(inMemory ? operandBytes(random, target + baseOf(example.mode, segment)) : []),
  ];
  return { form, code, state };
}
