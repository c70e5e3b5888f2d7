// The four devices, each with the driver of tests/support in front of it.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { UserError } from '../../lib/errors.js';
import { silentLogger } from '../../lib/log.js';
import { block, rng } from '../../launcher/device-specs.js';
import { BlockDevice } from '../../launcher/devices/block.js';
import { ConsoleDevice } from '../../launcher/devices/console.js';
import type { DiskImage } from '../../launcher/devices/disk-image.js';
import { openDisk, sizeByReading } from '../../launcher/devices/open-disk.js';
import type { DiskOptions } from '../../launcher/devices/open-disk.js';
import { buildDevices, createDevice } from '../../launcher/devices/index.js';
import { NetDevice } from '../../launcher/devices/net.js';
import type { NetBackEnd } from '../../launcher/devices/net-back-end.js';
import { seededRandom } from '../../launcher/devices/random.js';
import { FakeConsole } from '../support/fake-console.js';
import { FakeGuest, RAM } from '../support/fake-guest.js';
import { VirtioDriver, WRITE } from '../support/virtio-driver.js';
import type { DriverQueue } from '../support/virtio-driver.js';

const [INPUT, OUTPUT] = [0, 1];
const SIZE = 1;
const EMERG_WRITE = 4;
const eventLoopTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function queueOf(driver: VirtioDriver, index: number): DriverQueue {
  const queue = driver.queues[index];
  if (queue === undefined) throw new Error(`no queue ${index}`);
  return queue;
}

// Console.

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

t.test('the end of input leaves the Guest running without input (checklist 64)', (t) => {
  const { guest, cable, input, output } = line();
  input.post({ at: 0x1000, length: 10, flags: WRITE });
  cable.onReadable?.();
  t.strictSame(input.taken(), []);
  output.post({ at: 0x1000, length: 4 });
  t.equal(cable.printed.length, 4);
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('an output buffer is given back when the reader has caught up, and not before (V17)', (t) => {
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

t.test('a flood of output takes turns with everything else (V4, V17)', async (t) => {
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

t.test('emergency output to a slow reader is kept up to a point and then dropped (V17)', (t) => {
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

t.test('bad driver: readable buffers for input (V5)', (t) => {
  const { guest, cable, input } = line();
  cable.type('secret');
  input.post({ at: 0x1000, length: 10 });
  t.strictSame(guest.broken, ['console vq input: bad driver: Output buffers in console in queue?']);
  cable.type('more');
  t.strictSame(input.taken(), []);
  t.end();
});

// Block.

const SECTORS = 64;
const FEATURES_BLOCK = 0x4 | 0x40 | 0x200 | 0x400;
const HEADER = 0x1000;
const STATUS = 0x1800;
const DATA = 0x10000;
const [T_IN, T_OUT, T_SCSI, T_FLUSH, T_GET_ID] = [0, 1, 2, 4, 8];
const [OK, IOERR, UNSUPP] = [0, 1, 2];

class Disk {
  readonly guest = new FakeGuest();
  readonly driver: VirtioDriver;
  readonly queue: DriverQueue;

  constructor(image: DiskImage, features = FEATURES_BLOCK) {
    const { log } = this.guest.context;
    this.guest.bus.add(new BlockDevice(image, 'serial', log));
    this.driver = new VirtioDriver(this.guest, 1);
    this.driver.start(features, 1);
    this.queue = queueOf(this.driver, 0);
  }

  header(type: number, sector: number | bigint): void {
    this.guest.view.setUint32(HEADER, type, true);
    this.guest.view.setUint32(HEADER + 4, 0, true);
    this.guest.view.setBigUint64(HEADER + 8, BigInt(sector), true);
    this.guest.bytes[STATUS] = 0xee;
  }

  /** One request with its data in one piece. Answers the status and used.len. */
  request(type: number, sector: number | bigint, length: number): { status: number; length: number } {
    this.header(type, sector);
    const data = length === 0 ? [] : [{ at: DATA, length, flags: type === T_OUT ? 0 : WRITE }];
    this.queue.post({ at: HEADER, length: 16 }, ...data, { at: STATUS, length: 1, flags: WRITE });
    const [used] = this.queue.taken();
    return { status: this.guest.bytes[STATUS] ?? -1, length: used?.length ?? -1 };
  }
}

const pattern = (sectors: number): Buffer =>
  Buffer.from(Array.from({ length: sectors * 512 }, (_, i) => (i >> 9) + (i & 0xff)));

let files = 0;
function imageFile(t: Test, content: Uint8Array = pattern(SECTORS)): string {
  const file = path.join(t.testdir({}), `disk-${files++}`);
  fs.writeFileSync(file, content);
  return file;
}

function disk(t: Test, options: DiskOptions = {}, content = pattern(SECTORS)): { disk: Disk; file: string } {
  const file = imageFile(t, content);
  const image = openDisk(file, options, silentLogger);
  const made = new Disk(image, FEATURES_BLOCK | (image.readOnly ? 0x20 : 0));
  t.teardown(() => made.guest.bus.close());
  return { disk: made, file };
}

t.test('the disk says how large it is and how it likes to be used', (t) => {
  const { disk: d } = disk(t, {}, Buffer.concat([pattern(3), Buffer.alloc(100)]));
  const { driver } = d;
  t.equal(driver.offers, 0x1_0000_0644n);
  t.equal(driver.read(60, 32), 3, 'capacity: whole sectors');
  t.equal(driver.read(64, 32), 0);
  t.equal(driver.read(72, 32), 254, 'seg_max');
  t.equal(driver.read(80, 32), 512, 'blk_size');
  t.equal(driver.read(84, 8), 3, 'physical_block_exp');
  t.equal(driver.read(94, 16), 1, 'num_queues');
  t.equal(d.guest.readConfig(1, 8), 0x0180_0001);
  t.end();
});

t.test('sectors are read and written where they are', (t) => {
  const { disk: d, file } = disk(t);
  t.strictSame(d.request(T_IN, 5, 1024), { status: OK, length: 1025 });
  t.strictSame(Buffer.from(d.guest.bytes.subarray(DATA, DATA + 1024)), pattern(SECTORS).subarray(5 * 512, 7 * 512));
  t.ok(d.guest.wrote.includes(`${DATA}+1024`), 'the CPU is told of what was written');
  d.guest.bytes.fill(0x5a, DATA, DATA + 512);
  t.strictSame(d.request(T_OUT, 63, 512), { status: OK, length: 1 });
  const expected = pattern(SECTORS);
  expected.fill(0x5a, 63 * 512);
  t.strictSame(fs.readFileSync(file), expected);
  t.strictSame(d.guest.irqs, [1, 1]);
  t.end();
});

t.test('header, data and status may be cut in any way (checklist 63, V5)', (t) => {
  const { disk: d } = disk(t);
  d.header(T_IN, 2);
  d.queue.post(
    ...[1, 3, 4, 7, 1].map((length, i, all) => ({ at: HEADER + all.slice(0, i).reduce((a, b) => a + b, 0), length })),
    { at: DATA, length: 100, flags: WRITE },
    { at: DATA + 100, length: 400, flags: WRITE },
    { at: 0x20000, length: 13, flags: WRITE },
    { at: 0x30000, length: 0, flags: WRITE },
  );
  t.strictSame(d.queue.taken(), [{ id: 0, length: 513 }]);
  t.equal(d.guest.bytes[0x20000 + 12], OK, 'the last byte of the last buffer that is not empty');
  t.strictSame(Buffer.from(d.guest.bytes.subarray(DATA, DATA + 500)), pattern(SECTORS).subarray(1024, 1524));
  d.guest.bytes.set(pattern(1), HEADER + 16);
  d.header(T_OUT, 9);
  d.queue.post({ at: HEADER, length: 16 + 512 }, { at: STATUS, length: 1, flags: WRITE });
  t.equal(d.request(T_IN, 9, 512).status, OK);
  t.strictSame(Buffer.from(d.guest.bytes.subarray(DATA, DATA + 512)), pattern(1));
  t.end();
});

t.test('a request beyond the end of the disk is an error and nothing else (checklist 62, V15, I7)', (t) => {
  const { disk: d, file } = disk(t);
  for (const type of [T_IN, T_OUT]) {
    for (const [sector, length] of [
      [SECTORS, 512],
      [SECTORS - 1, 1024],
      [0x1_0000_0000n, 512],
      [0x7f_ffff_ffff_ffffn, 512],
      [0xffff_ffff_ffff_ffffn, 512],
      [0, (SECTORS + 1) * 512],
    ] as const) {
      t.strictSame(d.request(type, sector, length), { status: IOERR, length: 1 }, `type ${type} sector ${sector}`);
    }
  }
  t.strictSame(fs.readFileSync(file), pattern(SECTORS));
  t.strictSame(d.guest.broken, []);
  t.end();
});

t.test('data that is not whole sectors is an error, no data at all is none (V15)', (t) => {
  const { disk: d } = disk(t);
  t.equal(d.request(T_IN, 0, 100).status, IOERR);
  t.equal(d.request(T_OUT, 0, 513).status, IOERR);
  t.strictSame(d.request(T_IN, 0, 0), { status: OK, length: 1 });
  t.end();
});

t.test('a flush is fdatasync, a name is asked for by GET_ID, other types are unsupported (V15)', (t) => {
  const { disk: d } = disk(t);
  t.strictSame(d.request(T_FLUSH, 0, 0), { status: OK, length: 1 });
  t.strictSame(d.request(T_GET_ID, 0, 20), { status: OK, length: 21 });
  t.equal(d.guest.text(DATA, 20), `serial${'\0'.repeat(14)}`);
  t.strictSame(d.request(T_GET_ID, 0, 3), { status: OK, length: 4 });
  for (const type of [T_SCSI, 3, 11, 13, 0x8000_0000, 0xffff_ffff]) {
    t.strictSame(d.request(type, 0, 512), { status: UNSUPP, length: 1 }, `type ${type}`);
  }
  t.end();
});

t.test('a flush that fails is an error, and is not hidden', (t) => {
  const broken = 'ENOSPC: no space left on device, fdatasync';
  const image: DiskImage = {
    sectors: 8,
    readOnly: false,
    read: () => undefined,
    write: () => 'EIO: i/o error, write',
    flush: () => broken,
    close: () => undefined,
  };
  const d = new Disk(image);
  t.strictSame(d.request(T_FLUSH, 0, 0), { status: IOERR, length: 1 });
  t.strictSame(d.request(T_OUT, 0, 512), { status: IOERR, length: 1 });
  t.strictSame(d.guest.warnings, [`block: ${broken}`, 'block: EIO: i/o error, write']);
  for (let i = 0; i < 100; i++) d.request(T_FLUSH, 0, 0);
  t.equal(d.guest.warnings.length, 16, 'R2');
  t.end();
});

t.test('a read-only disk refuses writes and says so beforehand', (t) => {
  const { disk: d, file } = disk(t, { readonly: true });
  t.equal(d.driver.offers & 0x20n, 0x20n);
  t.equal(d.request(T_OUT, 0, 512).status, IOERR);
  t.equal(d.request(T_IN, 1, 512).status, OK);
  t.equal(d.request(T_FLUSH, 0, 0).status, OK);
  t.strictSame(fs.readFileSync(file), pattern(SECTORS));
  t.end();
});

t.test('a snapshot shows what was written, and the file knows nothing of it', (t) => {
  const content = pattern(13);
  const { disk: d, file } = disk(t, { snapshot: true }, content);
  const expected = Buffer.from(content);
  // Crosses a block, ends in a block that the file does not fill, and rewrites a part.
  for (const [sector, sectors, fill] of [
    [7, 2, 0xa1],
    [12, 1, 0xa2],
    [8, 1, 0xa3],
  ] as const) {
    d.guest.bytes.fill(fill, DATA, DATA + sectors * 512);
    t.equal(d.request(T_OUT, sector, sectors * 512).status, OK);
    expected.fill(fill, sector * 512, (sector + sectors) * 512);
  }
  t.equal(d.request(T_FLUSH, 0, 0).status, OK);
  t.strictSame(d.request(T_IN, 0, 13 * 512), { status: OK, length: 13 * 512 + 1 });
  t.strictSame(Buffer.from(d.guest.bytes.subarray(DATA, DATA + 13 * 512)), expected);
  t.strictSame(fs.readFileSync(file), content);
  t.end();
});

t.test('a read-only snapshot is still read-only', (t) => {
  const { disk: d } = disk(t, { snapshot: true, readonly: true });
  t.equal(d.request(T_OUT, 0, 512).status, IOERR);
  t.end();
});

t.test('a file that shrinks below a running disk gives errors, not old memory (I7)', (t) => {
  const { disk: d, file } = disk(t);
  fs.truncateSync(file, 512);
  t.equal(d.request(T_IN, 0, 512).status, OK);
  t.equal(d.request(T_IN, 0, 1024).status, IOERR);
  t.match(d.guest.warnings, ['block: the file is shorter than it was']);
  t.end();
});

t.test('254 segments in one request (V15)', (t) => {
  const { disk: d } = disk(t, {}, pattern(254));
  d.header(T_IN, 0);
  const segments = Array.from({ length: 254 }, (_, i) => ({ at: 0x80000 + i * 1024, length: 512, flags: WRITE }));
  d.queue.post({ at: HEADER, length: 16 }, ...segments, { at: STATUS, length: 1, flags: WRITE });
  t.strictSame(d.queue.taken(), [{ id: 0, length: 254 * 512 + 1 }]);
  const got = Buffer.concat(segments.map(({ at }) => d.guest.bytes.subarray(at, at + 512)));
  t.strictSame(got, pattern(254));
  t.end();
});

t.test('more data than any driver has is refused, however large the disk (V4)', (t) => {
  const image: DiskImage = {
    sectors: 2 ** 40,
    readOnly: false,
    read: () => t.fail('must not be read'),
    write: () => t.fail('must not be written'),
    flush: () => undefined,
    close: () => undefined,
  } as unknown as DiskImage;
  const d = new Disk(image);
  d.header(T_IN, 0);
  const segments = Array.from({ length: 64 }, () => ({ at: 0, length: RAM, flags: WRITE }));
  d.queue.post({ at: HEADER, length: 16 }, ...segments, { at: STATUS, length: 1, flags: WRITE });
  t.equal(d.guest.bytes[STATUS], IOERR);
  t.end();
});

t.test('requests that move much take turns with everything else (V4)', async (t) => {
  let reads = 0;
  const image: DiskImage = {
    sectors: 2 ** 40,
    readOnly: false,
    read: () => void reads++,
    write: () => undefined,
    flush: () => undefined,
    close: () => undefined,
  };
  const d = new Disk(image);
  d.header(T_IN, 0);
  const heads = Array.from({ length: 7 }, () =>
    d.queue.chain([
      { at: HEADER, length: 16 },
      ...Array.from({ length: 31 }, () => ({ at: 0x80000, length: 0x80000, flags: WRITE })),
      { at: STATUS, length: 1, flags: WRITE },
    ]),
  );
  for (const head of heads) d.queue.makeAvailable(head);
  d.queue.kick();
  t.equal(reads, 5, '64 MiB are enough for one turn');
  d.queue.kick();
  t.equal(reads, 5, 'and a kick does not buy another');
  await eventLoopTurn();
  t.equal(reads, 7);
  t.equal(d.queue.taken().length, 7);
  d.guest.bus.close();
});

t.test('a request is what it was when it was taken, whatever the Guest makes of its memory meanwhile (V12)', (t) => {
  const scribble = (): undefined => {
    d.guest.bytes.fill(0xff, HEADER, HEADER + 16);
    d.guest.bytes.fill(0xff, d.queue.desc, d.queue.desc + 64);
    d.guest.bytes.fill(0xff, d.queue.avail + 4, d.queue.avail + 20);
  };
  const image: DiskImage = {
    sectors: 8,
    readOnly: false,
    read: scribble,
    write: scribble,
    flush: () => undefined,
    close: () => undefined,
  };
  const d = new Disk(image);
  t.strictSame(d.request(T_IN, 0, 512), { status: OK, length: 513 });
  t.strictSame(d.guest.broken, []);
  t.end();
});

t.test('used.len counts what was stored and nothing else, and nothing else is stored (V14)', (t) => {
  const { disk: d } = disk(t);
  d.guest.bytes.fill(0x77, DATA, DATA + 4096);
  for (const [type, sector, room, length] of [
    [T_IN, SECTORS, 512, 1],
    [T_IN, 0, 511, 1],
    [T_SCSI, 0, 96, 1],
    [T_FLUSH, 0, 512, 1],
    [T_GET_ID, 0, 512, 21],
  ] as const) {
    t.equal(d.request(type, sector, room).length, length);
  }
  t.ok(d.guest.bytes.subarray(DATA + 20, DATA + 4096).every((byte) => byte === 0x77));
  t.end();
});

t.test('bad driver: a header too short, a status without room (V5)', (t) => {
  const short = disk(t).disk;
  short.queue.post({ at: HEADER, length: 15 }, { at: STATUS, length: 1, flags: WRITE });
  t.strictSame(short.guest.broken, ['block: bad driver: iovec too short!']);
  for (const status of [[], [{ at: STATUS, length: 0, flags: WRITE }]]) {
    const { disk: d } = disk(t);
    d.queue.post({ at: HEADER, length: 16 }, ...status);
    t.strictSame(d.guest.broken, ['block vq request: bad driver: Bad virtblk cmd with no room for status']);
  }
  t.end();
});

t.test('what cannot be a disk is said in one line (I7)', (t) => {
  const folder = t.testdir({ folder: {}, short: 'x'.repeat(511), link: t.fixture('symlink', 'link') });
  const refused = (name: string, message: RegExp): void => {
    t.throws(() => openDisk(path.join(folder, name), {}, silentLogger), { name: 'UserError', message });
  };
  refused('missing', /^cannot open the disk .*missing: no such file$/);
  refused('folder', /^cannot use .*folder as a disk: it is neither a regular file nor a block device$/);
  refused('short', /^cannot use .*short as a disk: it is shorter than one sector of 512 bytes$/);
  refused('link', /^cannot open the disk .*link: its symbolic links go in a circle$/);
  t.throws(() => openDisk('/dev/zero', {}, silentLogger), UserError);
  t.end();
});

t.test('the size of a block device is found by reading', (t) => {
  for (const size of [0, 1, 511, 512, 513, 4096, 100_000, 1_048_577]) {
    const fd = fs.openSync(imageFile(t, Buffer.alloc(size)), 'r');
    t.equal(sizeByReading(fd), size - (size % 512));
    fs.closeSync(fd);
  }
  t.end();
});

t.test('contents never decide what a disk is, but a qcow2 header earns a warning (I7)', (t) => {
  const content = pattern(2);
  content.write('QFI\xfb', 'latin1');
  const warnings: string[] = [];
  const image = openDisk(imageFile(t, content), {}, { ...silentLogger, warn: (text) => void warnings.push(text) });
  t.match(warnings, [/looks like a qcow2 image/]);
  t.equal(image.sectors, 2);
  image.close();
  t.end();
});

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

t.test('a request for all of memory gets 64 KiB, one for nothing gets nothing (V18)', (t) => {
  const { guest, queue } = entropy();
  const filled = guest.bytes.subarray(0x80000);
  queue.post({ at: 0x80000, length: 0x80000, flags: WRITE });
  t.strictSame(queue.taken(), [{ id: 0, length: 65536 }]);
  t.ok(filled.subarray(65536).every((byte) => byte === 0));
  queue.post({ at: 0x80000, length: 0, flags: WRITE });
  t.strictSame(queue.taken(), [{ id: 1, length: 0 }]);
  t.end();
});

t.test('bad driver: readable buffers for entropy (V18)', (t) => {
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
  t.not(crypto.createHash('md5').update(first).digest('hex'), null);
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

t.test('frames that cannot be are dropped and counted, and the buffer comes back (V16)', (t) => {
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

t.test('frames wait for buffers, but not without limit (V16)', (t) => {
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

t.test('a frame longer than the posted buffer is dropped, and the buffer waits for the next (V16)', (t) => {
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

t.test('bad driver: buffers of the wrong direction on a card (V5, V16)', (t) => {
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
  const file = imageFile(t);
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
