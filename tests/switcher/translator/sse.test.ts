// Doubles that translated code takes for plain ones, and an MXCSR that it takes for the usual one: wherever they turn out to be
// others, it must come out as it does without a translator.
import t from 'tap';
import { assemble } from '../../support/assemble.js';
import { CODE_ADDRESS, defaultState, FX, type MachineState, shown } from '../../support/machine-state.js';
import { randomChoices } from '../../support/random-bytes.js';
import { EmulatedCpu } from '../../support/test-cpu.js';

const NUMBERS = 0x10000000;
const TABLE_BYTES = 1024;
const MXCSRS = 0x10000600;
const SAVED = 0x10000700;

/** PE set, as it nearly always is; clear; chopping; a denormal operand, or a result that is not exact, that raises. */
const USUAL = 0x1fa0;
const MODES = [USUAL, 0x1f80, USUAL | 0x6000, USUAL & ~0x100, 0x0f80];

const LEAST = 2 ** -1022;
const MOST = Number.MAX_VALUE;
const DENORMAL = 5e-324;
const STRANGE: readonly [number | bigint, ...(number | bigint)[]] = [
  DENORMAL,
  -LEAST / 2,
  Infinity,
  -Infinity,
  NaN,
  0,
  -0,
  LEAST,
  MOST,
];
/** A NaN that signals is no number of JavaScript's: it is put together. */
const SIGNALLING = 0x7ff0_0000_0000_0001n;

interface Before {
  readonly mxcsr: number;
  /** Halves of xmm0 … xmm7. */
  readonly halves: readonly (number | bigint)[];
  readonly table: readonly (number | bigint)[];
}

function put(view: DataView, at: number, number: number | bigint): void {
  if (typeof number === 'bigint') view.setBigUint64(at, number, true);
  else view.setFloat64(at, number, true);
}

function stateOf({ mxcsr, halves, table }: Before, code: Uint8Array): MachineState {
  const state = defaultState();
  const image = new DataView(state.fx.buffer);
  image.setUint32(FX.mxcsr, mxcsr, true);
  halves.forEach((number, i) => put(image, FX.xmm + 8 * i, number));
  const numbers = new DataView(new ArrayBuffer(TABLE_BYTES));
  table.forEach((number, i) => put(numbers, 8 * i, number));
  const modes = new DataView(new ArrayBuffer(4 * MODES.length));
  MODES.forEach((mode, i) => modes.setUint32(4 * i, mode, true));
  state.patches = [
    { address: NUMBERS, bytes: new Uint8Array(numbers.buffer) },
    { address: MXCSRS, bytes: new Uint8Array(modes.buffer) },
    { address: CODE_ADDRESS, bytes: code },
  ];
  return state;
}

function outcome(cpu: EmulatedCpu, before: Before, code: Uint8Array): string {
  cpu.reset(stateOf(before, code));
  return shown(cpu.run());
}

/** What comes out of `text` with each of `befores`, one after the other: code is translated for the first of them. */
function compare(test: Pick<typeof t, 'fail' | 'pass'>, text: string, befores: readonly Before[]): void {
  const code = assemble(`${text}; int3`, CODE_ADDRESS).bytes;
  const [evaluated, translated] = [new EmulatedCpu('evaluate'), new EmulatedCpu('translate')];
  befores.forEach((before, i) => {
    const [wanted, found] = [outcome(evaluated, before, code), outcome(translated, before, code)];
    if (wanted !== found)
      test.fail(`run ${i}`, { text, before: before.halves.map(String), mxcsr: before.mxcsr, wanted, found });
  });
  test.pass(`${befores.length} runs`);
}

const PLAIN_HALVES: readonly (number | bigint)[] = Array.from({ length: 16 }, (_, i) => 1 / 3 + i);
const PLAIN_TABLE: readonly (number | bigint)[] = Array.from(
  { length: TABLE_BYTES / 8 },
  (_, i) => Math.sqrt(i + 2) - 3,
);

const CASES: Readonly<Record<string, string>> = {
  'what a loop carries round in a register': `
      mov $5, %ecx
    again:
      mulsd %xmm1, %xmm0; addsd %xmm2, %xmm0; movapd %xmm0, %xmm3; addsd %xmm3, %xmm3; dec %ecx; jnz again`,
  'what a loop loads at its end for its next round': `
      mov $6, %ecx; mov $0x10000000, %esi; addsd %xmm0, %xmm1
    again:
      addsd %xmm0, %xmm1; mulsd %xmm1, %xmm2; add $8, %esi; movsd (%esi), %xmm0; dec %ecx; jnz again`,
  'both halves, from memory and in registers': `
      mov $4, %ecx; mov $0x10000000, %esi
    again:
      movapd (%esi), %xmm0; mulpd %xmm1, %xmm0; addpd 0x40(%esi), %xmm0; divpd %xmm2, %xmm0; movapd %xmm0, 0x700(%esi)
      subpd %xmm0, %xmm3; unpckhpd %xmm3, %xmm3; add $16, %esi; dec %ecx; jnz again`,
  'MXCSR loaded in the middle': `
      mov $5, %ecx; mov $0x10000000, %esi
    again:
      addsd %xmm0, %xmm1; ldmxcsr 0x100005fc(,%ecx,4); addsd (%esi), %xmm1; mulpd %xmm1, %xmm2; stmxcsr 0x10000700(,%ecx,4)
      add $8, %esi; dec %ecx; jnz again`,
  'PE cleared by the Guest is set again by what is not exact': `
      mov $4, %ecx; movl $0x1f80, 0x10000600
    again:
      addsd %xmm0, %xmm1; ldmxcsr 0x10000600; stmxcsr 0x10000700(,%ecx,4); mulsd %xmm0, %xmm1; stmxcsr 0x10000720(,%ecx,4)
      dec %ecx; jnz again`,
  'MXCSR restored with everything else': `
      fxsave 0x10000800; mov $3, %ecx; movl $0x1f80, 0x10000818
    again:
      addsd %xmm0, %xmm1; mulsd %xmm1, %xmm1; stmxcsr 0x10000700(,%ecx,4); fxrstor 0x10000800; addsd %xmm2, %xmm0; dec %ecx; jnz again`,
  'a register that is a number on one way and anything on the other': `
      mov $6, %ecx; mov $0x10000000, %esi
    again:
      test $1, %cl; jnz odd; mulsd %xmm1, %xmm0; jmp both; odd: movsd (%esi), %xmm0; both:
      addsd %xmm0, %xmm2; add $8, %esi; dec %ecx; jnz again`,
  'comparisons, the smaller and the larger': `
      mov $8, %ecx; mov $0x10000000, %esi
    again:
      comisd (%esi), %xmm0; setb 0x700(%esi); setz 0x701(%esi); setp 0x702(%esi); minsd (%esi), %xmm1; maxsd %xmm0, %xmm2
      addsd %xmm1, %xmm2; ucomisd %xmm2, %xmm1; jbe less; sqrtsd %xmm2, %xmm3; less: add $8, %esi; dec %ecx; jnz again`,
  'zeros, integers and halves that are moved': `
      mov $4, %ecx
    again:
      pxor %xmm0, %xmm0; addsd %xmm0, %xmm1; cvtsi2sd %ecx, %xmm2; mulpd %xmm2, %xmm3; movddup %xmm3, %xmm4; shufpd $1, %xmm3, %xmm3
      addpd %xmm3, %xmm4; movhpd 0x10000008, %xmm4; addpd %xmm4, %xmm5; movlhps %xmm5, %xmm1; mulpd %xmm1, %xmm1; dec %ecx; jnz again`,
};

/** Everything plain; each register with something strange in it; the table with something strange in it. */
function befores(): Before[] {
  const plain = { mxcsr: USUAL, halves: PLAIN_HALVES, table: PLAIN_TABLE };
  const strange = [...STRANGE, SIGNALLING];
  return [
    plain,
    ...strange.flatMap((number, i): Before[] => [
      { ...plain, halves: PLAIN_HALVES.with((5 * i) % 6, number) },
      { ...plain, table: PLAIN_TABLE.with(i % 4, number).with(8 + (i % 5), number) },
      { ...plain, table: PLAIN_TABLE.with(5, number) },
    ]),
    ...MODES.map((mxcsr) => ({ ...plain, mxcsr })),
    ...MODES.map((mxcsr) => ({
      ...plain,
      mxcsr,
      table: PLAIN_TABLE.with(2, DENORMAL),
      halves: PLAIN_HALVES.with(2, MOST),
    })),
    plain,
  ];
}

for (const [name, text] of Object.entries(CASES)) {
  t.test(name, async (sub) => {
    compare(sub, text, befores());
    // Made for what is strange first.
    compare(sub, text, befores().slice(1).toReversed());
  });
}

// ---------------------------------------------------------------- at random

const PROGRAMS = 50;
const { below, pick } = randomChoices(11);
const register = (): string => `%xmm${below(5)}`;
const SCALAR = [
  'addsd',
  'subsd',
  'mulsd',
  'divsd',
  'minsd',
  'maxsd',
  'sqrtsd',
  'comisd',
  'cvtsd2ss',
  'cmpsd $1,',
] as const;
const PACKED = [
  'addpd',
  'subpd',
  'mulpd',
  'divpd',
  'sqrtpd',
  'minpd',
  'haddpd',
  'addsubpd',
  'addps',
  'cmppd $2,',
] as const;
const MOVES = [
  'movapd',
  'unpcklpd',
  'unpckhpd',
  'movsd',
  'movddup',
  'movhlps',
  'movlhps',
  'xorpd',
  'paddq',
  'cvtdq2pd',
] as const;

function randomInstruction(): string {
  const [one, other] = [register(), register()];
  const [at8, at16] = [`${8 * below(12)}(%esi)`, `${16 * below(6)}(%esi)`];
  switch (below(12)) {
    case 0:
    case 1:
    case 2:
      return `${pick(SCALAR)} ${one}, ${other}`;
    case 3:
    case 4:
      return `${pick(SCALAR)} ${at8}, ${other}`;
    case 5:
      return `${pick(PACKED)} ${one}, ${other}`;
    case 6:
      return `${pick(PACKED)} ${at16}, ${other}`;
    case 7:
      return `${pick(MOVES)} ${one}, ${other}`;
    case 8:
      return pick([`movsd ${at8}, ${one}`, `movapd ${at16}, ${one}`, `movhpd ${at8}, ${one}`, `movlpd ${at8}, ${one}`]);
    case 9:
      return pick([`pxor ${one}, ${one}`, `cvtsi2sd %ecx, ${one}`, `shufpd $${below(4)}, ${one}, ${other}`]);
    case 10:
      return pick([`movsd ${one}, 0x600(%esi)`, `movapd ${one}, 0x600(%esi)`]);
    default: {
      const label = `l${below(1 << 16)}_${below(1 << 16)}`;
      return `comisd ${one}, ${other}; ${pick(['jb', 'jz', 'jp'])} ${label}; ${randomInstruction()}; ${label}: nop`;
    }
  }
}

const plainNumber = (): number => (below(2000) - 1000) * 2 ** pick([0, 0, 0, -3, 10, 500, -500, -1030]);
const anyNumber = (): number | bigint =>
  below(30) === 0 ? pick<number | bigint>([SIGNALLING, ...STRANGE]) : plainNumber();

const randomBefore = (mxcsr: number, number: () => number | bigint): Before => ({
  mxcsr,
  halves: Array.from({ length: 16 }, number),
  table: Array.from({ length: TABLE_BYTES / 8 }, number),
});

t.test('programs at random come out the same with the evaluator and the translator', async (sub) => {
  for (let i = 0; i < PROGRAMS; i++) {
    const body = Array.from({ length: 4 + below(12) }, randomInstruction).join('; ');
    const text = `mov $4, %ecx; mov $0x10000000, %esi; again: ${body}; add $16, %esi; dec %ecx; jnz again; stmxcsr ${SAVED}`;
    compare(sub, text, [
      randomBefore(USUAL, plainNumber),
      ...Array.from({ length: 4 }, () => randomBefore(USUAL, anyNumber)),
      randomBefore(pick([0x1f80, ...MODES]), anyNumber),
    ]);
  }
});
