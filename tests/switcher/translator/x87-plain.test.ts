// x87 numbers that translated code takes for plain ones: wherever they turn out to be others, it must come out as it does without
// a translator.
import t from 'tap';
import { assemble } from '../../support/assemble.js';
import { CODE_ADDRESS, defaultState, FX, type MachineState, shown } from '../../support/machine-state.js';
import { randomChoices } from '../../support/random-bytes.js';
import { EmulatedCpu } from '../../support/test-cpu.js';

const NUMBERS = 0x10000000;
const DOUBLES = 32;
/** 80-bit numbers, 16 bytes each. */
const WHOLE = 0x10000400;
/** How deep the stack is where a program begins, and where it goes round. */
const DEPTH = 3;

type Bits80 = readonly [significand: bigint, signExponent: number];

/** Zeros; an infinity; NaNs; denormal; far away from one; an unnormal one, a pseudo-denormal, a pseudo-NaN. */
const STRANGE: readonly Bits80[] = [
  [0n, 0],
  [0n, 0x8000],
  [1n << 63n, 0x7fff],
  [3n << 62n, 0xffff],
  [(1n << 63n) | 1n, 0x7fff],
  [1n << 20n, 0],
  [(1n << 63n) | 7n, 0x1fff],
  [(1n << 63n) | 7n, 0x2000],
  [(1n << 64n) - 1n, 0x5fff],
  [1n << 63n, 0x6000],
  [(1n << 63n) | 5n, 0x7ffe],
  [(1n << 63n) | 5n, 1],
  [1n << 62n, 0x3fff],
  [1n << 63n, 0],
  [1n, 0x7fff],
];
const STRANGE_DOUBLES = [0, -0, Infinity, -Infinity, NaN, 5e-324, Number.MAX_VALUE, 2 ** -1022];

interface Before {
  readonly control: number;
  /** ST(0) … ST(7); the first DEPTH are there. */
  readonly stack: readonly Bits80[];
  readonly doubles: readonly number[];
  readonly whole: readonly Bits80[];
}

function stateOf({ control, stack, doubles, whole }: Before, code: Uint8Array): MachineState {
  const state = defaultState();
  const image = new DataView(state.fx.buffer);
  image.setUint16(FX.fcw, control, true);
  image.setUint16(FX.fsw, (8 - DEPTH) << 11, true);
  image.setUint8(FX.ftw, (0xff00 >>> DEPTH) & 0xff);
  stack.forEach(([significand, signExponent], i) => {
    image.setBigUint64(FX.st + 16 * i, significand, true);
    image.setUint16(FX.st + 16 * i + 8, signExponent, true);
  });
  const numbers = new DataView(new ArrayBuffer(8 * DOUBLES));
  doubles.forEach((number, i) => numbers.setFloat64(8 * i, number, true));
  const wide = new DataView(new ArrayBuffer(16 * whole.length));
  whole.forEach(([significand, signExponent], i) => {
    wide.setBigUint64(16 * i, significand, true);
    wide.setUint16(16 * i + 8, signExponent, true);
  });
  state.patches = [
    { address: NUMBERS, bytes: new Uint8Array(numbers.buffer) },
    { address: WHOLE, bytes: new Uint8Array(wide.buffer) },
    { address: CODE_ADDRESS, bytes: code },
  ];
  return state;
}

/** What comes out of `text` with each of `befores`, one after the other: code is translated for the first of them. */
function compare(test: Pick<typeof t, 'fail' | 'pass'>, text: string, befores: readonly Before[]): void {
  const code = assemble(`${text}; int3`, CODE_ADDRESS).bytes;
  const [evaluated, translated] = [new EmulatedCpu('evaluate'), new EmulatedCpu('translate')];
  befores.forEach((before, i) => {
    const [wanted, found] = [evaluated, translated].map((cpu) => {
      cpu.reset(stateOf(before, code));
      return shown(cpu.run());
    });
    if (wanted !== found)
      test.fail(`run ${i}`, { text, stack: before.stack.join(' '), wanted: String(wanted), found: String(found) });
  });
  test.pass(`${befores.length} runs`);
}

const plain = (number: number): Bits80 => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn) - 1023 + 0x3fff;
  return [(1n << 63n) | ((bits << 11n) & ((1n << 63n) - 1n)), exponent | (number < 0 ? 0x8000 : 0)];
};

const USUAL = 0x037f;
const PLAIN: Before = {
  control: USUAL,
  stack: Array.from({ length: 8 }, (_, i) => plain((i + 1) / 3 - 1.1)),
  doubles: Array.from({ length: DOUBLES }, (_, i) => Math.sqrt(i + 2) - 3),
  whole: Array.from({ length: 8 }, (_, i) => plain(i + 0.7)),
};

const CASES: Readonly<Record<string, string>> = {
  'what a loop carries round': `
      mov $6, %ecx; again: fmul %st(1), %st; fadd %st(2), %st; fld %st; fsubp %st, %st(2); dec %ecx; jnz again`,
  'zeros that are added and multiplied': `
      mov $4, %ecx; again: fld %st; fsub %st(1), %st; fadd %st, %st(2); fmul %st(1), %st; fsubrp %st, %st(2); fldz; fmulp; dec %ecx; jnz again`,
  'numbers that grow and shrink beyond all bounds': `
      mov $14, %ecx; again: fmul %st, %st; fld %st(1); fmul %st, %st(2); fstp %st; fxch %st(2); dec %ecx; jnz again`,
  'what memory holds': `
      mov $6, %ecx; mov $0x10000000, %esi
    again: fldl (%esi); fmul %st(1), %st; faddl 8(%esi); fstl 0x700(%esi); fsubrp %st, %st(2); fmuls 16(%esi); add $8, %esi; dec %ecx; jnz again`,
  '80 bits from memory': `
      mov $6, %ecx; mov $0x10000400, %esi
    again: fldt (%esi); fadd %st(1), %st; fmul %st, %st(2); fcomi %st(1), %st; setb (%esi); fstpt 0x200(%esi); add $16, %esi; dec %ecx; jnz again`,
  'a plain number on one way and anything on the other': `
      mov $6, %ecx; mov $0x10000400, %esi; mov $0x10000000, %edi
    again: test $1, %cl; jz even; fldt (%esi); jmp both; even: fldl (%edi); both: fcomi %st(1), %st; setb 0x600(%edi); setp 0x601(%edi)
      faddp %st, %st(2); add $16, %esi; add $8, %edi; dec %ecx; jnz again`,
  comparisons: `
      mov $6, %ecx; mov $0x10000000, %esi
    again: fcomi %st(1), %st; setb 0x600(%esi); setz 0x601(%esi); setp 0x602(%esi); fcoml (%esi); fnstsw 0x604(%esi); fxch %st(1); fxch %st(2)
      ftst; fnstsw 0x606(%esi); add $8, %esi; dec %ecx; jnz again`,
  'MMX and fxrstor between': `
      fxsave 0x10000800; mov $3, %ecx
    again: fmul %st(1), %st; faddp %st, %st(1); fld %st; movq %mm0, %mm3; movq %mm3, %mm1; movq %mm0, 0x10000600; fxrstor 0x10000800; fadd %st(1), %st
      dec %ecx; jnz again; movq %mm6, %mm5; movq %mm5, %mm7; emms; fxrstor 0x10000800`,
  'MMX numbers that were plain ones': `
      fadd %st(1), %st; movq %mm5, %mm0; movq %mm6, %mm1; fcomi %st(6), %st; setb 0x10000600; setp 0x10000610
      fcomi %st(1), %st; setp 0x10000620; fcomi %st(7), %st; setp 0x10000630; fadd %st(5), %st; fmul %st(1), %st`,
};

function befores(): Before[] {
  const strange = STRANGE.flatMap((number, i): Before[] => [
    { ...PLAIN, stack: PLAIN.stack.with(i % DEPTH, number) },
    { ...PLAIN, whole: PLAIN.whole.with(i % 6, number) },
  ]);
  const doubles = STRANGE_DOUBLES.map((number, i) => ({ ...PLAIN, doubles: PLAIN.doubles.with(i % 6, number) }));
  const controls = [0x027f, 0x0f7f, 0x035f, 0x037a].map((control) => ({ ...PLAIN, control }));
  return [PLAIN, ...strange, ...doubles, ...controls, PLAIN];
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
const { below, pick } = randomChoices(23);
const BINARY = ['fadd', 'fsub', 'fsubr', 'fmul', 'fadd', 'fmul', 'fdiv', 'fdivr'] as const;

/** An instruction for a stack of `depth`, and how deep it is afterwards. */
function randomInstruction(depth: number): readonly [text: string, depth: number] {
  const st = `%st(${below(depth)})`;
  const at = `${8 * below(12)}(%esi)`;
  if (depth > 2 && below(3) === 0) {
    const other = `%st(${1 + below(depth - 1)})`;
    const popping = pick([
      `${pick(BINARY)}p %st, ${other}`,
      `fstpl 0x600(%esi)`,
      `fcomip ${other}, %st`,
      `fstp ${other}`,
    ]);
    return [popping, depth - 1];
  }
  if (depth < 6 && below(3) === 0) {
    return [
      pick([`fldl ${at}`, `flds ${at}`, `fld ${st}`, 'fld1', 'fldz', `fldt ${16 * below(6)}(%edi)`, `fildl ${at}`]),
      depth + 1,
    ];
  }
  return [
    pick([
      `${pick(BINARY)} ${st}, %st`,
      `${pick(BINARY)} %st, ${st}`,
      `${pick(BINARY)}l ${at}`,
      `fxch ${st}`,
      pick(['fchs', 'fabs', 'fsqrt', 'frndint', 'ftst']),
      `fst ${st}`,
      'fstl 0x600(%esi)',
      `fucomi ${st}, %st; setb 0x600(%esi)`,
    ]),
    depth,
  ];
}

function randomBody(): string {
  const parts: string[] = [];
  let depth = DEPTH;
  for (let i = 4 + below(12); i > 0 || depth !== DEPTH; i--) {
    const [text, next] =
      i > 0 ? randomInstruction(depth) : depth > DEPTH ? ['fstp %st', depth - 1] : ['fld %st', depth + 1];
    parts.push(text as string);
    depth = next as number;
  }
  return parts.join('; ');
}

const anyOf = <T>(strange: readonly T[], usual: () => T): T =>
  below(12) === 0 ? (strange[below(strange.length)] as T) : usual();
const number = (): number => (below(2000) - 1000.5) * 2 ** pick([0, 0, 0, -3, 10, 500, -500]);

const randomBefore = (control: number, isStrange: boolean): Before => ({
  control,
  stack: Array.from({ length: 8 }, () => anyOf(isStrange ? STRANGE : [plain(1)], () => plain(number()))),
  doubles: Array.from({ length: DOUBLES }, () => anyOf(isStrange ? STRANGE_DOUBLES : [1], number)),
  whole: Array.from({ length: 8 }, () => anyOf(isStrange ? STRANGE : [plain(1)], () => plain(number()))),
});

t.test('programs at random come out the same with the evaluator and the translator', async (sub) => {
  for (let i = 0; i < PROGRAMS; i++) {
    const text = `mov $4, %ecx; mov $0x10000000, %esi; mov $0x10000400, %edi; again: ${randomBody()}; add $8, %esi; add $16, %edi; dec %ecx; jnz again`;
    compare(sub, text, [
      randomBefore(USUAL, false),
      ...Array.from({ length: 4 }, () => randomBefore(USUAL, true)),
      randomBefore(pick([0x027f, 0x0f7f, 0x035f, 0x0372]), true),
    ]);
  }
});

t.test(
  'code that is left again and again for what is not plain is made without that, and comes out the same',
  async (sub) => {
    const text = `mov $900, %ecx; again: ${'fldl 0x10000000; fadd %st(1), %st; fmulp %st, %st(2); '.repeat(2)} dec %ecx; jnz again`;
    const endless = { ...PLAIN, doubles: PLAIN.doubles.with(0, Infinity) };
    compare(sub, text, [PLAIN, endless, endless, PLAIN, endless]);
  },
);
