// Images of the FPU, stored and loaded: fnstenv, fnsave, fxsave, and fldenv, frstor, fxrstor, ldmxcsr with something in memory
// that is worth loading.
import type { Plan } from '../native/templates/template.js';
import { CODE_ADDRESS, FX, type MachineState, type Patch } from '../support/machine-state.js';
import { addressKey } from '../support/state-delta.js';
import type { Random } from './random.js';
import { dataAddress, randomState } from './states.js';

export interface ImageCase {
  readonly mnemonic: string;
  readonly code: Uint8Array;
  readonly state: MachineState;
  readonly tolerance: Partial<Plan>;
}

interface Kind {
  readonly mnemonic: string;
  /** All but the ModRM byte, which is [edi]; the middle field of that. */
  readonly opcode: readonly number[];
  readonly middle: number;
  readonly bytes: number;
  /** What is to be in memory before. */
  readonly image?: (random: Random, from: MachineState) => Uint8Array;
  /** Bytes of the image that makes of CPU fill in their own ways: pointers, the mask of MXCSR, what is reserved. */
  readonly open?: readonly (readonly [from: number, to: number])[];
}

const EDI = 7;
const X87_REGISTERS = 8;
const EXTENDED_BYTES = 10;
const PAGES = { from: 0x10000000, to: 0x10002000 };
/** Of MXCSR's bits above the sixteen, one that a make of CPU uses and others do not. */
const MISALIGNED_MASK = ~(1 << 17);

/** fcw, fsw, ftw, five words of pointers: as words, or as the lower halves of double words. */
function environment(random: Random, { fx }: MachineState, wide: boolean): number[] {
  const view = new DataView(fx.buffer, fx.byteOffset, fx.byteLength);
  const words = [
    view.getUint16(FX.fcw, true),
    random.oneIn(4) ? random.word() & 0xffff : view.getUint16(FX.fsw, true),
    random.word() & 0xffff,
    ...Array.from({ length: 4 }, () => random.word() & 0xffff),
  ];
  return words.flatMap((word) => [word & 0xff, word >>> 8, ...(wide ? [random.below(256), random.below(256)] : [])]);
}

const registers = ({ fx }: MachineState): number[] =>
  Array.from({ length: X87_REGISTERS }, (_, i) => [
    ...fx.subarray(FX.st + 16 * i, FX.st + 16 * i + EXTENDED_BYTES),
  ]).flat();

const saved =
  (wide: boolean, all: boolean) =>
  (random: Random, from: MachineState): Uint8Array =>
    Uint8Array.from([...environment(random, from, wide), ...(all ? registers(from) : [])]);

function extendedImage(random: Random, { fx }: MachineState): Uint8Array {
  const image = new Uint8Array(512);
  image.set(fx);
  const view = new DataView(image.buffer);
  if (random.oneIn(4)) view.setUint16(FX.fcw, random.word(), true);
  if (random.oneIn(3)) view.setUint16(FX.fsw, random.word(), true);
  if (random.oneIn(3)) view.setUint8(FX.ftw, random.word());
  if (random.oneIn(6)) view.setUint32(FX.mxcsr, random.value() & MISALIGNED_MASK, true);
  return image;
}

const control = (random: Random): Uint8Array => {
  const value = (random.oneIn(3) ? random.value() : random.word() & 0xffff) & MISALIGNED_MASK;
  return Uint8Array.from([value, value >>> 8, value >>> 16, value >>> 24]);
};

const KINDS: readonly [Kind, ...Kind[]] = [
  { mnemonic: 'fnstenv', opcode: [0xd9], middle: 6, bytes: 28, open: [[12, 28]] },
  { mnemonic: 'fnstenv', opcode: [0x66, 0xd9], middle: 6, bytes: 14, open: [[6, 14]] },
  { mnemonic: 'fnsave', opcode: [0xdd], middle: 6, bytes: 108, open: [[12, 28]] },
  { mnemonic: 'fnsave', opcode: [0x66, 0xdd], middle: 6, bytes: 94, open: [[6, 14]] },
  {
    mnemonic: 'fxsave',
    opcode: [0x0f, 0xae],
    middle: 0,
    bytes: 512,
    open: [
      [6, 24],
      [28, 32],
    ],
  },
  { mnemonic: 'fldenv', opcode: [0xd9], middle: 4, bytes: 28, image: saved(true, false) },
  { mnemonic: 'fldenv', opcode: [0x66, 0xd9], middle: 4, bytes: 14, image: saved(false, false) },
  { mnemonic: 'frstor', opcode: [0xdd], middle: 4, bytes: 108, image: saved(true, true) },
  { mnemonic: 'frstor', opcode: [0x66, 0xdd], middle: 4, bytes: 94, image: saved(false, true) },
  { mnemonic: 'fxrstor', opcode: [0x0f, 0xae], middle: 1, bytes: 512, image: extendedImage },
  { mnemonic: 'ldmxcsr', opcode: [0x0f, 0xae], middle: 2, bytes: 4, image: control },
  { mnemonic: 'stmxcsr', opcode: [0x0f, 0xae], middle: 3, bytes: 4 },
];

/** Which byte of a bad place is tried first, and what has been written by then, is up to the CPU. */
const ON_FAULT = ['cr2', 'memory'];

export function randomImage(random: Random): ImageCase {
  const { mnemonic, opcode, middle, bytes, image, open = [] } = random.pick(KINDS);
  const state = randomState(random);
  const anywhere = random.oneIn(4) ? dataAddress(random) : PAGES.from + random.below(PAGES.to - PAGES.from - bytes);
  const at = bytes === 512 && !random.oneIn(6) ? anywhere & ~15 : anywhere;
  state.registers[EDI] = at;
  const code = Uint8Array.from([...opcode, (middle << 3) | EDI]);
  const fits = at >= PAGES.from && at + bytes <= PAGES.to;
  const contents: Patch[] =
    image === undefined || !fits ? [] : [{ address: at, bytes: image(random, randomState(random)) }];
  state.patches = [{ address: CODE_ADDRESS, bytes: code }, ...contents];
  const ignore = open.flatMap(([from, to]) =>
    Array.from({ length: to - from }, (_, i) => addressKey((at + from + i) >>> 0)),
  );
  return { mnemonic, code, state, tolerance: { ignore, ignoreOnFault: ON_FAULT } };
}
