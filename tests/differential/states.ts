// Random states of the machine: registers that point into the data, x87 and xmm registers full of numbers at their edges.
import { FX, type MachineState, type Patch, defaultState } from '../support/machine-state.js';
import type { Random } from './random.js';

const STATUS_FLAGS = 0x8d5;
const DIRECTION = 0x400;
const DATA = 0x10000000;
const DATA_BYTES = 0x2000;
const READ_ONLY = 0x10004000;

/** Where a memory operand is to be: mostly in the middle of the data, sometimes at an edge of it. */
export function dataAddress(random: Random): number {
  const near = (address: number): number => address - 20 + random.below(24);
  switch (random.below(12)) {
    case 0:
      return near(DATA + DATA_BYTES / 2);
    case 1:
      return near(DATA + DATA_BYTES);
    case 2:
      return near(READ_ONLY);
    case 3:
    case 4:
    case 5:
      return DATA + 0x200 + random.below(DATA_BYTES - 0x400);
    default:
      return DATA + 0x200 + (random.below(DATA_BYTES - 0x400) & ~15);
  }
}

/** The same for 16-bit addresses: at both ends of what they reach. */
export const lowAddress = (random: Random): number =>
  random.oneIn(6)
    ? random.pick([0xfffd, 0xfff1, 0xffff, 0])
    : random.pick([0x100, 0xf100]) + (random.below(0xe00) & (random.oneIn(3) ? -1 : ~15));

function extended(random: Random): Uint8Array {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  const significand = random.wide();
  const normal = random.oneIn(16) ? significand : significand | (1n << 63n);
  const exponent = random.pick([
    0x3fff + random.below(16) - 8,
    0x3fff + random.below(16) - 8,
    0x3fff + random.below(140) - 70,
    0x3fff + random.below(2200) - 1100,
    random.word() & 0x7fff,
    random.pick([0, 0, 1, 0x7ffe, 0x7fff, 0x7fff]),
  ]);
  view.setBigUint64(
    0,
    random.oneIn(5) ? random.pick([1n << 63n, 0n, 3n << 62n, ~0n & (2n ** 64n - 1n)]) : normal,
    true,
  );
  view.setUint16(8, exponent | (random.oneIn(2) ? 0x8000 : 0), true);
  return bytes;
}

export function single(random: Random): number {
  const exponent = random.pick([
    127 + random.below(8) - 4,
    127 + random.below(60) - 30,
    random.below(256),
    random.pick([0, 255]),
  ]);
  const fraction = random.oneIn(4) ? random.pick([0, 1, 0x400000, 0x7fffff]) : random.value() & 0x7fffff;
  return ((random.below(2) << 31) | (exponent << 23) | fraction) >>> 0;
}

export function double(random: Random): bigint {
  const exponent = random.pick([
    1023 + random.below(8) - 4,
    1023 + random.below(130) - 65,
    random.below(2048),
    random.pick([0, 2047]),
  ]);
  const fraction = random.oneIn(4)
    ? random.pick([0n, 1n, 1n << 51n, (1n << 52n) - 1n, 1n << 28n])
    : random.wide() & ((1n << 52n) - 1n);
  return (BigInt(random.below(2)) << 63n) | (BigInt(exponent) << 52n) | fraction;
}

/** 16 bytes of singles, doubles or anything. */
export function lanes(random: Random): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const kind = random.below(3);
  for (let i = 0; i < 4; i++) {
    if (kind === 0) view.setUint32(i * 4, single(random), true);
    else if (kind === 1) view.setBigUint64((i & 1) * 8, double(random), true);
    else view.setUint32(i * 4, random.value(), true);
  }
  return bytes;
}

function fillFpu(random: Random, fx: Uint8Array): void {
  const view = new DataView(fx.buffer, fx.byteOffset, fx.byteLength);
  const depth = random.below(9);
  const tags = random.oneIn(20) ? random.below(256) : (0xff00 >>> depth) & 0xff;
  const masks = random.oneIn(4) ? random.below(64) : 0x3f;
  view.setUint16(FX.fcw, (random.below(4) << 10) | (random.pick([0, 2, 3, 3, 3]) << 8) | 0x40 | masks, true);
  // Exceptions that are flagged already are masked ones: nothing is pending.
  const flagged = random.oneIn(3) ? random.below(64) & masks : 0;
  view.setUint16(FX.fsw, (((8 - depth) & 7) << 11) | (random.below(8) << 8) | flagged, true);
  view.setUint8(FX.ftw, tags);
  for (let i = 0; i < 8; i++) fx.set(extended(random), FX.st + 16 * i);
  const simdMasks = random.oneIn(4) ? random.below(64) : 0x3f;
  const simdFlags = random.oneIn(3) ? random.below(64) & simdMasks : 0;
  const modes = random.oneIn(4) ? (random.below(2) << 15) | (random.below(2) << 6) : 0;
  view.setUint32(FX.mxcsr, modes | (random.below(4) << 13) | (simdMasks << 7) | simdFlags, true);
  for (let i = 0; i < 8; i++) fx.set(lanes(random), FX.xmm + 16 * i);
}

export function randomState(random: Random): MachineState {
  const state = defaultState();
  for (const register of [0, 1, 2, 3]) state.registers[register] = random.value();
  for (const register of [4, 5, 6, 7]) state.registers[register] = dataAddress(random);
  state.eflags |= (random.word() & STATUS_FLAGS) | (random.oneIn(3) ? DIRECTION : 0);
  fillFpu(random, state.fx);
  return state;
}

/** Something better than the pattern for an operand in memory. */
export function operandBytes(random: Random, address: number): Patch[] {
  if (address < DATA || address + 16 > DATA + DATA_BYTES || random.oneIn(4)) return [];
  const bytes = random.oneIn(3) ? extended(random) : lanes(random);
  return [{ address, bytes }];
}
