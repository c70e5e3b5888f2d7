// A region: the code of one page that can be reached from one hot place, as basic blocks.
//
// Regions are found from decoded records, by following jumps inside the page. They have one entry. What leads out of them (to
// another page, through a register, to an instruction that only the interpreter does) is an exit.
import type { Form } from '../decode/instruction.js';
import { meaning } from '../instructions/index.js';
import type { Body, Statement } from '../language/nodes.js';

/** How an instruction ends. */
export type Flow =
  /** It runs into the next one, or faults. */
  | 'plain'
  /** It may jump to its immediate. */
  | 'branch'
  /** It always jumps, to its immediate or elsewhere. */
  | 'jump'
  /** It delegates or raises: the interpreter does it. */
  | 'foreign';

export interface RegionInstruction {
  readonly record: number;
  readonly eip: number;
  readonly nextEip: number;
  readonly form: Form;
  readonly body: Body;
  readonly flow: Flow;
  /** It sets flags on some of its ways and not on others. */
  readonly flagsMaybe: boolean;
  /** The immediate, of a branch or jump. */
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
}

/** What the finder asks about code: the instruction at `eip` on the page, if it is decoded or can be. */

export type Fetch = (eip: number) => Fetched | undefined;
export type Fetched = Omit<RegionInstruction, keyof FormFacts>;

/** What is true of every instruction of a form. */
type FormFacts = Pick<RegionInstruction, 'flow' | 'body' | 'flagsMaybe'>;

const LARGEST_REGION = 240;
const PAGE_MASK = ~0xfff;

const facts = new Map<Form, FormFacts>();

function some(statements: readonly Statement[], test: (statement: Statement) => boolean): boolean {
  return statements.some(
    (statement) =>
      test(statement) ||
      (statement.kind === 'if' && (some(statement.then, test) || some(statement.otherwise, test))) ||
      (statement.kind === 'loop' && some(statement.loop.body, test)),
  );
}

const isTarget = (statement: Statement): boolean =>
  statement.kind === 'jump' && statement.target.node.kind === 'field' && statement.target.node.field === 'immediate';

/** Derived from what the form means, once. */
function factsOf(form: Form): FormFacts {
  const known = facts.get(form);
  if (known !== undefined) return known;
  const body = meaning(form);
  const last = body.statements.at(-1);
  let flow: Flow = 'plain';
  if (some(body.statements, ({ kind }) => kind === 'delegate') || last?.kind === 'raise') flow = 'foreign';
  else if (last?.kind === 'jump') flow = 'jump';
  else if (some(body.statements, isTarget)) flow = 'branch';
  const setsFlags = ({ kind }: Statement): boolean => kind === 'setFlags';
  const inner = body.statements.filter((statement) => !setsFlags(statement));
  const result = { flow, body, flagsMaybe: some(inner, setsFlags) };
  facts.set(form, result);
  return result;
}

/** True for `jmp rel` and the branches, whose immediate can be a part of the region; a call goes out of it. */
const staysInside = ({ flow, form }: RegionInstruction): boolean =>
  flow === 'branch' || (flow === 'jump' && form.mnemonic === 'jmp');

/** The region that begins at `entry`; undefined when there is nothing in it to translate. */
export function findRegion(entry: number, fetch: Fetch): Region | undefined {
  const instructions = new Map<number, RegionInstruction>();
  const leaders = new Set<number>([entry]);
  const pending = [entry];
  const inPage = (eip: number): boolean => ((eip ^ entry) & PAGE_MASK) === 0;
  const lead = (eip: number): void => {
    if (!inPage(eip) || leaders.has(eip)) return;
    leaders.add(eip);
    pending.push(eip);
  };
  for (let eip = pending.shift(); eip !== undefined; eip = pending.shift()) {
    for (let at: number | undefined = eip; at !== undefined && !instructions.has(at);) {
      const fetched = instructions.size < LARGEST_REGION ? fetch(at) : undefined;
      if (fetched === undefined) break;
      const instruction: RegionInstruction = { ...fetched, ...factsOf(fetched.form) };
      instructions.set(at, instruction);
      if (staysInside(instruction)) lead(instruction.target);
      if (instruction.flow === 'branch') lead(instruction.nextEip);
      at = instruction.flow === 'plain' && inPage(instruction.nextEip) ? instruction.nextEip : undefined;
    }
  }
  const blocks = new Map<number, Block>();
  for (const leader of leaders) {
    const block = blockAt(leader, instructions, leaders);
    if (block !== undefined) blocks.set(leader, block);
  }
  const first = blocks.get(entry)?.instructions[0];
  return first === undefined || first.flow === 'foreign'
    ? undefined
    : { entry, blocks: withoutStrangers(blocks), size: instructions.size };
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
    if (staysInside(instruction)) successors.push(instruction.target);
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
function withoutStrangers(blocks: ReadonlyMap<number, Block>): ReadonlyMap<number, Block> {
  const inside = new Map<number, Block>();
  for (const [eip, block] of blocks)
    inside.set(eip, { ...block, successors: block.successors.filter((to) => blocks.has(to)) });
  return inside;
}
