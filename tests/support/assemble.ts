// Machine code for Guests that are written in assembly, in AT&T's syntax as the kernel's own. The assembler is an npm package,
// so no compiler is needed; what it lacks for our purpose is done to the text before.
//
// Names are replaced by their numbers first: constants, and labels by where they are, for the assembler knows no addresses;
// `label_pa` is a label's guest-physical address.
// And there are instructions of our own, for what every Guest does:
//
//     hcall NUMBER, ebx, ecx, edx, esi      loads the registers that are given, and `int $0x1f`
//     gate VECTOR, handler                  LHCALL_LOAD_IDT_ENTRY of an interrupt gate
//     trapgate VECTOR, handler              … and of a trap gate; a third operand is the DPL
//     crash NAME                            LHCALL_SHUTDOWN, with the message at NAME
import { AssemblyState } from '@defasm/core';
import { LHCALL } from '../../guest-abi/hypercalls.js';

export type Names = Readonly<Record<string, number>>;

export interface Assembled {
  readonly bytes: Uint8Array;
  /** Addresses. */
  readonly labels: ReadonlyMap<string, number>;
}

const HCALL_REGISTERS = ['eax', 'ebx', 'ecx', 'edx', 'esi'] as const;
const PRESENT_GATE = { gate: 0x8e00, trapgate: 0x8f00 } as const;
const DPL_SHIFT = 13;
const PHYSICAL_MASK = 0x3fffffff;
/** Labels in the first pass: far from everything, so that they take as much room as real addresses. */
const SOMEWHERE = 0xc0123456;

function hcall(operands: readonly string[]): string {
  const loads = operands.map((operand, i) => `mov $${operand}, %${HCALL_REGISTERS[i] ?? ''}`);
  return [...loads, 'int $0x1f'].join('; ');
}

function gate(kind: keyof typeof PRESENT_GATE, [vector = '', handler = '', dpl = '0']: readonly string[]): string {
  const flags = PRESENT_GATE[kind] | (Number(dpl) << DPL_SHIFT);
  return hcall(['LHCALL_LOAD_IDT_ENTRY', vector, `(${handler} & 0xffff)`, `((${handler} & 0xffff0000) | ${flags})`]);
}

/** One of our own instructions, in terms of the assembler's. */
function expand(statement: string): string {
  const [, indent = '', name = '', rest = ''] = /^(\s*(?:\w+:\s*)?)(\w*)\s*(.*)$/.exec(statement) ?? [];
  const operands = rest.split(',').map((operand) => operand.trim());
  switch (name) {
    case 'hcall':
      return indent + hcall(operands);
    case 'gate':
    case 'trapgate':
      return indent + gate(name, operands);
    case 'crash':
      return indent + hcall(['LHCALL_SHUTDOWN', rest, '1']);
    default:
      return statement;
  }
}

/** `text_pa`: the guest-physical address of the label `text`, wherever the kernel is mapped. */
function physical(name: string, labels: ReadonlyMap<string, number>): number | undefined {
  const virtual = name.endsWith('_pa') ? labels.get(name.slice(0, -3)) : undefined;
  return virtual === undefined ? undefined : virtual & PHYSICAL_MASK;
}

const JUMP = /^(?:j\w+|call|loop\w*)$/;

/** Names in operands become numbers. Where a direct jump goes is left to the assembler, if it is a label. */
function replaceNames(
  statement: string,
  names: ReadonlyMap<string, number>,
  labels: ReadonlyMap<string, number>,
): string {
  const [, head = '', mnemonic = '', operands = ''] =
    /^(\s*(?:\w+:\s*)*)((?:(?:rep\w*|lock)\s+)?[.\w]*)(.*)$/.exec(statement) ?? [];
  const isJump = JUMP.test(mnemonic) && !operands.includes('*');
  const replaced = operands.replace(/"[^"]*"|0x[0-9a-fA-F]+|%\w+|[A-Za-z_]\w*/g, (token) => {
    if (!/^[A-Za-z_]/.test(token) || (isJump && labels.has(token))) return token;
    const value = names.get(token) ?? labels.get(token) ?? physical(token, labels);
    if (value === undefined) throw new Error(`nothing is called ${token}: ${statement}`);
    // Signed, because the assembler takes bigger numbers for ones of 64 bits.
    return String(value | 0);
  });
  return head + mnemonic + replaced;
}

/** Splits at `;`, but not within quotation marks. */
const statements = (line: string): string[] => line.match(/(?:"[^"]*"|[^;"])+/g) ?? [];

function compile(text: string): AssemblyState {
  const state = new AssemblyState({ bitness: 32 });
  state.compile(text, { haltOnError: false });
  for (const { message, range } of state.errors) {
    const line = text.slice(0, range.start).split('\n').length - 1;
    throw new Error(`${message}: ${text.split('\n')[line] ?? ''}`);
  }
  return state;
}

const withoutComment = (line: string): string => line.replace(/#.*$/, '');

/**
 * @param at where the first byte will be
 * @param names constants besides the numbers of hypercalls
 * @throws Error for what is no assembly; the message shows the line
 */
export function assemble(text: string, at: number, names: Names = {}): Assembled {
  const constants = new Map<string, number>([...Object.entries(LHCALL), ...Object.entries(names)]);
  const lines = text
    .split('\n')
    .flatMap((line) => statements(withoutComment(line)).flatMap((each) => statements(expand(each))));
  const found = lines.flatMap((line) => /^\s*(\w+):/.exec(line)?.[1] ?? []);
  const build = (labels: ReadonlyMap<string, number>): AssemblyState =>
    compile(lines.map((line) => replaceNames(line, constants, labels)).join('\n'));
  const placesIn = (state: AssemblyState): Map<string, number> =>
    new Map(found.map((name) => [name, (at + Number(state.symbols.get(name)?.value.addend ?? 0n)) >>> 0]));
  const labels = placesIn(build(new Map(found.map((name) => [name, SOMEWHERE]))));
  const state = build(labels);
  for (const [name, place] of placesIn(state)) {
    if (place !== labels.get(name)) throw new Error(`the label ${name} has moved: it is too small a number`);
  }
  return { bytes: state.head.dump(), labels };
}
