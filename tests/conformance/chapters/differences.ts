// What remains different from the processor that answers were recorded on, or from the original Host and Launcher, and why.
import type { Chapter } from '../chapter.js';

interface Remaining {
  readonly what: string;
  readonly why: string;
}

const REMAINING: readonly Remaining[] = [
  {
    what: 'Flags that the manual leaves undefined (after shifts by more than one, `mul`, `div`, `bsf`, `aaa` and others) may differ from a real CPU.',
    why: 'CPUs differ from each other; cleared is cheapest. Comparisons mask them, case by case.',
  },
  {
    what: 'Transcendental x87 results may differ in the last place.',
    why: 'The manual promises less than one unit; ours are rounded correctly.',
  },
  {
    what: '`rcpps`, `rsqrtps` and their scalars differ in bits below 1.5 × 2^−12.',
    why: 'The manual promises that relative error and no table of values.',
  },
  {
    what: 'Which byte of a `cmps` with two bad operands, or of an FPU image over a bad page, faults first.',
    why: 'The manual gives no order. The page is the same.',
  },
  {
    what: '`cpuid`, `rdtsc`, `sgdt`, `sidt`, `sldt`, `str`, `smsw`: compared with what they are to say, not with a real CPU.',
    why: 'They ask the machine what it is.',
  },
  {
    what: 'A near jump, call or return beyond the limit of cs is #GP(0) at its target, not at itself.',
    why: 'Nobody’s code ends at such a limit: Linux’s segments for code are 4 GiB. Far transfers, gates and `iret` are exact.',
  },
  {
    what: 'A far jump or call to a TSS or a gate in the GDT is #GP of its selector.',
    why: 'There are no tasks to switch to, and the Host’s GDT makes every call gate into something that is none.',
  },
  {
    what: 'x87 instruction and data pointers are as Intel’s manual has them; where a recording comes from a CPU that keeps them otherwise, they are left out of the comparison.',
    why: 'Makes differ.',
  },
  {
    what: 'What `shld` and `shrd` of 16 bits by more than 16 leave is not what a recording CPU leaves; MXCSR_MASK is ffff.',
    why: 'The manual calls the first undefined; the second says what a CPU has, and misaligned SSE is one make’s extension.',
  },
  {
    what: 'Of QEMU’s and valgrind’s programs those are left out that need an LDT, virtual-8086 mode, or instructions that `cpuid` does not offer.',
    why: 'An lguest Guest has no LDT and no such mode.',
  },
  {
    what: 'A bad driver breaks its device, and the Guest goes on; a request beyond the end of a disk fails.',
    why: 'The original’s Launcher ended. Nobody’s Guest depends on that.',
  },
  {
    what: '-EPERM is for a read from inside a read.',
    why: 'There is one thread, so there is no other task to refuse.',
  },
];

export const differences: Chapter = {
  title: 'What remains different, and why',
  claims: [],
  body: () => REMAINING.map(({ what, why }) => `- ${what} ${why}`).join('\n'),
};
