// What gzip packed is unpacked before the Guest begins, if that makes no difference to it; whatever is odd goes to the Guest as it
// is, and it has the last word.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, crc32, deflateRawSync, gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { Elf32_Ehdr, Elf32_Phdr } from '../../guest-abi/linux/elf.js';
import { boot_params } from '../../guest-abi/linux/boot-params.js';
import { NEWC_BLOCK } from '../../guest-abi/linux/cpio.js';
import { MiB, u32 } from '../../lib/bits.js';
import { isArchive, newcEntry } from '../../launcher/kernel/cpio.js';
import { unpackGzip } from '../../launcher/kernel/gzip.js';
import { roomUnpacked } from '../../launcher/kernel/initrd.js';
import { type LoadRequest, loadGuest } from '../../launcher/kernel/load.js';
import { bzImage, elf, guestSegment } from '../support/kernel-files.js';

const RAM = 32 * MiB;
/** It takes all of the second megabyte. */
const KERNEL = elf([{ ...guestSegment('Linux version 4.12.0-test (a@b)'), memorySize: MiB }]);
const KERNEL_END = 2 * MiB;

const load = async (request: Partial<LoadRequest>, ramBytes = RAM) => {
  const ram = new Uint8Array(ramBytes);
  return { ram, ...(await loadGuest(ram, { kernel: KERNEL, commandLine: 'quiet', ...request })) };
};

const trailer = newcEntry(Buffer.from('TRAILER!!!'), {}, Buffer.alloc(0));
const file = (name: string, contents: Uint8Array): Buffer =>
  newcEntry(Buffer.from(name), { mode: 0o100644, nlink: 1 }, Buffer.from(contents));
const words = Buffer.from(
  Array.from({ length: 3000 }, (_, at) => (Math.imul(at + 1, 2654435761) >>> 8).toString(36)).join(' '),
);
const ARCHIVE = Buffer.concat([file('init', words), trailer]);

const edited = (bytes: Buffer, edit: (copy: Buffer) => unknown): Buffer => {
  const copy = Buffer.from(bytes);
  edit(copy);
  return copy;
};

/** A member with a checksum and a length of one's own. */
const member = (contents: Buffer, sum = crc32(contents), length = contents.length): Buffer => {
  const end = Buffer.alloc(8);
  end.writeUInt32LE(u32(sum), 0);
  end.writeUInt32LE(length, 4);
  return Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), deflateRawSync(contents), end]);
};

/** What is in memory where the zero page says that the initrd is. */
const found = (ram: Uint8Array): Buffer => {
  const page = new DataView(ram.buffer);
  const at = page.getUint32(boot_params.hdr.ramdisk_image, true);
  return Buffer.from(ram.buffer, at, page.getUint32(boot_params.hdr.ramdisk_size, true));
};

const isThere = (t: Test, ram: Uint8Array, bytes: Uint8Array, what: string): void => {
  const there = found(ram);
  t.ok(there.subarray(0, bytes.length).equals(bytes), `${what}: it is there`);
  t.ok(
    there.subarray(bytes.length).every((byte) => byte === 0) && there.length < bytes.length + 4096,
    `${what}: alone`,
  );
};

t.test('an initrd that gzip packed is handed over unpacked', async (t) => {
  const dressed = gzipSync(ARCHIVE, { level: constants.Z_BEST_COMPRESSION });
  const extras = Buffer.concat([Buffer.from([5, 0]), Buffer.from('extraa name\0a comment\0')]);
  const withNames = Buffer.concat([dressed.subarray(0, 10), extras, dressed.subarray(10)]);
  withNames[3] = 4 | 8 | 16;
  const packed: Record<string, [packed: Buffer, unpacked: Buffer]> = {
    'as gzip packs': [dressed, ARCHIVE],
    'only stored': [gzipSync(ARCHIVE, { level: 0 }), ARCHIVE],
    'with a name, a comment and more': [withNames, ARCHIVE],
    'made by the test': [member(ARCHIVE), ARCHIVE],
    'with zeros behind it': [Buffer.concat([dressed, Buffer.alloc(5000)]), ARCHIVE],
  };
  for (const size of [1, 2, 3, 4])
    packed[`with ${size} zeros`] = [Buffer.concat([dressed, Buffer.alloc(size)]), ARCHIVE];
  const crc = Buffer.from(ARCHIVE.toString('latin1').replaceAll('070701', '070702'), 'latin1');
  packed['with sums'] = [gzipSync(crc), crc];
  const padded = Buffer.concat([ARCHIVE, Buffer.alloc(NEWC_BLOCK - (ARCHIVE.length % NEWC_BLOCK))]);
  packed['padded inside'] = [gzipSync(padded), padded];
  const two = Buffer.concat([padded, ARCHIVE, Buffer.alloc(3)]);
  packed['several archives in one'] = [gzipSync(two), two];
  packed['nothing but an end'] = [gzipSync(trailer), trailer];

  const dir = t.testdir({});
  for (const [what, [bytes, unpacked]] of Object.entries(packed)) {
    const path = join(dir, 'initrd.gz');
    writeFileSync(path, bytes);
    for (const initrd of [bytes, new Uint8Array(bytes), path]) {
      const got = await load({ initrd });
      t.equal(got.initrd?.unpacked, true, what);
      isThere(t, got.ram, unpacked, what);
    }
  }
});

const zeros = (size: number): Buffer => Buffer.alloc(size);

/** None of these would be the same to the Guest, or all of them would be too much for it. */
const ODD: Readonly<Record<string, Buffer>> = {
  'not packed': ARCHIVE,
  'packed by xz': Buffer.concat([Buffer.from('fd377a585a00', 'hex'), words]),
  'a magic and nothing else': Buffer.from([0x1f, 0x8b]),
  'a header and nothing else': gzipSync(ARCHIVE).subarray(0, 10),
  'another method': edited(gzipSync(ARCHIVE), (copy) => (copy[2] = 9)),
  'reserved flags': edited(gzipSync(ARCHIVE), (copy) => (copy[3] = 0x80)),
  'cut in its data': gzipSync(ARCHIVE).subarray(0, 5000),
  'cut before its end': gzipSync(ARCHIVE).subarray(0, -8),
  'cut by one byte': gzipSync(ARCHIVE).subarray(0, -1),
  damaged: edited(gzipSync(ARCHIVE), (copy) => copy.fill(0x55, 3000, 3010)),
  'a wrong checksum': member(ARCHIVE, crc32(ARCHIVE) ^ 1),
  'a wrong length': member(ARCHIVE, crc32(ARCHIVE), ARCHIVE.length - 1),
  'a length that is far too large': member(ARCHIVE, crc32(ARCHIVE), 0xffff_ffff),
  'two members, one archive': Buffer.concat([gzipSync(ARCHIVE.subarray(0, 5000)), gzipSync(ARCHIVE.subarray(5000))]),
  'two members, two archives': Buffer.concat([gzipSync(ARCHIVE), gzipSync(ARCHIVE)]),
  'two members, the second empty': Buffer.concat([gzipSync(ARCHIVE), gzipSync('')]),
  'two members with zeros between': Buffer.concat([gzipSync(ARCHIVE), zeros(512), gzipSync(ARCHIVE)]),
  'an archive behind it': Buffer.concat([gzipSync(ARCHIVE), ARCHIVE]),
  'an archive before it': Buffer.concat([ARCHIVE, gzipSync(ARCHIVE)]),
  'an archive behind zeros': Buffer.concat([gzipSync(ARCHIVE), zeros(512), ARCHIVE]),
  'garbage behind it': Buffer.concat([gzipSync(ARCHIVE), words]),
  'garbage behind zeros': Buffer.concat([gzipSync(ARCHIVE), zeros(9), Buffer.from('x')]),
  'no archive in it': gzipSync(words),
  'less than a header in it': gzipSync('070701'),
  'nothing in it': gzipSync(''),
  'zeros in it': gzipSync(zeros(4096)),
  'zeros before the archive in it': gzipSync(Buffer.concat([zeros(4), ARCHIVE])),
  'an archive of the old kind': gzipSync(Buffer.concat([Buffer.from('070707'), ARCHIVE])),
  'an archive that is cut': gzipSync(ARCHIVE.subarray(0, -trailer.length)),
  'an archive that is cut in its end': gzipSync(ARCHIVE.subarray(0, -1)),
  'an archive with garbage behind it': gzipSync(Buffer.concat([ARCHIVE, words])),
  'an archive with a packed one behind it': gzipSync(Buffer.concat([ARCHIVE, gzipSync(ARCHIVE)])),
  'a second archive that is not aligned': gzipSync(Buffer.concat([ARCHIVE, zeros(1), trailer])),
  'a file that claims to be larger': gzipSync(edited(ARCHIVE, (copy) => copy.write('ffffffff', 54))),
  'a name that claims to be longer': gzipSync(edited(ARCHIVE, (copy) => copy.write('ffffffff', 94))),
  'a length that is no number': gzipSync(edited(ARCHIVE, (copy) => copy.write('0000x000', 54))),
  'a bomb': gzipSync(Buffer.concat([file('zeros', zeros(64 * MiB)), trailer])),
  'a bomb that denies it': edited(gzipSync(Buffer.concat([file('zeros', zeros(64 * MiB)), trailer])), (copy) =>
    copy.writeUInt32LE(100, copy.length - 4),
  ),
};

t.test('what is odd in any way is handed over as it is', async (t) => {
  const path = join(t.testdir({}), 'initrd');
  for (const [what, bytes] of Object.entries(ODD)) {
    writeFileSync(path, bytes);
    for (const initrd of [bytes, path]) {
      const got = await load({ initrd });
      t.equal(got.initrd?.unpacked, false, what);
      isThere(t, got.ram, bytes, what);
    }
  }
});

t.test('no flipped bit comes through', async (t) => {
  const packed = gzipSync(ARCHIVE);
  for (let at = 10; at < packed.length; at += 50) {
    const damaged = edited(packed, (copy) => (copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8))));
    t.equal(await unpackGzip(damaged, MiB), undefined, `at ${at}`);
  }
});

/** An archive of this many bytes, a multiple of four. */
const archiveOf = (size: number): Buffer => {
  const around = Buffer.concat([file('x', zeros(0)), trailer]).length;
  return Buffer.concat([file('x', zeros(size - around)), trailer]);
};

t.test('an archive may take a quarter of what the kernel leaves, and no more', async (t) => {
  const quarter = (RAM - KERNEL_END) / 4;
  const exactly = archiveOf(quarter);
  t.equal(exactly.length, quarter);
  t.equal((await load({ initrd: gzipSync(exactly) })).initrd?.unpacked, true);
  const more = gzipSync(Buffer.concat([exactly, zeros(1)]));
  const got = await load({ initrd: more });
  t.equal(got.initrd?.unpacked, false);
  isThere(t, got.ram, more, 'one byte more');

  const low = edited(bzImage({ payload: gzipSync(KERNEL) }), (copy) =>
    copy.writeUInt32LE(6 * MiB - 1, boot_params.hdr.initrd_addr_max),
  );
  const within = await load({ kernel: low, initrd: gzipSync(archiveOf(MiB)) });
  t.match(within.initrd, { unpacked: true, address: 5 * MiB }, 'below initrd_addr_max');
  const beyond = await load({ kernel: low, initrd: gzipSync(Buffer.concat([archiveOf(MiB), zeros(1)])) });
  t.equal(beyond.initrd?.unpacked, false);
  t.ok((beyond.initrd?.address ?? 0) < 6 * MiB);

  t.equal(roomUnpacked(3072 * MiB, 0), 224 * MiB, 'Linux does not map all of a large memory');
  t.equal(roomUnpacked(8 * MiB, 9 * MiB), 0);
});

t.test('zlib makes no more than it may', async (t) => {
  const packed = gzipSync(ARCHIVE);
  t.ok((await unpackGzip(packed, ARCHIVE.length))?.equals(ARCHIVE));
  t.equal(await unpackGzip(packed, ARCHIVE.length - 1), undefined);
  const denying = edited(packed, (copy) => copy.writeUInt32LE(0, copy.length - 4));
  t.equal(await unpackGzip(denying, ARCHIVE.length - 1), undefined);
  t.equal(await unpackGzip(packed, 0), undefined);
  t.equal(isArchive(Buffer.alloc(0)), false);

  const contents = zeros(256 * MiB);
  const bomb = edited(gzipSync(contents), (copy) => copy.writeUInt32LE(0, copy.length - 4));
  const before = process.memoryUsage().arrayBuffers;
  t.equal(await unpackGzip(bomb, MiB), undefined);
  const grown = process.memoryUsage().arrayBuffers - before;
  t.ok(grown < 32 * MiB && contents.length > 0, 'a bomb does not go off');
});

t.test('bytes of a caller who goes on are those that were given', async (t) => {
  const initrd = Buffer.from(gzipSync(ARCHIVE));
  const loading = load({ initrd });
  initrd.fill(0xff);
  const { ram } = await loading;
  isThere(t, ram, ARCHIVE, 'as it was');
  const shared = new Uint8Array(new SharedArrayBuffer(9000));
  shared.set(gzipSync(Buffer.concat([file('a', Buffer.from('b')), trailer])));
  t.equal((await load({ initrd: shared })).initrd?.unpacked, true, 'shared memory');
});

t.test('a folder is packed as ever', async (t) => {
  const got = await load({ initrd: t.testdir({ init: 'x' }) });
  t.equal(got.initrd?.unpacked, false);
  t.ok(isArchive(found(got.ram)));
});

t.test('of several mistakes that of the kernel is told', async (t) => {
  const dir = t.testdir({ empty: '' });
  const noKernel = { code: 'ERR_LGUEST_BAD_KERNEL' };
  for (const initrd of [join(dir, 'none'), join(dir, 'empty'), dir, ODD['a wrong checksum'] ?? '', gzipSync(ARCHIVE)]) {
    await t.rejects(load({ kernel: Buffer.from('none'), initrd }), noKernel);
    await t.rejects(load({ kernel: bzImage().subarray(0, 1600), initrd }), noKernel);
  }
  const noInitrd = { code: 'ERR_LGUEST_INITRD' };
  for (const kernel of [KERNEL, bzImage({ payload: gzipSync(KERNEL) })]) {
    await t.rejects(load({ kernel, initrd: join(dir, 'none') }), { ...noInitrd, message: /no such file/ });
    await t.rejects(load({ kernel, initrd: join(dir, 'empty') }), { ...noInitrd, message: /is empty/ });
    await t.rejects(load({ kernel, initrd: '/dev/zero' }), { ...noInitrd, message: /neither a file nor a folder/ });
    const large = gzipSync(Buffer.concat(Array.from({ length: 31 }, () => zeros(MiB))), { level: 0 });
    await t.rejects(load({ kernel, initrd: large }), { ...noInitrd, message: /give it more memory/ });
  }
});

t.test('a bzImage that gzip packed is in memory as its vmlinux is', async (t) => {
  const relocations = Buffer.alloc(1000, 0x33);
  const plain = await load({});
  for (const payload of [gzipSync(KERNEL), gzipSync(Buffer.concat([KERNEL, relocations]))]) {
    const got = await load({ kernel: bzImage({ payload, initSize: 8 * MiB }) });
    t.match(got, { entry: 0x100000, format: 'bzimage', unpacked: true });
    t.match(got.inspection, { verdict: 'lguest', version: '4.12.0-test' });
    t.ok(Buffer.from(got.ram).equals(plain.ram), 'zero page and all');
  }
  const high = { ...guestSegment('Linux version 4.12.0-high '), physical: 0x1000000, virtual: 0xc1000000 };
  const virtual = await load({ kernel: bzImage({ payload: gzipSync(elf([high], 0xc1000000)) }) });
  t.match(virtual, { entry: 0x1000000, unpacked: true }, 'its entry, wherever it is');
});

t.test('a Guest too small to unpack a kernel has room for it unpacked', async (t) => {
  const kernel = bzImage({ payload: gzipSync(KERNEL), initSize: 64 * MiB });
  t.match(await load({ kernel }), { entry: 0x100000, unpacked: true });
  await t.rejects(load({ kernel, unpack: false }), {
    code: 'ERR_LGUEST_MEMORY',
    message: /needs 80M to unpack itself/,
  });
  const long = gzipSync(elf([guestSegment('Linux version 4.12.0 '), { physical: 40 * MiB, bytes: words }]));
  await t.rejects(load({ kernel: bzImage({ payload: long }) }), {
    code: 'ERR_LGUEST_MEMORY',
    message: /kernel needs memory up to 41M, but the Guest has 32M/,
  });
});

t.test('a bzImage with anything odd in it unpacks itself', async (t) => {
  const odd: Record<string, Buffer> = {
    'packed by xz': Buffer.from('fd377a585a000004', 'hex'),
    cut: gzipSync(KERNEL).subarray(0, -1),
    'a wrong checksum': member(KERNEL, 1),
    'something behind it': Buffer.concat([gzipSync(KERNEL), words]),
    'no ELF file': gzipSync(words),
    'an ELF file that is cut': gzipSync(KERNEL.subarray(0, -1)),
    'a 64-bit kernel': gzipSync(edited(KERNEL, (copy) => (copy[4] = 2))),
    'no executable': gzipSync(edited(KERNEL, (copy) => copy.writeUInt16LE(3, Elf32_Ehdr.e_type))),
    'a segment where the boot parameters are': gzipSync(
      edited(KERNEL, (copy) => copy.writeUInt32LE(0x1000, Elf32_Ehdr.sizeof + Elf32_Phdr.p_paddr)),
    ),
    'an entry that is nowhere': gzipSync(edited(KERNEL, (copy) => copy.writeUInt32LE(0x5000000, Elf32_Ehdr.e_entry))),
    'no hypercall': gzipSync(elf([{ physical: 0x100000, bytes: zeros(100) }])),
  };
  for (const [what, payload] of Object.entries(odd)) {
    const kernel = bzImage({ payload, initSize: 8 * MiB });
    const got = await load({ kernel });
    t.match(got, { entry: 0x100000, format: 'bzimage', unpacked: false, inspection: { verdict: 'unknown' } }, what);
    t.ok(Buffer.from(got.ram).equals((await load({ kernel, unpack: false })).ram), `${what}: as without unpacking`);
    t.equal(new DataView(got.ram.buffer).getUint32(boot_params.hdr.init_size, true), 8 * MiB, what);
  }
  const old = edited(bzImage({ payload: gzipSync(KERNEL) }), (copy) =>
    copy.writeUInt16LE(0x207, boot_params.hdr.version),
  );
  t.match(await load({ kernel: old }), { unpacked: false }, 'a header that does not say where it is');
});

t.test('who wants it gets everything as it is', async (t) => {
  const payload = gzipSync(KERNEL);
  const kernel = bzImage({ payload, initSize: 8 * MiB });
  const initrd = gzipSync(ARCHIVE);
  const got = await load({ kernel, initrd, unpack: false });
  t.match(got, { entry: 0x100000, unpacked: false, inspection: { verdict: 'lguest' }, initrd: { unpacked: false } });
  t.equal(got.ram[0x100000], 0x90, 'the unpacker');
  t.ok(payload.equals(got.ram.subarray(0x100000 + 512, 0x100000 + 512 + payload.length)), 'and what it unpacks');
  isThere(t, got.ram, initrd, 'the initrd');
  const page = new DataView(got.ram.buffer);
  t.equal(page.getUint32(boot_params.hdr.init_size, true), 8 * MiB);
  const hopeless = bzImage({
    payload: gzipSync(elf([{ physical: 0x100000, bytes: Buffer.from('Linux version 5.10.0 ') }])),
  });
  for (const unpack of [true, false]) {
    await t.rejects(
      load({ kernel: hopeless, unpack }),
      { code: 'ERR_LGUEST_NOT_A_GUEST' },
      'it is looked into either way',
    );
  }
});
