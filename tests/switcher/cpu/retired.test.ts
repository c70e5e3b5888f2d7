// How many instructions were completed: known for programs that are counted by hand, the same under every engine for others.
import t from 'tap';
import { AssemblyGuest, ENGINES } from '../../support/assembly-guest.js';
import { EmulatedCpu } from '../../support/test-cpu.js';
import { TIMEOUT } from '../../support/machine-state.js';
import { RETIRED, RETIRED_TRANSLATED } from '../../../switcher/cpu/state.js';
import { caseMaker } from '../../differential/make-case.js';

interface Program {
  readonly what: string;
  readonly instructions: number;
  readonly text: string;
  /** Before it is counted, and what only others jump to. */
  readonly before?: string;
  readonly behind?: string;
}

const PROGRAMS: readonly Program[] = [
  { what: 'a loop', instructions: 1 + 2 * 1000, text: 'mov $1000, %ecx; loop: dec %ecx; jnz loop' },
  {
    what: 'a branch that is taken every other time',
    instructions: 2 + 1000 * 3 + 500 + 2 * 1000,
    text: 'mov $1000, %ecx; xor %eax, %eax; again: inc %eax; test $1, %al; jz even; nop; even: dec %ecx; jnz again',
  },
  {
    what: 'a repetition, however long and in however many turns',
    instructions: 5,
    text: 'cld; mov $20000, %ecx; mov $(KERNEL + 0x20000), %esi; mov $(KERNEL + 0x28000), %edi; rep movsb',
  },
  { what: 'a repetition of nothing', instructions: 2, text: 'xor %ecx, %ecx; rep stosl' },
  {
    what: 'a search that ends early',
    instructions: 4,
    text: 'mov $20000, %ecx; mov $(KERNEL + 0x20000), %edi; mov $1, %al; repe scasb',
  },
  {
    what: 'calls, and a jump through a register',
    instructions: 1 + 200 * 6 + 2,
    text: 'mov $200, %ecx; loop: call function; dec %ecx; jnz loop; mov $onward, %eax; jmp *%eax; nop; onward:',
    behind: 'function: push %eax; pop %eax; ret',
  },
  {
    what: 'a fault that the Guest mends itself: the instruction that faulted is not counted',
    instructions: 1 + 100 * 4,
    before: 'trapgate 6, skip',
    text: 'mov $100, %ecx; loop: ud2; dec %ecx; jnz loop',
    behind: 'skip: addl $2, (%esp); iret',
  },
  {
    what: 'a page fault that the Host mends: the instruction counts once',
    instructions: 3 + 2,
    text: 'hcall LHCALL_FLUSH_TLB, 1; incl KERNEL + 0x20000; incl KERNEL + 0x21000',
  },
  {
    what: 'software interrupts, to the Host and to the Guest itself',
    instructions: 1 + 10 * 6,
    before: 'trapgate 0x80, back, 3',
    text: 'mov $10, %ecx; loop: int $0x80; mov $LHCALL_FLUSH_ASYNC, %eax; int $0x1f; dec %ecx; jnz loop',
    behind: 'back: iret',
  },
  {
    what: 'code that changes its next instruction',
    instructions: 1 + 50 * 4,
    text: 'mov $50, %ecx; loop: incb patched + 1; patched: mov $0, %al; dec %ecx; jnz loop',
  },
  {
    what: 'floating point, with the x87 in locals or not',
    instructions: 3 + 100 * 4 + 1,
    text: 'mov $100, %ecx; fld1; fld1; loop: fadd %st(1), %st; fxch; dec %ecx; jnz loop; fcompp',
  },
  {
    what: 'single steps, each of which is a trap',
    instructions: 7 + 4,
    before: 'trapgate 1, step',
    text: 'pushf; orl $0x100, (%esp); popf; nop; pushf; andl $~0x100, (%esp); popf',
    behind: 'step: iret',
  },
];

/** How many instructions a program took between two marks. */
function counted(engine: (typeof ENGINES)[number], { before = '', text, behind = '' }: Program): number {
  const marks: number[] = [];
  const mark = (guest: AssemblyGuest): void => void marks.push(guest.device.cpuCounters.retired?.instructions ?? NaN);
  const code = `${before}\nout %al, $1\n${text}\nout %al, $1\ncrash DONE\n${behind}`;
  const guest = new AssemblyGuest(code, { engine, countInstructions: true, ports: { 1: mark } });
  const end = guest.run();
  const [from = NaN, to = NaN] = marks;
  if (!end.includes('done')) throw new Error(`the Guest ended with ${end}`);
  return to - from;
}

for (const engine of ENGINES) {
  t.test(`instructions are counted exactly, under ${engine}`, async (t) => {
    for (const program of PROGRAMS) t.equal(counted(engine, program), program.instructions, program.what);
  });
}

t.test('whatever is executed, all engines count alike', async (t) => {
  for (const rows of [false, true]) {
    const next = caseMaker({ seed: 5, rows });
    const cpus = ENGINES.map((engine) => new EmulatedCpu(engine, true));
    const different: string[] = [];
    for (let i = 0; i < 1500; i++) {
      const { name, state } = next();
      const counts = cpus.map((cpu) => {
        cpu.reset(state);
        const before = cpu.retired;
        return cpu.run().trap.vector === TIMEOUT ? 'for ever' : cpu.retired - before;
      });
      if (new Set(counts).size > 1) different.push(`${name}: ${counts.join(' ')}`);
    }
    t.strictSame(different, []);
  }
});

t.test('nothing is counted where nobody wants to know', async (t) => {
  for (const engine of ENGINES) {
    const guest = new AssemblyGuest('mov $1000, %ecx; loop: dec %ecx; jnz loop; crash DONE', { engine });
    guest.run();
    t.equal(guest.device.cpuCounters.retired, undefined);
    const words = new Uint32Array(guest.memory.bytes.buffer, RETIRED, (RETIRED_TRANSLATED + 8 - RETIRED) / 4);
    t.ok(
      words.every((word) => word === 0),
      `${engine} does not touch the words`,
    );
  }
});
