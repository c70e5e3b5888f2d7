// Every form that the decoder knows, by an example each: whatever the other templates leave out (16-bit addresses,
// segments with a base, odd operand sizes) is run at least twice here, with registers and memory full of something.
import { formExamples, type FormExample } from '../../../switcher/decode/all-forms.js';
import { addressKey, type Delta, toHex } from '../../support/state-delta.js';
import { FLAGS, STATUS, hex, memory, once, type Plan } from './template.js';
import { INFINITY, MINUS_ONE, PI, TEN, THIRD, stack } from './x87-values.js';

/** Not the same on every CPU, under every hypervisor, or not for a program under an operating system to try. */
const LEFT_OUT = new Set('cpuid rdtsc rdpmc sysenter sysexit sgdt sidt sldt str smsw int1 ud'.split(' '));

/** 0F 0D with a register is undefined on one make of CPU and does nothing on another; 0F 1F does nothing on all. */
const bytesOf = ({ form, bytes }: FormExample): Uint8Array =>
  form.mnemonic === 'nop' ? bytes.map((byte) => (byte === 0x0d ? 0x1f : byte)) : bytes;

const XMM: Delta = Object.fromEntries(
  [
    '3fb504f3402df85440490fdbbf800000',
    '400921fb54442d183ff8000000000000',
    '0123456789abcdef00ff7f80fe01aa55',
    'c0240000000000003fd5555555555555',
    'ffffffff000000007fffffff80000000',
    '41200000c120000042c800003e000000',
    '00000000000000030000000000000002',
    '80ff80ff80ff80ff7f007f007f007f00',
  ].map((value, i) => [`xmm${i}`, value]),
);

/** Operands are at [edi] or [bx], strings at esi and edi: all of it in the pages, whatever the segment's base. */
function pointers({ form, mode }: FormExample): Record<string, string> {
  if (!mode.flat) return { ds: '63', es: '63', ebx: '300', esi: '200', edi: '300' };
  if (form.addressSize === 16) return { ebx: '1000f100', esi: '1000f200', edi: '1000f100' };
  return { ebx: '10000600', esi: '10000200', edi: '10000400' };
}

const operandAddress = ({ form, mode }: FormExample): number =>
  mode.flat && form.addressSize === 16 ? 0xf100 : 0x10000400;

/** Instruction and data pointers in an image of the FPU: not every CPU keeps them. */
function pointerBytes(example: FormExample): string[] {
  const at = operandAddress(example);
  const range = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => addressKey(at + from + i));
  const { mnemonic, operandSize } = example.form;
  if (mnemonic === 'fxsave') return [...range(6, 24), ...range(28, 32)];
  if (mnemonic === 'fnstenv' || mnemonic === 'fnsave') return operandSize === 32 ? range(12, 28) : range(6, 14);
  return [];
}

const STATES: readonly Delta[] = [
  { eflags: hex(FLAGS), ecx: '3', ...stack([PI, THIRD, TEN]) },
  { eflags: hex(FLAGS | STATUS), ecx: '80000001', eax: '7f3c', edx: '0', ...stack([TEN, MINUS_ONE, INFINITY, THIRD]) },
];
/** Pointers into the code, as operands, and on the stack. */
const CONTENTS = '003a0020'.repeat(8);

/**
 * What is undefined after an instruction does not depend on its form: it is taken from the templates of its mnemonic,
 * all of it together.
 */
function looseness(plans: readonly Plan[]): Map<string, Partial<Plan>> {
  const found = new Map<string, Partial<Plan>>();
  for (const plan of plans) {
    const mnemonic = plan.mnemonic ?? '';
    const before = found.get(mnemonic) ?? {};
    found.set(mnemonic, {
      undefinedFlags: (before.undefinedFlags ?? 0) | (plan.undefinedFlags ?? 0),
      undefinedStatus: (before.undefinedStatus ?? 0) | (plan.undefinedStatus ?? 0),
      ignoreOnFault: [...new Set([...(before.ignoreOnFault ?? []), ...(plan.ignoreOnFault ?? [])])],
      ...((before.ulps ?? plan.ulps) === undefined ? {} : { ulps: 1 }),
      ...((before.approximate ?? plan.approximate) === undefined ? {} : { approximate: true }),
    });
  }
  return found;
}

/** The same for a mnemonic of the decoder, which has the width in the names of string instructions. */
export function looseByMnemonic(plans: readonly Plan[]): (mnemonic: string) => Partial<Plan> {
  const found = looseness(plans);
  return (mnemonic) => found.get(mnemonic) ?? found.get(mnemonic.replace(/[bwl]$/, '')) ?? {};
}

/** `others`: the plans of all other templates. */
export function forms(others: readonly Plan[]): Plan[] {
  const looseOf = looseByMnemonic(others);
  return formExamples()
    .filter(({ form }) => !LEFT_OUT.has(form.mnemonic))
    .flatMap((example) => {
      const { form } = example;
      const asm = `.byte ${[...bytesOf(example)].map((byte) => `0x${toHex(Uint8Array.of(byte))}`).join(', ')}`;
      const ignore = pointerBytes(example);
      // `push es` and its like: one half of what is pushed is undefined
      if (form.mnemonic === 'push' && form.operands[0]?.kind === 'segment') ignore.push('10000bfe', '10000bff');
      return STATES.map((state, i) =>
        once(
          form.mnemonic,
          asm,
          {
            ...state,
            ...XMM,
            ...pointers(example),
            ...(form.mnemonic === 'call' || form.mnemonic === 'jmp' ? { ecx: '20003a00' } : {}),
            ...(i === 1 ? { ...memory(operandAddress(example), CONTENTS), ...memory(0x10000c00, CONTENTS) } : {}),
          },
          { ...looseOf(form.mnemonic), ignore },
        ),
      );
    });
}
