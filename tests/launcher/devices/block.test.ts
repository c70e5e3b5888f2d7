// The disk and what can be one, with the driver of tests/support in front of it.
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { UserError } from '../../../lib/errors.js';
import { silentLogger } from '../../../lib/log.js';
import { BlockDevice } from '../../../launcher/devices/block.js';
import type { DiskImage } from '../../../launcher/devices/disk-image.js';
import { openDisk, sizeByReading } from '../../../launcher/devices/open-disk.js';
import type { DiskOptions } from '../../../launcher/devices/open-disk.js';
import { FakeGuest, RAM } from '../../support/fake-guest.js';
import { VirtioDriver, WRITE, queueOf } from '../../support/virtio-driver.js';
import type { DriverQueue } from '../../support/virtio-driver.js';

const eventLoopTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

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

t.test('header, data and status may be cut in any way', (t) => {
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

t.test('a request beyond the end of the disk is an error and nothing else', (t) => {
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

t.test('data that is not whole sectors is an error, no data at all is none', (t) => {
  const { disk: d } = disk(t);
  t.equal(d.request(T_IN, 0, 100).status, IOERR);
  t.equal(d.request(T_OUT, 0, 513).status, IOERR);
  t.strictSame(d.request(T_IN, 0, 0), { status: OK, length: 1 });
  t.end();
});

t.test('a flush is fdatasync, a name is asked for by GET_ID, other types are unsupported', (t) => {
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

t.test('a file that shrinks below a running disk gives errors, not old memory', (t) => {
  const { disk: d, file } = disk(t);
  fs.truncateSync(file, 512);
  t.equal(d.request(T_IN, 0, 512).status, OK);
  t.equal(d.request(T_IN, 0, 1024).status, IOERR);
  t.match(d.guest.warnings, ['block: the file is shorter than it was']);
  t.end();
});

t.test('254 segments in one request', (t) => {
  const { disk: d } = disk(t, {}, pattern(254));
  d.header(T_IN, 0);
  const segments = Array.from({ length: 254 }, (_, i) => ({ at: 0x80000 + i * 1024, length: 512, flags: WRITE }));
  d.queue.post({ at: HEADER, length: 16 }, ...segments, { at: STATUS, length: 1, flags: WRITE });
  t.strictSame(d.queue.taken(), [{ id: 0, length: 254 * 512 + 1 }]);
  const got = Buffer.concat(segments.map(({ at }) => d.guest.bytes.subarray(at, at + 512)));
  t.strictSame(got, pattern(254));
  t.end();
});

t.test('more data than any driver has is refused, however large the disk', (t) => {
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

t.test('requests that move much take turns with everything else', async (t) => {
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

t.test('a request is what it was when it was taken, whatever the Guest makes of its memory meanwhile', (t) => {
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

t.test('used.len counts what was stored and nothing else, and nothing else is stored', (t) => {
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

t.test('bad driver: a header too short, a status without room', (t) => {
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

t.test('what cannot be a disk is said in one line', (t) => {
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

t.test('contents never decide what a disk is, but a qcow2 header earns a warning', (t) => {
  const content = pattern(2);
  content.write('QFI\xfb', 'latin1');
  const warnings: string[] = [];
  const image = openDisk(imageFile(t, content), {}, { ...silentLogger, warn: (text) => void warnings.push(text) });
  t.match(warnings, [/looks like a qcow2 image/]);
  t.equal(image.sectors, 2);
  image.close();
  t.end();
});
