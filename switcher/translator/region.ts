// A region: the code that can be reached from one hot place, as basic blocks.
//
// Regions are found from decoded records, by following jumps and calls, on a few pages at most. They have one entry. What leads
// out of them (too far, through a register, to an instruction that only the interpreter does) is an exit. A return goes, as a
// guess that is checked, to the calls of the region that can have led to it.
import { PAGE_SHIFT } from '../../guest-abi/addresses.js';
import type { Form } from '../decode/instruction.js';
import type { Flow } from '../instructions/form-facts.js';

export interface RegionInstruction {
  /** Where its record is. */
  readonly record: number;
  readonly eip: number;
  readonly nextEip: number;
  readonly form: Form;
  readonly flow: Flow;
  /** Where a branch or jump goes; of one through a register or memory, where it went last, 0 if that is not known. */
  readonly target: number;
}

export interface Block {
  readonly eip: number;
  readonly instructions: readonly RegionInstruction[];
  /** eip of the blocks inside the region that this one may go to. */
  readonly successors: readonly number[];
}

export interface Region {
  readonly entry: number;
  readonly blocks: ReadonlyMap<number, Block>;
  readonly size: number;
  /** The linear pages that it lies on besides the entry's. */
  readonly otherPages: readonly number[];
}

/** What the finder asks about code: the instruction at `eip` on the page, if it is decoded or can be. */
export type Fetch = (eip: number) => RegionInstruction | undefined;

const LARGEST_REGION = 240;
/** How many places one return is compared with. */
const LARGEST_RETURN = 4;

/** Where the instruction can be expected to go, besides to the next one. A return is expected where its call was. */
const expectedTarget = (instruction: RegionInstruction): number | undefined => {
  const { flow, form, target } = instruction;
  if (flow !== 'branch' && flow !== 'jump') return undefined;
  if (flow === 'branch' || form.operands[0]?.kind === 'target') return target;
  return isReturn(instruction) || target === 0 ? undefined : target;
};
const isCall = ({ form }: RegionInstruction): boolean => form.mnemonic === 'call';
const isReturn = ({ form }: RegionInstruction): boolean => form.mnemonic === 'ret';
const pageOf = (eip: number): number => eip >>> PAGE_SHIFT;

/** Collects instructions from the entry on, breadth first. */
class Explorer {
  readonly instructions = new Map<number, RegionInstruction>();
  readonly leaders: Set<number>;
  readonly #pages: Set<number>;
  readonly #largestPages: number;
  readonly #pending: number[];

  constructor(entry: number, pages: number) {
    this.leaders = new Set([entry]);
    this.#pages = new Set([pageOf(entry)]);
    this.#largestPages = pages;
    this.#pending = [entry];
  }

  #lead(eip: number): void {
    if (this.leaders.has(eip) || !this.#admit(eip)) return;
    this.leaders.add(eip);
    this.#pending.push(eip);
  }

  #admit(eip: number): boolean {
    const page = pageOf(eip);
    if (this.#pages.has(page)) return true;
    if (this.#pages.size >= this.#largestPages) return false;
    this.#pages.add(page);
    return true;
  }

  explore(fetch: Fetch): void {
    for (let eip = this.#pending.shift(); eip !== undefined; eip = this.#pending.shift()) {
      let at: number | undefined = eip;
      while (at !== undefined && !this.instructions.has(at)) at = this.#take(at, fetch);
    }
  }

  /** Takes the instruction at `eip` in; gives the one that it runs into, if that is to be taken next. */
  #take(eip: number, fetch: Fetch): number | undefined {
    const { instructions } = this;
    const instruction = instructions.size < LARGEST_REGION ? fetch(eip) : undefined;
    if (instruction === undefined) return undefined;
    const target = expectedTarget(instruction);
    instructions.set(eip, instruction);
    if (isCall(instruction)) {
      // A call is followed while there is room for what it calls; then there is somewhere to return to.
      if (target !== undefined && instructions.size < LARGEST_REGION / 2) {
        this.#lead(target);
        this.#lead(instruction.nextEip);
      }
      return undefined;
    }
    if (target !== undefined) this.#lead(target);
    if (instruction.flow === 'branch') this.#lead(instruction.nextEip);
    return instruction.flow === 'plain' && this.#admit(instruction.nextEip) ? instruction.nextEip : undefined;
  }
}

/**
 * The region that begins at `entry`; undefined when there is nothing in it to translate.
 *
 * @param pages on how many pages it may lie
 */
export function findRegion(entry: number, fetch: Fetch, pages: number): Region | undefined {
  const explorer = new Explorer(entry, pages);
  explorer.explore(fetch);
  const { instructions, leaders } = explorer;
  const blocks = new Map<number, Block>();
  for (const leader of leaders) {
    const block = blockAt(leader, instructions, leaders);
    if (block !== undefined) blocks.set(leader, block);
  }
  const first = blocks.get(entry)?.instructions[0];
  if (first === undefined || first.flow === 'foreign') return undefined;
  const inside = withReturns(withoutStrangers(blocks));
  const otherPages = new Set([...instructions.keys()].map(pageOf));
  otherPages.delete(pageOf(entry));
  return { entry, blocks: inside, size: instructions.size, otherPages: [...otherPages] };
}

function blockAt(
  leader: number,
  all: ReadonlyMap<number, RegionInstruction>,
  leaders: ReadonlySet<number>,
): Block | undefined {
  const instructions: RegionInstruction[] = [];
  const successors: number[] = [];
  for (let instruction = all.get(leader); instruction !== undefined;) {
    instructions.push(instruction);
    if (instruction.flow === 'foreign') break;
    const target = expectedTarget(instruction);
    if (target !== undefined) successors.push(target);
    if (instruction.flow === 'jump') break;
    if (instruction.flow === 'branch' || leaders.has(instruction.nextEip)) {
      successors.push(instruction.nextEip);
      break;
    }
    instruction = all.get(instruction.nextEip);
  }
  return instructions.length === 0 ? undefined : { eip: leader, instructions, successors };
}

/** Leaves out successors that are no blocks of the region: they are exits. */
function withoutStrangers(blocks: ReadonlyMap<number, Block>): Map<number, Block> {
  const inside = new Map<number, Block>();
  for (const [eip, block] of blocks) {
    inside.set(eip, { ...block, successors: block.successors.filter((to) => blocks.has(to)) });
  }
  return inside;
}

/** Lets each return lead to behind the calls of the functions that it can be the end of. */
function withReturns(blocks: Map<number, Block>): ReadonlyMap<number, Block> {
  for (const { instructions, successors } of [...blocks.values()]) {
    const call = instructions.at(-1);
    const [callee] = successors;
    if (call === undefined || callee === undefined || !isCall(call) || !blocks.has(call.nextEip)) continue;
    for (const end of returnsOf(callee, blocks)) {
      if (end.successors.includes(call.nextEip) || end.successors.length >= LARGEST_RETURN) continue;
      blocks.set(end.eip, { ...end, successors: [...end.successors, call.nextEip] });
    }
  }
  return blocks;
}

/** The blocks by which the function at `entry` returns. */
function returnsOf(entry: number, blocks: ReadonlyMap<number, Block>): Block[] {
  const seen = new Set<number>();
  const pending = [entry];
  const ends: Block[] = [];
  for (let eip = pending.pop(); eip !== undefined; eip = pending.pop()) {
    const block = blocks.get(eip);
    const last = block?.instructions.at(-1);
    if (block === undefined || last === undefined || seen.has(eip)) continue;
    seen.add(eip);
    if (isReturn(last)) ends.push(block);
    else if (isCall(last)) pending.push(last.nextEip);
    else pending.push(...block.successors);
  }
  return ends;
}
