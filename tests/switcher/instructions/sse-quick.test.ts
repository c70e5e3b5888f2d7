// The quick way through SSE's floating point against the exact one. Which of them an instruction takes depends on PE being
// set in MXCSR before: so that what it does must not depend on it.
import t from 'tap';
import { loadVectors, runCase, type VectorCase } from '../../support/cpu-vectors.js';
import { CODE_ADDRESS, defaultState, FX, type MachineState, type Outcome } from '../../support/machine-state.js';
import { randomBytes } from '../../support/random-bytes.js';
import { EmulatedCpu, ENGINES } from '../../support/test-cpu.js';

const PE = 0x20;
const INITIAL_MXCSR = '1f80';
const ROUNDS = 400;

const withPe = (mxcsr: string | undefined, before: string): string =>
  (Number.parseInt(mxcsr ?? before, 16) | PE).toString(16);

/** The case with PE set before, and so after. */
function sticky(one: VectorCase): VectorCase {
  const before = one.in['mxcsr'] ?? INITIAL_MXCSR;
  return {
    ...one,
    in: { ...one.in, mxcsr: withPe(one.in['mxcsr'], before) },
    out: { ...one.out, mxcsr: withPe(one.out['mxcsr'], before) },
  };
}

for (const engine of ENGINES) {
  t.test(`under '${engine}' every recorded case comes out the same when PE is set before`, async (sub) => {
    const cpu = new EmulatedCpu(engine);
    let count = 0;
    for (const vectors of [...loadVectors('sse-arithmetic'), ...loadVectors('sse')]) {
      // What shows or loads MXCSR is another matter.
      if (/mxcsr|fxsave|fxrstor/.test(vectors.asm)) continue;
      const wrong = vectors.cases.flatMap((one) => runCase(cpu, vectors, sticky(one)));
      if (wrong.length > 0) sub.fail(vectors.asm, { wrong: wrong.slice(0, 8) });
      count += vectors.cases.length;
    }
    sub.ok(count > 10_000, `${count} cases`);
  });
}

// ---------------------------------------------------------------- numbers at random, near where things change

const random = randomBytes(7);
const word = (): number => random() | (random() << 8) | (random() << 16) | (random() << 24);
const below = (n: number): number => (word() >>> 0) % n;

const FORMATS = {
  single: { bytes: 4, exponents: 256, fraction: 23n, bias: 127 },
  double: { bytes: 8, exponents: 2048, fraction: 52n, bias: 1023 },
} as const;
type FormatName = keyof typeof FORMATS;

function number(format: FormatName, exponent: number): bigint {
  const { exponents, fraction, bytes } = FORMATS[format];
  const held = BigInt(Math.max(0, Math.min(exponents - 1, exponent)));
  const ones = (1n << fraction) - 1n;
  const bits = ((BigInt(word() >>> 0) << 32n) | BigInt(word() >>> 0)) & ones;
  const part = [bits, bits, 0n, 1n, ones, bits & ~((1n << (fraction / 2n)) - 1n)][below(6)] ?? 0n;
  return (BigInt(below(2)) << BigInt(bytes * 8 - 1)) | (held << fraction) | part;
}

/** Two exponents: of any size, alike, or with a sum or a difference near an end of the range. */
function exponentPair({ exponents, bias }: (typeof FORMATS)[FormatName]): [number, number] {
  const first = below(exponents);
  const near = below(5) - 2;
  const end = below(2) * exponents;
  return (
    [
      [first, below(exponents)],
      [first, first + near],
      [first, end + bias - first + near],
      [first, first - end + bias + near],
      [below(3), below(3)],
      [bias + below(70) - 35, bias + below(70) - 35],
    ] as const
  )[below(6)] as [number, number];
}

/** The two operands of a packed instruction, as bytes. */
function operands(format: FormatName): [Uint8Array, Uint8Array] {
  const { bytes } = FORMATS[format];
  const pair = [new Uint8Array(16), new Uint8Array(16)] as const;
  const views = pair.map((part) => new DataView(part.buffer));
  for (let at = 0; at < 16; at += bytes) {
    exponentPair(FORMATS[format]).forEach((exponent, i) => {
      const bits = number(format, exponent);
      if (bytes === 4) views[i]?.setUint32(at, Number(bits), true);
      else views[i]?.setBigUint64(at, bits, true);
    });
  }
  return [...pair];
}

/** Each on xmm0 and xmm1. */
const PREFIXES = { ps: [], pd: [0x66], ss: [0xf3], sd: [0xf2] } as const;
const KINDS = [
  ['ps', 'single'],
  ['pd', 'double'],
  ['ss', 'single'],
  ['sd', 'double'],
] as const;
const BINARY = { add: 0x58, mul: 0x59, sub: 0x5c, min: 0x5d, div: 0x5e, max: 0x5f, sqrt: 0x51 };
const REGISTERS = 0xc1;

interface Instruction {
  readonly name: string;
  readonly format: FormatName;
  readonly code: readonly number[];
}

const instruction = (name: string, format: FormatName, ...code: number[]): Instruction => ({ name, format, code });

const INSTRUCTIONS: readonly Instruction[] = [
  ...Object.entries(BINARY).flatMap(([name, opcode]) =>
    KINDS.map(([suffix, format]) =>
      instruction(`${name}${suffix}`, format, ...PREFIXES[suffix], 0x0f, opcode, REGISTERS),
    ),
  ),
  ...KINDS.flatMap(([suffix, format]) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((predicate) =>
      instruction(`cmp${suffix} ${predicate}`, format, ...PREFIXES[suffix], 0x0f, 0xc2, REGISTERS, predicate),
    ),
  ),
  instruction('addsubps', 'single', 0xf2, 0x0f, 0xd0, REGISTERS),
  instruction('addsubpd', 'double', 0x66, 0x0f, 0xd0, REGISTERS),
  instruction('haddps', 'single', 0xf2, 0x0f, 0x7c, REGISTERS),
  instruction('haddpd', 'double', 0x66, 0x0f, 0x7c, REGISTERS),
  instruction('hsubps', 'single', 0xf2, 0x0f, 0x7d, REGISTERS),
  instruction('hsubpd', 'double', 0x66, 0x0f, 0x7d, REGISTERS),
  instruction('cvtps2pd', 'single', 0x0f, 0x5a, REGISTERS),
  instruction('cvtpd2ps', 'double', 0x66, 0x0f, 0x5a, REGISTERS),
  instruction('cvtss2sd', 'single', 0xf3, 0x0f, 0x5a, REGISTERS),
  instruction('cvtsd2ss', 'double', 0xf2, 0x0f, 0x5a, REGISTERS),
  instruction('cvtdq2ps', 'single', 0x0f, 0x5b, REGISTERS),
  instruction('cvtps2dq', 'single', 0x66, 0x0f, 0x5b, REGISTERS),
  instruction('cvttps2dq', 'single', 0xf3, 0x0f, 0x5b, REGISTERS),
  instruction('cvtpd2dq', 'double', 0xf2, 0x0f, 0xe6, REGISTERS),
  instruction('cvttpd2dq', 'double', 0x66, 0x0f, 0xe6, REGISTERS),
  instruction('cvtss2si', 'single', 0xf3, 0x0f, 0x2d, REGISTERS),
  instruction('cvttss2si', 'single', 0xf3, 0x0f, 0x2c, REGISTERS),
  instruction('cvtsd2si', 'double', 0xf2, 0x0f, 0x2d, REGISTERS),
  instruction('cvttsd2si', 'double', 0xf2, 0x0f, 0x2c, REGISTERS),
  instruction('ucomiss', 'single', 0x0f, 0x2e, REGISTERS),
  instruction('ucomisd', 'double', 0x66, 0x0f, 0x2e, REGISTERS),
];

/** All masked, with the rounding modes, denormals as zeros, flushing to zero. */
const MODES = [0x1f80, 0x1fc0, 0x9f80, 0x3f80, 0x5f80, 0x7f80];

function state({ code }: Instruction, mxcsr: number, [x, y]: readonly [Uint8Array, Uint8Array]): MachineState {
  const before = defaultState();
  before.fx.set(x, FX.xmm);
  before.fx.set(y, FX.xmm + 16);
  new DataView(before.fx.buffer).setUint32(FX.mxcsr, mxcsr, true);
  before.patches = [{ address: CODE_ADDRESS, bytes: Uint8Array.from(code) }];
  return before;
}

/** What an instruction leaves that can differ, PE aside. */
function seen({ fx, registers, eflags, trap }: Outcome): string {
  const mxcsr = new DataView(fx.buffer).getUint32(FX.mxcsr, true) | PE;
  return `${Buffer.from(fx.slice(FX.xmm, FX.xmm + 16).toReversed()).toString('hex')} ${registers[0]} ${eflags} ${mxcsr} ${trap.vector}`;
}

t.test('numbers at random come out the same whether PE was set before or not', async (sub) => {
  const cpu = new EmulatedCpu('interpret');
  const outcome = (one: Instruction, mxcsr: number, numbers: readonly [Uint8Array, Uint8Array]): string => {
    cpu.reset(state(one, mxcsr, numbers));
    return seen(cpu.run());
  };
  for (const one of INSTRUCTIONS) {
    const wrong: string[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const numbers = operands(one.format);
      const mode = MODES[i % MODES.length] ?? 0;
      const [exact, quick] = [outcome(one, mode, numbers), outcome(one, mode | PE, numbers)];
      const shown = numbers.map((part) => Buffer.from(part.toReversed()).toString('hex')).join(' ');
      if (exact !== quick) wrong.push(`${mode.toString(16)} ${shown}: exactly ${exact}, quickly ${quick}`);
    }
    sub.same(wrong.slice(0, 3), [], one.name);
  }
});
