// Entropy, the network card and the device table, each with the driver of tests/support in front of it.
import path from 'node:path';
import t from 'tap';
import { UserError } from '../../../lib/errors.js';
import { silentLogger } from '../../../lib/log.js';
import { block, rng } from '../../../launcher/device-specs.js';
import { buildDevices, createDevice } from '../../../launcher/devices/index.js';
import { NetDevice } from '../../../launcher/devices/net.js';
import type { NetBackEnd } from '../../../launcher/devices/net-back-end.js';
import { seededRandom } from '../../../launcher/devices/random.js';
import { FakeConsole } from '../../support/fake-console.js';
import { FakeGuest, RAM } from '../../support/fake-guest.js';
import { VirtioDriver, WRITE, queueOf } from '../../support/virtio-driver.js';
import type { DriverQueue } from '../../support/virtio-driver.js';

// Entropy.

function entropy(device = createDevice(rng(), silentLogger)): { guest: FakeGuest; queue: DriverQueue } {
  const guest = new FakeGuest();
  guest.bus.add(device);
  const driver = new VirtioDriver(guest, 1);
  driver.start(0, 1);
  return { guest, queue: queueOf(driver, 0) };
}

t.test('entropy fills what the Guest posts', (t) => {
  const { guest, queue } = entropy();
  queue.post({ at: 0x1000, length: 32, flags: WRITE }, { at: 0x2000, length: 32, flags: WRITE });
  t.strictSame(queue.taken(), [{ id: 0, length: 64 }]);
  for (const at of [0x1000, 0x2000]) t.not(guest.text(at, 32), '\0'.repeat(32));
  t.equal(guest.text(0x1020, 1), '\0');
  t.strictSame(guest.irqs, [1]);
  t.end();
});

t.test('a request for all of memory gets 64 KiB, one for nothing gets nothing', (t) => {
  const { guest, queue } = entropy();
  const filled = guest.bytes.subarray(0x80000);
  queue.post({ at: 0x80000, length: 0x80000, flags: WRITE });
  t.strictSame(queue.taken(), [{ id: 0, length: 65536 }]);
  t.ok(filled.subarray(65536).every((byte) => byte === 0));
  queue.post({ at: 0x80000, length: 0, flags: WRITE });
  t.strictSame(queue.taken(), [{ id: 1, length: 0 }]);
  t.end();
});

t.test('bad driver: readable buffers for entropy', (t) => {
  const { guest, queue } = entropy();
  queue.post({ at: 0x1000, length: 8 });
  t.strictSame(guest.broken, ['rng vq input: bad driver: Output buffers in rng?']);
  t.end();
});

t.test('seeded entropy is the same every time, however it is asked for', (t) => {
  const first = new Uint8Array(100);
  seededRandom(7)(first);
  const again = seededRandom(7);
  const second = new Uint8Array(100);
  again(second.subarray(0, 33));
  again(second.subarray(33));
  t.strictSame(first, second);
  const other = new Uint8Array(100);
  seededRandom(8)(other);
  t.notSame(first, other);
  t.end();
});

// Network.

const [RX, TX] = [0, 1];
const MAC = 0x20;

class Wire implements NetBackEnd {
  readonly frames: string[] = [];
  readonly headers: string[] = [];
  onReceive: NetBackEnd['onReceive'];
  closed = false;
  readonly features: readonly number[];

  constructor(features: readonly number[] = []) {
    this.features = features;
  }

  send(frame: Uint8Array, header: Uint8Array): void {
    this.frames.push(Buffer.from(frame).toString('latin1'));
    this.headers.push(Buffer.from(header).toString('hex'));
  }

  close(): void {
    this.closed = true;
  }
}

interface Card {
  readonly guest: FakeGuest;
  readonly wire: Wire;
  readonly device: NetDevice;
  readonly driver: VirtioDriver;
  readonly rx: DriverQueue;
  readonly tx: DriverQueue;
}

function card(wire = new Wire()): Card {
  const guest = new FakeGuest();
  const device = new NetDevice(wire, Uint8Array.of(2, 0, 0, 0, 0, 7));
  guest.bus.add(device);
  const driver = new VirtioDriver(guest, 1);
  driver.start(MAC, 2);
  return { guest, wire, device, driver, rx: queueOf(driver, RX), tx: queueOf(driver, TX) };
}

t.test('a card offers its address, and only the offloads of its back end', (t) => {
  const { driver } = card();
  t.equal(driver.offers, 0x1_1000_0020n);
  t.equal(driver.read(60, 32), 2);
  t.equal(driver.read(64, 16), 0x0700);
  t.equal(card(new Wire([0, 11])).driver.offers, 0x1_1000_0821n);
  t.end();
});

t.test('frames go out without their header', (t) => {
  const { guest, wire, tx, device } = card();
  guest.put(0x1000, Buffer.from('0102030405060708090a0b0c', 'hex'));
  guest.put(0x2000, 'frame');
  guest.put(0x3000, ' one');
  tx.post({ at: 0x1000, length: 12 }, { at: 0x2000, length: 5 }, { at: 0x3000, length: 4 });
  t.strictSame(wire.frames, ['frame one']);
  t.strictSame(wire.headers, ['0102030405060708090a0b0c']);
  t.strictSame(tx.taken(), [{ id: 0, length: 0 }]);
  t.match(device.counts(), { 'frames sent': 1 });
  t.end();
});

t.test('frames that cannot be are dropped and counted, and the buffer comes back', (t) => {
  const { guest, wire, tx, device } = card();
  tx.post({ at: 0x1000, length: 0 });
  tx.post({ at: 0x1000, length: 11 });
  tx.post({ at: 0x1000, length: 12 });
  tx.post({ at: 0, length: 12 + 65536 + 19 });
  tx.post({ at: 0, length: RAM }, { at: 0, length: RAM });
  t.strictSame(wire.frames, []);
  t.match(device.counts(), { 'frames dropped': 5 });
  t.equal(tx.taken().length, 5);
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('frames come in with a header that says one buffer', (t) => {
  const { guest, wire, rx } = card();
  rx.post({ at: 0x1000, length: 12, flags: WRITE }, { at: 0x2000, length: 1514, flags: WRITE });
  t.equal(rx.usedFlags, 1, 'a buffer that waits costs no kicks');
  wire.onReceive?.(Buffer.from('hello'));
  t.strictSame(rx.taken(), [{ id: 0, length: 17 }]);
  t.equal(Buffer.from(guest.bytes.subarray(0x1000, 0x100c)).toString('hex'), '000000000000000000000100');
  t.equal(guest.text(0x2000, 5), 'hello');
  t.strictSame(guest.irqs, [1]);
  t.end();
});

t.test('frames wait for buffers, but not without limit', (t) => {
  const { wire, rx, device, guest } = card();
  for (let i = 0; i < 300; i++) wire.onReceive?.(Buffer.from(`frame ${i}`));
  t.match(device.counts(), { 'frames dropped': 44 });
  for (let i = 0; i < 100; i++) rx.makeAvailable(rx.chain([{ at: 0x1000 + i * 100, length: 100, flags: WRITE }]));
  rx.kick();
  t.equal(rx.taken().length, 100);
  t.equal(guest.text(0x1000 + 99 * 100 + 12, 8), 'frame 99');
  t.strictSame(guest.irqs, [1]);
  t.end();
});

t.test('a frame longer than the posted buffer is dropped, and the buffer waits for the next', (t) => {
  const { wire, rx, device } = card();
  rx.post({ at: 0x1000, length: 64, flags: WRITE });
  wire.onReceive?.(new Uint8Array(53));
  t.strictSame(rx.taken(), []);
  wire.onReceive?.(new Uint8Array(52));
  t.strictSame(rx.taken(), [{ id: 0, length: 64 }]);
  t.strictSame(device.counts(), { 'frames sent': 0, 'frames received': 1, 'frames dropped': 1 });
  wire.onReceive?.(new Uint8Array(70_000));
  t.match(device.counts(), { 'frames dropped': 2 });
  t.end();
});

t.test('without a driver frames are dropped, and closing lets go of the cable', (t) => {
  const { wire, device, driver, guest } = card();
  driver.status = 0;
  wire.onReceive?.(new Uint8Array(60));
  t.match(device.counts(), { 'frames dropped': 1 });
  guest.bus.close();
  t.ok(wire.closed);
  t.equal(wire.onReceive, undefined);
  t.end();
});

t.test('bad driver: buffers of the wrong direction on a card', (t) => {
  const out = card();
  out.tx.post({ at: 0x1000, length: 60, flags: WRITE });
  t.strictSame(out.guest.broken, ['net vq tx: bad driver: Input buffers in net output queue?']);
  const into = card();
  into.rx.post({ at: 0x1000, length: 60 });
  t.strictSame(into.guest.broken, ['net vq rx: bad driver: Output buffers in net input queue?']);
  t.end();
});

// The table.

t.test('a Guest gets its devices in the order of their options, after the console', (t) => {
  const guest = new FakeGuest();
  const file = path.join(t.testdir({ disk: Buffer.alloc(4096) }), 'disk');
  const bus = buildDevices(
    guest.context,
    [rng(), block(file), { kind: 'net', backend: 'none', mac: undefined }],
    new FakeConsole(),
  );
  t.equal(bus.mmioEnd, RAM + 0x10_0000 + 512);
  bus.close();
  t.throws(() => buildDevices(guest.context, [block(file), block(`${file}.missing`)], new FakeConsole()), UserError);
  t.end();
});
