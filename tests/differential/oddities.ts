// Random instructions in odd clothes: prefixes that nobody needs, segments with bases and limits, code that runs over the edge
// of its page. And images of the FPU, which need more than a few random bytes to be any.
//
// What an odd instruction means is not asked here. It may well mean nothing: then both CPUs are to say so.
import { type FormExample, newInstruction } from '../../switcher/decode/all-forms.js';
import { type DecodeResult, decode } from '../../switcher/decode/decode.js';
import type { Instruction } from '../../switcher/decode/instruction.js';
import type { Plan } from '../native/templates/template.js';
import { PAGE_BYTES, type MachineState } from '../support/machine-state.js';
import { STRINGS, aim, randomCase } from './instructions.js';
import { randomImage, type ImageCase } from './images.js';
import type { Random } from './random.js';
import { dataAddress } from './states.js';

export interface OddCase {
  readonly mnemonic: string;
  readonly code: Uint8Array;
  readonly state: MachineState;
  /** What is open beyond what is for any instruction of that name. */
  readonly tolerance?: Partial<Plan>;
}

const [ECX, ESI, EDI] = [1, 6, 7] as const;
const ES = 0;
const FLAT = { defaultSize: 32, flat: true } as const;
const decoded: Instruction = newInstruction();
const decodeAt = (code: Uint8Array, eip: number): DecodeResult => decode(code, code.length, eip, FLAT, decoded);

// ---------------------------------------------------------------- prefixes

const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65] as const;
const ANY_PREFIX = [0x66, 0x67, 0xf0, 0xf2, 0xf3, ...SEGMENT_PREFIXES] as const;
const CROWD = 16;
const LONGEST = 15;
/** What can follow a ModRM byte, less an immediate. */
const LONGEST_ADDRESS = 5;

/**
 * With another prefix these are instructions that our CPU does not have and the real one does: lzcnt, movntss, extrq, mov of cr8 and
 * the like, by the byte after 0F.
 */
const OTHERS = new Set([0x01, 0x20, 0x22, 0x1e, 0x1f, 0x2b, 0x78, 0x79, 0xae, 0xb8, 0xbc, 0xbd, 0xc7]);

const isPrefix = (byte: number | undefined): boolean => ANY_PREFIX.some((prefix) => prefix === byte);

function mayHavePrefixes(code: Uint8Array): boolean {
  const opcode = code.findIndex((byte) => !isPrefix(byte));
  return code[opcode] !== 0x0f || !OTHERS.has(code[opcode + 1] ?? 0);
}

/** Some in front, sometimes so many that the instruction is too long. */
function withPrefixes(random: Random, code: Uint8Array): Uint8Array {
  const count = random.oneIn(10) ? random.below(CROWD) : 1 + random.below(3);
  const one = random.pick(ANY_PREFIX);
  const prefixes = Array.from({ length: count }, () => (random.oneIn(3) ? one : random.pick(ANY_PREFIX)));
  return Uint8Array.from([...prefixes, ...code]);
}

// ---------------------------------------------------------------- segments

/** Of the data segments es, ds, fs and gs, by their numbers. */
const DATA_SEGMENTS = [0, 3, 4, 5] as const;
/** Flat; code that can be read; with a base; 256 bytes; expanding down from 1000; none. See DESCRIPTORS. */
const FLAT_SELECTOR = 0x2b;
const GOOD = 0x10000800;
const SELECTORS = [0x2b, 0x23, 0x63, 0x63, 0x6b, 0x6b, 0x73, 0x73, 0] as const;

/** An offset that is interesting in the segment of that selector. */
function offsetIn(random: Random, selector: number): number {
  switch (selector) {
    case 0x63:
      return dataAddress(random) - 0x10000100;
    case 0x6b:
      return random.oneIn(2) ? random.below(0x100) : 0x100 - random.below(20);
    case 0x73:
      return random.oneIn(2) ? 0x1000 + random.below(0xf00) : 0x1000 - 18 + random.below(20);
    default:
      return dataAddress(random);
  }
}

/** Loads data segments, and sees to it that what the instruction touches is near. */
function withSegments(random: Random, code: Uint8Array, state: MachineState): Uint8Array {
  const { registers, segments } = state;
  for (const segment of DATA_SEGMENTS) if (!random.oneIn(3)) segments[segment] = random.pick(SELECTORS);
  const odd = random.oneIn(3) ? code : Uint8Array.from([random.pick(SEGMENT_PREFIXES), ...code]);
  if (decodeAt(odd, state.eip) !== 'ok') return odd;
  const { form, segment } = decoded;
  const target = offsetIn(random, segments[segment] ?? 0);
  if (STRINGS.test(form.mnemonic)) {
    registers[ESI] = target;
    registers[EDI] = offsetIn(random, segments[ES] ?? 0);
  } else if (form.operands.some(({ kind }) => kind === 'memory')) aim(decoded, odd, state, target);
  return odd;
}

// ---------------------------------------------------------------- places

const CODE_MIDDLE = 0x20004000;
const CODE_END = 0x20005000;

/** Somewhere in the code pages: mostly so that the code crosses from one to the other, sometimes out of them. */
export function oddPlace(random: Random, length: number): number {
  const edge = random.oneIn(4) ? CODE_END : CODE_MIDDLE;
  return edge - 1 - random.below(Math.min(length + 2, PAGE_BYTES / 4));
}

/** Puts the code there, as far as there is memory. */
export function placed(code: Uint8Array, state: MachineState, eip: number): Uint8Array {
  const [, ...others] = state.patches;
  const bytes = code.slice(0, Math.max(CODE_END - eip, 0));
  state.eip = eip;
  state.patches = [{ address: eip, bytes }, ...others];
  return bytes;
}

// ---------------------------------------------------------------- cases

/** A branch of 16 bits goes to where there is no code; loopz and its like take F2 and F3 for their own on a make of CPU. */
const OPEN_ON_BRANCHES = [0x66, 0xf2, 0xf3];

/** Whether makes of CPU differ in what the instruction does, or the manual leaves it open. */
function isOpen(code: Uint8Array, { eip, registers }: MachineState): boolean {
  if (decodeAt(code, eip) !== 'ok') return false;
  const { form, immediate } = decoded;
  if (form.operands.some(({ kind }) => kind === 'target')) return OPEN_ON_BRANCHES.some((byte) => code.includes(byte));
  // How long they would be if they were instructions nobody says.
  if (form.mnemonic === 'ud') return code.length > LONGEST - LONGEST_ADDRESS;
  if (!/^sh[lr]d$/.test(form.mnemonic) || form.operandSize === 32) return false;
  return [immediate, registers[ECX] ?? 0].some((count) => (count & 31) > 16);
}

const fromImage = ({ mnemonic, code, state, tolerance }: ImageCase): OddCase => ({ mnemonic, code, state, tolerance });

/** @returns undefined if nothing came of it this time */
export function oddCase(random: Random, example: FormExample): OddCase | undefined {
  if (random.oneIn(8)) return fromImage(randomImage(random));
  const plain = randomCase(random, example);
  if (plain === undefined || !mayHavePrefixes(plain.code)) return undefined;
  const { state } = plain;
  let { code } = plain;
  if (random.oneIn(2)) code = withSegments(random, code, state);
  if (random.oneIn(2)) code = withPrefixes(random, code);
  if (isOpen(code, state)) return undefined;
  let { mnemonic } = plain.form;
  if (decodeAt(code, state.eip) === 'ok') {
    ({ mnemonic } = decoded.form);
    // Another prefix may have made it shorter: what is left over would be code.
    code = code.slice(0, decoded.length);
    if (decoded.form.repeat !== 'none') state.registers[ECX] = random.below(0x20);
    // Which of two bad operands faults first is said nowhere: the second one is good.
    if (mnemonic.startsWith('cmps')) {
      state.segments[ES] = FLAT_SELECTOR;
      state.registers[EDI] = GOOD;
    }
  }
  const eip = random.oneIn(3) && mnemonic !== 'ud' ? oddPlace(random, code.length) : state.eip;
  return { mnemonic, code: placed(code, state, eip), state };
}
