// Hypercalls that are all right, and what they do; what they kill for is in kills/.
import { LHCALL } from '../../guest-abi/hypercalls.js';
import { DONE, HYPERCALL_NAMES, toUser } from '../support/assembly-guest.js';
import { everywhere } from '../support/everywhere.js';
import { DATA, DIRECTORY, RAM } from '../support/guest-layout.js';

const DATA_SIZE = 1388;
const RING = 64;
const CALL_SIZE = 20;

/** Queues a call at place `n` of the ring. */
const queue = (n: number, number: string | number, ...args: (string | number)[]): string =>
  [number, ...args].map((value, i) => `movl $${value}, hcalls+${n * CALL_SIZE + 4 * i};`).join(' ') +
  ` movb $0, hcall_status+${n}`;
/** … one that makes `vector` a gate. */
const setGate = (n: number, vector: number): string => queue(n, 'LHCALL_LOAD_IDT_ENTRY', vector, 0x1000, 0xc0018e00);

everywhere('LHCALL_LGUEST_INIT takes lguest_data that ends with RAM (13)', (same, guest) => {
  const at = RAM - DATA_SIZE;
  const words = { [at + 1380]: 0xc0000000, [at + 1384]: 0x80 };
  const made = guest(`hcall LHCALL_LGUEST_INIT, ${at}; crash DONE`, { begin: 'reset', words });
  same(made.run(), DONE);
  same(made.word(at, 1372 / 4), 1_000_000);
});

everywhere(
  'LHCALL_LGUEST_INIT writes the frequency, the time and what is reserved, and nothing else (14)',
  (same, guest) => {
    const made = guest(`out %al, $1; hcall LHCALL_LGUEST_INIT, DATA_PA; out %al, $2; crash DONE`, {
      begin: 'reset',
      ports: { 1: (each) => (before = words(each)), 2: (each) => (after = words(each)) },
    });
    let before: number[] = [];
    let after: number[] = [];
    const words = (each: typeof made): number[] => Array.from({ length: DATA_SIZE / 4 }, (_, i) => each.word(DATA, i));
    same(made.run(), DONE);
    const changed = after.flatMap((value, i) => (value === before[i] ? [] : [[4 * i, value]]));
    const nanoseconds = after[4] ?? 0;
    same(changed, [
      [12, 1_500_000_000],
      [16, nanoseconds],
      [1368, 2 ** 32 - 0xfffe1000],
      [1372, 1_000_000],
    ]);
  },
);

everywhere('no hypercall changes a register (15)', (same, guest) => {
  for (const name of HYPERCALL_NAMES) {
    const harmless = !['LHCALL_LGUEST_INIT', 'LHCALL_SHUTDOWN', 'LHCALL_SET_PMD', 'LHCALL_HALT'].includes(name);
    if (!harmless) continue;
    // Arguments that are all right for every call: a gate that is not present, entry 9, a page table that is there.
    const args = {
      LHCALL_NEW_PGTABLE: [DIRECTORY, 2, 3, 4],
      LHCALL_SET_STACK: [0x69, 0xc0020000, 1, 4],
      LHCALL_LOAD_TLS: [DATA, 2, 3, 4],
    }[name as string] ?? [9, 0, 0, 4];
    const made = guest(
      `mov $0x5555, %edi; mov $0x6666, %ebp; stc; mov $${LHCALL[name]}, %eax
       mov $${args[0] ?? 0}, %ebx; mov $${args[1] ?? 0}, %ecx; mov $${args[2] ?? 0}, %edx; mov $${args[3] ?? 0}, %esi
       int $0x1f
       after: out %al, $1; crash DONE`,
      {
        ports: {
          1: (each) => {
            same(
              (['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'esp', 'eip'] as const).map((reg) => each.reg(reg)),
              [LHCALL[name], ...args, 0x5555, 0x6666, 0xc0020000, (each.labels.get('after') ?? 0) + 2],
              name,
            );
            same(each.reg('eflags') & 1, 1, `${name}: carry`);
          },
        },
      },
    );
    same(made.run(), DONE, name);
  }
});

everywhere('the ring is emptied in its order, before the call itself, and says so (16)', (same, guest) => {
  const made = guest(
    `${setGate(0, 6)}; ${queue(1, 'LHCALL_LOAD_IDT_ENTRY', 6, 0, 0)}; ${setGate(2, 6)}
     movb $0xff, hcall_status+3
     hcall LHCALL_LOAD_IDT_ENTRY, 6, (handler & 0xffff), ((handler & 0xffff0000) | 0x8e00)
     mov hcall_status, %eax; mov %eax, RESULT; ud2
     handler: crash DONE`,
  );
  same(made.run(), DONE, 'the direct call was the last');
  same(made.results(1), [0xffffffff]);
});

everywhere('what is not 0xff is ready, and the first that is not ends the round (16)', (same, guest) => {
  for (const ready of [0, 1, 0x7f, 0xfe]) {
    const made = guest(
      `${queue(0, 'LHCALL_SET_CLOCKEVENT', 0)}; movb $${ready}, hcall_status
       ${queue(2, 'LHCALL_SHUTDOWN', 'DONE', 1)}
       hcall LHCALL_FLUSH_ASYNC; mov hcall_status, %eax; mov %eax, RESULT; hcall LHCALL_FLUSH_ASYNC
       movb $0, hcall_status+1; movl $LHCALL_SEND_INTERRUPTS, hcalls+20; hcall LHCALL_FLUSH_ASYNC; hlt`,
    );
    same(made.run(), DONE, 'place 2 comes when place 1 is ready');
    same(made.results(1), [0xff00ffff]);
  }
});

everywhere('the cursor goes on where it was, and comes round behind 64 (16)', (same, guest) => {
  // Each round queues three calls behind the last one; the vector whose gate comes last is the number of the round.
  const rounds = 50;
  const made = guest(
    `xor %edi, %edi; mov $${rounds}, %ebp
     round: mov $3, %ecx
     one: lea (%edi,%edi,4), %eax; movl $LHCALL_SET_CLOCKEVENT, hcalls(,%eax,4); movl $0, hcalls+4(,%eax,4)
     movb $0, hcall_status(%edi); inc %edi; and $63, %edi; dec %ecx; jne one
     mov $0, %eax; int $0x1f
     mov $64, %ecx
     look: cmpb $0xff, hcall_status-1(%ecx); jne wrong; dec %ecx; jne look
     dec %ebp; jne round
     mov %edi, RESULT; crash DONE
     wrong: mov %ebp, RESULT+4; mov %ecx, RESULT+8; crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(3), [(3 * rounds) % RING, 0, 0]);
});

everywhere('all sixty-four places in one call, and no more than that', (same, guest) => {
  const made = guest(
    `mov $63, %edi
     fill: lea (%edi,%edi,4), %eax; movl $LHCALL_SET_CLOCKEVENT, hcalls(,%eax,4); movb $0, hcall_status(%edi); dec %edi; jns fill
     hcall LHCALL_FLUSH_ASYNC
     xor %eax, %eax; mov $63, %edi
     sum: movzbl hcall_status(%edi), %ebx; add %ebx, %eax; dec %edi; jns sum
     mov %eax, RESULT; crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(1), [64 * 0xff]);
});

everywhere('page faults, interrupts and LHCALL_LGUEST_INIT leave the ring alone (17)', (same, guest) => {
  const made = guest(
    `${queue(0, 'LHCALL_SHUTDOWN', 'DONE', 1)}; hcall LHCALL_LGUEST_INIT, DATA_PA; movl $1, RESULT
     rdtsc; mov 0x20000, %eax; out %al, $1; nop; movl $2, RESULT+4; hcall LHCALL_SEND_INTERRUPTS; hlt`,
    { begin: 'reset', ports: { 1: (each) => each.irq(5) } },
  );
  same(made.run(), DONE);
  same(made.results(2), [1, 2]);
});

everywhere('a restart is one whatever the message is, and whatever was wrong before (18)', (same, guest) => {
  for (const text of [
    'hcall LHCALL_SHUTDOWN, DONE, 2',
    'hcall LHCALL_SHUTDOWN, 0x40000000, 2',
    `${queue(0, 99)}; hcall LHCALL_SHUTDOWN, DONE, 2`,
    `${queue(0, 'LHCALL_SHUTDOWN', 'DONE', 2)}; hcall LHCALL_SHUTDOWN, DONE, 1`,
  ]) {
    const made = guest(text);
    same(made.run(), 'read: -85', text);
    same([made.write(2, 5), made.device.read(new Uint8Array(64))], [-2, -85], 'again and again');
  }
});

everywhere('LHCALL_SET_STACK takes no page, one and two (20)', (same, guest) => {
  for (const pages of [0, 1, 2]) {
    const made = guest(
      `hcall LHCALL_SET_STACK, 0x69, STACK-0x40, ${pages}; trapgate 0x80, call, 3; ${toUser('program')}
       call: mov $0x69, %eax; mov %eax, %ds; mov %esp, RESULT; crash DONE`,
      { user: 'program: int $0x80' },
    );
    same(made.run(), DONE);
    same(made.results(1), [0xc0020000 - 0x40 - 20]);
  }
});

everywhere('LHCALL_LOAD_IDT_ENTRY for 2, 8, 15 and 31 does nothing, whatever the gate (22)', (same, guest) => {
  for (const vector of [2, 8, 15, 31]) {
    const made = guest(
      `hcall LHCALL_LOAD_IDT_ENTRY, ${vector}, 0, 0x8500; gate ${vector}, wrong; trapgate ${vector}, wrong, 3
       hcall LHCALL_LOAD_IDT_ENTRY, ${vector}, 0, 0; crash DONE; wrong: hlt`,
    );
    same(made.run(), DONE, `vector ${vector}`);
  }
});

everywhere('a gate may lead anywhere, and its segment is the kernel’s, whatever it says (22)', (same, guest) => {
  const made = guest(
    `hcall LHCALL_LOAD_IDT_ENTRY, 6, ((handler & 0xffff) | 0x730000), ((handler & 0xffff0000) | 0x8e00); ud2
     handler: mov %cs, %eax; mov %eax, RESULT; crash DONE`,
  );
  same(made.run(), DONE);
  same(made.results(1), [0x61]);
});

everywhere('a program’s hypercall is its kernel’s #GP(0xfa) (24)', (same, guest) => {
  const made = guest(
    `gate 13, handler; hcall LHCALL_SET_STACK, 0x69, STACK, 1; ${toUser('program')}
     handler: mov $0x69, %eax; mov %eax, %ds; pop %eax; mov %eax, RESULT; pop %eax; mov %eax, RESULT+4; crash DONE`,
    { user: 'program: mov $LHCALL_SHUTDOWN, %eax; at: int $0x1f' },
  );
  same(made.run(), DONE);
  same(made.results(2), [0xfa, made.labels.get('at')]);
});

everywhere('LHCALL_TS lends the FPU and takes it back (21)', (same, guest) => {
  const made = guest(
    `gate 7, lent; fninit; hcall LHCALL_TS, 8
     first: fld1; crash DONE
     lent: mov (%esp), %eax; mov %eax, RESULT; hcall LHCALL_TS, 0; incl RESULT+4; cmpl $1, RESULT+4; jne out
     iret
     out: hlt`,
  );
  same(made.run(), DONE);
  same(made.results(2), [made.labels.get('first'), 1]);
});
