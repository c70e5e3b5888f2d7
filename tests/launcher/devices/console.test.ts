// The console, with the driver of tests/support in front of it and a cable that can be slow.
import t from 'tap';
import { survivesConfigChange } from '../../../launcher/devices/console-size.js';
import { ConsoleDevice } from '../../../launcher/devices/console.js';
import { FakeConsole } from '../../support/fake-console.js';
import { FakeGuest, RAM } from '../../support/fake-guest.js';
import { VirtioDriver, WRITE, queueOf } from '../../support/virtio-driver.js';
import type { DriverQueue } from '../../support/virtio-driver.js';

const [INPUT, OUTPUT] = [0, 1];
const SIZE = 1;
const EMERG_WRITE = 4;
const eventLoopTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

interface Line {
  readonly guest: FakeGuest;
  readonly cable: FakeConsole;
  readonly driver: VirtioDriver;
  readonly input: DriverQueue;
  readonly output: DriverQueue;
}

function line(cable = new FakeConsole(), features = SIZE | EMERG_WRITE): Line {
  const guest = new FakeGuest();
  guest.bus.add(new ConsoleDevice(cable));
  const driver = new VirtioDriver(guest, 1);
  driver.start(features, 2);
  return { guest, cable, driver, input: queueOf(driver, INPUT), output: queueOf(driver, OUTPUT) };
}

t.test('what is typed waits until the Guest has posted a buffer, and is not asked for before', (t) => {
  const { guest, cable, input } = line();
  cable.type('echo hi\n');
  t.strictSame(cable.asked, []);
  const first = input.post({ at: 0x1000, length: 3, flags: WRITE }, { at: 0x2000, length: 2, flags: WRITE });
  t.strictSame(cable.asked, [5]);
  t.equal(guest.text(0x1000, 3) + guest.text(0x2000, 2), 'echo ');
  const second = input.post({ at: 0x3000, length: 100, flags: WRITE });
  t.equal(guest.text(0x3000, 3), 'hi\n');
  t.strictSame(input.taken(), [
    { id: first, length: 5 },
    { id: second, length: 3 },
  ]);
  t.strictSame(guest.irqs, [1, 1]);
  t.ok(guest.wrote.includes('4096+3') && guest.wrote.includes('8192+2'), 'the CPU is told of what was written');
  t.end();
});

t.test('a buffer that waits for input costs no kicks, and is filled when something comes', (t) => {
  const { guest, cable, input } = line();
  const head = input.post({ at: 0x1000, length: 100, flags: WRITE });
  t.strictSame(input.taken(), []);
  t.equal(input.usedFlags, 1, 'NO_NOTIFY');
  cable.type('x');
  t.strictSame(input.taken(), [{ id: head, length: 1 }]);
  t.equal(guest.text(0x1000, 1), 'x');
  t.equal(input.usedFlags, 0, 'the device wants to hear of new buffers');
  t.end();
});

t.test('the end of input leaves the Guest running without input', (t) => {
  const { guest, cable, input, output } = line();
  input.post({ at: 0x1000, length: 10, flags: WRITE });
  cable.onReadable?.();
  t.strictSame(input.taken(), []);
  output.post({ at: 0x1000, length: 4 });
  t.equal(cable.printed.length, 4);
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('an output buffer is given back when the reader has caught up, and not before', (t) => {
  const { guest, cable, output } = line();
  guest.put(0x1000, 'abcdef');
  cable.fast = false;
  const first = output.post({ at: 0x1000, length: 3 });
  const second = output.post({ at: 0x1003, length: 3 });
  t.equal(cable.printed, 'abc');
  t.strictSame(output.taken(), []);
  t.strictSame(guest.irqs, []);
  cable.catchUp();
  t.equal(cable.printed, 'abcdef');
  t.strictSame(output.taken(), [
    { id: first, length: 0 },
    { id: second, length: 0 },
  ]);
  t.strictSame(guest.irqs, [1]);
  t.end();
});

t.test('a reset while the reader is slow forgets the buffer', (t) => {
  const { cable, driver, output } = line();
  cable.fast = false;
  output.post({ at: 0x1000, length: 3 });
  driver.status = 0;
  cable.catchUp();
  t.strictSame(output.taken(), []);
  t.equal(cable.printed.length, 3);
  t.end();
});

t.test('a flood of output takes turns with everything else', async (t) => {
  const { cable, guest, output } = line();
  const all = RAM * 4;
  output.post(...Array.from({ length: 4 }, () => ({ at: 0, length: RAM })));
  t.ok(cable.printed.length < all);
  t.strictSame(output.taken(), []);
  while (cable.printed.length < all) await eventLoopTurn();
  await eventLoopTurn();
  t.equal(output.taken().length, 1);
  t.equal(cable.printed.length, all);
  guest.bus.close();
});

t.test('emergency output to a slow reader is kept up to a point and then dropped', (t) => {
  const { cable, guest, driver } = line();
  cable.fast = false;
  for (let i = 0; i < 70_000; i++) driver.write(68, 32, 0x41);
  t.equal(cable.printed.length, 1);
  cable.catchUp();
  t.equal(cable.printed.length, 1 + 65_536);
  driver.write(68, 32, 0xffff_ff42);
  t.equal(cable.printed.at(-1), 'B', 'the low byte counts');
  t.strictSame(guest.bus.counts(), { 'characters dropped': 70_000 - 1 - 65_536 });
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('the Guest learns the size of the terminal when it starts and when it changes', (t) => {
  const cable = new FakeConsole();
  cable.size = { cols: 80, rows: 25 };
  const { guest, driver } = line(cable);
  t.strictSame(guest.irqs, [1]);
  t.equal(guest.load(driver.registers.isr, 8), 2, 'configuration, not a queue');
  t.equal(driver.read(60, 16), 80);
  t.equal(driver.read(62, 16), 25);
  t.equal(driver.read(21, 8), 0, 'config_generation: nothing has changed yet');
  cable.resize(120, 40);
  t.strictSame(guest.irqs, [1, 1]);
  t.equal(driver.read(60, 32), (40 << 16) | 120);
  t.equal(driver.read(21, 8), 1);
  t.end();
});

t.test('a Guest that did not ask for sizes is not told', (t) => {
  const cable = new FakeConsole();
  const { guest } = line(cable, EMERG_WRITE);
  cable.resize(120, 40);
  t.strictSame(guest.irqs, []);
  t.end();
});

t.test('bad driver: readable buffers for input', (t) => {
  const { guest, cable, input } = line();
  cable.type('secret');
  input.post({ at: 0x1000, length: 10 });
  t.strictSame(guest.broken, ['console vq input: bad driver: Output buffers in console in queue?']);
  cable.type('more');
  t.strictSame(input.taken(), []);
  t.end();
});

t.test('a Linux that would die of it is not told the size of its console', (t) => {
  const told = [
    '3.16.85',
    '4.1.52',
    '4.9.115',
    '4.9.337',
    '4.10.0',
    '4.10.17',
    '4.12.0',
    '4.13.4-custom',
    '5.0',
    undefined,
  ];
  for (const version of told) t.equal(survivesConfigChange(version), true, version ?? 'no version');
  for (const version of ['3.17.0', '4.2.8', '4.4.60', '4.9.0', '4.8'])
    t.equal(survivesConfigChange(version), false, version);

  const guest = new FakeGuest();
  const cable = new FakeConsole();
  guest.bus.add(new ConsoleDevice(cable, { tellsSize: false }));
  const driver = new VirtioDriver(guest, 1);
  driver.start(EMERG_WRITE, 2);
  cable.resize(120, 40);
  t.strictSame(guest.irqs, []);
  t.end();
});
