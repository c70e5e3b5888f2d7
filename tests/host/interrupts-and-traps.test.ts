// What goes into the Guest: interrupts, and traps of its own.
import t from 'tap';
import { EAGAIN, EINTR } from '../../guest-abi/errno.js';
import { LGUEST_DATA } from '../../guest-abi/lguest-data.js';
import { LHREQ } from '../../guest-abi/lguest-launcher.js';
import {
  ACCESSED,
  both,
  DATA,
  DIRTY,
  hypercall,
  inRing,
  KERNEL,
  NOIRQ_IRET,
  P,
  PAGE,
  pageFault,
} from '../support/test-guest.js';
import { RW, TestGuest, type TestGuestOptions, trap, USER } from '../support/test-guest.js';

const { LHREQ_IRQ, LHREQ_TRAP } = LHREQ;
const HANDLER = KERNEL + 0x2000;
const STACK = KERNEL + 0x6000;
const USER_STACK = 0xbffff000;
const IF = 0x200;

/** A Guest with paging, a kernel stack, handlers for irqs 0 to 31, #GP and page faults, and interrupts enabled. */
function ready(options: TestGuestOptions = {}): TestGuest {
  const guest = new TestGuest(options);
  guest.beginPaging();
  for (let vector = 32; vector < 64; vector++) guest.run(guest.gate(vector, HANDLER + vector));
  guest.run(guest.gate(14, HANDLER + 14), guest.gate(13, HANDLER + 13), guest.gate(0, HANDLER));
  guest.run(hypercall('LHCALL_SET_STACK', 0x69, STACK, 2));
  guest.setData('blocked_interrupts', 0);
  guest.setData('irq_enabled', IF);
  inRing(1, KERNEL + 0x8000, KERNEL + 0x1000)(guest.switcher);
  guest.switcher.setReg('eflags', 0x202);
  return guest;
}

t.test(
  'an interrupt pushes a frame on the kernel’s own stack and goes to gate 32 + n, lowest n first (25)',
  async (t) => {
    const guest = ready();
    guest.write(LHREQ_IRQ, 9);
    guest.write(LHREQ_IRQ, 4);
    guest.write(LHREQ_IRQ, 31);
    guest.switcher.setReg('eflags', 0x10347);
    guest.run();
    t.match(guest.regs(), { cs: 0x61, eip: HANDLER + 32 + 4, esp: KERNEL + 0x8000 - 12, ss: 0x69, eflags: 0x247 });
    t.same(guest.stack(3), [KERNEL + 0x1000, 0x61, 0x10347], 'eip, cs, eflags');
    t.ok(guest.switcher.memory.written.has(7), 'and says that it wrote to the stack');
  },
);

t.test('an interrupt gate takes the Guest’s interrupt flag away, a trap gate does not (26)', async (t) => {
  const guest = ready();
  guest.write(LHREQ_IRQ, 1);
  guest.run();
  t.equal(guest.data('irq_enabled'), 0);
  t.equal(guest.regs().eflags & IF, IF, 'the real flag stays');

  const other = ready();
  other.run(other.gate(33, HANDLER, 'trap'));
  other.write(LHREQ_IRQ, 1);
  other.run();
  t.equal(other.data('irq_enabled'), IF);
});

t.test('the pushed eflags show the Guest’s own interrupt flag (26)', async (t) => {
  const guest = ready();
  guest.setData('irq_enabled', 0);
  guest.run(trap(0));
  t.equal(guest.stack(3)[2], 0x002);
  guest.setData('irq_enabled', 0x246);
  guest.run(trap(0));
  t.equal(guest.stack(3)[2], 0x202);
});

t.test('an interrupt for a Guest that wants none sets irq_pending, and leaves time alone (27)', async (t) => {
  const guest = ready();
  guest.setData('irq_enabled', 0);
  const time = guest.data('time_sec');
  guest.clock.advance(5e9);
  guest.write(LHREQ_IRQ, 1);
  guest.run();
  t.equal(guest.data('irq_pending'), IF);
  t.equal(guest.data('time_sec'), time);
  t.equal(guest.regs().eip, KERNEL + 0x1000);
});

t.test('bit 9 of irq_enabled is what counts: a flags image without it means disabled', async (t) => {
  const guest = ready();
  guest.setData('irq_enabled', 0x46);
  guest.write(LHREQ_IRQ, 1);
  guest.run();
  t.equal(guest.regs().eip, KERNEL + 0x1000);
  t.equal(guest.data('irq_pending'), IF);
  guest.setData('irq_enabled', 0x246);
  guest.run();
  t.equal(guest.regs().eip, HANDLER + 33);
});

t.test('irq_pending goes when nothing waits any more, and stays while something does', async (t) => {
  const guest = ready();
  guest.setData('irq_enabled', 0);
  guest.write(LHREQ_IRQ, 1);
  guest.write(LHREQ_IRQ, 2);
  guest.run();
  guest.setData('irq_enabled', IF);
  guest.run();
  t.equal(guest.regs().eip, HANDLER + 33);
  t.equal(guest.data('irq_pending'), IF);
  guest.setData('irq_enabled', IF);
  guest.run();
  t.equal(guest.regs().eip, HANDLER + 34);
  t.equal(guest.data('irq_pending'), 0);
});

t.test('a blocked interrupt waits, and comes when it is unblocked (28)', async (t) => {
  const guest = ready();
  guest.setData('blocked_interrupts', 1 << 5);
  guest.write(LHREQ_IRQ, 5);
  guest.run();
  t.equal(guest.regs().eip, KERNEL + 0x1000);
  t.equal(guest.data('irq_pending'), 0);
  guest.setData('blocked_interrupts', 0);
  guest.run();
  t.equal(guest.regs().eip, HANDLER + 32 + 5);
});

t.test('LHCALL_HALT with an interrupt waiting goes on at once, whatever irq_enabled was (29)', async (t) => {
  const guest = ready();
  guest.setData('irq_enabled', 0);
  guest.write(LHREQ_IRQ, 1);
  t.equal(guest.run(hypercall('LHCALL_HALT')), -EINTR);
  t.equal(guest.regs().eip, HANDLER + 33);
  t.equal(guest.stack(3)[2], 0x202, 'interrupts were enabled before the frame was pushed');
  t.equal(guest.data('irq_enabled'), 0);
});

t.test('LHCALL_HALT with only blocked interrupts sleeps (30)', async (t) => {
  const guest = ready();
  guest.setData('blocked_interrupts', 1 << 5);
  guest.write(LHREQ_IRQ, 5);
  t.equal(guest.run(hypercall('LHCALL_HALT')), -EAGAIN);
  const { entries } = guest.switcher;
  t.equal(guest.run(), -EAGAIN, 'and goes on sleeping');
  t.equal(guest.switcher.entries, entries);
  guest.write(LHREQ_IRQ, 6);
  t.equal(guest.run(), -EINTR);
  t.equal(guest.regs().eip, HANDLER + 32 + 6);
});

t.test('an interrupt at noirq_iret uses the frame that lies there (31)', async (t) => {
  const guest = ready();
  const esp = KERNEL + 0x7f00;
  inRing(1, esp, NOIRQ_IRET)(guest.switcher);
  guest.poke(0x7f00, 0x8048000);
  guest.poke(0x7f04, 0x73);
  guest.poke(0x7f08, 0x373c7 & ~IF);
  guest.write(LHREQ_IRQ, 1);
  guest.run();
  t.match(guest.regs(), { esp, ss: 0x69, cs: 0x61, eip: HANDLER + 33 });
  t.equal(guest.regs().eflags, 0x2c7, 'its flags, but TF, NT, RF, VM and IOPL off and IF on');
  t.same(guest.stack(3), [0x8048000, 0x73, 0x373c7 & ~IF], 'untouched');
  t.equal(guest.data('irq_enabled'), 0);
});

t.test('a program at the address of noirq_iret is nothing special', async (t) => {
  const guest = ready();
  inRing(3, USER_STACK, NOIRQ_IRET)(guest.switcher);
  guest.write(LHREQ_IRQ, 1);
  guest.run();
  t.equal(guest.regs().esp, STACK - 20);
});

t.test('in the range of Linux 4.0 and older interrupts are put off (31)', async (t) => {
  const guest = ready({ layout: '3.11' });
  guest.write(LHREQ_IRQ, 1);
  for (const at of [NOIRQ_IRET, NOIRQ_IRET + 6]) {
    guest.switcher.setReg('eip', at);
    guest.run();
    t.equal(guest.regs().eip, at);
    t.equal(guest.data('irq_pending'), 0);
  }
  guest.switcher.setReg('eip', NOIRQ_IRET + 7);
  guest.run();
  t.equal(guest.regs().eip, HANDLER + 33);
  guest.switcher.setReg('eip', NOIRQ_IRET);
  guest.write(LHREQ_IRQ, 2);
  t.equal(guest.run(hypercall('LHCALL_HALT')), -EINTR, 'but a sleeping Guest wakes');
});

t.test('an interrupt without a handler stays, and the Guest goes on (32)', async (t) => {
  const guest = ready();
  guest.run(hypercall('LHCALL_LOAD_IDT_ENTRY', 33, 0, 0));
  guest.write(LHREQ_IRQ, 1);
  t.equal(guest.run(), -EINTR);
  t.equal(guest.regs().eip, KERNEL + 0x1000);
  guest.run(guest.gate(33, HANDLER + 33));
  t.equal(guest.regs().eip, HANDLER + 33);
});

t.test('LHCALL_SET_CLOCKEVENT raises irq 0 when its time has come, not before (33)', async (t) => {
  const guest = ready();
  guest.switcher.nanosecondsPerBudget = 100_000;
  guest.run(hypercall('LHCALL_SET_CLOCKEVENT', 1_000_000));
  const at = guest.clock.nanoseconds;
  guest.setData('irq_enabled', IF);
  guest.setData('irq_pending', 0);
  t.equal(guest.device.counters?.interrupts[0], 1);
  const late = at - 1_000_000;
  t.ok(late >= 0, 'a millisecond or more');
});

t.test('LHCALL_SET_CLOCKEVENT 0 cancels, and another replaces the one before (33, H9)', async (t) => {
  const guest = ready();
  guest.run(hypercall('LHCALL_SET_CLOCKEVENT', 5_000_000_000 >>> 1), hypercall('LHCALL_SET_CLOCKEVENT', 0));
  guest.clock.advance(1e10);
  guest.run();
  t.equal(guest.device.counters?.interrupts[0], 0);
  guest.run(hypercall('LHCALL_SET_CLOCKEVENT', 0xffffffff), hypercall('LHCALL_SET_CLOCKEVENT', 1));
  guest.run();
  t.equal(guest.device.counters?.interrupts[0], 1);
  guest.setData('irq_enabled', IF);
  guest.clock.advance(1e10);
  guest.run();
  t.equal(guest.device.counters?.interrupts[0], 1, 'once');
});

t.test('a sleeping Guest is woken by its clock event', async (t) => {
  const guest = ready();
  t.equal(guest.run(hypercall('LHCALL_SET_CLOCKEVENT', 1000), hypercall('LHCALL_HALT')), -EAGAIN);
  guest.clock.advance(999);
  t.equal(guest.run(), -EAGAIN);
  guest.clock.advance(1);
  t.equal(guest.run(), -EINTR);
  t.equal(guest.regs().eip, HANDLER + 32);
});

t.test('an interrupt before LHCALL_LGUEST_INIT is kept (34)', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  guest.write(LHREQ_IRQ, 7);
  guest.run();
  guest.prepareData();
  guest.run(hypercall('LHCALL_LGUEST_INIT', DATA));
  guest.run(guest.gate(39, 0x2000));
  guest.setData('irq_enabled', IF);
  guest.switcher.setReg('esp', 0x5000);
  guest.run();
  t.equal(guest.regs().eip, 0x2000);
});

t.test('time is brought up to date with each interrupt', async (t) => {
  const guest = ready();
  guest.clock.nanoseconds = 7_000_001_000;
  guest.write(LHREQ_IRQ, 1);
  guest.run();
  t.same([guest.data('time_sec'), guest.data('time_nsec')], [1_500_000_008, 0]);
});

for (const pae of [false, true]) {
  const kind = pae ? 'with PAE' : 'without PAE';

  t.test(`from ring 3 the frame goes to the kernel’s stack, with ss and esp (35), ${kind}`, async (t) => {
    const guest = ready({ pae });
    inRing(3, USER_STACK, 0x8048123)(guest.switcher);
    guest.write(LHREQ_IRQ, 1);
    guest.run();
    t.match(guest.regs(), { esp: STACK - 20, ss: 0x69, cs: 0x61 });
    t.same(guest.stack(5), [0x8048123, 0x73, 0x202, USER_STACK, 0x7b]);
    t.equal(guest.run(both(inRing(3, USER_STACK, 0x8048456), trap(13, 0x18))), -EINTR);
    t.same(guest.stack(6), [0x18, 0x8048456, 0x73, 0x002, USER_STACK, 0x7b]);
  });

  t.test(`a frame may cross into a page that lies elsewhere, ${kind}`, async (t) => {
    const guest = new TestGuest({ pae });
    const directory = guest.beginPaging();
    const flags = P | RW | ACCESSED | DIRTY;
    guest.map(directory, 0xd0000000, 0x20000 | flags);
    guest.map(directory, 0xd0001000, 0x30000 | flags);
    guest.run(guest.gate(0, HANDLER));
    inRing(1, 0xd0001004, KERNEL + 0x1000)(guest.switcher);
    guest.run(trap(0));
    t.equal(guest.regs().esp, 0xd0000ff8);
    t.same([guest.peek(0x30000), guest.peek(0x20ffc), guest.peek(0x20ff8)], [0x002, 0x61, KERNEL + 0x1000]);
    inRing(1, 0xd0001000, KERNEL + 0x1000)(guest.switcher);
    guest.run(trap(0));
    t.equal(guest.peek(0x20ffc), 0x002, 'the page above a stack need not be there');
  });

  t.test(`a stack that is not mapped kills, ${kind}`, async (t) => {
    const guest = ready({ pae });
    inRing(1, 0xe0000000, KERNEL)(guest.switcher);
    t.equal(guest.killedBy(trap(0)), 'Bad address 0xdffffffc');
    const wrapped = ready({ pae });
    inRing(1, 0, KERNEL)(wrapped.switcher);
    t.match(wrapped.killedBy(trap(0)), /^Bad address 0xfffffffc$/);
  });
}

t.test('before paging a stack beyond RAM kills with its address', async (t) => {
  const guest = new TestGuest().begin();
  guest.run(guest.gate(0, 0x2000));
  inRing(1, 0x40000000, 0x1000)(guest.switcher);
  t.equal(guest.killedBy(trap(0)), 'bad write address 0x3ffffffc len 4');
});

t.test('an error code is pushed for vectors 8, 10 to 14 and 17 alone (36)', async (t) => {
  for (let vector = 0; vector < 31; vector++) {
    if ([2, 8, 14, 15, 32].includes(vector)) continue;
    const guest = ready();
    guest.run(guest.gate(vector, HANDLER));
    guest.run(trap(vector, 0x1230));
    const words = [10, 11, 12, 13, 17].includes(vector) ? 4 : 3;
    t.equal(guest.regs().esp, KERNEL + 0x8000 - 4 * words, `vector ${vector}`);
    if (words === 4) t.equal(guest.stack(1)[0], 0x1230);
  }
});

t.test('#GP with an error code is the Guest’s, without one the Launcher’s, from ring 3 too (37)', async (t) => {
  const guest = ready();
  t.equal(guest.run(trap(13, 8)), -EINTR);
  t.equal(guest.regs().eip, HANDLER + 13);
  inRing(3, USER_STACK, KERNEL)(guest.switcher);
  t.equal(guest.run(trap(13, 0)), 12);
});

t.test('a page fault that nobody handles kills with eip and address (38)', async (t) => {
  const guest = new TestGuest();
  guest.beginPaging();
  guest.switcher.setReg('eip', KERNEL + 0x10);
  t.equal(guest.killedBy(pageFault(0x123)), 'unhandled trap 14 at 0xc0000010 (0x123)');
  const user = new TestGuest();
  user.initialize(0x1000);
  t.equal(user.killedBy(pageFault(0, 4)), 'unhandled trap 14 at 0x1000 (0)', 'before INIT');
});

t.test('a reflected page fault stores its address, LHREQ_TRAP does not (39)', async (t) => {
  const guest = ready();
  guest.run(pageFault(0x8048abc, 4));
  t.equal(guest.data('cr2'), 0x8048abc);
  t.equal(guest.regs().eip, HANDLER + 14);
  guest.setData('cr2', 0x55);
  t.equal(guest.write(LHREQ_TRAP, 14), 0);
  t.equal(guest.data('cr2'), 0x55);
});

t.test('the error code of a reflected page fault says whether the Guest has a page there', async (t) => {
  const guest = new TestGuest();
  const directory = guest.beginPaging();
  guest.run(guest.gate(14, HANDLER));
  const flags = P | ACCESSED;
  guest.map(directory, 0x8000000, 0x20000 | flags | USER);
  guest.map(directory, 0x8001000, 0x20000 | flags | RW);
  const cases = [
    ['a write to a read-only page', 0x8000000, 6, 7],
    ['the same from the kernel', 0x8000000, 2, 3],
    ['a program reading a page of the kernel', 0x8001000, 4, 5],
    ['nothing there', 0x8002000, 6, 6],
    ['no page table there', 0x9000000, 4, 4],
    ['the pages of the Switcher', 0xfffff000, 0, 0],
  ] as const;
  for (const [what, address, code, expected] of cases) {
    inRing(1, KERNEL + 0x8000, KERNEL)(guest.switcher);
    guest.run(pageFault(address, code));
    t.equal(guest.stack(1)[0], expected, what);
    inRing(1, KERNEL + 0x8000, KERNEL)(guest.switcher);
    guest.run(pageFault(address, code | 1));
    t.equal(guest.stack(1)[0], expected, `${what}, whatever the CPU thought`);
  }
});

t.test('`int $0x21` from the kernel is a #GP that names the gate (40)', async (t) => {
  const guest = ready();
  t.equal((guest.switcher.pages.guestIdt[2 * 0x21 + 1] ?? 0) & 0x6000, 0, 'its gate is for ring 0');
  guest.run(trap(13, 0x10a));
  t.equal(guest.stack(1)[0], 0x10a);
});

t.test(
  'a system call with a trap gate goes straight to the Guest, with an interrupt gate by the Host (41)',
  async (t) => {
    const guest = ready();
    const { guestIdt } = guest.switcher.pages;
    const gate = (vector: number): string[] =>
      [...guestIdt.subarray(2 * vector, 2 * vector + 2)].map((w) => w.toString(16));
    t.same(gate(0x80), ['500080', '8e00']);
    guest.run(guest.gate(0x80, HANDLER, 'trap', 3));
    t.same(gate(0x80), ['612000', 'c000ef00']);
    guest.run(guest.gate(0x80, HANDLER, 'interrupt', 3));
    t.same(gate(0x80), ['500080', 'ee00']);
    inRing(3, USER_STACK, 0x8048002)(guest.switcher);
    guest.run(trap(0x80));
    t.match(guest.regs(), { eip: HANDLER, cs: 0x61, esp: STACK - 20 });
  },
);

t.test('the CPU’s gates: direct where the Guest has a trap gate and the Host no interest', async (t) => {
  const guest = ready();
  for (let vector = 0; vector < 256; vector++) {
    if (![2, 8, 15, 31].includes(vector)) guest.run(guest.gate(vector, HANDLER, 'trap', 3));
  }
  const { guestIdt } = guest.switcher.pages;
  const direct = Array.from({ length: 256 }, (_, v) => v).filter((v) => (guestIdt[2 * v] ?? 0) >>> 16 === 0x61);
  const expected = Array.from({ length: 31 }, (_, v) => v).filter((v) => ![2, 7, 8, 13, 14, 15].includes(v));
  t.same(direct, [...expected, 0x80]);
  t.ok(direct.every((v) => guestIdt[2 * v + 1] === ((HANDLER & 0xffff0000) | 0xef00) >>> 0));
  const others = Array.from({ length: 256 }, (_, v) => v).filter((v) => !direct.includes(v));
  for (const v of others) {
    t.equal(guestIdt[2 * v + 1], v === 31 ? 0xae00 : 0x8e00, `vector ${v}`);
    t.equal((guestIdt[2 * v] ?? 0) >>> 16, 0x50);
  }
});

t.test('int3 and into are for programs too when the Guest says so', async (t) => {
  const guest = ready();
  guest.run(guest.gate(3, HANDLER, 'interrupt', 3));
  t.equal(guest.switcher.pages.guestIdt[2 * 3 + 1], 0xee00);
});

t.test('LHCALL_LOAD_IDT_ENTRY leaves vectors 2, 8, 15 and 31 alone, even with a task gate (22, H7)', async (t) => {
  for (const vector of [2, 8, 15, 31]) {
    const guest = ready();
    t.equal(guest.run(hypercall('LHCALL_LOAD_IDT_ENTRY', vector, 0x600000, 0x8500)), -EINTR);
    t.equal(guest.write(LHREQ_TRAP, vector), -22);
  }
});

const killed = (...args: number[]): string => ready().killedBy(hypercall('LHCALL_LOAD_IDT_ENTRY', ...args));

t.test('LHCALL_LOAD_IDT_ENTRY kills for gates that are none, and for vectors that are none (22, H7)', async (t) => {
  t.equal(killed(256, 0, 0), 'Setting idt entry 256');
  t.equal(killed(-1, 0, 0x8e00), 'Setting idt entry 4294967295');
  for (const type of [0, 4, 5, 6, 7, 12]) t.equal(killed(3, 0, 0x8000 | (type << 8)), `bad IDT type ${type}`);
  t.equal(killed(3, 0, 0x0500), 'alive: -4', 'what is not present may be anything');
});

t.test('a handler runs in the Guest’s kernel segment, whatever its gate says (22)', async (t) => {
  const guest = ready();
  guest.run(hypercall('LHCALL_LOAD_IDT_ENTRY', 0, (0x50 << 16) | 0x2468, 0xc0008e1f));
  guest.run(trap(0));
  t.match(guest.regs(), { cs: 0x61, eip: 0xc0002468 });
});

t.test('numbers of the Host’s own interrupts are ignored', async (t) => {
  for (const vector of [32, 33, 0x7f, 0x81, 255]) {
    const guest = ready();
    t.equal(guest.run(trap(vector)), -EINTR);
    t.equal(guest.regs().eip, KERNEL + 0x1000, `vector ${vector}`);
  }
});

t.test('a segment that does not load on the way in kills (42)', async (t) => {
  const guest = ready();
  guest.switcher.setReg('eip', 0x4321);
  t.equal(guest.killedBy(trap(256, 0x30)), 'unhandled trap 256 at 0x4321 (0x30)');
});

t.test('no Guest enters in ring 0, with interrupts off, or with rights over ports', async (t) => {
  const guest = ready();
  let seen = 0;
  guest.switcher.setReg('eflags', 0xffffffff & ~IF);
  guest.run((switcher) => {
    seen = switcher.reg('eflags');
    trap(32)(switcher);
  });
  t.equal(seen & 0x1a3202, 0x202, 'IOPL, VM, VIF and VIP off, IF and bit 1 on');
  guest.switcher.setReg('cs', 0x60);
  const { entries } = guest.switcher;
  t.match(guest.killedBy(), /^unhandled trap 256 at /);
  t.equal(guest.switcher.entries, entries);
});

t.test('a fault while a fault is told kills once, and ends', async (t) => {
  const guest = ready();
  inRing(1, 0x10, KERNEL)(guest.switcher);
  t.equal(guest.killedBy(pageFault(0x8000000)), 'Bad address 0xc');
});

t.test('counters tell what has happened', async (t) => {
  const guest = ready();
  const { counters } = guest.device;
  const before = counters?.hypercalls[6] ?? 0;
  guest.run(guest.gate(1, HANDLER), pageFault(KERNEL + 5 * PAGE), pageFault(0x10, 4), trap(0));
  t.equal(counters?.hypercalls[6], before + 1);
  t.match(counters, { pageFaultsFixed: 1, pageFaultsReflected: 1, pageFaultsForLauncher: 0 });
  t.equal(counters?.traps[14], 2);
  t.equal(LGUEST_DATA.cr2, 8);
});
