// What QEMU's emulated PC (7.2, without KVM) does otherwise than the manual says. Everything else must be equal.
import { X86_EFLAGS_RF } from '../../guest-abi/x86/eflags.js';
import { type Outcome, type RingCase, answerOf, titleOf } from './case.js';

const WITH_EXT = [10, 11, 12, 13];
const EXT = 1;

/**
 * An answer without two bits that QEMU never sets: RF in the flags of a fault (6.12.1, 17.3.1.1), and EXT in the error code of
 * a fault on the way to the handler of another (6.13).
 */
export function comparable(one: RingCase, { eflags, error, vector, memory, ...rest }: Outcome): string {
  return answerOf(one, {
    ...rest,
    vector,
    eflags: eflags & ~X86_EFLAGS_RF,
    error: vector !== undefined && WITH_EXT.includes(vector) ? error & ~EXT : error,
    memory: memory.map(([address, value]) => [address, value & ~X86_EFLAGS_RF]),
  });
}

export interface Difference {
  /** Titles of cases. */
  readonly cases: RegExp;
  readonly why: string;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    cases: /^(5\.3|5\.5|STOS) · .*(fs:\[ebx\]|cs:\[ebx\]|stos)/,
    why: 'QEMU looks neither at limits nor at the kind of a segment when data is accessed.',
  },
  {
    cases:
      /(beyond|runs over|up to) the limit|gate to shortCode1|(iret|retf) to shortCode(1\|1|3\|3)|call far to shortCode|stack of no room/,
    why: 'Nor does it when code is fetched or the stack used.',
  },
  {
    cases: /to a stack in a segment (that ends before|without room)/,
    why: 'Nor when a gate pushes.',
  },
  {
    cases: /· (inc dword|add|xchg|cmpxchg|bts) ?(\w* )?\[ebx\]|· read and write on a page/,
    why: 'It reads before it writes, so that a page that is not there is missed by a read; real CPUs ask for both at once.',
  },
  {
    cases: /ring 3 · (iret|retf) from|ring 3 · call far with its stack on|ring 3 · int to code3 with a stack of/,
    why: 'It makes accesses of `iret`, far calls and gates in ring 3 with the rights of the kernel (later versions do not).',
  },
  {
    cases: /stack in absentData(1\|1|3\|3)$/,
    why: 'A new stack segment that is not present is #NP or #TS there; the manual has #SS.',
  },
  { cases: /int1 /, why: '`int1` is #UD there.' },
  {
    cases: /iret with eflags [23][023]\w{3} /,
    why: 'It lets `iret` set VM outside of ring 0.',
  },
  {
    cases: /to ring 3 with [13] in [fg]s/,
    why: 'A null selector in fs or gs keeps its RPL there when an outer ring is returned to; real CPUs clear it.',
  },
  {
    cases: /lss does not/,
    why: 'A single-step trap waits for the instruction behind `lss`, too; on real CPUs it does not.',
  },
  {
    cases: /#UD through a gate that is not present, and #NP/,
    why: 'The error code in memory lacks EXT.',
  },
];

export const differs = (one: RingCase): boolean => DIFFERENCES.some(({ cases }) => cases.test(titleOf(one)));
