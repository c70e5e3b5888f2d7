// What the Host does at the door: the same as outside, but for the way there and back.
import t from 'tap';
import { EINTR } from '../../guest-abi/errno.js';
import { LHCALL } from '../../guest-abi/hypercalls.js';
import { LGUEST_DATA } from '../../guest-abi/lguest-data.js';
import { LHREQ } from '../../guest-abi/lguest-launcher.js';
import type { Step } from '../support/fake-switcher.js';
import {
  ACCESSED,
  both,
  DATA,
  DIRTY,
  hypercall,
  inRing,
  KERNEL,
  P,
  pageFault,
  RW,
  TestGuest,
  type TestGuestOptions,
  USER,
} from '../support/test-guest.js';

const WRITE = 2;
const ALL = P | RW | USER | ACCESSED | DIRTY;
const PLACE = 0x8048000;

/** A Guest with a page table, that has run for a while: the Host no longer looks at the clock at each trap. */
function ready(options?: TestGuestOptions): { guest: TestGuest; directory: number } {
  const guest = new TestGuest(options);
  const directory = guest.beginPaging();
  guest.run(guest.gate(14, KERNEL + 0x2000));
  inRing(1, KERNEL + 0x8000, KERNEL)(guest.switcher);
  guest.run(...Array.from({ length: 200 }, () => hypercall('LHCALL_SEND_INTERRUPTS')));
  guest.switcher.asksAtTheDoor = true;
  return { guest, directory };
}

/** How often the Guest comes out for these steps. */
function exits(guest: TestGuest, ...steps: Step[]): number {
  const before = guest.switcher.entries;
  const result = guest.run(...steps);
  if (result !== -EINTR) throw new Error(`the Guest stopped with ${result}`);
  // Once more than it traps: it goes on until its time is up.
  return guest.switcher.entries - before - 1;
}

const traps = (guest: TestGuest, vector: number): number => guest.device.counters?.traps[vector] ?? 0;
const calls = (guest: TestGuest, name: keyof typeof LHCALL): number =>
  guest.device.counters?.hypercalls[LHCALL[name]] ?? 0;

t.test('hypercalls about page tables are made at the door, and counted as ever', async (t) => {
  const { guest, directory } = ready();
  const other = guest.newDirectory();
  guest.map(directory, PLACE, 0x9000 | ALL);
  guest.run(pageFault(PLACE));
  const [trapsBefore, callsBefore] = [traps(guest, 0x1f), calls(guest, 'LHCALL_SET_PTE')];
  guest.map(directory, PLACE, 0xa000 | ALL);
  t.equal(exits(guest, hypercall('LHCALL_SET_PTE', directory, PLACE, 0xa000 | ALL)), 0);
  t.ok(guest.switcher.shadowMap.list().includes('8048→a rw user'));
  t.equal(exits(guest, hypercall('LHCALL_NEW_PGTABLE', other), hypercall('LHCALL_NEW_PGTABLE', directory)), 0);
  t.equal(exits(guest, hypercall('LHCALL_FLUSH_TLB', 0), hypercall('LHCALL_SET_PGD', directory, 32)), 0);
  t.notOk(guest.switcher.shadowMap.list().includes('8048→a rw user'));
  t.equal(traps(guest, 0x1f) - trapsBefore, 5);
  t.equal(calls(guest, 'LHCALL_SET_PTE') - callsBefore, 1);
});

t.test('for all others it comes out, and they are made once', async (t) => {
  const { guest } = ready();
  const stack = hypercall('LHCALL_SET_STACK', 0x69, KERNEL + 0x9000, 1);
  t.equal(exits(guest, stack, hypercall('LHCALL_SET_CLOCKEVENT', 0)), 2);
  t.equal(calls(guest, 'LHCALL_SET_STACK'), 1);
});

t.test('calls that were queued are made first; if one changes what the CPU goes by, the Guest comes out', async (t) => {
  const { guest } = ready();
  const queue = (...call: number[]): void => {
    const at = guest.device.counters?.queuedHypercalls ?? 0;
    for (let i = 0; i < 5; i++) guest.poke(DATA + LGUEST_DATA.hcalls + 20 * at + 4 * i, call[i] ?? 0);
    guest.switcher.memory.bytes[DATA + LGUEST_DATA.hcall_status + at] = 0;
  };
  queue(LHCALL.LHCALL_FLUSH_TLB, 0);
  t.equal(exits(guest, hypercall('LHCALL_FLUSH_ASYNC')), 0);
  queue(LHCALL.LHCALL_SET_STACK, 0x69, KERNEL + 0x7000, 1);
  t.equal(exits(guest, hypercall('LHCALL_FLUSH_ASYNC')), 1);
  t.equal(guest.switcher.pages.guestTss.esp1, KERNEL + 0x7000);
  t.equal(calls(guest, 'LHCALL_FLUSH_ASYNC'), 2, 'and has made the call that brought it here only once');
  t.equal(guest.device.counters?.queuedHypercalls, 2);
});

t.test('a page fault that can be mended is; one that cannot brings it out', async (t) => {
  const { guest, directory } = ready();
  guest.map(directory, PLACE, 0x9000 | P | RW | USER);
  const fixed = guest.device.counters?.pageFaultsFixed ?? 0;
  t.equal(exits(guest, pageFault(PLACE, WRITE)), 0);
  t.equal(guest.pte(directory, PLACE), 0x9000 | ALL);
  t.equal((guest.device.counters?.pageFaultsFixed ?? 0) - fixed, 1);
  t.equal(exits(guest, pageFault(PLACE + 0x400000)), 1);
  t.equal(guest.device.counters?.pageFaultsReflected, 1);
});

t.test('an interrupt that waits is not kept waiting', async (t) => {
  const { guest, directory } = ready();
  guest.write(LHREQ.LHREQ_IRQ, 3);
  t.equal(exits(guest, hypercall('LHCALL_SET_PTE', directory, PLACE, 0, 0)), 1);
});

t.test('the clock is looked at as often as when it comes out each time', async (t) => {
  const { guest, directory } = ready();
  const steps = Array.from({ length: 1000 }, () => hypercall('LHCALL_SET_PTE', directory, PLACE, 0, 0));
  const times = exits(guest, ...steps);
  t.ok(times >= 10 && times < 100, `${times} times in 1000 calls`);
});

t.test('who watches the stations of a Guest sees them all', async (t) => {
  const seen: string[] = [];
  const { guest, directory } = ready({ trace: (station) => seen.push(station) });
  seen.length = 0;
  guest.run(hypercall('LHCALL_SET_PTE', directory, PLACE, 0, 0));
  t.same(seen.slice(0, 4), ['enter', 'trap', 'hypercall', 'enter']);
});

t.test('a Guest that is killed at the door is dead, for its first reason', async (t) => {
  const { guest, directory } = ready();
  const bad = hypercall('LHCALL_SET_PTE', directory, 0xfffe1000, 0x9000 | ALL);
  t.equal(guest.killedBy(both(bad)), 'attempt to set pte into Switcher pages');
  const { guest: other, directory: top } = ready();
  other.map(top, PLACE, 0x7ffff000 | ALL);
  t.equal(other.killedBy(pageFault(PLACE)), 'bad page table entry');
});

t.test('before LHCALL_LGUEST_INIT there is no call but that', async (t) => {
  const guest = new TestGuest();
  guest.initialize();
  guest.switcher.asksAtTheDoor = true;
  t.equal(guest.killedBy(hypercall('LHCALL_SET_PTE', 0, PLACE)), 'hypercall 14 before INIT');
});
