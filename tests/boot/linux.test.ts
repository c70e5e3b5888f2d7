// Real Linux kernels, booted with the command's own library: what they print, a shell to talk to, a disk to keep, the ways
// in which they end.
//
// Kernels are not ours to ship. LGUEST_TEST_KERNELS names kernels that are configured as lguest Guests (README.md says how),
// or folders of vmlinux-… and bzImage-… files, with colons between them. A static busybox for i386 is wanted too:
// LGUEST_TEST_BUSYBOX names it, or it is in one of the folders. Without these there is nothing to do.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { type Guest, type GuestOptions, block, createGuest, net, rng } from '../../launcher/index.js';
import { packFolder } from '../../launcher/kernel/cpio.js';

const places = (process.env['LGUEST_TEST_KERNELS'] ?? '').split(':').filter((place) => place !== '');
const kernels = places.flatMap((place) =>
  statSync(place).isDirectory()
    ? readdirSync(place)
        .filter((name) => /^(?:vmlinux|bzImage)-4\./.test(name))
        .map((name) => join(place, name))
    : [place],
);
const busybox = [
  process.env['LGUEST_TEST_BUSYBOX'] ?? '',
  ...places.flatMap((place) => ['busybox', 'root/bin/busybox'].map((name) => join(place, name))),
].find((file) => existsSync(file));
const skip =
  kernels.length > 0 && busybox !== undefined ? false : 'LGUEST_TEST_KERNELS names no kernels, or there is no busybox';
/** For tests of which one kernel is enough. */
const newest =
  kernels
    .filter((file) => basename(file).startsWith('vmlinux'))
    .toSorted()
    .at(-1) ??
  kernels[0] ??
  '';

const PATIENCE = 120_000;
/** All kernels, on a machine that is busy with other things. */
const timeout = 1_800_000;
t.setTimeout(timeout);
const COMMANDS =
  'cat dd echo free head ls mkdir mount ps poweroff reboot setsid sh sha256sum sleep stty sync umount uname cttyhack date';

const INIT = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/console >/dev/console 2>&1
echo "READY $(uname -r)"
setsid cttyhack sh
poweroff -f
`;

/** A root file system: busybox under some of its names, and an init that gives a shell. */
function rootFolder(dir: string, init: string): string {
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'mnt']) mkdirSync(join(dir, name));
  copyFileSync(busybox ?? '', join(dir, 'bin/busybox'));
  for (const name of COMMANDS.split(' ')) symlinkSync('busybox', join(dir, 'bin', name));
  writeFileSync(join(dir, 'init'), init, { mode: 0o755 });
  return dir;
}

const boot = (kernel: string, initrd: string, options: Partial<GuestOptions> = {}): Promise<Guest> =>
  createGuest({
    memory: 64,
    kernel,
    initrd,
    cmdline: 'console=hvc0',
    timeout: PATIENCE,
    ...options,
  });

/** The shell asks the terminal where the cursor is, and nobody answers. */
const CURSOR = String.raw`\x1b\[6n`;
const PROMPT = new RegExp(`/ # (?:${CURSOR})?$`);

const ANSWER = new RegExp(`\\n([^]*?)/ # (?:${CURSOR})?$`);

/** Types a command; what it printed, without its echo and the next prompt. */
async function ask(guest: Guest, command: string): Promise<string> {
  await guest.console.sendLine(command);
  const match = await guest.console.waitFor(ANSWER, { timeout: PATIENCE });
  return (match[1] ?? '').replaceAll('\r', '');
}

/** What every Linux Guest of this Host says, in this order. */
const LANDMARKS = [
  /Linux version 4\.\d+/,
  /LGUEST: \[mem 0x0000000000000000-0x0000000003ffffff\] usable/,
  /Booting paravirtualized kernel on lguest/,
  /lguest: Console via virtio-pci emerg_wr/,
  /Unpacking initramfs/,
  /READY 4\.\d+/,
];

t.test('every kernel boots to a shell and powers off', { skip, timeout }, async (t) => {
  const initrd = rootFolder(t.testdir({}), INIT);
  for (const kernel of kernels) {
    const guest = await boot(kernel, initrd);
    const printed: string[] = [];
    guest.console.on('data', (chunk: Buffer) => printed.push(chunk.toString('latin1')));
    const running = guest.run();
    await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
    let rest = printed.join('');
    for (const landmark of LANDMARKS) {
      const at = rest.search(landmark);
      t.not(at, -1, `${kernel}: ${landmark.source}`);
      rest = rest.slice(Math.max(at, 0));
    }
    t.match(await ask(guest, 'cat /proc/interrupts'), /1: +\d+ +lguest *-level +virtio0/);
    t.match(await ask(guest, 'cat /proc/cpuinfo'), /flags.*\bfpu\b/);
    await guest.console.sendLine('poweroff -f');
    t.match(await running, { reason: 'poweroff', exitCode: 0 }, kernel);
    await guest.close();
  }
});

/** A logger, and what it was told. */
function listener(): { logger: NonNullable<GuestOptions['logger']>; lines: string[] } {
  const lines: string[] = [];
  const say = (line: string): unknown => lines.push(line);
  return { logger: { trace: say, debug: say, info: say, warn: say, error: say }, lines };
}

/** What is printed when depends on the time, and where the initrd is on its size. */
const OF_SIZE_OR_TIME =
  /^RAMDISK: |^Memory: |^Freeing initrd memory: |emerg_wr$|TLB entries|^sched_clock: Marking stable|^random: /;

t.test('a packed kernel and initrd boot the same, whoever unpacks them', { skip, timeout }, async (t) => {
  const initrd = gzipSync(packFolder(rootFolder(t.testdir({}), '#!/bin/sh\nuname -r\npoweroff -f\n')));
  const packed = kernels.filter((file) => basename(file).startsWith('bzImage'));
  for (const kernel of [newest, ...packed]) {
    const [here, there] = await Promise.all(
      [true, false].map(async (unpack) => {
        const { logger, lines } = listener();
        const guest = await createGuest({
          memory: 64,
          kernel,
          initrd,
          unpack,
          cmdline: 'console=hvc0',
          timeout: PATIENCE,
          logger,
        });
        const [printed, info] = await Promise.all([text(guest.console), guest.run()]);
        t.equal(info.reason, 'poweroff', `${kernel}: ${info.message}`);
        t.equal(/initrd at .*, unpacked/.test(lines.join('\n')), unpack, 'the initrd');
        t.equal(/kernel bzimage .*, unpacked/.test(lines.join('\n')), unpack && packed.includes(kernel), 'the kernel');
        const said = printed.split('\r\n').map((line) => line.replace(/^\[ *[\d.]+\] /, ''));
        return said.filter((line) => !OF_SIZE_OR_TIME.test(line));
      }),
    );
    t.ok((here?.length ?? 0) > 50);
    t.strictSame(here, there, kernel);
  }
});

t.test('time, as the Guest sees it', { skip, timeout }, async (t) => {
  const guest = await boot(newest, rootFolder(t.testdir({}), INIT));
  const running = guest.run();
  await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  const seconds = Number((await ask(guest, 'date +%s')).trim());
  t.ok(Math.abs(seconds - Date.now() / 1000) < 30, 'it is today');
  const began = performance.now();
  await ask(guest, 'sleep 1');
  t.ok(performance.now() - began > 950, 'a second is no less than a second');
  const busy = process.cpuUsage();
  await ask(guest, 'sleep 3');
  const { user, system } = process.cpuUsage(busy);
  t.ok((user + system) / 3e6 < 0.25, 'an idle Guest leaves the Host alone');
  guest.stop();
  await running;
  await guest.close();
});

t.test('a disk keeps what the Guest wrote, and another does not', { skip, timeout }, async (t) => {
  const dir = t.testdir({ root: {}, empty: {} });
  const [disk, throwaway] = [join(dir, 'disk.img'), join(dir, 'throwaway.img')];
  for (const file of [disk, throwaway]) {
    execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', join(dir, 'empty'), file, '16M']);
  }
  const before = execFileSync('sha256sum', [throwaway], { encoding: 'utf8' }).split(' ')[0];
  const guest = await boot(newest, rootFolder(join(dir, 'root'), INIT), {
    devices: [block(disk), block(throwaway, { snapshot: true }), rng(), net()],
  });
  const running = guest.run();
  await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  t.match(await ask(guest, 'cat /dev/vdb | sha256sum'), before, 'the Guest reads what is there');
  for (const name of ['vda', 'vdb']) {
    await ask(
      guest,
      `mount -t ext4 /dev/${name} /mnt && echo kept > /mnt/file && head -c 300000 /dev/hwrng > /mnt/random; umount /mnt`,
    );
  }
  await guest.console.sendLine('sync; poweroff -f');
  t.match(await running, { reason: 'poweroff' });
  await guest.close();
  t.equal(
    execFileSync('debugfs', ['-R', 'cat /file', disk], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    'kept\n',
  );
  t.resolves(Promise.resolve(execFileSync('e2fsck', ['-fn', disk], { stdio: 'ignore' })), 'and it is in order');
  t.match(execFileSync('sha256sum', [throwaway], { encoding: 'utf8' }), before, 'a snapshot leaves the file alone');
});

t.test('a kernel that finds no root panics, and one that reboots comes back', { skip, timeout }, async (t) => {
  const dir = t.testdir({ root: {} });
  const lost = await createGuest({
    memory: 64,
    kernel: newest,
    cmdline: 'console=hvc0',
    timeout: PATIENCE,
  });
  t.match(await lost.run(), { reason: 'panic', message: /^CRASH: VFS: Unable to mount root fs/, exitCode: 34 });
  await lost.close();

  writeFileSync(join(dir, 'disk'), Buffer.alloc(4096));
  const devices = [block(join(dir, 'disk'), { snapshot: true })];
  const guest = await boot(newest, rootFolder(join(dir, 'root'), INIT), { devices });
  const running = guest.run();
  await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  await ask(guest, 'echo remember me > /dev/vda; sync');
  await guest.console.sendLine('reboot -f');
  await guest.console.waitFor(/READY/, { timeout: PATIENCE });
  await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  t.match(await ask(guest, 'head -1 /dev/vda'), /remember me/, 'a snapshot lasts for as long as the run');
  t.equal(readFileSync(join(dir, 'disk'))[0], 0);
  await guest.console.sendLine('poweroff -f');
  t.match(await running, { reason: 'poweroff', stats: { restarts: 1 } });
  await guest.close();
});
