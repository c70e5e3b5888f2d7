// The run loop, its slices of time, and the ways a sleeping Guest is waited for.
import { getEventListeners } from 'node:events';
import t from 'tap';
import { EAGAIN, EINTR, ENOENT } from '../../guest-abi/errno.js';
import { LHREQ } from '../../guest-abi/lguest-launcher.js';
import { RunningTime } from '../../host/running-time.js';
import { hypercall, inRing, pageFault, RAM, RAM_PAGES, TestGuest, trap } from '../support/test-guest.js';

const { LHREQ_IRQ } = LHREQ;
const IF = 0x200;

/** A Guest that takes irqs 0 and 1, in linear mode. */
function ready(options: ConstructorParameters<typeof TestGuest>[0] = {}): TestGuest {
  const guest = new TestGuest(options).begin();
  guest.run(guest.gate(32, 0x2000), guest.gate(33, 0x2100));
  guest.setData('blocked_interrupts', 0);
  guest.setData('irq_enabled', IF);
  inRing(1, 0x8000, 0x1000)(guest.switcher);
  return guest;
}

t.test('the loop goes round in the original’s order', async (t) => {
  const seen: string[] = [];
  const guest = ready({ trace: (station, detail) => seen.push(`${station} ${detail.toString(16)}`) });
  guest.run(hypercall('LHCALL_SET_CLOCKEVENT', 0xffffffff));
  seen.length = 0;
  guest.write(LHREQ_IRQ, 1);
  guest.run(pageFault(0x5000), hypercall('LHCALL_HALT'));
  t.same(seen, [
    'interrupt 1',
    'enter 2100',
    'trap e',
    'page-mapped 5000',
    'enter 2100',
    'trap 1f',
    'hypercall a',
    'halt 0',
  ]);
});

t.test('a pending trap goes out before an interrupt comes in', async (t) => {
  const guest = ready();
  guest.switcher.script.push((switcher) => {
    guest.write(LHREQ_IRQ, 1);
    trap(13)(switcher);
  });
  t.equal(guest.run(), 12);
  t.equal(guest.regs().eip, 0x1000);
  guest.run();
  t.equal(guest.regs().eip, 0x2100);
});

t.test('a slice of running time ends with -EINTR, after ten milliseconds unless told otherwise', async (t) => {
  for (const [sliceMilliseconds, expected] of [
    [undefined, 10],
    [3, 3],
    [0, 1],
  ] as const) {
    const guest = new TestGuest(sliceMilliseconds === undefined ? {} : { sliceMilliseconds });
    guest.initialize();
    guest.switcher.nanosecondsPerBudget = 1e6;
    t.equal(guest.run(), -EINTR);
    t.equal(guest.switcher.entries, expected, 'and even an empty one runs the Guest once');
  }
});

t.test('a slice goes on over what the Launcher is needed for, and ends for all', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  for (let n = 0; n < 100; n++) {
    guest.switcher.script.push((switcher) => {
      guest.clock.advance(100_000);
      trap(13)(switcher);
    });
  }
  let exits = 0;
  while (guest.run() === 12) exits++;
  t.ok(exits >= 99 && exits <= 101, `${exits} exits in ten milliseconds`);
});

t.test('a Guest that only traps comes to the end of its slice too', async (t) => {
  const guest = new TestGuest().begin();
  const { entries } = guest.switcher;
  for (let n = 0; n < 10_000; n++) {
    guest.switcher.script.push((switcher) => {
      guest.clock.advance(10_000);
      hypercall('LHCALL_FLUSH_ASYNC')(switcher);
    });
  }
  t.equal(guest.run(), -EINTR);
  const made = guest.switcher.entries - entries;
  t.ok(made >= 1000 && made < 1100, `${made} hypercalls in ten milliseconds`);
});

t.test('the clock is looked at in time, however far apart traps are', async (t) => {
  const guest = ready({ sliceMilliseconds: 1e6 });
  const spin = (nanoseconds: number, count: number): void => {
    for (let n = 0; n < count; n++) {
      guest.switcher.script.push((switcher) => {
        guest.clock.advance(nanoseconds);
        hypercall('LHCALL_FLUSH_ASYNC')(switcher);
      });
    }
  };
  spin(100, 1000);
  spin(200_000, 100);
  let due = 0;
  let seen = 0;
  guest.switcher.script.push((switcher) => {
    due = guest.clock.nanoseconds + 10_000_000;
    hypercall('LHCALL_SET_CLOCKEVENT', 10_000_000)(switcher);
  });
  for (let n = 0; n < 100; n++) {
    guest.switcher.script.push((switcher) => {
      if (seen === 0 && switcher.reg('eip') === 0x2000) seen = guest.clock.nanoseconds;
      guest.clock.advance(200_000);
      hypercall('LHCALL_FLUSH_ASYNC')(switcher);
    });
  }
  guest.switcher.nanosecondsPerBudget = 1e12;
  guest.run();
  t.ok(seen >= due && seen - due <= 400_000, `${seen - due} ns late`);
});

t.test('a Guest that dies just when its slice ends is dead, not interrupted', async (t) => {
  for (let before = 0; before < 40; before++) {
    const guest = ready();
    const step = (call: ReturnType<typeof hypercall>): void => {
      guest.switcher.script.push((switcher) => {
        guest.clock.advance(1_000_000);
        call(switcher);
      });
    };
    for (let n = 0; n < before; n++) step(hypercall('LHCALL_FLUSH_ASYNC'));
    step(hypercall(20));
    let result = guest.run();
    while (result === -EINTR) result = guest.run();
    t.equal(result, -ENOENT, `after ${before} hypercalls`);
  }
});

t.test('a halted Guest that is always woken comes to the end of its slice too', async (t) => {
  const guest = ready();
  guest.setData('irq_enabled', 0);
  const halt = hypercall('LHCALL_HALT');
  for (let n = 0; n < 10_000; n++) {
    guest.switcher.script.push((switcher) => {
      guest.clock.advance(10_000);
      guest.write(LHREQ_IRQ, 1);
      inRing(1, 0x8000, 0x1000)(switcher);
      halt(switcher);
    });
  }
  t.equal(guest.run(), -EINTR);
  t.ok(guest.switcher.script.length > 8000);
});

t.test('the budget becomes what takes a quarter of a millisecond', async (t) => {
  const guest = new TestGuest({ sliceMilliseconds: 1000 });
  guest.initialize();
  const speed = 20;
  const runGuest = guest.switcher.runGuest.bind(guest.switcher);
  guest.switcher.runGuest = (budget) => {
    guest.switcher.nanosecondsPerBudget = budget * speed;
    runGuest(budget);
  };
  guest.run();
  const last = guest.switcher.budgets.at(-1) ?? 0;
  t.ok(Math.abs(last * speed - 250_000) < 1000, `${last} blocks of ${speed} ns`);
  t.ok(Math.max(...guest.switcher.budgets) * speed <= 500_000, 'without ever being much more');
});

t.test('one long interruption of the Host’s own halves the budget at most', async (t) => {
  const time = new RunningTime(1e12);
  time.beginSlice(0);
  let now = 0;
  for (let n = 0; n < 20; n++) time.looked((now += 250_000), true);
  const { budget } = time;
  time.looked((now += 1e9), true);
  t.equal(time.budget, budget / 2);
  time.trapped();
  time.looked((now += 1e9), true);
  t.equal(time.budget, budget / 2, 'what was disturbed by a trap tells nothing');
});

t.test('budgets stay within bounds, however fast or slow a machine is', async (t) => {
  for (const [elapsed, bound] of [
    [0, 1 << 22],
    [1e9, 64],
  ] as const) {
    const time = new RunningTime(Infinity);
    let now = 0;
    time.beginSlice(now);
    for (let n = 0; n < 100; n++) time.looked((now += elapsed), true);
    t.equal(time.budget, bound);
  }
});

t.test('the clock event is noticed while the Guest runs, within a budget', async (t) => {
  const guest = ready();
  guest.switcher.nanosecondsPerBudget = 200_000;
  guest.run(hypercall('LHCALL_SET_CLOCKEVENT', 1_500_000));
  t.equal(guest.regs().eip, 0x2000);
  t.equal(guest.device.counters?.interrupts[0], 1);
});

t.test('ready() resolves at once when there is something to do', async (t) => {
  const guest = ready();
  await guest.device.ready();
  guest.setData('blocked_interrupts', 2);
  guest.write(LHREQ_IRQ, 1);
  t.equal(guest.run(hypercall('LHCALL_HALT')), -EAGAIN);
  guest.setData('blocked_interrupts', 0);
  await guest.device.ready();
  t.equal(guest.run(), -EINTR);
});

t.test('ready() resolves when an interrupt comes that is not blocked', async (t) => {
  const guest = ready();
  guest.setData('blocked_interrupts', 2);
  t.equal(guest.run(hypercall('LHCALL_HALT')), -EAGAIN);
  let resolved = false;
  const waiting = guest.device.ready().then(() => (resolved = true));
  guest.write(LHREQ_IRQ, 1);
  await new Promise(setImmediate);
  t.equal(resolved, false);
  guest.write(LHREQ_IRQ, 0);
  await waiting;
});

t.test('ready() resolves when the clock event is due', async (t) => {
  const guest = ready();
  t.equal(guest.run(hypercall('LHCALL_SET_CLOCKEVENT', 2_000_000), hypercall('LHCALL_HALT')), -EAGAIN);
  const waiting = Promise.all([guest.device.ready(), guest.device.ready()]);
  guest.clock.advance(2_000_000);
  await waiting;
  t.equal(guest.run(), -EINTR);
  t.equal(guest.regs().eip, 0x2000);
});

t.test('ready() resolves when its signal is aborted, and when the device is closed', async (t) => {
  const guest = ready();
  t.equal(guest.run(hypercall('LHCALL_HALT')), -EAGAIN);
  const aborted = new AbortController();
  const waiting = guest.device.ready(aborted.signal);
  aborted.abort();
  await waiting;
  await guest.device.ready(aborted.signal);
  const closing = guest.device.ready(new AbortController().signal);
  guest.device.close();
  await closing;
  await guest.device.ready();
});

t.test('ready() listens to a signal once, however often it is waited with, and not after close()', async (t) => {
  const guest = ready();
  guest.setData('blocked_interrupts', 2);
  t.equal(guest.run(hypercall('LHCALL_HALT')), -EAGAIN);
  const { signal } = new AbortController();
  for (let n = 0; n < 3; n++) {
    const waiting = guest.device.ready(signal);
    t.equal(getEventListeners(signal, 'abort').length, 1);
    guest.write(LHREQ_IRQ, 0);
    await waiting;
    guest.run(hypercall('LHCALL_HALT'));
  }
  const first = new AbortController();
  const second = new AbortController();
  const waits = [guest.device.ready(first.signal), guest.device.ready(second.signal)];
  t.same(
    [signal, first.signal, second.signal].map((each) => getEventListeners(each, 'abort').length),
    [0, 1, 1],
  );
  second.abort();
  await waits[1];
  t.equal(getEventListeners(second.signal, 'abort').length, 0);
  first.abort();
  await waits[0];
  guest.device.close();
  t.equal(getEventListeners(first.signal, 'abort').length, 0);
});

t.test('a Guest may forget to arm its clock before it sleeps', async (t) => {
  const guest = ready();
  t.equal(guest.run(hypercall('LHCALL_HALT')), -EAGAIN);
  guest.clock.advance(1e15);
  t.equal(guest.run(), -EAGAIN);
});

t.test('whatever a Guest does at random, the Host gives an answer', async (t) => {
  let seed = 42;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const words = [0, 1, 0x69, 0x3000, 0x8000, RAM - 4, RAM, 0xc0000000, 0xc0008000, 0xfffe0000, 0xffffffff, 0x80000067];
  const word = (): number => (random(3) === 0 ? random(2 ** 32) : (words[random(words.length)] ?? 0));
  const reasons = new Set<string>();
  for (let life = 0; life < 150; life++) {
    const guest = new TestGuest({ pae: life % 2 === 1 });
    guest.beginPaging();
    for (let step = 0; step < 60; step++) {
      const kind = random(8);
      if (kind < 5) guest.switcher.script.push(hypercall(random(21), word(), word(), word(), word()));
      else if (kind < 7) guest.switcher.script.push(pageFault(word(), random(8)));
      else guest.switcher.script.push(trap(random(257), random(2) * word()));
      if (random(4) === 0) guest.write(random(9), word(), word());
      if (random(6) === 0) guest.poke(random(RAM - 4), word());
      const result = guest.run();
      if (result === -ENOENT) reasons.add(guest.lastWords().replace(/[\da-f]{2,}|\d/g, '_'));
      if (![12, 4, -EINTR, -EAGAIN, -ENOENT, -85].includes(result) && result < 0) t.fail(`read gave ${result}`);
      if (result === -ENOENT || result === -85) break;
    }
    for (const { pfn } of guest.switcher.shadowMap.entries.values()) {
      if (pfn >= RAM_PAGES) t.fail(`page ${pfn} is none of the Guest’s`);
    }
  }
  t.ok(reasons.size >= 10, [...reasons].join(', '));
});
