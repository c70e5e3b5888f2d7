// The reference Guest, booted: its prompt, its commands, its self-test, and each way in which it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import t from 'tap';
import { type Guest, type GuestOptions, block, createGuest, referenceGuest, rng } from '../../launcher/index.js';

const PATIENCE = 60_000;
const SECTOR = 512;
const PROMPT = /([\s\S]*?)lguest> /;

const scratch = await mkdtemp(join(tmpdir(), 'lguest-boot-'));
t.teardown(() => rm(scratch, { recursive: true }));

const create = (cmdline: string, options: Partial<GuestOptions> = {}): Promise<Guest> =>
  createGuest({ memory: 16, kernel: referenceGuest(), cmdline, timeout: PATIENCE, ...options });

/** Types a command; what it printed, without the echo of the command itself. */
const ask = async (guest: Guest, command: string): Promise<string> => {
  await guest.console.sendLine(command);
  const [, printed = ''] = await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  return printed.replace(/^.*\n/, '');
};

const makeDisk = async (name: string): Promise<string> => {
  const file = join(scratch, name);
  const bytes = Buffer.alloc(64 * SECTOR);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 7 + (at >> 9)) & 0xff;
  bytes.write('the first sector');
  await writeFile(file, bytes);
  return file;
};

const padToFour = (part: string): string => part.padEnd(Math.ceil(part.length / 4) * 4, '\0');

const newcEntry = (name: string, data: string): Buffer => {
  const fields = [1, 0o100644, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const header = '070701' + fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  return Buffer.from(padToFour(`${header}${name}\0`) + padToFour(data), 'latin1');
};

/** A newc archive of one file. */
const archive = (name: string, contents: string): Buffer =>
  Buffer.concat([newcEntry(name, contents), newcEntry('TRAILER!!!', '')]);

t.test('it introduces itself, answers every command, and powers off', async (t) => {
  const file = await makeDisk('commands.img');
  const guest = await create('console=hvc0', {
    devices: [block(file), rng({ seed: 1 })],
    initrd: archive('motd', 'welcome aboard\n'),
  });
  t.teardown(() => guest.close());
  const ended = guest.run();
  const [, banner = ''] = await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  t.match(banner, /^lguest: Console via virtio-pci emerg_wr\nlguest reference Guest: /);
  t.match(banner, /command line: console=hvc0\n/);
  t.match(banner, /memory: 16384 KB, paging: two levels\n/);
  t.match(banner, /time stamp counter: 1000000 kHz\n/);
  t.match(banner, /1 disk, random numbers\n/);

  const help = await ask(guest, 'help');
  for (const name of ['mem', 'irqs', 'time', 'date', 'disk', 'rng', 'pci', 'selftest', 'crash', 'halt', 'poweroff']) {
    t.match(help, new RegExp(`^  ${name} `, 'm'), `help lists ${name}`);
  }
  t.ok(
    help.split('\n').every((line) => line.length <= 80),
    'and fits into a terminal',
  );
  t.match(await ask(guest, 'mem'), /^memory {7}16384 KB\nframes .*\ninitrd {11}4 KB/);
  t.match(
    await ask(guest, 'pci'),
    /1 {2}1af4:1043 {2}070000 {4}1[^]*2 {2}1af4:1042[^]*3 {2}1af4:1044[^]*80 columns, 24 rows/,
  );
  t.match(await ask(guest, 'irqs'), /1 +[1-9]\d* {2}open {5}virtio console/);
  t.match(await ask(guest, 'cpuinfo'), /^vendor .*\n[^]*features .*\bfpu\b.*\btsc\b/);
  t.match(await ask(guest, 'ls'), /^100644 +15 {2}motd\n/m);
  t.equal(await ask(guest, 'cat motd'), 'welcome aboard\n');
  t.match(await ask(guest, 'cat nothing'), /there is none/);
  t.equal(await ask(guest, 'echo one; echo two'), 'one\ntwo\n');
  t.match(await ask(guest, 'nonsense'), /^nonsense: no such command/);

  const first = await ask(guest, 'rng 8');
  t.match(first, /^[0-9a-f]{2}( [0-9a-f]{2}){7}\n$/);
  t.not(await ask(guest, 'rng 8'), first);

  await t.test('its clocks are right', async (t) => {
    const seconds =
      Date.parse((await ask(guest, 'date')).trim().replace(/(\d\d:\d\d:\d\d) UTC (\d+)/, '$2 $1 UTC')) / 1000;
    t.ok(Math.abs(seconds - Date.now() / 1000) < 5, 'date');
    const slept = Number(/10 ms of sleep +(\d+) ns/.exec(await ask(guest, 'time'))?.[1]);
    t.ok(slept >= 10_000_000, `${slept} ns`);
    const began = performance.now();
    await ask(guest, 'sleep 1');
    t.ok(performance.now() - began >= 1000, 'sleep 1 takes a second');
    t.match(await ask(guest, 'uptime'), /^up 0:00:\d\d\.\d{3}\n$/);
  });

  await guest.console.sendLine('poweroff');
  t.match(await ended, { reason: 'poweroff', message: 'CRASH: Power down', exitCode: 0 });
});

t.test('its disk: identify, read, write, flush, checksum', async (t) => {
  const file = await makeDisk('disk.img');
  const before = await readFile(file);
  const guest = await create('quiet', { devices: [block(file, { id: 'serial-42' }), block(file, { readonly: true })] });
  t.teardown(() => guest.close());
  const ended = guest.run();
  await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  t.match(
    await ask(guest, 'disk'),
    /^vda {2}64 sectors, 32 KB, read-write, flush, irq 2, id "serial-42"\nvdb .*read-only/,
  );
  t.match(await ask(guest, 'disk read 0'), /^0000 {2}74 68 65 20 66 69 72 73 74 .* the first sector\n/);
  t.match(await ask(guest, 'disk read 64'), /vda has sectors 0 to 63/);
  t.match(
    await ask(guest, 'disk sum'),
    new RegExp(`crc32 ${crc32(before).toString(16).padStart(8, '0')} over 32768 bytes`),
  );
  t.match(await ask(guest, 'disk write 63 written by the Guest'), /write sector 63: done/);
  t.match(await ask(guest, 'disk flush'), /flush: done/);
  const after = await readFile(file);
  t.equal(after.toString('latin1', 63 * SECTOR, 63 * SECTOR + 21), 'written by the Guest\0');
  t.ok(after.subarray(0, 63 * SECTOR).equals(before.subarray(0, 63 * SECTOR)), 'and nothing else has changed');
  t.match(await ask(guest, 'disk vdb write 1 no'), /write sector 1: error/);
  t.match(await ask(guest, 'disk vdb read 63'), /written by the G/);
  await guest.console.sendLine('poweroff');
  t.equal((await ended).exitCode, 0);
});

for (const paging of ['', ' pae']) {
  t.test(`the self-test finds nothing wrong${paging === '' ? '' : ', with PAE neither'}`, async (t) => {
    const file = await makeDisk(`selftest${paging.trim()}.img`);
    const guest = await create(`selftest${paging}`, { devices: [block(file), rng()] });
    t.teardown(() => guest.close());
    const [info, printed] = await Promise.all([guest.run(), text(guest.console)]);
    const lines = printed.split('\n');
    t.strictSame(
      lines.filter((line) => line.startsWith('not ok')),
      [],
    );
    t.strictSame(
      lines.filter((line) => line.includes('(skipped')),
      [],
    );
    const passed = lines.filter((line) => line.startsWith('ok ')).length;
    t.ok(passed > 150, `${passed} checks`);
    t.match(printed, new RegExp(`\n${passed} passed, 0 failed\n`));
    t.match(printed, /^# hello from ring 3$/m);
    t.match(info, { reason: 'poweroff', exitCode: 0 });
  });
}

t.test('a crash is a panic, with the words of the Guest', async (t) => {
  const guest = await create('quiet run="crash all is lost"');
  t.teardown(() => guest.close());
  const [info, printed] = await Promise.all([guest.run(), text(guest.console)]);
  t.match(info, { reason: 'panic', message: 'CRASH: all is lost', exitCode: 34 });
  t.match(printed, /Guest crash: all is lost\n/);
});

t.test('reboot starts it again', async (t) => {
  const guest = await create('quiet');
  t.teardown(() => guest.close());
  const ended = guest.run();
  await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  await guest.console.sendLine('reboot');
  await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  await guest.console.sendLine('poweroff');
  t.match(await ended, { reason: 'poweroff', stats: { restarts: 1 } });

  const single = await create('quiet run=reboot', { noReboot: true });
  t.teardown(() => single.close());
  t.match(await single.run(), { reason: 'restart', exitCode: 32 });
});

t.test('lines can be edited and recalled', async (t) => {
  const guest = await create('quiet');
  t.teardown(() => guest.close());
  const ended = guest.run();
  await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  const last = async (keys: string): Promise<string> => (await ask(guest, keys)).replaceAll(/[^]*\n(?=.*\n$)/g, '');
  t.equal(await last('echo a\x7fb'), 'b\n', 'backspace');
  t.equal(await last('nonsense\x15echo c'), 'c\n', '^U');
  t.equal(await last('echo d e\x17f'), 'd f\n', '^W');
  t.equal(await last('\x1b[A'), 'd f\n', 'arrow up');
  t.equal(await last('\x1b[A\x1b[A\x1b[B'), 'd f\n', 'arrow down');
  guest.console.write('echo never\x03');
  await guest.console.waitFor(/echo never\^C\nlguest> /, { timeout: PATIENCE });
  await guest.console.sendLine('sleep 1000');
  await guest.console.waitFor(/sleep 1000\n/, { timeout: PATIENCE });
  guest.console.write('\x03');
  await guest.console.waitFor(PROMPT, { timeout: PATIENCE });
  await guest.console.sendLine('poweroff');
  t.equal((await ended).exitCode, 0);
});

/** Nothing is left in the home of who runs the tests. */
const ENV = { ...process.env, LGUEST_CACHE: 'off' };

for (const [what, end] of [
  ['poweroff', ''],
  ['ctrl-d', '\n'],
] as const) {
  t.test(`--stdin-eof=${what}: the end of a pipe ends it, after all that came before`, async (t) => {
    const bin = fileURLToPath(new URL('../../../bin/lguest.cjs', import.meta.url));
    const child = spawn(process.execPath, [bin, '--demo', '-q', `--stdin-eof=${what}`], { env: ENV });
    child.stdin.end(`sum /bin/hello\ntime\necho the last${end}`);
    const [printed, [status]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    t.match(printed, /\nlguest> sum \/bin\/hello\n[0-9a-f]{8} .*\nlguest> time\nwall clock /);
    t.match(printed, /10 ms of sleep .*\nlguest> echo the last/);
    t.equal(status, 0);
  });
}

t.test('the command boots it from a pipe', async (t) => {
  const bin = fileURLToPath(new URL('../../../bin/lguest.cjs', import.meta.url));
  const child = spawn(process.execPath, [bin, '--demo'], { env: ENV });
  child.stdin.end('echo hi from a pipe\npoweroff\n');
  const [printed, [status]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  t.match(printed, /\nhi from a pipe\nlguest> poweroff\n$/);
  t.equal(status, 0);
});
