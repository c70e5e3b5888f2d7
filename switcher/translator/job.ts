// A region on its way to be written, with all that the writer must know of the CPU: plain data, which another thread can be
// given.
import * as State from '../cpu/state.js';
import { RECORD_SIZE } from '../interpreter/records.js';
import type { Block, Region, RegionInstruction } from './region.js';
import type { X87Shape } from './region-x87.js';

export interface Job {
  /** Its instructions' records are places in `records`. */
  readonly region: Region;
  readonly records: Uint8Array;
  /** The pages that it lies on besides that of its entry, and what the flat map said of them. */
  readonly otherPages: readonly { readonly page: number; readonly entry: number }[];
  /** It runs at ring 3. */
  readonly user: boolean;
  /** What the x87 was like, undefined if nothing is to be made of that. */
  readonly shape: X87Shape | undefined;
  /** Which halves of XMM registers were plain doubles (see region-sse). */
  readonly plainDoubles: number;
  /** Instructions are to be counted. */
  readonly counts: boolean;
}

/** What another thread that is given jobs says first; afterwards it gives an outcome for each, in their order. */
export const READY = 'ready';

/** The region with copies of its records, which are read from `memory`. */
export function withItsRecords(region: Region, memory: Uint8Array): Pick<Job, 'region' | 'records'> {
  const all = [...region.blocks.values()].flatMap(({ instructions }) => instructions);
  const records = new Uint8Array(all.length * RECORD_SIZE);
  let place = 0;
  const moved = (instruction: RegionInstruction): RegionInstruction => {
    const { record } = instruction;
    records.set(memory.subarray(record, record + RECORD_SIZE), place);
    place += RECORD_SIZE;
    return { ...instruction, record: place - RECORD_SIZE };
  };
  const blocks = new Map<number, Block>();
  for (const [eip, block] of region.blocks) blocks.set(eip, { ...block, instructions: block.instructions.map(moved) });
  return { region: { ...region, blocks }, records };
}

/** Where the flat map for reading, or for writing, begins. */
export function flatMap(user: boolean, write: boolean): number {
  if (user) return write ? State.USER_WRITE_MAP : State.USER_READ_MAP;
  return write ? State.KERNEL_WRITE_MAP : State.KERNEL_READ_MAP;
}
