// Segments: what a Guest's GDT becomes.
import t from 'tap';
import { EINTR } from '../../guest-abi/errno.js';
import { hypercall, RAM, type TestGuestOptions, TestGuest, trap } from '../support/test-guest.js';

const begin = (options: TestGuestOptions = {}): TestGuest => new TestGuest(options).begin();
const load = (index: number, low: number, high: number): ReturnType<typeof hypercall> =>
  hypercall('LHCALL_LOAD_GDT_ENTRY', index, low, high);

/** Entry `index` of the GDT that the CPU uses, as hexadecimal. */
const entry = (guest: TestGuest, index: number): string =>
  [...guest.switcher.pages.guestGdt.subarray(2 * index, 2 * index + 2)].map((w) => w.toString(16)).join(' ');

t.test('a Guest begins with its kernel’s two segments and the Host’s three', async (t) => {
  const guest = begin();
  const used = Object.fromEntries(
    Array.from({ length: 32 }, (_, index) => [index, entry(guest, index)]).filter(([, words]) => words !== '0 0'),
  );
  t.same(used, {
    10: 'ffff cf9b00',
    11: 'ffff cf9300',
    12: 'ffff cfbb00',
    13: 'ffff cfb300',
    16: '67 8900',
  });
});

t.test('LHCALL_LOAD_GDT_ENTRY makes DPL 0 into 1, keeps 2 and 3, and sets the accessed bit (23)', async (t) => {
  const guest = begin();
  guest.run(load(14, 0xffff, 0x00cffa00), load(15, 0xffff, 0x00cff200));
  guest.run(load(20, 0x1234, 0x00409200), load(21, 0x1234, 0x0040d200));
  t.same(
    [14, 15, 20, 21].map((index) => entry(guest, index)),
    ['ffff cffb00', 'ffff cff300', '1234 40b300', '1234 40d300'],
  );
});

t.test('LHCALL_LOAD_GDT_ENTRY kills for entry 32 and all that follow (23, H6)', async (t) => {
  t.equal(begin().killedBy(load(32, 0, 0)), 'too many gdt entries 32');
  t.equal(begin().killedBy(load(-1, 0, 0)), 'too many gdt entries -1');
  t.equal(begin().run(load(31, 0, 0)), -EINTR);
});

t.test('the entries that are the Host’s stay as they are (23)', async (t) => {
  const guest = begin();
  const before = guest.switcher.pages.guestGdt.slice();
  for (const index of [10, 11, 16, 31]) guest.run(load(index, 0xffff, 0x00cf9a00));
  t.same(guest.switcher.pages.guestGdt, before);
});

t.test('gates and other system descriptors never reach the CPU', async (t) => {
  const guest = begin();
  for (let type = 0; type < 16; type++) {
    guest.run(load(18, (0x50 << 16) | 0x1000, 0xc0008000 | 0x6000 | (type << 8)));
    t.equal(entry(guest, 18), '0 0', `type ${type}`);
  }
});

t.test('LHCALL_LOAD_TLS takes three descriptors from memory, with the same care', async (t) => {
  const guest = begin();
  const words = [0x1234ffff, 0x00cff200, 0, 0, 0x5678ffff, 0x00cf9200];
  for (const [n, word] of words.entries()) guest.poke(RAM - 24 + 4 * n, word);
  guest.run(hypercall('LHCALL_LOAD_TLS', RAM - 24, 0));
  t.same(
    [6, 7, 8].map((index) => entry(guest, index)),
    ['1234ffff cff300', '0 2100', '5678ffff cfb300'],
  );
});

t.test('LHCALL_LOAD_TLS kills when its descriptors are not all in RAM', async (t) => {
  t.equal(begin().killedBy(hypercall('LHCALL_LOAD_TLS', RAM - 20)), 'bad read address 0xfffec len 24');
  t.equal(begin().killedBy(hypercall('LHCALL_LOAD_TLS', 0xfffffff8)), 'bad read address 0xfffffff8 len 24');
});

t.test('a change is there when the Guest runs again, TLS and others together (42)', async (t) => {
  const guest = begin();
  guest.poke(0x5000, 0xffff);
  guest.poke(0x5004, 0x00cff200);
  guest.run(hypercall('LHCALL_LOAD_TLS', 0x5000), load(14, 0xffff, 0x00cffa00));
  t.same([entry(guest, 6), entry(guest, 14)], ['ffff cff300', 'ffff cffb00']);
  guest.run(load(14, 0, 0));
  t.equal(entry(guest, 14), '0 2100', 'not present');
  t.equal(guest.killedBy(trap(256, 0x70)), 'unhandled trap 256 at 0x1000 (0x70)');
});
