// A buffer of a driver: not one range of memory but a list of them, which a device wants to read and write as one.
import type { GuestMemory } from './guest-memory.js';

/** A range of Guest RAM, checked when the descriptor was read. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

export const totalLength = (segments: readonly Segment[]): number =>
  segments.reduce((sum, segment) => sum + segment.length, 0);

/** The part of a list that begins at byte `start` and is at most `length` bytes long. Adjacent ranges become one. */
export function slice(segments: readonly Segment[], start: number, length = Infinity): Segment[] {
  const part: { address: number; length: number }[] = [];
  let skip = start;
  let left = length;
  for (const segment of segments) {
    if (left <= 0) break;
    if (skip >= segment.length) {
      skip -= segment.length;
      continue;
    }
    const address = segment.address + skip;
    const taken = Math.min(segment.length - skip, left);
    skip = 0;
    left -= taken;
    const last = part.at(-1);
    if (last !== undefined && last.address + last.length === address) last.length += taken;
    else part.push({ address, length: taken });
  }
  return part;
}

/** Copies from the list into `into`; returns how many bytes there were to copy. */
export function gather(memory: GuestMemory, segments: readonly Segment[], into: Uint8Array): number {
  let done = 0;
  for (const { address, length } of segments) {
    const taken = Math.min(length, into.length - done);
    if (taken <= 0) break;
    into.set(memory.bytes(address, taken), done);
    done += taken;
  }
  return done;
}

/** Copies `from` into the list; returns how many bytes found room. */
export function scatter(memory: GuestMemory, segments: readonly Segment[], from: Uint8Array): number {
  let done = 0;
  for (const { address, length } of segments) {
    const taken = Math.min(length, from.length - done);
    if (taken <= 0) break;
    memory.bytes(address, taken).set(from.subarray(done, done + taken));
    memory.wrote(address, taken);
    done += taken;
  }
  return done;
}
