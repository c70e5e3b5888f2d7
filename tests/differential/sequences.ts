// A few random instructions in a row, often in a loop, sometimes changing themselves: what one leaves behind in an engine
// (flags not yet worked out, a place on the x87 stack, code already prepared) is there for the next one to find.
import type { FormExample } from '../../switcher/decode/all-forms.js';
import type { Plan } from '../native/templates/template.js';
import { CODE_ADDRESS, type MachineState } from '../support/machine-state.js';
import { mutate } from './instructions.js';
import { oddPlace, placed } from './oddities.js';
import type { Random } from './random.js';
import { randomState } from './states.js';

const LONGEST = 6;
/** With these the rest would run in another way, or what is undefined would be seen. */
const LEFT_OUT = new Set(
  (
    'popf shld shrd loop loope loopne bound into int3 cmpsb cmpsw cmpsl fnstsw fldenv frstor ' +
    'hlt cli sti clts in out insb insw insl outsb outsw outsl lgdt lidt lldt ltr lmsw invlpg invd wbinvd rdmsr wrmsr'
  ).split(' '),
);
const READS_FLAGS =
  /^(j|set|cmov|fcmov|adc|sbb|rc[lr]|pushf|lahf|salc|da[as]|aa[as]|cmc|sahf|cl[cd]|st[cd]|into|fnsts)/;
export interface Sequence {
  /** All of it, also what finds no place. */
  readonly code: Uint8Array;
  /** Where in `code` each instruction ends. */
  readonly ends: readonly number[];
  readonly mnemonics: readonly string[];
  readonly state: MachineState;
  readonly tolerance: Partial<Plan>;
}

type Loose = (mnemonic: string) => Partial<Plan>;

/** The examples that can stand in a row with others. */
export const rowExamples = (examples: readonly FormExample[], loose: Loose): FormExample[] =>
  examples.filter(({ form, mode }) => {
    const { ulps, approximate } = loose(form.mnemonic);
    const isPrivileged = form.operands.some(({ kind }) => kind === 'control' || kind === 'debug');
    const isExact = ulps === undefined && approximate === undefined;
    return mode.flat && isExact && !isPrivileged && !LEFT_OUT.has(form.mnemonic);
  });

/** ebp esi edi, through which memory is reached: aligned, mostly. */
const POINTERS = [5, 6, 7];

/** Where a loop counts, in the data. */
const COUNTER = 0x10001e00;

const word = (value: number): number[] => [value, value >>> 8, value >>> 16, value >>> 24].map((byte) => byte & 0xff);

/** Where the code is, and where its data segment begins. */
interface Surroundings {
  readonly eip: number;
  readonly base: number;
}

const USUAL: Surroundings = { eip: CODE_ADDRESS, base: 0 };
/** A segment with a base, and more of those for data that can be it. */
const SELECTOR = 0x63;
const BASE = 0x10000100;
const [ES, DS] = [0, 3] as const;
/** esi and edi: ebp points into the stack segment. */
const DATA_POINTERS = [6, 7] as const;
const LONGEST_CODE = 80;

/** Over the edge of a page, mostly, and in segments that are not flat. */
const oddSurroundings = (random: Random): Surroundings => ({
  eip: random.oneIn(4) ? CODE_ADDRESS : oddPlace(random, LONGEST_CODE),
  base: random.oneIn(2) ? BASE : 0,
});

/** `add byte ptr [address], imm8` and `mov r32, imm32`: the first changes the second, wherever they come to stand. */
function changeCode(random: Random, pieces: Uint8Array[], { eip, base }: Surroundings): void {
  const changed = Uint8Array.from([0xb8 + random.below(3), ...word(random.value())]);
  const changing = Uint8Array.from([0x80, 0x05, ...word(0), random.below(256)]);
  pieces.splice(random.below(pieces.length + 1), 0, changed);
  pieces.splice(random.below(pieces.length + 1), 0, changing);
  const at = pieces.slice(0, pieces.indexOf(changed)).reduce((sum, piece) => sum + piece.length, 0);
  changing.set(word(eip + at + 1 + random.below(4) - base), 2);
}

/** `sub dword ptr [COUNTER], 1; jnz` back to the beginning. */
function loopOver(pieces: Uint8Array[], { base }: Surroundings): void {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  pieces.push(Uint8Array.from([0x83, 0x2d, ...word(COUNTER - base), 1]));
  pieces.push(Uint8Array.from([0x0f, 0x85, ...word(-(length + 7 + 6))]));
}

/** @param odd in odd places and segments, and more often with code that changes itself */
export function randomSequence(random: Random, examples: readonly FormExample[], loose: Loose, odd = false): Sequence {
  const pieces: Uint8Array[] = [];
  const mnemonics: string[] = [];
  let [undefinedFlags, undefinedStatus] = [0, 0];
  const ignore = new Set<string>();
  const wanted = 2 + random.below(LONGEST - 1);
  while (pieces.length < wanted) {
    const example = examples[random.below(examples.length)];
    if (example === undefined) break;
    const { mnemonic } = example.form;
    // What looks at flags does not come after what leaves some undefined.
    if (undefinedFlags !== 0 && READS_FLAGS.test(mnemonic)) continue;
    const rules = loose(mnemonic);
    undefinedFlags |= rules.undefinedFlags ?? 0;
    undefinedStatus |= rules.undefinedStatus ?? 0;
    for (const name of rules.ignoreOnFault ?? []) ignore.add(name);
    pieces.push(mutate(random, example, true));
    mnemonics.push(mnemonic);
  }
  const surroundings = odd ? oddSurroundings(random) : USUAL;
  if (random.oneIn(odd ? 2 : 8)) changeCode(random, pieces, surroundings);
  const rounds = random.pick([0, 0, 2, 40, 400]);
  if (rounds > 0) loopOver(pieces, surroundings);
  const code = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
  const state = randomState(random);
  if (!random.oneIn(4))
    for (const pointer of POINTERS) state.registers[pointer] = (state.registers[pointer] ?? 0) & ~15;
  state.patches = [
    { address: CODE_ADDRESS, bytes: code },
    { address: COUNTER, bytes: Uint8Array.from(word(rounds)) },
  ];
  if (surroundings.base !== 0) {
    state.segments[ES] = state.segments[DS] = SELECTOR;
    for (const pointer of DATA_POINTERS) state.registers[pointer] = (state.registers[pointer] ?? 0) - BASE;
  }
  placed(code, state, surroundings.eip);
  let end = 0;
  const ends = pieces.map((piece) => (end += piece.length));
  return { code, ends, mnemonics, state, tolerance: { undefinedFlags, undefinedStatus, ignoreOnFault: [...ignore] } };
}
