// Integer arithmetic and logic, multiplication and division, BCD.
import {
  AF,
  CF,
  OF,
  PF,
  SF,
  STATUS,
  ZF,
  edgePairs,
  edges,
  fixed,
  imm,
  implicit,
  instruction,
  mem,
  pairs,
  reg,
  simm,
  type Kind,
  type Options,
  type Plan,
  type Width,
} from './template.js';

const WIDTHS = [8, 16, 32] as const;

interface Names {
  readonly a: string;
  readonly c: string;
  readonly d: string;
  readonly b: string;
}
const REGS: Readonly<Record<Width, Names>> = {
  8: { a: 'al', c: 'cl', d: 'dl', b: 'bl' },
  16: { a: 'ax', c: 'cx', d: 'dx', b: 'bx' },
  32: { a: 'eax', c: 'ecx', d: 'edx', b: 'ebx' },
};

/** Both encodings between registers, memory on either side, and each kind of immediate. */
function alu(mnemonic: string, width: Width, options: Options): Plan[] {
  const { a, c, d, b } = REGS[width];
  const rows = edgePairs(width);
  const few = rows.slice(0, 7);
  const load: Options = { ...options, prefix: '{load}' };
  const forms: Plan[][] = [
    instruction(mnemonic, [reg(c), reg(d)], rows, options),
    instruction(mnemonic, [mem(width), reg(b)], rows, options),
    instruction(mnemonic, [reg(a), imm(width)], few, options),
    instruction(mnemonic, [reg(d), imm(width)], few, options),
    instruction(mnemonic, [mem(width), imm(width)], few, options),
  ];
  if (mnemonic !== 'test') {
    forms.push(
      instruction(mnemonic, [reg(b), reg(a)], few, load),
      instruction(mnemonic, [reg(a), mem(width)], few, options),
    );
    if (width > 8) {
      const small = pairs(edges(width), [-128, 127, -1]).filter((_, i) => i % 3 !== 1);
      forms.push(instruction(mnemonic, [reg(c), simm], small, options));
      forms.push(instruction(mnemonic, [mem(width), simm], small.slice(0, 7), options));
    }
  }
  if (width === 8) forms.push(instruction(mnemonic, [reg('ah'), reg('dh')], few, options));
  return forms.flat();
}

const LOGIC: Options = { undefinedFlags: AF };
const WITH_CARRY: Options = { flags: [0, CF] };
const ALU: readonly (readonly [string, Options])[] = [
  ['add', {}],
  ['or', LOGIC],
  ['adc', WITH_CARRY],
  ['sbb', WITH_CARRY],
  ['and', LOGIC],
  ['sub', {}],
  ['xor', LOGIC],
  ['cmp', {}],
  ['test', LOGIC],
];

/** One-byte opcodes and their longer twins, which the assembler would not choose. */
const LONG_FORMS: Plan[] = [
  ...instruction('inc', [fixed('ecx')], [[0]]).map((plan) => ({ ...plan, asm: '.byte 0xff, 0xc1' })),
  ...instruction('dec', [fixed('ecx')], [[0]]).map((plan) => ({ ...plan, asm: '.byte 0xff, 0xc9' })),
  ...instruction('inc', [fixed('cx')], [[0]]).map((plan) => ({ ...plan, asm: '.byte 0x66, 0xff, 0xc1' })),
  ...instruction('dec', [fixed('cx')], [[0]]).map((plan) => ({ ...plan, asm: '.byte 0x66, 0xff, 0xc9' })),
  // 82 is 80 again; f6 /1 and f7 /1 are test again; 83 does with al what 80 would
  ...instruction('add', [fixed('cl')], [[0]]).map((plan) => ({ ...plan, asm: '.byte 0x82, 0xc1, 0x7f' })),
  ...instruction('cmp', [fixed('cl')], [[0]]).map((plan) => ({ ...plan, asm: '.byte 0x82, 0xf9, 0x02' })),
  ...instruction('test', [fixed('cl')], [[0]], LOGIC).map((plan) => ({ ...plan, asm: '.byte 0xf6, 0xc9, 0x81' })),
  ...instruction('test', [fixed('ecx')], [[0]], LOGIC).map((plan) => ({
    ...plan,
    asm: '.byte 0xf7, 0xc9, 1, 0x80, 0, 0x80',
  })),
];

const unary = (mnemonic: string): Plan[] =>
  WIDTHS.flatMap((width) => {
    const rows = edges(width).map((value) => [value]);
    return [reg(REGS[width].c), mem(width)].flatMap((kind) => instruction(mnemonic, [kind], rows));
  });

/** The operands of a multiplication are all pairs; the factor that is not named comes first. */
function multiply(mnemonic: string): Plan[] {
  const options = { undefinedFlags: SF | ZF | AF | PF };
  return WIDTHS.flatMap((width) => {
    const { a, c } = REGS[width];
    const rows = edgePairs(width);
    return [reg(c), mem(width)].flatMap((kind) => instruction(mnemonic, [implicit(a), kind], rows, options));
  });
}

function multiplySigned(): Plan[] {
  const options = { undefinedFlags: SF | ZF | AF | PF };
  return ([16, 32] as const).flatMap((width) => {
    const { c, d, b } = REGS[width];
    const rows = edgePairs(width);
    const three = rows.map(([x, y]) => [0x55, x, y]);
    const small = pairs(edges(width), [-128, 3]).map(([x, y]) => [0x55, x, y]);
    return [reg(d), mem(width)].flatMap((kind) => [
      ...instruction('imul', [reg(c), kind], rows, options),
      ...instruction('imul', [reg(b), kind, imm(width)], three.slice(0, 8), options),
      ...instruction('imul', [reg(c), kind, simm], small, options),
    ]);
  });
}

/** Dividends in two halves and divisors: quotients that fit, that just fit, and that do not (#DE). */
function divisions(width: Width): number[][] {
  const [, , , max, min, ones, some] = edges(width) as [number, number, number, number, number, number, number];
  return [
    [0, 100, 7],
    [0, 100, 0],
    [0, ones, 1],
    [1, 0, 1],
    [1, 0, 2],
    [max, ones, min],
    [min, 0, min],
    [ones, min, ones],
    [ones, min, 1],
    [ones, ones, ones],
    [ones, -100, 7],
    [ones, -100, -7],
    [0, 100, -7],
    [0, min, ones],
    [0, max, ones],
    [0, min, 1],
    [ones >>> 1, some, ones],
    [some, some, ones],
    [ones - 1, ones, ones],
    [ones, 0, ones],
    [max >>> 1, ones, max],
    [min >>> 1, 1, max],
    [ones, max, 1],
    [ones, min, max],
    [0, some, 0x11],
  ];
}

function divide(mnemonic: string): Plan[] {
  return WIDTHS.flatMap((width) => {
    const { a, c, d } = REGS[width];
    const high: Kind = implicit(width === 8 ? 'ah' : d);
    return [reg(c), mem(width)].flatMap((kind) =>
      instruction(mnemonic, [high, implicit(a), kind], divisions(width), { undefinedFlags: STATUS }),
    );
  });
}

const BCD_VALUES = [0, 0x09, 0x0a, 0x0f, 0x10, 0x42, 0x90, 0x99, 0x9a, 0x9f, 0xa0, 0xf9, 0xfa, 0xff, 0x66, 0x05];
const BCD_FLAGS = [0, CF, AF, CF | AF, STATUS];

function bcd(): Plan[] {
  const al = implicit('al');
  const rows = BCD_VALUES.map((value) => [value]);
  const words = [0x0000, 0x0009, 0x000a, 0x00ff, 0x01f9, 0xfffa, 0xff0f, 0x1205, 0x5a6b].map((value) => [value]);
  const adjust = { flags: BCD_FLAGS, undefinedFlags: OF };
  const ascii = { flags: [0, AF, STATUS], undefinedFlags: OF | SF | ZF | PF };
  return [
    ...['daa', 'das'].flatMap((name) => instruction(name, [al], rows, adjust)),
    ...['aaa', 'aas'].flatMap((name) => instruction(name, [implicit('ax')], words, ascii)),
    ...pairs([0, 9, 10, 99, 0xff, 0x80], [10, 16, 1, 0xff, 0]).flatMap(([value, base]) =>
      instruction('aam', [al, imm(8)], [[value, base]], { undefinedFlags: OF | AF | CF }),
    ),
    ...pairs([0x0000, 0x0109, 0x0909, 0xff01, 0x7f80], [10, 16, 0xff, 0]).flatMap(([value, base]) =>
      instruction('aad', [implicit('ax'), imm(8)], [[value, base]], { undefinedFlags: OF | AF | CF }),
    ),
  ];
}

export const arithmetic = (): Plan[] => [
  ...ALU.flatMap(([mnemonic, options]) => WIDTHS.flatMap((width) => alu(mnemonic, width, options))),
  ...LONG_FORMS,
  ...['inc', 'dec', 'neg', 'not'].flatMap(unary),
  ...multiply('mul'),
  ...multiply('imul'),
  ...multiplySigned(),
  ...divide('div'),
  ...divide('idiv'),
  ...bcd(),
];
