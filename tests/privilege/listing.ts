// A case for people: its code as text.
import { newInstruction } from '../../switcher/decode/all-forms.js';
import { decode } from '../../switcher/decode/decode.js';
import { disassemble } from '../../switcher/decode/disassemble.js';
import { type RingCase, memoryOf } from './case.js';

const LONGEST = 15;
const FLAT = { defaultSize: 32, flat: true } as const;

function instructions(address: number, code: readonly number[]): string[] {
  const bytes = Uint8Array.of(...code, ...Array<number>(LONGEST).fill(0));
  const lines: string[] = [];
  for (let at = 0; at < code.length;) {
    const instruction = newInstruction();
    if (decode(bytes.subarray(at), LONGEST, address + at, FLAT, instruction) !== 'ok') return [...lines, '    …'];
    lines.push(`    ${(address + at).toString(16)}  ${disassemble(instruction)}`);
    at += instruction.length;
  }
  return lines;
}

export function listing(one: RingCase): string {
  const { ring, eflags = 0, registers = {}, gates = [], stack1 } = one;
  const hex = (value: number | undefined): string => ((value ?? 0) >>> 0).toString(16);
  const values = Object.entries(registers).map(([name, value]) => `${name} ${hex(value)}`);
  return [
    `    ring ${ring}, eflags ${hex(eflags)}, ${values.join(', ')}, stack of ring 1 at ${hex(stack1?.esp)}`,
    ...gates.map((gate) => `    gate ${hex(gate.vector)}: ${gate.type}, ${hex(gate.selector)}:${hex(gate.offset)}`),
    ...memoryOf(one).flatMap(([address, bytes]) => instructions(address, bytes)),
  ].join('\n');
}
