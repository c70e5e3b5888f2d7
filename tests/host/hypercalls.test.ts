// What a Guest asks for, hypercall by hypercall.
import t from 'tap';
import { EAGAIN, EINTR, ENOENT, ERESTART } from '../../guest-abi/errno.js';
import { LHCALL } from '../../guest-abi/hypercalls.js';
import { LGUEST_DATA } from '../../guest-abi/lguest-data.js';
import { LGUEST_REGS } from '../../guest-abi/lguest-regs.js';
import { LHREQ } from '../../guest-abi/lguest-launcher.js';
import { both, DATA, hypercall, inRing, KERNEL, NOIRQ_IRET, pageFault, RAM } from '../support/test-guest.js';
import { TestGuest, trap } from '../support/test-guest.js';

const FREE = 0xff;

/** Queues a call at place `n` of the ring, as a Guest does. */
function queue(guest: TestGuest, n: number, ...call: number[]): void {
  for (let i = 0; i < 5; i++) guest.poke(DATA + LGUEST_DATA.hcalls + 20 * n + 4 * i, call[i] ?? 0);
  guest.switcher.memory.bytes[DATA + LGUEST_DATA.hcall_status + n] = 0;
}

const status = (guest: TestGuest, n: number): number | undefined =>
  guest.switcher.memory.bytes[DATA + LGUEST_DATA.hcall_status + n];

t.test('any hypercall before LHCALL_LGUEST_INIT kills (12, H1)', async (t) => {
  for (const number of [0, 2, 4, 10, 19, 20, 0x7fffffff, -5]) {
    const guest = new TestGuest();
    guest.initialize();
    t.equal(guest.killedBy(hypercall(number)), `hypercall ${number} before INIT`);
  }
});

t.test('LHCALL_LGUEST_INIT kills a Guest whose lguest_data is not all RAM, to the byte (13, H1)', async (t) => {
  const places = [
    [RAM - 1387, '004ffa95'],
    [RAM, '00500000'],
    [0xfffffffc, '003ffffc'],
    [0xffc00000, '  (null)'],
  ] as const;
  for (const [at, pointer] of places) {
    const guest = new TestGuest();
    guest.initialize();
    t.equal(guest.killedBy(hypercall('LHCALL_LGUEST_INIT', at)), `bad guest page ${pointer}`);
  }
  const guest = new TestGuest();
  guest.initialize();
  guest.prepareData(RAM - 1388);
  t.equal(guest.run(hypercall('LHCALL_LGUEST_INIT', RAM - 1388)), -EINTR);
});

t.test('LHCALL_LGUEST_INIT fills in tsc_khz, time and reserve_mem, and nothing else (14)', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  guest.prepareData();
  const before = guest.switcher.memory.bytes.slice();
  guest.clock.nanoseconds = 2500;
  guest.run(hypercall('LHCALL_LGUEST_INIT', DATA));
  const after = guest.switcher.memory.bytes;
  const changed = new Set([...after.keys()].filter((i) => before[i] !== after[i]).map((at) => (at - DATA) & ~3));
  const { time_sec, time_nsec, tsc_khz, reserve_mem } = LGUEST_DATA;
  t.same([...changed], [time_sec, time_nsec, reserve_mem, tsc_khz]);
  t.equal(guest.data('tsc_khz'), 1_000_000);
  t.equal(guest.data('reserve_mem'), 0x1f000);
  t.same([guest.data('time_sec'), guest.data('time_nsec')], [1_500_000_001, 1500]);
  t.ok(guest.switcher.memory.written.has(DATA >>> 12), 'and says that it wrote');
  t.equal(new TestGuest({ tscKhz: 0 }).begin().data('tsc_khz'), 0, 'a TSC need not be trusted');
});

t.test('LHCALL_LGUEST_INIT wants system call vector 0x80, or the one the Host was given (14)', async (t) => {
  const guest = new TestGuest({ syscallVec: 0x81 });
  guest.initialize();
  guest.prepareData();
  t.equal(guest.killedBy(hypercall('LHCALL_LGUEST_INIT', DATA)), 'bad syscall vector');
  const plan9 = new TestGuest({ syscallVec: 0x40, syscallVector: 0x40 }).begin();
  t.equal(plan9.run(), -EINTR);
});

t.test('LHCALL_LGUEST_INIT knows lguest_data of Linux 3.11 to 4.0 by its system call vector', async (t) => {
  t.equal(new TestGuest({ layout: '3.11' }).begin().run(), -EINTR);
  const short = new TestGuest({ syscallVec: 0x81 });
  short.initialize();
  short.prepareData(RAM - 1388);
  const text = short.killedBy(hypercall('LHCALL_LGUEST_INIT', RAM - 1388));
  t.equal(text, 'bad syscall vector', 'there is no word after it');
});

t.test('LHCALL_LGUEST_INIT kills a kernel that would live in the pages of the Switcher', async (t) => {
  const guest = new TestGuest({ kernelAddress: 0xfffe1000 });
  guest.initialize();
  guest.prepareData();
  t.equal(guest.killedBy(hypercall('LHCALL_LGUEST_INIT', DATA)), 'bad kernel address 0xfffe1000');
});

t.test('a second LHCALL_LGUEST_INIT kills', async (t) => {
  const guest = new TestGuest().begin();
  t.equal(guest.killedBy(hypercall('LHCALL_LGUEST_INIT', DATA)), 'already have lguest_data');
});

t.test('no hypercall changes a register (15)', async (t) => {
  for (const number of Object.values(LHCALL).filter((each) => ![1, 2, 13].includes(each))) {
    const guest = new TestGuest();
    guest.beginPaging();
    let before: number[] = [];
    guest.run(
      both(hypercall(number, 0x69, KERNEL + 0x8000, 1, 0), (switcher) => {
        before = [...switcher.pages.regs];
      }),
    );
    const after = [...guest.switcher.pages.regs].with(LGUEST_REGS.trapnum, 0x1f);
    t.same(after, before, `hypercall ${number}`);
  }
});

t.test('queued hypercalls are made in the order of the ring, before the direct one (16)', async (t) => {
  const seen: string[] = [];
  const guest = new TestGuest({
    trace: (station, detail) => {
      if (station.endsWith('hypercall')) seen.push(`${station} ${detail}`);
    },
  }).begin();
  queue(guest, 0, LHCALL.LHCALL_FLUSH_TLB, 0);
  queue(guest, 1, LHCALL.LHCALL_SET_STACK, 0x69, 0x5000, 1);
  queue(guest, 3, LHCALL.LHCALL_TS, 8);
  guest.run(hypercall('LHCALL_FLUSH_ASYNC'));
  t.same(seen, ['queued-hypercall 5', 'queued-hypercall 7', 'hypercall 0'], 'up to the first place that is free');
  t.same(
    [0, 1, 2, 3].map((n) => status(guest, n)),
    [FREE, FREE, FREE, 0],
  );
  t.equal(guest.switcher.pages.guestTss.esp1, 0x5000, 'with their arguments');
  t.match(guest.device.counters, { queuedHypercalls: 2 });
});

t.test('the cursor of the ring stays where it is, and comes round at 64 (16)', async (t) => {
  const guest = new TestGuest().begin();
  for (let round = 0; round < 70; round++) {
    queue(guest, round % 64, LHCALL.LHCALL_FLUSH_ASYNC);
    guest.run(hypercall('LHCALL_FLUSH_ASYNC'));
    if (status(guest, round % 64) !== FREE) t.fail(`call ${round} was not made`);
  }
  for (let n = 0; n < 64; n++) queue(guest, n, LHCALL.LHCALL_FLUSH_ASYNC);
  guest.run(hypercall('LHCALL_FLUSH_ASYNC'));
  t.match(guest.device.counters, { queuedHypercalls: 70 + 64 });
  const all = Array.from({ length: 64 }, (_, n) => status(guest, n));
  t.ok(
    all.every((each) => each === FREE),
    'all 64 at once',
  );
});

const fill = (guest: TestGuest): void => {
  for (let n = 0; n < 64; n++) queue(guest, n, LHCALL.LHCALL_FLUSH_ASYNC);
};

t.test('a queued call that queues another does not keep the Host for ever', async (t) => {
  const guest: TestGuest = new TestGuest({ trace: (station) => station === 'queued-hypercall' && fill(guest) }).begin();
  fill(guest);
  t.equal(guest.run(hypercall('LHCALL_FLUSH_ASYNC')), -EINTR);
  t.match(guest.device.counters, { queuedHypercalls: 64 });
});

t.test('page faults, interrupts and LHCALL_LGUEST_INIT leave the ring alone (17)', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  guest.prepareData();
  queue(guest, 0, LHCALL.LHCALL_FLUSH_ASYNC);
  guest.run(hypercall('LHCALL_LGUEST_INIT', DATA), pageFault(0x5000));
  guest.write(LHREQ.LHREQ_IRQ, 1);
  guest.run();
  t.equal(status(guest, 0), 0);
});

t.test('the rest of the ring and the direct call are made even by a Guest that has just been killed', async (t) => {
  const guest = new TestGuest().begin();
  queue(guest, 0, 17);
  queue(guest, 1, LHCALL.LHCALL_TS, 8);
  t.equal(guest.killedBy(hypercall('LHCALL_SHUTDOWN', 0, 1)), 'Bad hypercall 17\n', 'the first reason wins');
  t.equal(guest.switcher.taskSwitched, true);
});

t.test('LHCALL_SHUTDOWN for power off ends the Guest with its message (18)', async (t) => {
  const guest = new TestGuest().begin();
  guest.switcher.memory.bytes.set(Buffer.from('Power down\0'), 0x6000);
  t.equal(guest.run(hypercall('LHCALL_SHUTDOWN', 0x6000, 1)), -ENOENT);
  t.equal(guest.lastWords(), 'CRASH: Power down');
});

t.test('LHCALL_SHUTDOWN for a restart restarts, whatever its message is (18, H10)', async (t) => {
  for (const at of [0x6000, 0x40000000, RAM - 127, 0xffffffff]) {
    t.equal(new TestGuest().begin().run(hypercall('LHCALL_SHUTDOWN', at, 2)), -ERESTART);
  }
  const guest = new TestGuest().begin();
  t.equal(guest.killedBy(hypercall('LHCALL_SHUTDOWN', RAM - 127, 1)), 'bad read address 0xfff81 len 128');
});

t.test('LHCALL_SHUTDOWN reads 127 characters, of whatever kind (19, H10)', async (t) => {
  const guest = new TestGuest().begin();
  guest.switcher.memory.bytes.set(Buffer.from(`\xff\x1b[2J${'x'.repeat(200)}\0`, 'latin1'), 0x6000);
  t.equal(guest.killedBy(hypercall('LHCALL_SHUTDOWN', 0x6000, 1)), `CRASH: \xff\x1b[2J${'x'.repeat(122)}`);
});

const killed = (segment: number, pages: number): string =>
  new TestGuest().begin().killedBy(hypercall('LHCALL_SET_STACK', segment, 0x5000, pages));

t.test('LHCALL_SET_STACK wants a stack in ring 1, of two pages at most (20, H8)', async (t) => {
  for (const segment of [0x68, 0x6a, 0x6b, 0]) t.equal(killed(segment, 1), `bad stack segment ${segment}`);
  t.equal(killed(0x69, 3), 'bad stack pages 3');
  t.equal(killed(0x69, -1), 'bad stack pages 4294967295');
  const guest = new TestGuest().begin();
  t.equal(guest.run(hypercall('LHCALL_SET_STACK', 0x69, 0x5000, 0)), -EINTR);
  t.same(guest.switcher.pages.guestTss, { ss1: 0x69, esp1: 0x5000 });
});

t.test('LHCALL_SET_STACK maps the pages of the stack, writable, or kills', async (t) => {
  const guest = new TestGuest();
  guest.beginPaging();
  guest.run(hypercall('LHCALL_SET_STACK', 0x69, KERNEL + 0x9000, 2));
  t.same(guest.switcher.shadowMap.list(), ['c0007→7 rw kernel', 'c0008→8 rw kernel']);
  t.equal(guest.killedBy(hypercall('LHCALL_SET_STACK', 0x69, 0x9000, 1)), 'bad stack page 0x8fff');
  const low = new TestGuest();
  low.beginPaging();
  t.equal(low.killedBy(hypercall('LHCALL_SET_STACK', 0x69, 0, 2)), 'bad stack page 0xffffffff', 'esp 0');
});

t.test('hypercalls that are none kill, with the newline of the original (21)', async (t) => {
  for (const number of [3, 11, 12, 17, 20, 0x7fffffff, -1]) {
    t.equal(new TestGuest().begin().killedBy(hypercall(number)), `Bad hypercall ${number}\n`);
  }
});

t.test('LHCALL_SET_PMD is for Guests with PAE (21)', async (t) => {
  const guest = new TestGuest();
  guest.beginPaging();
  t.equal(guest.killedBy(hypercall('LHCALL_SET_PMD', 0, 0)), 'Bad hypercall 13\n');
  const pae = new TestGuest({ pae: true });
  pae.beginPaging();
  t.equal(pae.run(hypercall('LHCALL_SET_PMD', 0, 0)), -EINTR);
});

t.test('LHCALL_TS sets and clears the TS of the CPU (21)', async (t) => {
  const guest = new TestGuest().begin();
  guest.run(hypercall('LHCALL_TS', 8));
  t.equal(guest.switcher.taskSwitched, true);
  guest.run(hypercall('LHCALL_TS', 0));
  t.equal(guest.switcher.taskSwitched, false);
});

t.test('LHCALL_SEND_INTERRUPTS lets in what waits', async (t) => {
  const guest = new TestGuest().begin();
  guest.run(guest.gate(33, 0x2000));
  inRing(1, 0x5000, 0x1000)(guest.switcher);
  guest.setData('blocked_interrupts', 0);
  guest.setData('irq_enabled', 0x200);
  guest.write(LHREQ.LHREQ_IRQ, 1);
  guest.run(hypercall('LHCALL_SEND_INTERRUPTS'));
  t.equal(guest.regs().eip, 0x2000);
});

t.test('`int $0x1f` from ring 3 is a #GP for the Guest, never for the Launcher (24)', async (t) => {
  const guest = new TestGuest().begin();
  guest.run(guest.gate(13, 0x2000), hypercall('LHCALL_SET_STACK', 0x69, 0x5000, 1));
  t.equal((guest.switcher.pages.guestIdt[2 * 31 + 1] ?? 0) & 0x6000, 0x2000, 'its gate is for ring 1');
  t.equal(guest.run(both(inRing(3, 0x7000, 0x8048000), trap(13, 0xfa))), -EINTR);
  t.equal(guest.regs().eip, 0x2000);
  t.equal(guest.stack(1)[0], 0xfa);
});

t.test('every hypercall number there is ends in an answer', async (t) => {
  const answers = new Set([-EINTR, -ENOENT, -ERESTART, -EAGAIN]);
  const words = [
    [0, 0, 0, 0],
    [-1, -1, -1, -1],
    [RAM, RAM, RAM, RAM],
    [0x7fffffff, 1, 2, 3],
  ];
  for (let number = -3; number < 40; number++) {
    for (const [index, args] of [...words, ...words].entries()) {
      const guest = new TestGuest({ pae: index >= words.length });
      guest.beginPaging();
      const result = guest.run(hypercall(number, ...args));
      if (!answers.has(result)) t.fail(`hypercall ${number} ${args.join(' ')}: ${result}`);
    }
  }
});

t.test('noirq_iret is read once, at LHCALL_LGUEST_INIT', async (t) => {
  const guest = new TestGuest().begin();
  guest.poke(DATA + 1376, 0x4444);
  guest.run(guest.gate(33, 0x2000));
  guest.setData('blocked_interrupts', 0);
  guest.setData('irq_enabled', 0x200);
  guest.poke(0x5000 + 8, 0x202);
  guest.write(LHREQ.LHREQ_IRQ, 1);
  inRing(1, 0x5000, NOIRQ_IRET)(guest.switcher);
  guest.run();
  t.equal(guest.device.counters?.foldedInterrupts, 1);
});
