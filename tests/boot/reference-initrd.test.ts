// What the reference Guest makes of initial ramdisks: plain, packed in every way that gzip knows, linked, broken.
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { constants, crc32, gzipSync } from 'node:zlib';
import t from 'tap';
import { createGuest, referenceGuest } from '../../launcher/index.js';
import { packFolder } from '../../launcher/kernel/cpio.js';

const PATIENCE = 60_000;
const scratch = await mkdtemp(join(tmpdir(), 'lguest-initrd-'));
t.teardown(() => rm(scratch, { recursive: true }));

/** Text that does not repeat, text that does, and text that does after a long while. */
const words = Array.from({ length: 4000 }, (_, at) => (Math.imul(at + 1, 2654435761) >>> 8).toString(36)).join(' ');
const files: Record<string, string> = {
  short: 'x',
  words,
  zeroes: '\0'.repeat(70_000),
  again: `${words.slice(0, 20_000)}${'-'.repeat(12_000)}${words.slice(0, 20_000)}`,
};

const folder = join(scratch, 'root');
await mkdir(join(folder, 'inner'), { recursive: true });
for (const [name, contents] of Object.entries(files)) await writeFile(join(folder, name), contents);
await link(join(folder, 'words'), join(folder, 'inner', 'linked'));
await symlink('words', join(folder, 'soft'));
const plain = packFolder(folder);

/** The Guest unpacks it itself, if nobody says otherwise. */
const guestPrints = async (initrd: string | Uint8Array, run: string, unpack = false): Promise<string> => {
  const cmdline = `quiet init=/nothing run="${run};poweroff"`;
  const guest = await createGuest({
    memory: 16,
    kernel: referenceGuest(),
    cmdline,
    initrd,
    unpack,
    timeout: PATIENCE,
  });
  try {
    const [printed, info] = await Promise.all([text(guest.console), guest.run()]);
    if (info.exitCode !== 0) throw new Error(`the Guest ended with ${info.message}: ${printed.slice(-500)}`);
    return printed;
  } finally {
    await guest.close();
  }
};

const sumsOf = (names: string): RegExp =>
  new RegExp(
    Object.values({ ...files, 'inner/linked': words })
      .map((contents) => `${crc32(contents).toString(16).padStart(8, '0')} +${contents.length} .*\n`)
      .join('') + names,
  );

const SUMS = 'sum short words zeroes again inner/linked';

t.test('a file in the initrd is what it was outside, however it came', async (t) => {
  const packed: Record<string, Uint8Array | string> = {
    'a folder': folder,
    'an archive': plain,
    'packed well': gzipSync(plain, { level: 9 }),
    'packed fast': gzipSync(plain, { level: 1 }),
    stored: gzipSync(plain, { level: 0 }),
    'in the fixed code': gzipSync(plain, { strategy: constants.Z_FIXED }),
    'in codes of literals only': gzipSync(plain, { strategy: constants.Z_HUFFMAN_ONLY }),
    'in runs': gzipSync(plain, { strategy: constants.Z_RLE }),
  };
  for (const [how, initrd] of Object.entries(packed)) {
    for (const unpack of [false, true]) t.match(await guestPrints(initrd, SUMS, unpack), sumsOf(''), how);
  }
});

t.test('a gzip header may carry a name, a comment and more', async (t) => {
  const packed = gzipSync(plain);
  const extras = Buffer.concat([Buffer.from([5, 0]), Buffer.from('extraa name\0a comment\0ab')]);
  const dressed = Buffer.concat([packed.subarray(0, 10), extras, packed.subarray(10)]);
  dressed[3] = 2 | 4 | 8 | 16;
  t.match(await guestPrints(dressed, SUMS), sumsOf(''));
});

t.test('what is broken is not believed, and breaks nothing', async (t) => {
  const packed = gzipSync(plain);
  const flipped = (at: number): Buffer => {
    const copy = Buffer.from(packed);
    copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
    return copy;
  };
  const broken = [
    Buffer.from('this is no archive'),
    packed.subarray(0, 12),
    packed.subarray(0, packed.length >> 1),
    packed.subarray(0, packed.length - 9),
    gzipSync('this is no archive'),
    gzipSync(Buffer.alloc(20 * 1024 * 1024)),
    Buffer.concat([packed.subarray(0, 10), Buffer.alloc(5000, 0xff)]),
    flipped(packed.length - 1),
    flipped(packed.length - 5),
    ...Array.from({ length: 16 }, (_, index) => flipped(10 + index * Math.floor((packed.length - 20) / 16))),
  ];
  for (const [index, initrd] of broken.entries()) {
    for (const unpack of [false, true]) {
      t.match(
        await guestPrints(initrd, 'ls;echo still here', unpack),
        /initrd is no newc archive, or [^]*\nstill here\n/,
        `${index}, unpack: ${unpack}`,
      );
    }
  }
});
