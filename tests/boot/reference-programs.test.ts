// Linux/i386 programs in the reference Guest: what they print there is what they print natively, byte for byte.
//
// Two kinds: commands of busybox (Debian's busybox-static for i386, or LGUEST_TEST_BUSYBOX=path), and programs of our own in
// tests/programs, built with gcc -m32 -static. Where one of them cannot be had, or the machine runs no i386 programs, the test
// says so.
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { type GuestOptions, block, createGuest, referenceGuest } from '../../launcher/index.js';

const run = promisify(execFile);
const PATIENCE = 300_000;
const sources = fileURLToPath(new URL('../../../tests/programs/', import.meta.url));
const OWN = [
  'compute',
  'integers',
  'strings',
  'floats',
  'vectors',
  'pages',
  'segments',
  'traces',
  'signals',
  'threads',
  'memory',
  'processes',
];

/** The engine that evaluates is there for comparing, not for speed. */
const ENGINES = { translate: OWN, interpret: OWN, evaluate: ['signals', 'segments', 'traces'] } as const;

const scratch = await mkdtemp(join(tmpdir(), 'lguest-programs-'));
t.teardown(() => rm(scratch, { recursive: true }));
t.setTimeout(2 * PATIENCE);

/** Is it an i386 program that needs no other file, and does it run here? */
const usableBusybox = async (path: string): Promise<boolean> => {
  const bytes = await readFile(path).catch(() => Buffer.alloc(64));
  if (bytes.toString('latin1', 0, 5) !== '\x7fELF\x01' || bytes.readUInt16LE(18) !== 3) return false;
  const headers = bytes.readUInt32LE(28);
  for (let at = headers; at < headers + bytes.readUInt16LE(44) * 32; at += 32) {
    if (bytes.readUInt32LE(at) === 3) return false;
  }
  return spawnSync(path, ['true']).status === 0;
};

const findBusybox = async (): Promise<string | undefined> => {
  for (const path of [process.env['LGUEST_TEST_BUSYBOX'], '/bin/busybox', '/usr/bin/busybox']) {
    if (path !== undefined && (await usableBusybox(path))) return path;
  }
  return undefined;
};

/** Builds our programs into the folder; false where that cannot be done, or where they would not run. */
const build = async (folder: string): Promise<boolean> => {
  await mkdir(folder);
  const options = ['-m32', '-static', '-O1', '-msse2', '-fno-pie', '-no-pie', '-w'];
  try {
    for (const name of OWN) {
      await run('gcc', [...options, join(sources, `${name}.c`), '-o', join(folder, name), '-lm', '-lpthread']);
    }
    await run(join(folder, 'compute'));
    return true;
  } catch {
    return false;
  }
};

const programs = join(scratch, 'programs');
const built = await build(programs);

const busybox = await findBusybox();

/** Boots the reference Guest for one line of commands; what was printed. */
const guestPrints = async (command: string, options: Partial<GuestOptions> = {}): Promise<string> => {
  const guest = await createGuest({
    memory: 48,
    kernel: referenceGuest(),
    cmdline: `quiet init=/bin/nothing run="${command};poweroff"`,
    timeout: PATIENCE,
    ...options,
  });
  try {
    const [printed, info] = await Promise.all([text(guest.console), guest.run()]);
    if (info.exitCode !== 0) throw new Error(`the Guest ended with ${info.message}: ${printed.slice(-500)}`);
    return printed.replaceAll('\r', '').replace(/^\/bin\/nothing: .*\n/, '');
  } finally {
    guest.close();
  }
};

t.test('its own programs run without an initrd', async (t) => {
  const printed = await guestPrints('run /bin/hello one two;run /bin/family;run /bin/faults;run /bin/nothing;syscalls');
  t.match(printed, /^hello from ring 3: I am process \d+\none two\n/);
  for (const [limit, primes] of [
    [2000, 303],
    [4000, 550],
    [6000, 783],
    [8000, 1007],
  ] as const) {
    t.match(printed, `${primes} primes below ${limit}\n`);
  }
  t.match(printed, 'all children have come home\n');
  t.match(
    printed,
    /reads what is not there is ended by signal 11\n.*divides by zero .* 8\n.*nonsense .* 4\n.*int3 .* 5\n/,
  );
  t.match(printed, 'who asks for what there is not is told 38\n');
  t.match(printed, /\nand these, which there are not .*\n +17 break +1\n/);
  t.match(printed, '/bin/nothing: no such file');
  t.match(printed, / {2}2 fork +9\b/);
});

/** Every command in a shell of its own, with a number before it and its status behind it. */
const numbered = (commands: readonly string[]): string =>
  [
    'cd "$1" || exit 1',
    ...commands.map((command, index) => `echo "== ${index + 1}"\n(\n${command}\n) < /dev/null 2>&1\necho "= $?"`),
    'echo "== end"',
    '',
  ].join('\n');

/** From the script's output: what each command printed, with the command. */
const split = (printed: string, commands: readonly string[]): string[] =>
  printed
    .split(/^== /m)
    .slice(1)
    .map((part) => part.replace(/^\d+/, (number) => commands[Number(number) - 1] ?? number));

/** One on a line, or on several if there is a here-document in it: `<< END`. */
const commandsIn = (script: string): string[] => {
  const lines = script.trim().split('\n');
  const commands: string[] = [];
  for (let at = 0; at < lines.length;) {
    const begin = at;
    const ends = [...(lines[at++] ?? '').matchAll(/<<-? '?([A-Z]+)'?/g)].map((match) => match[1]);
    for (const end of ends) while (at < lines.length && lines[at++]?.trim() !== end);
    commands.push(lines.slice(begin, at).join('\n'));
  }
  return commands;
};

const SCRIPTS = { commands: 300, 'commands-shell': 150, 'commands-text': 80 };

for (const [name, atLeast] of Object.entries(SCRIPTS)) {
  t.test(
    `busybox prints what it prints natively: ${name}.sh`,
    { skip: busybox === undefined && 'no static busybox for i386 that runs here (LGUEST_TEST_BUSYBOX=path names one)' },
    async (t) => {
      const root = join(scratch, name);
      const bin = join(root, 'bin');
      const work = join(scratch, `${name}-native`, 'work');
      for (const folder of [bin, work, join(root, 'work')]) await mkdir(folder, { recursive: true });
      await copyFile(busybox ?? '', join(bin, 'busybox'));
      await chmod(join(bin, 'busybox'), 0o755);
      const applets = (await run(join(bin, 'busybox'), ['--list'])).stdout.trim().split('\n');
      for (const applet of applets.filter((applet) => applet !== 'busybox'))
        await symlink('busybox', join(bin, applet));
      const commands = commandsIn(await readFile(join(sources, `${name}.sh`), 'utf8'));
      t.ok(commands.length > atLeast, `${commands.length} commands`);
      await writeFile(join(root, 'script'), numbered(commands));
      await writeFile(join(root, 'main'), 'cd /\nexec env -i PATH=/bin HOME=/ TERM=linux sh script /work 2>&1 | cat\n');

      const native = spawnSync(join(bin, 'busybox'), ['sh', '-c', 'sh script "$0" 2>&1 | cat', work], {
        cwd: root,
        env: { PATH: bin, HOME: '/', TERM: 'linux' },
        encoding: 'utf8',
      });
      const wanted = split(native.stdout, commands);
      t.equal(wanted.length, commands.length + 1, 'all of them ran natively');
      const printed = split(await guestPrints('run /bin/busybox sh /main', { initrd: root }), commands);
      t.strictSame(printed, wanted);
    },
  );
}

for (const engine of ['translate', 'interpret', 'evaluate'] as const) {
  t.test(
    `programs of our own print what they print natively, ${engine}`,
    { skip: !built && 'no gcc -m32 -static here, or a machine that runs no i386 programs' },
    async (t) => {
      const names = ENGINES[engine];
      const printed = await guestPrints(names.map((name) => `run /${name}`).join(';'), { initrd: programs, engine });
      const native = names.map((name) => spawnSync(join(programs, name), { cwd: scratch, encoding: 'utf8' }).stdout);
      t.equal(printed, native.join(''));
    },
  );
}

/** A root with busybox as its shell. */
const shellRoot = async (name: string): Promise<string> => {
  const bin = join(scratch, name, 'bin');
  await mkdir(bin, { recursive: true });
  await copyFile(busybox ?? '', join(bin, 'busybox'));
  await chmod(join(bin, 'busybox'), 0o755);
  await symlink('busybox', join(bin, 'sh'));
  return join(scratch, name);
};

const noBusybox = busybox === undefined && 'no static busybox for i386 that runs here';

t.test('a shell at the console: editing, ^C, ^Z, ^D, jobs', { skip: noBusybox }, async (t) => {
  const guest = await createGuest({
    memory: 32,
    kernel: referenceGuest(),
    cmdline: 'quiet',
    initrd: await shellRoot('shell'),
    timeout: PATIENCE,
  });
  t.teardown(() => guest.close());
  const ended = guest.run();
  const shows = (pattern: RegExp): Promise<RegExpExecArray> => guest.console.waitFor(pattern, { timeout: PATIENCE });
  const type = (keys: string): boolean => guest.console.write(keys);
  // What is typed while a program begins is read as the shell left the terminal: wait until it has begun.
  const start = async (command: string): Promise<void> => {
    type(`sh -c "echo be''gins; exec ${command}"\r`);
    await shows(/\nbegins\r\n/);
  };
  await shows(/# /);
  await start('cat');
  type('ab\x7fc\r');
  await shows(/\nac\r\n/);
  t.pass('a line can be edited before it is read');
  type('\x04');
  await shows(/# /);
  t.pass('^D ends what is read');
  await start('sleep 1000');
  type('\x03');
  await shows(/\^C[^]*# /);
  t.pass('^C ends the program, and not the shell');
  await start('sleep 1001');
  type('\x1a');
  await shows(/\^Z[^]*Stopped +sh [^]*# /);
  type('bg; sleep 1002 &\r');
  await shows(/# /);
  type('jobs\r');
  await shows(/Running +sleep 1002[^]*Running +sh /);
  type("kill %1 %2; wait; echo all go''ne\r");
  await shows(/\nall gone\r\n/);
  t.pass('jobs stop, go on, and are killed');
  guest.console.resize(132, 43);
  type('busybox stty size\r');
  await shows(/\n43 132\r\n/);
  t.pass('the terminal has the size that it is told');
  type('exit 7\r');
  await shows(/\/bin\/sh: status 7\r?\n/);
  await guest.console.sendLine('poweroff');
  t.equal((await ended).exitCode, 0);
});

/** A disk with a file system of that kind, made without being mounted. */
const makeDisk = async (folder: string, kind: string, blockBytes: number): Promise<string | undefined> => {
  const file = join(scratch, `${kind}-${blockBytes}.img`);
  const made = spawnSync('mke2fs', ['-q', '-t', kind, '-b', `${blockBytes}`, '-d', folder, file, '8M'], {
    env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin' },
  });
  return made.status === 0 ? file : undefined;
};

t.test('disks with ext2 and ext4 can be mounted and read', { skip: noBusybox }, async (t) => {
  const folder = join(scratch, 'disk');
  await mkdir(join(folder, 'inner', 'most'), { recursive: true });
  const long = Array.from({ length: 60_000 }, (_, line) => `${line}\n`).join('');
  await writeFile(join(folder, 'long'), long);
  await writeFile(join(folder, 'inner', 'most', 'file'), 'found\n');
  await symlink('inner/most/file', join(folder, 'link'));
  for (let name = 0; name < 150; name++) await writeFile(join(folder, 'inner', `file-${name}`), `${name}\n`);
  const disks = [
    await makeDisk(folder, 'ext2', 1024),
    await makeDisk(folder, 'ext2', 4096),
    await makeDisk(folder, 'ext4', 1024),
    await makeDisk(folder, 'ext4', 4096),
  ].filter((disk) => disk !== undefined);
  if (disks.length === 0) {
    t.plan(0, 'no mke2fs here');
    return;
  }
  const root = await shellRoot('mounting');
  const script = disks.map(
    (_, index) =>
      `mount -t ext2 /dev/vd${'abcd'[index] ?? ''} /mnt && md5sum < /mnt/long && cat /mnt/link && ls /mnt/inner | wc -l\n` +
      'cat /mnt/inner/file-* | wc -c; echo x 2>/dev/null > /mnt/new; echo $?; umount /mnt; ls /mnt | wc -l',
  );
  await writeFile(join(root, 'main'), script.join('\n'));
  const printed = await guestPrints('run /bin/busybox sh /main', {
    initrd: root,
    devices: disks.map((disk) => block(disk, { readonly: true })),
  });
  const sum = createHash('md5').update(long).digest('hex');
  t.equal(printed, disks.map(() => `${sum}  -\nfound\n151\n490\n1\n0\n`).join(''));
});
