// What measures is measured: operations at devices are really done, profiles are read as they are meant.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { sharesOf, TIERS } from '../../bench/cpu-profile.js';
import { DEVICE_OPERATIONS } from '../../bench/device-operations.js';
import { addToInitrd } from '../../bench/initrd.js';
import { runAndMeasure } from '../../bench/measure.js';
import { type Setting, commands } from '../../bench/peers.js';
import { processMemory } from '../../bench/process-memory.js';
import { readStats, withoutBeginning } from '../../bench/stats-lines.js';
import { describeStats } from '../../bin/stats.js';
import { createGuest } from '../../launcher/index.js';
import { isArchive, packFolder } from '../../launcher/kernel/cpio.js';
import { Memory } from '../../switcher/cpu/memory.js';
import { INIT, shutdown, tinyGuest } from '../support/tiny-guests.js';

t.test('a byte is printed, a block is read, a register answers, as often as it is said', async (t) => {
  for (const { name, trial } of DEVICE_OPERATIONS) {
    t.doesNotThrow(() => trial(7).run(), name);
    t.doesNotThrow(() => trial(0).run(), `${name}, not at all`);
  }
});

t.test('the lines of --stats give their numbers back', async (t) => {
  const kernel = tinyGuest([...INIT, ...shutdown(1)], 'Power down');
  const guest = await createGuest({ memory: 4, kernel, countInstructions: true });
  const info = await guest.run();
  await guest.close();
  const counts = readStats(describeStats(info).map((line) => `lguest: ${line}`));
  const { host, cpu } = info.stats;
  t.equal(counts['instructions'], 7);
  t.equal(counts['translated'], 0);
  t.equal(counts['cpu entries'], host['cpu entries']);
  t.equal(counts['software interrupt'], 2);
  t.equal(counts['instructions decoded'], cpu['instructions decoded']);
  t.equal(counts['blocks decoded'], cpu['blocks decoded']);
  t.equal(counts['port exits'], 0);
  t.strictSame(withoutBeginning({ a: 5, b: 1 }, { a: 3, c: 7 }), { a: 2, b: 1 });
});

t.test('what is measured does not see the environment of whoever measures', async (t) => {
  const saved = process.env['NODE_EXTRA_CA_CERTS'];
  process.env['NODE_EXTRA_CA_CERTS'] = '/nowhere';
  const args = ['-p', 'JSON.stringify([process.env.NODE_EXTRA_CA_CERTS, process.env.PATH])'];
  const { log } = await runAndMeasure({ file: process.execPath, args, clock: 'watched', timeoutMs: 60_000 });
  if (saved === undefined) delete process.env['NODE_EXTRA_CA_CERTS'];
  else process.env['NODE_EXTRA_CA_CERTS'] = saved;
  t.strictSame(log, [JSON.stringify([null, process.env['PATH']])]);
});

t.test('the boot is measured as users get it, and with --no-unpack', async (t) => {
  const setting: Setting = {
    kernel: 'vmlinux',
    bzImage: 'bzImage',
    initrd: 'initrd',
    programs: '',
    memoryMB: 64,
    v86: undefined,
    bios: '',
    command: 'lguest.cjs',
    engine: undefined,
    nodeFlags: [],
    timeoutMs: 60_000,
  };
  const rows = ['sieve', 'boot', 'boot-packed'];
  const ours = (names: readonly string[]) => commands('lguest', setting, names).map(({ args }) => args.join(' '));
  const line = 'lguest.cjs --initrd=initrd 64 vmlinux console=hvc0 quiet rdinit=/bench/init';
  t.strictSame(ours(['boot']), [`${line} bench=`]);
  t.strictSame(ours(rows), [`${line} bench=sieve`, `${line.replace(' ', ' --no-unpack ')} bench=`]);
  t.strictSame(ours(['boot-packed']), [`${line.replace(' ', ' --no-unpack ')} bench=`]);
  t.strictSame(
    commands('lguest', setting, rows).map(({ boots }) => boots),
    [undefined, ['boot-packed']],
  );
  t.match(
    commands('qemu', setting, rows).map(({ boots }) => boots),
    [['boot', 'boot-packed']],
    'elsewhere they are one',
  );
  t.strictSame(
    commands('lguest', { ...setting, kernel: undefined }, rows).length,
    1,
    'the reference Guest has no user space to begin',
  );
  const command = {
    file: process.execPath,
    args: ['-p', '"@user-space 1"'],
    clock: 'watched',
    timeoutMs: 60_000,
  } as const;
  t.strictSame([...(await runAndMeasure(command)).rows.keys()], ['boot']);
  t.strictSame([...(await runAndMeasure({ ...command, boots: ['boot-packed'] })).rows.keys()], ['boot-packed']);
});

t.test('an initrd with the programs is packed as it was', (t) => {
  const folder = t.testdir({ given: { init: 'x' }, programs: { bench: { init: 'y' } } });
  const given = packFolder(join(folder, 'given'));
  const file = join(folder, 'initrd');
  writeFileSync(file, gzipSync(given));
  const whole = gunzipSync(addToInitrd(file, join(folder, 'programs')));
  t.ok(isArchive(whole));
  t.ok(whole.subarray(0, given.length).equals(given));
  t.ok(whole.includes('bench/init'));
  writeFileSync(file, given);
  t.ok(addToInitrd(file, join(folder, 'programs')).equals(whole), 'or not at all');
  t.end();
});

t.test('a profile’s samples go to the room of who runs, or of who called', async (t) => {
  const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
    id,
    callFrame: { functionName, url },
    children,
  });
  const profile = {
    nodes: [
      node(1, '(root)', '', [2, 3, 9]),
      node(2, '(idle)', ''),
      node(3, 'runGuest', 'file:///x/dist/host/core.js', [4, 5, 6, 7, 8]),
      node(4, 'wasm-function[7]', 'wasm://wasm/0a'),
      node(5, 'wasm-function[8]', 'wasm://wasm/0a'),
      node(6, 'wasm-function[4]', 'wasm://wasm/0b'),
      node(7, 'max', ''),
      node(8, 'lookUp', 'file:///x/dist/switcher/cpu/code-cache.js'),
      node(9, '(garbage collector)', ''),
    ],
    startTime: 1000,
    endTime: 10_000,
    samples: [2, 3, 4, 5, 6, 7, 8, 9, 3],
    timeDeltas: [0, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000],
  };
  const shares = sharesOf(profile, 0, 1e9);
  const wanted = { Host: 2, interpreter: 2, 'translated code': 1, decoding: 1, garbage: 1 };
  for (const tier of TIERS)
    t.equal(Math.round(shares[tier] * 1000), (wanted as Record<string, number>)[tier] ?? 0, tier);
  t.equal(Math.round(sharesOf(profile, 3000, 4000).interpreter * 1000), 1, 'between two instants');
});

t.test('the pages that a Guest has touched are told from all others of a process', async (t) => {
  if (!existsSync('/proc/self/pagemap')) {
    t.pass('only Linux tells');
    return;
  }
  // A size that no other machine of this process has.
  const ramBytes = 33 * 2 ** 20;
  const memory = new Memory(ramBytes);
  for (let at = 8 * 2 ** 20; at < 16 * 2 ** 20; at += 4096) memory.bytes[at] = 1;
  for (let i = 0; i < 5; i++) memory.newTable().fill(1);
  const { guest, resident } = processMemory(process.pid, ramBytes);
  // Some systems give two megabytes where a page is touched.
  t.ok(guest >= 8 * 2 ** 20 && guest <= 14 * 2 ** 20, `${guest} bytes, of ${8 * 2 ** 20} that were touched`);
  t.ok(resident > guest + 20 * 2 ** 20, `${resident} in all`);
});
