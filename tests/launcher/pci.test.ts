// The PCI bus as a Guest finds it: slots, configuration space, and what may be written to it.
import t from 'tap';
import { MAX_PCI_DEVICES } from '../../launcher/pci/bus.js';
import { net, rng } from '../../launcher/device-specs.js';
import { createDevice } from '../../launcher/devices/index.js';
import { ConsoleDevice } from '../../launcher/devices/console.js';
import { UserError } from '../../lib/errors.js';
import { silentLogger } from '../../lib/log.js';
import { FakeConsole } from '../support/fake-console.js';
import { FakeGuest, RAM } from '../support/fake-guest.js';

const CONSOLE = 1;
const DEVICE_MEMORY = RAM + 0x10_0000;

function machine(): { readonly guest: FakeGuest; readonly cable: FakeConsole } {
  const guest = new FakeGuest();
  const cable = new FakeConsole();
  guest.bus.add(new ConsoleDevice(cable));
  return { guest, cable };
}

t.test('slot 1 is the console and slot 0 a host bridge without vendor', (t) => {
  const { guest } = machine();
  t.equal(guest.readConfig(CONSOLE, 0), 0x1043_1af4);
  t.equal(guest.readConfig(CONSOLE, 8), 0x0700_0001);
  t.equal(guest.readConfig(CONSOLE, 0x2c), 0x0040_0000);
  t.equal(guest.readConfig(CONSOLE, 4), 0x0010_0000);
  t.equal(guest.readConfig(CONSOLE, 0x3c), 1, 'interrupt line 1, no pin');
  t.equal(guest.readConfig(0, 8), 0x0600_0000);
  t.equal(guest.readConfig(0, 0), 0);
  t.end();
});

t.test('the capability chain goes 40, 50, 64, 84, 74, end', (t) => {
  const { guest } = machine();
  const chain: number[] = [];
  for (let at = guest.readConfig(CONSOLE, 0x34, 8); at !== 0; at = guest.readConfig(CONSOLE, at + 1, 8)) chain.push(at);
  t.strictSame(chain, [0x40, 0x50, 0x64, 0x84, 0x74]);
  const words = (at: number): number[] => [0, 4, 8, 12].map((offset) => guest.readConfig(CONSOLE, at + offset));
  t.strictSame(words(0x40), [0x0110_5009, 0, 0, 56]);
  t.strictSame(words(0x50), [0x0214_6409, 0, 56, 2]);
  t.strictSame(words(0x64), [0x0310_8409, 0, 58, 1]);
  t.strictSame(words(0x84), [0x0514_7409, 0, 0, 0]);
  t.strictSame(words(0x74), [0x0410_0009, 0, 60, 12]);
  t.equal(guest.readConfig(CONSOLE, 0x60), 0, 'notify_off_multiplier');
  t.end();
});

t.test('a device without configuration has no capability for it', (t) => {
  const { guest } = machine();
  guest.bus.add(createDevice(rng(), silentLogger));
  t.equal(guest.readConfig(2, 0x84), 0x0514_0009);
  t.equal(guest.readConfig(2, 0), 0x1044_1af4);
  t.end();
});

t.test('BAR0 sizes to a power of two and keeps the address it is given', (t) => {
  const { guest } = machine();
  guest.bus.add(createDevice(rng(), silentLogger));
  guest.bus.add(createDevice(net(), silentLogger));
  t.equal(guest.readConfig(CONSOLE, 0x10), DEVICE_MEMORY);
  guest.writeConfig(CONSOLE, 0x10, 0xffff_ffff);
  t.equal(guest.readConfig(CONSOLE, 0x10), 0xffff_ff80, '128 bytes');
  t.equal(guest.readConfig(2, 0x10), DEVICE_MEMORY + 128);
  guest.writeConfig(2, 0x10, 0xffff_ffff);
  t.equal(guest.readConfig(2, 0x10), 0xffff_ffc0, '64 bytes');
  t.equal(guest.readConfig(3, 0x10), DEVICE_MEMORY + 256, 'aligned to its own 128 bytes');
  t.equal(guest.bus.mmioEnd, DEVICE_MEMORY + 384);
  t.end();
});

t.test('a BAR that was moved over RAM moves no device memory', (t) => {
  const { guest } = machine();
  guest.writeConfig(CONSOLE, 0x10, 0x1000);
  t.equal(guest.readConfig(CONSOLE, 0x10), 0x1000);
  t.equal(guest.load(DEVICE_MEMORY + 20, 8), 0, 'status is where it was');
  t.strictSame(guest.traps, []);
  guest.load(0x1014, 8);
  t.strictSame(guest.traps, [14]);
  t.end();
});

t.test('an empty slot reads as all ones, and a write to it is general protection', (t) => {
  const { guest } = machine();
  t.equal(guest.readConfig(2, 0), 0xffff_ffff);
  guest.writeConfig(2, 0x10, 1);
  t.strictSame(guest.traps, [13]);
  for (const address of [0x0000_0800, 0x8001_0800, 0x8000_0900, 0x8000_0898]) {
    guest.out(0xcf8, 32, address);
    t.equal(guest.in(0xcfc, 32), 0xffff_ffff, `address ${address.toString(16)}`);
  }
  t.end();
});

t.test('a write to the interrupt line or the identity is general protection', (t) => {
  const { guest } = machine();
  guest.writeConfig(CONSOLE, 0x3c, 5, 8);
  t.strictSame(guest.traps, [13]);
  guest.writeConfig(CONSOLE, 0, 5);
  guest.writeConfig(CONSOLE, 0x40, 5);
  t.strictSame(guest.traps, [13, 13, 13]);
  t.equal(guest.readConfig(CONSOLE, 0x3c, 8), 1);
  t.match(guest.warnings[0], 'Attempt to write to port 3324 (0xff mask)');
  t.end();
});

t.test('command and status take 16-bit writes and keep nothing', (t) => {
  const { guest } = machine();
  guest.writeConfig(CONSOLE, 4, 7, 16);
  guest.writeConfig(CONSOLE, 6, 0xffff, 16);
  t.strictSame(guest.traps, []);
  t.equal(guest.readConfig(CONSOLE, 4), 0x0010_0000);
  guest.writeConfig(CONSOLE, 4, 7, 8);
  guest.writeConfig(CONSOLE, 4, 7, 32);
  t.strictSame(guest.traps, [13, 13]);
  t.end();
});

t.test('other BARs, the ROM and the cache line size are just stored', (t) => {
  const { guest } = machine();
  for (const register of [0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x30]) {
    guest.writeConfig(CONSOLE, register, 0xffff_f800);
    t.equal(guest.readConfig(CONSOLE, register), 0xffff_f800, register.toString(16));
  }
  guest.writeConfig(CONSOLE, 0x0c, 0xffff_ffff);
  t.equal(guest.readConfig(CONSOLE, 0x0c), 0x0000_ffff);
  guest.writeConfig(CONSOLE, 0x0e, 0x12, 8);
  t.equal(guest.readConfig(CONSOLE, 0x0c), 0x0012_ffff);
  t.end();
});

t.test('the address register is four bytes, each of which can be reached alone', (t) => {
  const { guest } = machine();
  guest.out(0xcf8, 32, 0x8000_0800);
  guest.out(0xcf9, 8, 0x10);
  t.equal(guest.in(0xcf8, 32), 0x8000_1000);
  guest.out(0xcfa, 16, 0x1234);
  t.equal(guest.in(0xcf8, 32), 0x1234_1000);
  t.equal(guest.in(0xcfb, 8), 0x12);
  t.equal(guest.in(0xcfa, 16), 0x1234);
  guest.out(0xcf8, 32, 0x8000_0800);
  t.equal(guest.in(0xcfd, 8), 0x1a);
  t.equal(guest.in(0xcfe, 16), 0x1043);
  t.equal(guest.in(0xcff, 16), 0x0010, 'nothing beyond the word');
  t.end();
});

/** What the early console of Linux does for each character. */
function emergencyWrite(guest: FakeGuest, character: number): void {
  guest.writeConfig(CONSOLE, 0x88, 0, 8);
  guest.writeConfig(CONSOLE, 0x90, 4);
  guest.writeConfig(CONSOLE, 0x8c, 68);
  guest.writeConfig(CONSOLE, 0x94, character);
}

t.test('the window at 0x94 prints one character, before any driver status', (t) => {
  const { guest, cable } = machine();
  emergencyWrite(guest, 0x4c);
  guest.bus.close();
  t.equal(cable.printed, 'L');
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('the window reads registers', (t) => {
  const { guest } = machine();
  guest.writeConfig(CONSOLE, 0x8c, 18);
  guest.writeConfig(CONSOLE, 0x90, 2);
  t.equal(guest.readConfig(CONSOLE, 0x94), 2, 'num_queues');
  t.end();
});

t.test('an impossible window shows the word it had, and faults on writing', (t) => {
  const { guest } = machine();
  t.equal(guest.readConfig(CONSOLE, 0x94), 0, 'length 0: the original ended here');
  for (const [bar, offset, length] of [
    [1, 0, 4],
    [0, 0, 3],
    [0, 2, 4],
    [0, 72, 4],
    [0, 0xffff_fffc, 4],
    [0, 0, 0xffff_ffff],
  ] as const) {
    guest.traps.length = 0;
    guest.writeConfig(CONSOLE, 0x88, bar, 8);
    guest.writeConfig(CONSOLE, 0x8c, offset);
    guest.writeConfig(CONSOLE, 0x90, length);
    t.strictSame(guest.traps, []);
    t.equal(guest.readConfig(CONSOLE, 0x94), 0);
    guest.writeConfig(CONSOLE, 0x94, 1);
    t.strictSame(guest.traps, [13], `bar ${bar} offset ${offset} length ${length}`);
  }
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('a dump of the whole bus kills nobody', (t) => {
  const { guest } = machine();
  for (let slot = 0; slot < 32; slot++) for (let at = 0; at < 256; at += 4) guest.readConfig(slot, at);
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('there is room for 31 devices and no more', (t) => {
  const guest = new FakeGuest();
  for (let n = 1; n <= MAX_PCI_DEVICES; n++) t.equal(guest.bus.add(createDevice(rng(), silentLogger)).slot, n);
  t.throws(
    () => guest.bus.add(createDevice(rng(), silentLogger)),
    new UserError('ERR_LGUEST_TOO_MANY_DEVICES', 'Can only handle 31 PCI devices'),
  );
  t.equal(guest.readConfig(31, 0x3c), 31);
  t.end();
});
