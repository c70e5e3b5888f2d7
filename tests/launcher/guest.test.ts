// The library: a Guest's life from createGuest to its end, with a Host that plays a script.
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { MiB } from '../../lib/bits.js';
import { classifyDeath } from '../../launcher/exit-info.js';
import { Guest, type GuestOptions } from '../../launcher/guest.js';
import { newcEntry } from '../../launcher/kernel/cpio.js';
import { type Step, fakeParts } from '../support/fake-host.js';
import { bzImage, elf, guestSegment } from '../support/kernel-files.js';

const kernel = elf([guestSegment()]);
const POWER_DOWN: Step = { dies: 'CRASH: Power down' };

const build = async (scripts: readonly (readonly Step[])[], options: Partial<GuestOptions> = {}) => {
  const { parts, machines } = fakeParts(scripts);
  const guest = await Guest.build(parts, { memory: 32, kernel, ...options });
  return { guest, machines };
};

const text = async (guest: Guest): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of guest.console) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
};

t.test('a Guest that prints and powers off', async (t) => {
  const { guest, machines } = await build([[{ print: 'hello ' }, { print: 'world\r\n' }, POWER_DOWN]], {
    cmdline: ['console=hvc0', 'quiet'],
  });
  const [info, printed] = await Promise.all([guest.run(), text(guest)]);
  t.equal(printed, 'hello world\r\n');
  t.match(info, { reason: 'poweroff', message: 'CRASH: Power down', exitCode: 0 });
  t.match(info.stats, {
    consoleBytes: 13,
    restarts: 0,
    slices: 2,
    host: { 'cpu entries': 1 },
    cpu: { 'code lookups': 2 },
  });
  t.ok((info.stats.firstOutputMs ?? -1) >= 0);
  const [machine] = machines;
  t.strictSame(
    machine?.initialized,
    Uint32Array.of(0, 0x10000, (32 * MiB) / 4096, 0x100000, (32 * MiB) / 4096 + 257),
    'LHREQ_INITIALIZE: base, pfn_limit, start_eip, device_limit',
  );
  t.equal(Buffer.from(machine?.ram.subarray(0x1000, 0x1013) ?? []).toString('latin1'), 'console=hvc0 quiet\0');
  t.strictSame(machine?.closed, ['host', 'devices']);
  t.equal(await guest.run(), info, 'asking again gives the same');
  await guest.close();
  await guest.close();
});

t.test('how a Guest died is told by its last words', (t) => {
  t.equal(classifyDeath('CRASH: Power down'), 'poweroff');
  t.equal(classifyDeath('CRASH: Power down now'), 'panic');
  t.equal(classifyDeath('CRASH: Attempted to kill init! exitcode=0x00000100\n'), 'panic');
  t.equal(classifyDeath('CRASH: '), 'panic');
  t.equal(classifyDeath('bad page table entry'), 'killed');
  t.equal(classifyDeath('unhandled trap 14 at 0xc0100000 (0x0)'), 'killed');
  t.end();
});

t.test('panic and kill are results, with the statuses of the command', async (t) => {
  const panic = await build([[{ dies: 'CRASH: VFS: Unable to mount root fs' }]]);
  const said: string[] = [];
  panic.guest.on('panic', (message) => said.push(message));
  t.match(await panic.guest.run(), { reason: 'panic', message: 'CRASH: VFS: Unable to mount root fs', exitCode: 34 });
  t.strictSame(said, ['CRASH: VFS: Unable to mount root fs']);
  const killed = await build([[{ dies: 'Bad hypercall 99\n' }]]);
  t.match(await killed.guest.run(), { reason: 'killed', message: 'Bad hypercall 99', exitCode: 33 });
});

t.test('traps go to the devices, and a guilty driver ends the run', async (t) => {
  const { guest, machines } = await build([
    [
      { exit: { trap: 13, addr: 0, insn: [0xe4, 0x64, 1, 2, 3, 4, 5] } },
      { exit: { trap: 14, addr: 0xbad } },
      { spin: true },
    ],
  ]);
  const info = await guest.run();
  t.match(info, { reason: 'failed', message: 'net: bad driver: no', exitCode: 1 });
  t.match(info.stats, { instructionExits: 1, memoryExits: 1 });
  t.match(machines[0]?.traps[0], { trap: 13, insn: Uint8Array.of(0xe4, 0x64, 1, 2, 3, 4, 5) });
  t.match(machines[0]?.traps[1], { trap: 14, addr: 0xbad });

  const later = await build([[{ broken: 'console: bad driver: looped' }, { spin: true }]]);
  t.match(await later.guest.run(), { reason: 'failed', message: 'console: bad driver: looped' });
});

t.test('a restart builds another machine, and the console stays', async (t) => {
  const { guest, machines } = await build([
    [{ print: 'one ' }, { restarts: true }],
    [{ print: 'two' }, POWER_DOWN],
  ]);
  const events: string[] = [];
  guest.on('boot', () => events.push('boot')).on('restart', () => events.push('restart'));
  guest.on('exit', (info) => events.push(info.reason));
  const [info, printed] = await Promise.all([guest.run(), text(guest)]);
  t.equal(printed, 'one two');
  t.strictSame(events, ['boot', 'restart', 'boot', 'poweroff']);
  t.match(info.stats, { restarts: 1, host: { 'cpu entries': 2 }, cpu: { 'code lookups': 4 } });
  t.strictSame(
    machines.map((machine) => machine.closed),
    [
      ['host', 'devices'],
      ['host', 'devices'],
    ],
  );
  const once = await build([[{ restarts: true }]], { noReboot: true });
  t.match(await once.guest.run(), { reason: 'restart', exitCode: 32 });
});

t.test('a restart whose kernel has gone rejects with a sentence', async (t) => {
  const dir = t.testdir({});
  const file = join(dir, 'vmlinux');
  writeFileSync(file, kernel);
  const { guest, machines } = await build([[{ slice: true }, { restarts: true }], [POWER_DOWN]], {
    kernel: pathToFileURL(file),
  });
  guest.once('restart', () => writeFileSync(file, 'gone'));
  await t.rejects(guest.run(), { code: 'ERR_LGUEST_BAD_KERNEL' });
  t.ok(machines.every((machine) => machine.closed.includes('host')));
  await guest.close();
});

t.test('a Guest that never ends is ended: by signal, by time, by close', async (t) => {
  for (const script of [[{ spin: true }], [{ sleep: true }]] as const) {
    const aborted = new AbortController();
    const one = await build([script], { signal: aborted.signal });
    setTimeout(() => aborted.abort(new Error('enough')), 1);
    t.match(await one.guest.run(), { reason: 'aborted', message: 'enough', exitCode: 1 });

    const two = await build([script], { timeout: 5 });
    t.match(await two.guest.run(), { reason: 'timeout', message: 'still running after 0.005 s', exitCode: 124 });

    const three = await build([script]);
    const running = three.guest.run();
    await turn();
    await three.guest.close();
    t.match(await running, { reason: 'aborted', message: 'closed' });
    t.strictSame(three.machines[0]?.closed, ['host', 'devices']);
  }
  const early = await build([[POWER_DOWN]], { signal: AbortSignal.abort() });
  t.match(await early.guest.run(), { reason: 'aborted' });
});

t.test('a Guest is idle when it has slept for a while and printed nothing', async (t) => {
  const busy: Step[] = Array.from({ length: 50 }, () => ({ slice: true }));
  const { guest } = await build([[...busy, { print: 'work' }, { sleep: true }]]);
  const ended = guest.run();
  t.equal(await guest.idle(20), true);
  t.equal(guest.console.bytesPrinted, 4, 'it was not, before');
  const again = guest.idle(60_000);
  guest.stop();
  t.equal(await again, false, 'and one that has ended never is');
  t.equal((await ended).reason, 'aborted');
  await guest.close();
});

t.test('a Guest that is closed before it ran lets everything go', async (t) => {
  const { guest, machines } = await build([[POWER_DOWN]]);
  {
    await using held = guest;
    t.ok(held.console);
  }
  t.strictSame(machines[0]?.closed, ['host', 'devices']);
  await t.rejects(guest.run(), { code: 'ERR_LGUEST_CLOSED' });
});

t.test('what cannot be built leaves nothing behind', async (t) => {
  const { parts, machines } = fakeParts([[]]);
  await t.rejects(Guest.build(parts, { memory: 32, kernel: Buffer.from('x') }), { code: 'ERR_LGUEST_BAD_KERNEL' });
  t.strictSame(machines[0]?.closed, ['host'], 'devices are made when the kernel is in its place');
  await t.rejects(Guest.build(parts, { memory: 0, kernel }), { code: 'ERR_LGUEST_MEMORY' });
});

t.test('a conversation: waitFor and sendLine', async (t) => {
  const typed: string[] = [];
  const hear = (line: string): void => void typed.push(line);
  const { guest } = await build([
    [
      { print: 'login: ' },
      { input: hear },
      { print: 'root\r\nPass' },
      { print: 'word: ' },
      { input: hear },
      POWER_DOWN,
    ],
  ]);
  const running = guest.run();
  await guest.console.waitFor(/login: $/);
  await guest.console.sendLine('root');
  const match = await guest.console.waitFor(/Pass(word): /g, { timeout: 5000 });
  t.equal(match[1], 'word', 'also across two pieces');
  await guest.console.sendLine('sesame');
  t.equal((await running).reason, 'poweroff');
  t.strictSame(typed, ['root\n', 'sesame\n']);
  await t.rejects(guest.console.waitFor(/login/), { code: 'ERR_LGUEST_WAIT', message: /the Guest has ended/ });
});

t.test('waiting ends in time, and with the Guest', async (t) => {
  const { guest } = await build([[{ print: 'booting' }, { sleep: true }]]);
  const running = guest.run();
  await guest.console.waitFor(/boot/);
  await t.rejects(guest.console.waitFor(/login/, { timeout: 5 }), { message: /not printed within 5 ms.*"ing"/ });
  const hanging = guest.console.waitFor(/login/);
  guest.stop();
  await t.rejects(hanging, { message: /the Guest has ended/ });
  await running;
});

t.test('a reader who does not read makes the Guest wait, and no memory grows', async (t) => {
  const piece = Buffer.alloc(16 * 1024, 0x61);
  const script: Step[] = Array.from({ length: 64 }, () => ({ print: piece }));
  const { guest } = await build([[...script, POWER_DOWN]]);
  guest.console.read(0);
  const running = guest.run();
  for (let i = 0; i < 100; i++) await turn();
  // What a stream keeps is Node's choice, another one from version 22 on.
  const most = guest.console.readableHighWaterMark + 3 * piece.length;
  t.ok(guest.console.bytesPrinted < most, `${guest.console.bytesPrinted} bytes printed before anybody reads`);
  const printed = await text(guest);
  t.equal(printed.length, 1024 * 1024, 'and then all of it comes');
  t.equal((await running).reason, 'poweroff');
});

t.test('with nobody to read at all, the latest output is kept', async (t) => {
  const lines = Array.from({ length: 40 }, (_, index): Step => ({
    print: `${String(index).padStart(4)}`.repeat(4096),
  }));
  const { guest } = await build([[...lines, POWER_DOWN]]);
  t.equal((await guest.run()).reason, 'poweroff');
  const printed = await text(guest);
  t.equal(printed.length, 256 * 1024);
  t.equal(printed.slice(-4), '  39');
});

t.test('what is typed arrives in order, as the Guest asks for it', async (t) => {
  const typed: string[] = [];
  const hear = (bytes: string): void => void typed.push(bytes);
  const script: Step[] = Array.from({ length: 4 }, () => ({ input: hear }));
  const { guest } = await build([[...script, POWER_DOWN]]);
  guest.console.end(Buffer.concat([Buffer.alloc(4096, 0x61), Buffer.alloc(4096, 0x62), Buffer.alloc(100, 0x63)]));
  guest.console.once('finish', () => typed.push('finish'));
  const running = guest.run();
  await t.resolves(new Promise((resolve) => guest.console.once('finish', resolve)));
  guest.stop();
  await running;
  t.strictSame(
    typed.map((piece) => (piece === 'finish' ? piece : `${piece[0]}*${piece.length}`)),
    ['a*4096', 'b*4096', 'c*100', 'finish'],
    'the end of input is no end of the Guest',
  );
});

t.test('the size of the console', async (t) => {
  const { guest, machines } = await build([[{ sleep: true }]], { console: { cols: 100, rows: 30 } });
  const port = machines[0]?.console;
  if (port === undefined) throw new Error('no console');
  let resized = 0;
  port.onResize = () => resized++;
  t.strictSame(port.size, { cols: 100, rows: 30 });
  guest.console.resize(120, 40);
  guest.console.resize(120, 40);
  t.strictSame(port.size, { cols: 120, rows: 40 });
  t.equal(resized, 1, 'the same size again is no news');
  await guest.close();
});

t.test('what the Launcher does can be heard', async (t) => {
  const heard: string[] = [];
  const say = (message: string): unknown => heard.push(message);
  const { guest } = await build([[POWER_DOWN]], {
    logger: { trace: say, debug: say, info: say, warn: say, error: say },
    initrd: Buffer.alloc(10),
    cmdline: 'a b',
  });
  await guest.run();
  t.match(
    heard.join('\n'),
    /memory 32M, kernel elf, entry 0x100000\ninitrd at 0x1fff000, 4096 bytes\nkernel arguments: a b/,
  );
});

t.test('what gzip packed is unpacked for the Guest, if nobody minds', async (t) => {
  const archive = newcEntry(Buffer.from('TRAILER!!!'), {}, Buffer.alloc(0));
  const packed = gzipSync(archive);
  for (const [options, expected] of [
    [{}, archive],
    [{ unpack: true }, archive],
    [{ unpack: false }, packed],
  ] as const) {
    const heard: string[] = [];
    const say = (message: string): unknown => heard.push(message);
    const { guest, machines } = await build([[{ restarts: true }], [POWER_DOWN]], {
      ...options,
      kernel: bzImage({ payload: gzipSync(elf([guestSegment('Linux version 4.12.0 ')])) }),
      initrd: packed,
      logger: { trace: say, debug: say, info: say, warn: say, error: say },
    });
    await guest.run();
    t.equal(machines.length, 2);
    for (const { ram } of machines) t.ok(Buffer.from(ram.subarray(32 * MiB - 4096)).indexOf(expected) === 0);
    t.equal(/kernel bzimage Linux 4\.12\.0, unpacked, entry/.test(heard.join('\n')), expected === archive);
    t.equal(/initrd at 0x1fff000, 4096 bytes, unpacked\n/.test(heard.join('\n')), expected === archive);
  }
});
