// Interrupts in each state of irq_enabled, pending, blocked and halted; noirq_iret; the clock event.
import { LHREQ } from '../../guest-abi/lguest-launcher.js';
import { type AssemblyGuest, DONE, OPEN, toUser } from '../support/assembly-guest.js';
import { everywhere } from '../support/everywhere.js';

const IF = 0x200;
const KERNEL_CS = 0x61;
const raise =
  (...irqs: number[]) =>
  (guest: AssemblyGuest): void => {
    for (const irq of irqs) guest.irq(irq);
  };
/** Stores `count` words of the stack at RESULT + at. */
const frame = (count: number, at: number): string =>
  Array.from({ length: count }, (_, i) => `mov ${4 * i}(%esp), %eax; mov %eax, RESULT+${at + 4 * i};`).join(' ');
const flag = (eflags: number | undefined): number => (eflags ?? 0) & IF;

everywhere('an interrupt gets a frame on the stack it finds, and the lowest comes first (25)', (same, guest) => {
  const made = guest(
    `gate 37, five; gate 35, three; ${OPEN}
     push $0x1111; mov %esp, RESULT
     out %al, $1
     here: nop
     three: mov %esp, RESULT+4; ${frame(4, 8)}
     mov irq_enabled, %eax; mov %eax, RESULT+24; mov %cs, %eax; mov %eax, RESULT+28
     movl $0x200, irq_enabled; hcall LHCALL_SEND_INTERRUPTS; hlt
     five: mov %cs, %eax; mov %eax, RESULT+32; crash DONE`,
    { ports: { 1: raise(5, 3) } },
  );
  same(made.run(), DONE);
  const [before = 0, after, eip, cs, eflags, below, enabled, now, last] = made.results(9);
  same([after, eip, cs, flag(eflags)], [before - 12, made.labels.get('here'), KERNEL_CS, IF]);
  same([below, enabled, now, last], [0x1111, 0, KERNEL_CS, KERNEL_CS]);
});

everywhere('all thirty-two at once come in their order', (same, guest) => {
  const irqs = Array.from({ length: 32 }, (_, irq) => irq);
  const made = guest(
    `${irqs.map((irq) => `gate ${32 + irq}, h${irq}`).join('\n')}
     mov $RESULT, %edi; ${OPEN}; out %al, $1
     ${irqs.map((irq) => `h${irq}: mov $${irq}, %eax; jmp common`).join('\n')}
     common: stosl; cmp $31, %eax; je last; movl $0x200, irq_enabled; hcall LHCALL_SEND_INTERRUPTS; hlt
     last: mov irq_pending, %eax; stosl; crash DONE`,
    // Vector 32 + 31 and all below; the system call's gate is none of them.
    { ports: { 1: raise(...irqs.toReversed()) } },
  );
  same(made.run(), DONE);
  same(made.results(33), [...irqs, 0], 'and then irq_pending is 0');
});

everywhere('an interrupt gate takes the flag away and a trap gate does not; the frame shows it (26)', (same, guest) => {
  for (const [kind, left] of [
    ['gate', 0],
    ['trapgate', IF],
  ] as const) {
    const made = guest(
      `${kind} 37, handler; ${OPEN}; out %al, $1; nop
       handler: mov irq_enabled, %eax; mov %eax, RESULT; ${frame(3, 4)}
       pushf; pop %eax; mov %eax, RESULT+16; crash DONE`,
      { ports: { 1: raise(5) } },
    );
    same(made.run(), DONE);
    const [enabled, , , eflags, live] = made.results(5);
    same([enabled, flag(eflags), flag(live)], [left, IF, IF], `${kind}: the CPU’s own flag is always on`);
  }
});

everywhere('the flag in a frame is bit 9 of irq_enabled, whatever else is there (26)', (same, guest) => {
  for (const [word, shown] of [
    [0, 0],
    [0x200, IF],
    [0x46, 0],
    [0x246, IF],
    [0xfffffdff, 0],
  ] as const) {
    const made = guest(`gate 6, handler; movl $${word}, irq_enabled; ud2; handler: ${frame(3, 0)} crash DONE`);
    same(made.run(), DONE);
    same(flag(made.results(3)[2]), shown, word.toString(16));
  }
});

everywhere('with irq_enabled 0 an interrupt shows in irq_pending, and the time stands still (27)', (same, guest) => {
  for (const enabled of [0, 0x46]) {
    const made = guest(
      `gate 37, handler; movl $0, blocked_interrupts; movl $${enabled}, irq_enabled; movl $7, time_sec; movl $8, time_nsec
       out %al, $1
       mov irq_pending, %eax; mov %eax, RESULT; mov time_sec, %eax; mov %eax, RESULT+4; mov time_nsec, %eax; mov %eax, RESULT+8
       movl $0x200, irq_enabled; hcall LHCALL_SEND_INTERRUPTS; hlt
       handler: mov irq_pending, %eax; mov %eax, RESULT+12; mov time_sec, %eax; mov %eax, RESULT+16; crash DONE`,
      { ports: { 1: raise(5) } },
    );
    same(made.run(), DONE);
    same(made.results(5), [IF, 7, 8, 0, 1_500_000_000]);
  }
});

everywhere('a blocked interrupt waits, and a mere store lets it in (28)', (same, guest) => {
  const made = guest(
    `gate 37, handler; movl $0x20, blocked_interrupts; movl $0x200, irq_enabled
     out %al, $1; hcall LHCALL_SEND_INTERRUPTS; mov irq_pending, %eax; mov %eax, RESULT
     movl $0, blocked_interrupts
     spin: jmp spin
     handler: ${frame(1, 4)} crash DONE`,
    { ports: { 1: raise(5) } },
  );
  same(made.run(), DONE);
  same(made.results(2), [0, made.labels.get('spin')], 'and is nothing to be shown in irq_pending');
});

everywhere('of a blocked and an open interrupt the open one comes, though it is the higher', (same, guest) => {
  const made = guest(
    `gate 35, three; gate 37, five; movl $8, blocked_interrupts; movl $0x200, irq_enabled; out %al, $1
     three: movl $3, RESULT; crash DONE
     five: movl $5, RESULT; crash DONE`,
    { ports: { 1: raise(3, 5) } },
  );
  same(made.run(), DONE);
  same(made.results(1), [5]);
});

everywhere('LHCALL_HALT with an interrupt waiting goes on with interrupts on (29)', (same, guest) => {
  for (const [kind, left] of [
    ['gate', 0],
    ['trapgate', IF],
  ] as const) {
    const made = guest(
      `${kind} 37, handler; movl $0, blocked_interrupts; movl $0, irq_enabled; out %al, $1
       hcall LHCALL_HALT
       after: nop
       handler: ${frame(3, 0)} mov irq_enabled, %eax; mov %eax, RESULT+12; crash DONE`,
      { ports: { 1: raise(5) } },
    );
    same(made.run(), DONE);
    const [eip, , eflags, enabled] = made.results(4);
    same([eip, flag(eflags), enabled], [made.labels.get('after'), IF, left]);
  }
});

everywhere('LHCALL_HALT with only blocked interrupts sleeps, until another comes (30)', (same, guest) => {
  const made = guest(
    `gate 37, handler; gate 38, other; movl $0x20, blocked_interrupts; movl $0, irq_enabled; out %al, $1
     hcall LHCALL_HALT; hlt
     handler: movl $5, RESULT; crash DONE
     other: movl $6, RESULT; crash DONE`,
    { ports: { 1: raise(5) } },
  );
  same([made.run(), made.run()], ['asleep', 'asleep']);
  made.irq(6);
  same(made.run(), DONE);
  same(made.results(1), [6]);
});

everywhere('LHCALL_HALT for an interrupt without a gate goes on behind it (29, 32)', (same, guest) => {
  const made = guest(
    `${OPEN}; movl $0, irq_enabled; out %al, $1; hcall LHCALL_HALT
     mov irq_enabled, %eax; mov %eax, RESULT; mov irq_pending, %eax; mov %eax, RESULT+4
     gate 37, handler; hlt
     handler: movl $5, RESULT+8; crash DONE`,
    { ports: { 1: raise(5) } },
  );
  same(made.run(), DONE);
  same(made.results(3), [IF, IF, 5]);
});

everywhere('at noirq_iret an interrupt takes over the frame that lies there (31)', (same, guest) => {
  const made = guest(
    `gate 37, handler; ${OPEN}; push $0x47cd7; push $0x61; push $target; mov %esp, RESULT; out %al, $1
     noirq_iret: iret
     handler: mov %esp, RESULT+4; pushf; pop %eax; mov %eax, RESULT+8; ${frame(3, 12)}
     mov irq_enabled, %eax; mov %eax, RESULT+24; movl $0x200, irq_enabled; iret
     target: crash DONE`,
    { ports: { 1: raise(5) } },
  );
  same(made.run(), DONE);
  const [before, at, eflags = 0, eip, cs, pushed, enabled] = made.results(7);
  same([at, eip, cs, pushed, enabled], [before, made.labels.get('target'), KERNEL_CS, 0x47cd7, 0]);
  // CF PF AF ZF SF DF OF and AC are the frame’s; NT and IOPL are not, and IF is on though the frame has none.
  same(eflags, 0x40ed7, 'eflags are the frame’s, made safe');
});

everywhere('one instruction before and behind noirq_iret the interrupt gets its own frame (31)', (same, guest) => {
  for (const around of [
    'out %al, $1; nop; noirq_iret: iret',
    'push $0x202; push $0x61; push $target; noirq_iret: iret',
  ]) {
    const made = guest(
      `gate 37, handler; ${OPEN}; push $0x202; push $0x61; push $target; mov %esp, RESULT; ${around}
       target: out %al, $1; hlt
       handler: mov %esp, RESULT+4; crash DONE`,
      { ports: { 1: raise(5) } },
    );
    same(made.run(), DONE);
    const [before = 0, at] = made.results(2);
    same(at, before - 12);
  }
});

everywhere('in the range of Linux 4.0 and older an interrupt waits, unseen (31)', (same, guest) => {
  const made = guest(
    `gate 37, handler; ${OPEN}
     nop
     noirq_start: out %al, $1; mov irq_pending, %eax; mov %eax, RESULT; nop
     noirq_end: nop
     spin: jmp spin
     handler: ${frame(1, 4)} crash DONE`,
    { ports: { 1: raise(5) } },
  );
  same(made.run(), DONE);
  const [pending, eip = 0] = made.results(2);
  same([pending, eip >= (made.labels.get('noirq_end') ?? NaN)], [0, true]);
});

everywhere('an interrupt without a gate stays, and the Guest goes on (32)', (same, guest) => {
  const made = guest(
    `${OPEN}; out %al, $1; movl $1, RESULT; gate 37, handler; hlt
     handler: movl $2, RESULT+4; crash DONE`,
    { ports: { 1: raise(5) } },
  );
  same(made.run(), DONE);
  same(made.results(2), [1, 2]);
});

everywhere('SET_CLOCKEVENT raises irq 0 when its time has come (33)', (same, guest) => {
  for (const delta of [1, 999_999, 1_000_000, 20_000_000]) {
    const made = guest(
      `gate 32, handler; ${OPEN}; rdtsc; mov %eax, RESULT; hcall LHCALL_SET_CLOCKEVENT, ${delta}
       spin: jmp spin
       handler: rdtsc; mov %eax, RESULT+4; crash DONE`,
    );
    same(made.run(), DONE);
    const [before = 0, at = 0] = made.results(2);
    same([at - before >= delta, at - before < delta + 3_000_000], [true, true], `${delta} ns: ${at - before}`);
  }
});

everywhere('SET_CLOCKEVENT 0 cancels, another replaces, and what is pending stays (33)', (same, guest) => {
  const cancelled = guest(
    `gate 32, handler; ${OPEN}; hcall LHCALL_SET_CLOCKEVENT, 100000000; hcall LHCALL_SET_CLOCKEVENT, 0; hcall LHCALL_HALT
     handler: crash DONE`,
  );
  same(cancelled.run(), 'asleep');
  cancelled.clock.advance(200_000_000);
  same(cancelled.run(), 'asleep', 'cancelled');

  for (const [first, second, wait] of [
    [50_000_000, 900_000_000, 100_000_000],
    [900_000_000, 50_000_000, 40_000_000],
  ]) {
    const replaced = guest(
      `gate 32, handler; ${OPEN}; hcall LHCALL_SET_CLOCKEVENT, ${first ?? 0}; hcall LHCALL_SET_CLOCKEVENT, ${second ?? 0}
       hcall LHCALL_HALT
       handler: crash DONE`,
    );
    same(replaced.run(), 'asleep');
    replaced.clock.advance(wait ?? 0);
    same(replaced.run(), 'asleep', 'not yet');
    replaced.clock.advance(Math.max(first ?? 0, second ?? 0));
    same(replaced.run(), DONE, 'replaced');
  }

  const late = guest(
    `gate 32, handler; movl $0, blocked_interrupts; movl $0, irq_enabled; hcall LHCALL_SET_CLOCKEVENT, 1
     wait: testl $0x200, irq_pending; je wait
     hcall LHCALL_SET_CLOCKEVENT, 0; movl $0x200, irq_enabled; hcall LHCALL_SEND_INTERRUPTS; hlt
     handler: crash DONE`,
  );
  same(late.run(), DONE, 'due before it was cancelled');
});

everywhere('the longest alarm is 2³² − 1 nanoseconds away', (same, guest) => {
  const made = guest(
    `gate 32, handler; ${OPEN}; hcall LHCALL_SET_CLOCKEVENT, 0xffffffff; hcall LHCALL_HALT
     handler: crash DONE`,
  );
  same(made.run(), 'asleep');
  made.clock.advance(4_200_000_000);
  same(made.run(), 'asleep');
  made.clock.advance(94_967_295);
  same(made.run(), DONE);
});

everywhere('an interrupt before LHCALL_LGUEST_INIT is kept (34)', (same, guest) => {
  const made = guest(
    `gate 37, handler; movl $1, RESULT; ${OPEN}; hcall LHCALL_SEND_INTERRUPTS; hlt; handler: crash DONE`,
  );
  made.irq(5);
  same(made.run(), DONE);
  same(made.results(1), [1]);
});

everywhere('from ring 3 the frame has ss and esp, and lies on the kernel’s stack (35)', (same, guest) => {
  const made = guest(
    `gate 37, handler; hcall LHCALL_SET_STACK, 0x69, STACK-0x100, 1; ${OPEN}; ${toUser('program')}
     handler: mov $0x7b, %eax; mov %eax, %ds; mov %esp, RESULT+20; ${frame(5, 0)}
     mov %ss, %eax; mov %eax, RESULT+24; crash DONE`,
    { user: 'program: mov $USER_STACK-0x40, %esp; out %al, $1; back: jmp back', ports: { 1: raise(5) } },
  );
  same(made.run(), DONE);
  const [eip, cs, eflags, esp, ss, at, stack] = made.results(7);
  same([eip, cs, flag(eflags)], [made.labels.get('back'), 0x73, IF]);
  same([esp, ss, at, stack], [0x8040000 - 0x40, 0x7b, 0xc0020000 - 0x100 - 20, 0x69]);
});

everywhere(
  'error codes are pushed for 8, 10 to 14 and 17, and -EINVAL is said of gates that are none (36)',
  (same, guest) => {
    for (let vector = 0; vector < 256; vector = vector < 34 ? vector + 1 : vector * 2 - 33 + 60) {
      const answers: number[] = [];
      const made = guest(
        `gate ${vector}, handler; mov %esp, RESULT; movl $0, RESULT+4; out %al, $1; crash DONE
       handler: mov %esp, RESULT+4; crash DONE`,
        { ports: { 1: (each) => void answers.push(each.write(LHREQ.LHREQ_TRAP, vector)) } },
      );
      same(made.run(), DONE);
      const [before = 0, at = 0] = made.results(2);
      const never = [2, 8, 15, 31].includes(vector);
      const withCode = [10, 11, 12, 13, 14, 17].includes(vector);
      same([answers, at], never ? [[-22], 0] : [[0], before - (withCode ? 16 : 12)], `vector ${vector}`);
    }
  },
);

everywhere('a gate that has gone takes no interrupt, one that has changed takes it elsewhere', (same, guest) => {
  const made = guest(
    `gate 37, old; hcall LHCALL_LOAD_IDT_ENTRY, 37, 0, 0; ${OPEN}; out %al, $1; movl $1, RESULT
     gate 37, new; hlt
     old: movl $2, RESULT+4; crash DONE
     new: movl $3, RESULT+4; crash DONE`,
    { ports: { 1: raise(5) } },
  );
  same(made.run(), DONE);
  same(made.results(2), [1, 3]);
});
