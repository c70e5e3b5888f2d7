// Whatever a Guest does, the Host gets its turn in time: ^C, signals and --timeout are obeyed within a tenth of a second.
//
// How long a Guest runs before it is looked at is learned from what it did last; so each Guest here runs a loop of nothing
// first, of which very much fits into a slice, and then does what takes longest for what it counts as.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { assemble } from '../support/assemble.js';
import { namesOf } from '../support/assembly-guest.js';
import { CODE, CodeGuest, KERNEL } from '../support/code-guest.js';
import { RESULT } from '../support/guest-layout.js';

const EINTR = -4;
const LIMIT_MS = 100;
const SLICES = 12;
const MOST_SLICES = 2000;
const SPIN = 'mov $50000000, %ecx; spin: dec %ecx; jnz spin';

/** Milliseconds of this thread's processor time, so that a busy machine makes no difference; of the clock, elsewhere. */
function now(): number {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return performance.now();
  }
}

interface Nasty {
  readonly what: string;
  /** What is done for ever. */
  readonly body: string;
  readonly before?: string;
  readonly behind?: string;
}

const many = (count: number, text: string): string => Array.from({ length: count }, () => text).join('; ');
const pointers = (bytes: number): string =>
  `mov $(KERNEL + 0x20000), %esi; mov $(KERNEL + 0x30000), %edi; mov $${bytes}, %ecx`;

const NASTY: readonly Nasty[] = [
  { what: 'jumps in a circle', body: 'nop' },
  { what: 'copies memory', body: `${pointers(0x10000)}; rep movsb` },
  { what: 'copies memory downwards', body: `${pointers(0xffff)}; add %ecx, %esi; add %ecx, %edi; std; rep movsb; cld` },
  { what: 'fills memory', body: `${pointers(0x10000)}; rep stosb` },
  { what: 'compares memory', body: `${pointers(0x8000)}; add $0x8000, %edi; repe cmpsb` },
  { what: 'searches memory', body: `${pointers(0x10000)}; mov $1, %al; repne scasb` },
  { what: 'reads memory', body: `${pointers(0x8000)}; rep lodsb` },
  {
    what: 'copies memory in small segments',
    before: 'hcall LHCALL_LOAD_GDT_ENTRY, 17, 0xffff, 0x00cfb200; mov $0x89, %eax; mov %eax, %ds',
    body: `${pointers(0x10000)}; rep movsb`,
  },
  { what: 'asks for sines', before: 'fldpi', body: many(100, 'fld %st(0); fsin; fstp %st(0)') },
  { what: 'asks for logarithms', before: 'fld1; fldpi', body: many(200, 'fyl2x; fldpi') },
  { what: 'asks for remainders', before: 'fld1; fldpi', body: many(200, 'fprem') },
  { what: 'asks for decimals', body: many(100, 'fldpi; fbstp KERNEL + 0x20000') },
  { what: 'asks what CPU this is', body: many(200, 'cpuid') },
  { what: 'asks what time it is', body: many(200, 'rdtsc') },
  { what: 'loads segments', before: 'mov $0x69, %edx', body: many(200, 'mov %edx, %es') },
  {
    what: 'loads segments that are and are not flat',
    before: 'hcall LHCALL_LOAD_GDT_ENTRY, 17, 0x0fff, 0x0040b200; mov $0x69, %edx; mov $0x89, %eax',
    body: many(50, 'mov %eax, %es; mov %edx, %es'),
  },
  {
    what: 'faults and mends that',
    before: 'trapgate 6, skip',
    body: many(200, 'ud2'),
    behind: 'skip: addl $2, (%esp); iret',
  },
  {
    what: 'calls its own kernel',
    before: 'trapgate 0x80, back, 3',
    body: many(200, 'int $0x80'),
    behind: 'back: iret',
  },
  {
    what: 'faults in the handler of the fault',
    before: 'trapgate 6, skip',
    body: 'ud2',
    behind: 'skip: mov $STACK, %esp; ud2',
  },
  { what: 'changes its code', body: many(50, 'incb patched + 1'), behind: 'patched: mov $0, %al; jmp nasty' },
  { what: 'changes the code that runs next', body: `incb patched + 1; patched: mov $0, %al; ${many(60, 'inc %ebx')}` },
  {
    what: 'makes new code all the time',
    before: 'mov $(KERNEL + 0x20000), %edi; mov $(KERNEL + 0x2f000), %ebp',
    body: 'movl $0xc3404040, (%edi); call *%edi; add $64, %edi; cmp %ebp, %edi; jb nasty; mov $(KERNEL + 0x20000), %edi',
  },
  {
    what: 'steps',
    before: 'trapgate 1, stepped',
    body: 'pushf; orl $0x100, (%esp); popf; stepping: inc %eax; jmp stepping',
    behind: 'stepped: iret',
  },
  { what: 'forgets its mappings', body: `hcall LHCALL_FLUSH_TLB, 1; ${many(16, 'incl KERNEL + 0x21000')}` },
  {
    what: 'changes page tables',
    body: 'hcall LHCALL_NEW_PGTABLE, DIRECTORY_2_PA; incl KERNEL + 0x21000; hcall LHCALL_NEW_PGTABLE, DIRECTORY_PA; incl KERNEL + 0x21000',
  },
  {
    what: 'sets page table entries',
    body: 'hcall LHCALL_SET_PTE, DIRECTORY_PA, KERNEL + 0x21000, 0x21063; incl KERNEL + 0x21000',
  },
  { what: 'asks for nothing of the Host', body: many(20, 'mov $LHCALL_FLUSH_ASYNC, %eax; int $0x1f') },
];

/** The longest that the Guest kept the Host waiting. */
function longestTurn({ before = '', body, behind = '' }: Nasty): number {
  const text = `${before}; ${SPIN}; incl RESULT\nnasty: ${body}; jmp nasty\n${behind}`;
  const { bytes } = assemble(text, KERNEL + CODE, namesOf(true, false));
  const guest = new CodeGuest([...bytes]);
  const buffer = new Uint8Array(256);
  let longest = 0;
  for (let slices = 0, all = 0; slices < SLICES && all < MOST_SLICES; all++) {
    const began = now();
    const result = guest.device.read(buffer);
    const took = now() - began;
    if (result !== EINTR)
      throw new Error(`the Guest came out with ${result}: ${Buffer.from(buffer).toString('latin1')}`);
    if (guest.memory.words[RESULT / 4] === 0) continue;
    slices++;
    longest = Math.max(longest, took);
    if (longest > 5 * LIMIT_MS) break;
  }
  return longest;
}

for (const nasty of NASTY) {
  t.test(`a Guest that ${nasty.what} for ever comes back within a tenth of a second`, async (t) => {
    // Who can keep the Host waiting can do it again; a garbage collection does not come twice.
    const took = longestTurn(nasty);
    const least = took < LIMIT_MS ? took : Math.min(took, longestTurn(nasty));
    t.ok(least < LIMIT_MS, `${least.toFixed(1)} ms`);
  });
}
