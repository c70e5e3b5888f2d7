// Kernel and initrd loading: what is right arrives where it belongs, what is wrong is named. Ids such as I2 are the
// classes of hostile input that a case stands for.
import { gzipSync } from 'node:zlib';
import { linkSync, mkdirSync, symlinkSync, writeFileSync, chmodSync, existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { boot_params } from '../../guest-abi/linux/boot-params.js';
import { Elf32_Ehdr, Elf32_Phdr } from '../../guest-abi/linux/elf.js';
import { MiB } from '../../lib/bits.js';
import { UserError } from '../../lib/errors.js';
import { packFolder } from '../../launcher/kernel/cpio.js';
import { kernelImageFromBytes } from '../../launcher/kernel/image.js';
import { inspectBzImage, inspectElf } from '../../launcher/kernel/inspect.js';
import { parseBzImage, unpackBzImage } from '../../launcher/kernel/bzimage.js';
import { parseElf, readElf } from '../../launcher/kernel/elf.js';
import { type LoadRequest, loadGuest } from '../../launcher/kernel/load.js';
import { LGUEST_ENTRY, bzImage, elf, guestSegment } from '../support/kernel-files.js';

const RAM = 32 * MiB;

const load = (kernel: LoadRequest['kernel'], more: Partial<LoadRequest> = {}, ramBytes = RAM) => {
  const ram = new Uint8Array(ramBytes);
  return loadGuest(ram, { kernel, commandLine: '', ...more }).then((loaded) => ({ ram, ...loaded }));
};

const phdr = (field: number): number => Elf32_Ehdr.sizeof + field;

const inside = (file: Buffer) => {
  const image = kernelImageFromBytes(file);
  const kernel = parseBzImage(image);
  return unpackBzImage(image, kernel).then((unpacked) => inspectBzImage(kernel, unpacked));
};

/** The error of a load that has to fail, on one line and with a code. */
const refusal = async (t: Test, promise: Promise<unknown>): Promise<UserError> => {
  const error: unknown = await promise.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw error;
  t.notMatch(error.message, /\n/, 'one line');
  t.match(error.code, /^ERR_LGUEST_/);
  return error;
};

const edited = (file: Buffer, edit: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(file);
  edit(copy);
  return copy;
};

t.test('an ELF kernel goes to its physical addresses, and the entry is physical', async (t) => {
  const kernel = elf([
    { physical: 0x400000, virtual: 0xc0400000, bytes: Buffer.from('data'), memorySize: 0x2000 },
    guestSegment(),
  ]);
  const { ram, entry, format, inspection } = await load(kernel, { commandLine: 'console=hvc0 quiet' });
  t.equal(entry, 0x100000);
  t.equal(format, 'elf');
  t.equal(inspection.verdict, 'lguest');
  t.equal(Buffer.from(ram.subarray(0x100000, 0x100006)).toString('hex'), 'b801000000bb');
  t.equal(Buffer.from(ram.subarray(0x400000, 0x400005)).toString('latin1'), 'data\0');
  t.equal(Buffer.from(ram.subarray(0x1000, 0x1013)).toString('latin1'), 'console=hvc0 quiet\0');
});

t.test('an entry point that is a virtual address is understood', async (t) => {
  const { entry } = await load(elf([guestSegment()], 0xc0100000));
  t.equal(entry, 0x100000);
});

t.test('the zero page says what the original says', async (t) => {
  const { ram, initrd } = await load(elf([guestSegment()]), { commandLine: 'x', initrd: Buffer.alloc(5000, 7) });
  const page = new DataView(ram.buffer);
  t.equal(page.getUint8(boot_params.e820_entries), 1);
  t.equal(page.getBigUint64(boot_params.e820_table, true), 0n);
  t.equal(page.getBigUint64(boot_params.e820_table + 8, true), BigInt(RAM));
  t.equal(page.getUint32(boot_params.e820_table + 16, true), 1);
  t.equal(page.getUint16(0x206, true), 0x0207);
  t.equal(page.getUint8(0x210), 0xff);
  t.equal(page.getUint8(0x211), 0x40);
  t.equal(page.getUint32(0x228, true), 0x1000);
  t.equal(page.getUint32(0x230, true), 0x01000000);
  t.equal(page.getUint32(0x23c, true), 1);
  t.strictSame(initrd, { address: RAM - 8192, size: 8192, unpacked: false });
  t.equal(page.getUint32(0x218, true), RAM - 8192);
  t.equal(page.getUint32(0x21c, true), 8192, 'the size counts whole pages');
  t.equal(ram[RAM - 8192], 7);
  t.equal(ram[RAM - 8192 + 5000], 0);

  const without = await load(elf([guestSegment()]));
  t.equal(without.ram[0x210], 0, 'no loader type without an initrd');
});

t.test('an ELF file that is cut anywhere is refused', async (t) => {
  const whole = elf([guestSegment('Linux version 4.12.0')]);
  for (let length = 0; length < whole.length; length++) {
    const error = await refusal(t, load(whole.subarray(0, length)));
    t.match(error.message, length === 0 ? /empty file/ : /truncated|neither|beyond the end/, `${length} bytes`);
  }
});

t.test('an ELF file of the wrong kind is refused by name', async (t) => {
  const right = elf([guestSegment()]);
  const wrong: [string, (copy: Buffer) => void, RegExp][] = [
    [
      '64-bit',
      (b) => ((b[4] = 2), b.writeUInt16LE(62, Elf32_Ehdr.e_machine)),
      /64-bit ELF file for x86-64; lguest boots 32-bit/,
    ],
    ['big-endian', (b) => ((b[5] = 2), b.writeUInt16BE(8, Elf32_Ehdr.e_machine)), /big-endian ELF file for MIPS/],
    ['ARM', (b) => b.writeUInt16LE(40, Elf32_Ehdr.e_machine), /ELF file for ARM; lguest boots 32-bit x86/],
    ['unknown machine', (b) => b.writeUInt16LE(4711, Elf32_Ehdr.e_machine), /machine 4711/],
    ['class', (b) => (b[4] = 7), /class 7/],
    ['shared object', (b) => b.writeUInt16LE(3, Elf32_Ehdr.e_type), /position-independent/],
    ['type', (b) => b.writeUInt16LE(99, Elf32_Ehdr.e_type), /type 99/],
    ['phentsize', (b) => b.writeUInt16LE(56, Elf32_Ehdr.e_phentsize), /program headers of 56 bytes/],
    ['no headers', (b) => b.writeUInt16LE(0, Elf32_Ehdr.e_phnum), /malformed ELF: 0 program headers/],
    ['65535 headers', (b) => b.writeUInt16LE(65535, Elf32_Ehdr.e_phnum), /malformed ELF: 65535/],
    ['e_phoff behind the end', (b) => b.writeUInt32LE(0xfffffff0, Elf32_Ehdr.e_phoff), /beyond the end of the file/],
    ['nothing to load', (b) => b.writeUInt32LE(4, Elf32_Ehdr.sizeof), /nothing to load/],
    ['entry', (b) => b.writeUInt32LE(0x5000000, Elf32_Ehdr.e_entry), /entry point 0x5000000 is outside/],
  ];
  for (const [what, edit, message] of wrong) {
    const error = await refusal(t, load(edited(right, edit)));
    t.match(error.message, message, what);
  }
});

t.test('ELF segments are checked before anything is copied', async (t) => {
  const right = elf([guestSegment()]);
  const wrong: [string, number, number, RegExp][] = [
    ['p_offset wraps', Elf32_Phdr.p_offset, 0xffffffff, /truncated: \d+ bytes of segment 0/],
    ['p_filesz beyond the file', Elf32_Phdr.p_filesz, 18, /more bytes in the file than in memory/],
    ['p_paddr in the zero page', Elf32_Phdr.p_paddr, 0x1000, /boot parameters/],
    ['p_paddr beyond RAM', Elf32_Phdr.p_paddr, 0x10000000, /needs memory up to 257M, but the Guest has 32M/],
    ['p_paddr at the end of 4G', Elf32_Phdr.p_paddr, 0xfffffff8, /needs memory up to 4097M/],
    ['p_memsz beyond RAM', Elf32_Phdr.p_memsz, 0xffffffff, /needs memory up to 4097M/],
  ];
  for (const [what, field, value, message] of wrong) {
    const kernel = edited(right, (copy) => {
      copy.writeUInt32LE(value, phdr(field));
      if (field === Elf32_Phdr.p_paddr) copy.writeUInt32LE(value, Elf32_Ehdr.e_entry);
    });
    t.match((await refusal(t, load(kernel))).message, message, what);
  }
  const overlapping = elf([guestSegment(), { physical: 0x100008, bytes: Buffer.alloc(64) }]);
  t.match((await refusal(t, load(overlapping))).message, /overlap at 0x100008/);
});

t.test('a bzImage goes to 1M without its setup code', async (t) => {
  const { ram, entry, format } = await load(bzImage());
  t.equal(format, 'bzimage');
  t.equal(entry, 0x100000);
  t.equal(ram[0x100000], 0x90);
  t.equal(ram[0x100000 + 512], 0xaa);
  t.equal(new DataView(ram.buffer).getUint32(0x260, true), 0x100000, 'init_size is passed on');
  const old = await load(bzImage({ setupSects: 0 }));
  t.equal(old.ram[0x100000], 0x90, 'setup_sects 0 means 4');
  const large = await load(bzImage({ setupSects: 255 }));
  t.equal(large.ram[0x100000], 0x90, 'setup_sects 255');
});

t.test('a bzImage that is cut anywhere is refused', async (t) => {
  const whole = bzImage();
  for (const length of [0x203, 0x206, 0x260, 0x267, 0x268, 1023, 1535, 1536, 1537, whole.length - 1]) {
    const error = await refusal(t, load(whole.subarray(0, length)));
    t.match(error.message, length < 0x206 ? /neither an ELF file nor a bzImage/ : /truncated/, `${length} bytes`);
  }
});

t.test('a bzImage with an impossible header is refused', async (t) => {
  const hdr = boot_params.hdr;
  const wrong: [string, (copy: Buffer) => void, RegExp][] = [
    ['no HdrS', (b) => b.writeUInt32LE(0, hdr.header), /neither an ELF file nor a bzImage/],
    ['no boot sector', (b) => b.writeUInt16LE(0, hdr.boot_flag), /no signature/],
    ['protocol 2.03', (b) => b.writeUInt16LE(0x203, hdr.version), /boot protocol 2\.3/],
    ['zImage', (b) => (b[hdr.loadflags] = 0), /zImage/],
    ['syssize lies', (b) => b.writeUInt32LE(0xffffffff, hdr.syssize), /truncated: \d+ bytes are missing/],
    ['entry below', (b) => b.writeUInt32LE(0xfffff, hdr.code32_start), /entry point 0xfffff is outside/],
    ['entry above', (b) => b.writeUInt32LE(0x7fffffff, hdr.code32_start), /entry point 0x7fffffff is outside/],
    [
      'more than RAM',
      (b) => b.writeUInt32LE(64 * MiB, hdr.init_size),
      /needs 80M to unpack itself, but the Guest has 32M/,
    ],
  ];
  for (const [what, edit, message] of wrong) {
    t.match((await refusal(t, load(edited(bzImage(), edit)))).message, message, what);
  }
  const strange = await load(
    edited(bzImage(), (b) => {
      b.writeUInt32LE(0xfffffff0, hdr.payload_offset);
      b.writeUInt16LE(0xffff, hdr.kernel_version);
    }),
  );
  t.equal(strange.inspection.verdict, 'unknown', 'a payload or version outside of the file is not looked at');
});

t.test('a kernel without lguest support is told from one with it', async (t) => {
  const plain = elf([{ physical: 0x100000, bytes: Buffer.from('Linux version %s\0Linux version 5.10.0-8-686 (x@y)') }]);
  t.match(
    (await refusal(t, load(plain))).message,
    /Linux 5\.10\.0-8-686 was built without lguest support; .*CONFIG_LGUEST_GUEST=y/,
  );
  const program = elf([{ physical: 0x100000, bytes: Buffer.alloc(64, 0x90) }]);
  t.match((await refusal(t, load(program))).message, /not an lguest kernel: it contains no hypercall/);
  const old = elf([guestSegment('Linux version 3.12.0 \0Could not register lguest root')]);
  t.match((await refusal(t, load(old))).message, /from before the PCI bus/);
  const oldest = elf([
    { physical: 0x100000, bytes: Buffer.from([...LGUEST_ENTRY.subarray(0, 10), 0x0f, 0x01, 0xc1]) },
    { physical: 0x200000, bytes: Buffer.from('Linux version 2.6.32 Could not register lguest root') },
  ]);
  t.match((await refusal(t, load(oldest))).message, /Linux 2\.6\.32 is an lguest kernel from before/);
  const own = elf([{ physical: 0x100000, bytes: Uint8Array.of(0xcd, 0x1f) }]);
  t.equal((await load(own)).inspection.verdict, 'lguest', 'a kernel that is no Linux may do it its own way');
});

t.test('a bzImage is looked into when gzip packed it, and only then', async (t) => {
  const good = elf([guestSegment('Linux version 4.12.0-test (a@b)')]);
  const plain = elf([{ physical: 0x100000, bytes: Buffer.from('Linux version 4.12.0-plain (a@b)') }]);
  t.strictSame(await inside(bzImage({ payload: gzipSync(good) })), { verdict: 'lguest', version: '4.12.0-test' });
  t.strictSame(await inside(bzImage({ payload: gzipSync(plain) })), {
    verdict: 'other-linux',
    version: '4.12.0-plain',
  });
  t.strictSame(await inside(bzImage({ payload: Buffer.from('\xfd7zXZ'), version: '4.9.1 (x@y) #1' })), {
    verdict: 'unknown',
    version: '4.9.1',
  });
  const damaged = gzipSync(good);
  damaged.fill(0xff, 12, 20);
  t.equal((await inside(bzImage({ payload: damaged }))).verdict, 'unknown');
  const bomb = Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(30)]);
  t.equal((await inside(bzImage({ payload: bomb }))).verdict, 'unknown');
  await t.rejects(load(bzImage({ payload: gzipSync(plain) })), { code: 'ERR_LGUEST_NOT_A_GUEST' });
});

t.test('an ELF file with garbage in its segments is inspected without harm', (t) => {
  const image = kernelImageFromBytes(elf([{ physical: 0x100000, bytes: LGUEST_ENTRY.subarray(0, 6) }]));
  const segments = readElf(image, parseElf(image), new Uint8Array(2 * MiB));
  t.equal(inspectElf(segments).verdict, 'never', 'a call that is cut short is none');
  t.end();
});

t.test('files that are no kernels are named for what they are', async (t) => {
  const dir = t.testdir({ folder: {}, empty: '', text: 'hello' });
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };
  t.match((await refusal(t, load(join(dir, 'none')))).message, /cannot open the kernel .*none: no such file/);
  t.match((await refusal(t, load(join(dir, 'text', 'x')))).message, /a part of the path is not a folder/);
  t.match((await refusal(t, load('a\0b'))).message, /NUL character/);
  t.match((await refusal(t, load(join(dir, 'folder')))).message, /is a folder/);
  t.match((await refusal(t, load('/dev/zero'))).message, /not a regular file/);
  // Linux has a file that is there and whose first byte cannot be read.
  if (existsSync('/proc/self/mem')) {
    t.match(
      (await refusal(t, load('/proc/self/mem'))).message,
      /^cannot read the kernel \/proc\/self\/mem: the device/,
    );
  }
  t.match((await refusal(t, load(join(dir, 'empty')))).message, /an empty file/);
  t.match((await refusal(t, load(join(dir, 'text')))).message, /neither an ELF file nor a bzImage/);
  t.match((await refusal(t, load(file('gz', gzipSync('x'))))).message, /a gzip file/);
  t.match((await refusal(t, load(file('cpio', Buffer.from('070701000'))))).message, /an initrd, not a kernel/);
  t.match((await refusal(t, load(file('qcow2', Buffer.from('QFI\xfb\0\0', 'latin1'))))).message, /qcow2 disk image/);
  t.equal((await load(file('vmlinux', elf([guestSegment()])))).entry, 0x100000, 'and a kernel is one');
});

t.test('an initrd that cannot be is refused', async (t) => {
  const dir = t.testdir({ empty: '', good: 'x'.repeat(5000) });
  const kernel = elf([guestSegment()]);
  const initrd = (source: string | Uint8Array, ramBytes = RAM) => load(kernel, { initrd: source }, ramBytes);
  t.equal((await initrd(join(dir, 'good'))).initrd?.size, 8192);
  t.match((await refusal(t, initrd(join(dir, 'none')))).message, /cannot open the initrd .*: no such file/);
  t.match((await refusal(t, initrd(join(dir, 'empty')))).message, /is empty/);
  t.match((await refusal(t, initrd(new Uint8Array()))).message, /is empty/);
  t.match((await refusal(t, initrd('/dev/zero'))).message, /neither a file nor a folder/);
  writeFileSync(join(dir, 'large'), Buffer.alloc(3 * MiB));
  t.match(
    (await refusal(t, initrd(join(dir, 'large'), 4 * MiB))).message,
    /takes 3\.0M, and the Guest has room for 3\.0M|give it more memory/,
  );
  t.match((await refusal(t, initrd(Buffer.alloc(31 * MiB + 1)))).message, /give it more memory/, 'over the kernel');
  const low = edited(bzImage(), (copy) => copy.writeUInt32LE(24 * MiB - 1, boot_params.hdr.initrd_addr_max));
  t.equal(
    (await load(low, { initrd: Buffer.alloc(4096, 1) })).initrd?.address,
    24 * MiB - 4096,
    'below initrd_addr_max',
  );
});

t.test('kernel arguments that Linux would not get whole are refused', async (t) => {
  const kernel = elf([guestSegment()]);
  t.ok(await load(kernel, { commandLine: 'a'.repeat(2047) }));
  t.match((await refusal(t, load(kernel, { commandLine: 'a'.repeat(2048) }))).message, /take 2048 bytes/);
  t.match(
    (await refusal(t, load(kernel, { commandLine: 'ä'.repeat(1024) }))).message,
    /take 2048 bytes/,
    'bytes count',
  );
  t.match((await refusal(t, load(kernel, { commandLine: 'a\0b' }))).message, /NUL or a line break/);
  t.match((await refusal(t, load(kernel, { commandLine: 'a\nb' }))).message, /NUL or a line break/);
});

const hasCpio = ((): boolean => {
  try {
    execFileSync('cpio', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** The entries of a newc archive, as far as the tests care. */
function listArchive(archive: Buffer): { name: string; mode: string; ino: number; nlink: number; data: string }[] {
  const entries = [];
  for (let at = 0; ;) {
    const field = (index: number): number =>
      parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [size, nameSize] = [field(6), field(11)];
    const name = archive.toString('utf8', at + 110, at + 110 + nameSize - 1);
    const dataAt = (at + 110 + nameSize + 3) & ~3;
    const data = archive.toString('utf8', dataAt, dataAt + size);
    if (name === 'TRAILER!!!') return entries;
    entries.push({ name, mode: field(1).toString(8), ino: field(0), nlink: field(4), data });
    at = (dataAt + size + 3) & ~3;
  }
}

t.test('a folder becomes an initramfs: sorted, with modes, links and owners of root', (t) => {
  const dir = t.testdir({ bin: { sh: '#!', b: 'bb' }, init: 'go', 'a-b': {}, a: { x: '' } });
  chmodSync(join(dir, 'init'), 0o755);
  linkSync(join(dir, 'bin', 'b'), join(dir, 'bin', 'c'));
  symlinkSync('/bin/sh', join(dir, 'bin', 'link'));
  const archive = packFolder(dir);
  t.equal(archive.length % 512, 0);
  const entries = listArchive(archive);
  t.strictSame(
    entries.map((entry) => entry.name),
    ['a', 'a/x', 'a-b', 'bin', 'bin/b', 'bin/c', 'bin/link', 'bin/sh', 'init'],
    'a folder comes before what is in it',
  );
  const find = (name: string) => entries.find((entry) => entry.name === name);
  t.equal(find('init')?.mode, '100755');
  t.equal(find('bin/link')?.data, '/bin/sh');
  t.equal(find('bin/link')?.mode, '120777');
  t.equal(find('bin/b')?.ino, find('bin/c')?.ino, 'hard links share their number');
  t.equal(find('bin/b')?.nlink, 2);
  t.equal(find('bin/b')?.data, '', 'and the contents come once');
  t.equal(find('bin/c')?.data, 'bb');
  t.equal(new Set(entries.map((entry) => entry.ino)).size, 8);
  t.strictSame(packFolder(dir), archive, 'the same folder gives the same bytes');
  t.end();
});

t.test('cpio(1) agrees about the archive', { skip: hasCpio ? false : 'no cpio here' }, (t) => {
  const dir = t.testdir({ folder: { b: 'bb', c: { d: 'dd' } }, out: {} });
  linkSync(join(dir, 'folder', 'b'), join(dir, 'folder', 'e'));
  execFileSync('cpio', ['-id', '--quiet'], { cwd: join(dir, 'out'), input: packFolder(join(dir, 'folder')) });
  const list = execFileSync('find', ['.', '-type', 'f'], { cwd: join(dir, 'out'), encoding: 'utf8' });
  t.strictSame(list.trim().split('\n').toSorted(), ['./b', './c/d', './e']);
  t.equal(execFileSync('cat', ['b', 'e', 'c/d'], { cwd: join(dir, 'out'), encoding: 'utf8' }), 'bbbbdd');
  t.end();
});

t.test('a folder with names that are no UTF-8, and one that is too large', async (t) => {
  const dir = t.testdir({});
  const odd = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0x66, 0xff, 0x6f])]);
  writeFileSync(odd, 'x');
  t.ok(packFolder(dir).includes(Buffer.from([0x66, 0xff, 0x6f, 0])));
  mkdirSync(join(dir, 'sub'));
  writeFileSync(join(dir, 'sub', 'large'), Buffer.alloc(3 * MiB));
  t.match((await refusal(t, load(elf([guestSegment()]), { initrd: dir }, 4 * MiB))).message, /does not fit/);
});
