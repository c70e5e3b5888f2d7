// Linux/i386 programs in the reference Guest: what they print there is what they print natively, byte for byte.
//
// Two kinds: commands of busybox (Debian's busybox-static for i386, or LGUEST_TEST_BUSYBOX=path), and programs of our own in
// tests/programs, built with gcc -m32 -static. Where one of them cannot be had, or the machine runs no i386 programs, the test
// says so.
import { execFile, spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { type GuestOptions, createGuest, referenceGuest } from '../../launcher/index.js';

const run = promisify(execFile);
const PATIENCE = 300_000;
const sources = fileURLToPath(new URL('../../../tests/programs/', import.meta.url));
const OWN = ['compute', 'signals', 'threads', 'memory', 'processes'];

/** The engine that evaluates is there for comparing, not for speed. */
const ENGINES = { translate: OWN, interpret: OWN, evaluate: ['signals', 'memory'] } as const;

const scratch = await mkdtemp(join(tmpdir(), 'lguest-programs-'));
t.teardown(() => rm(scratch, { recursive: true }));
t.setTimeout(PATIENCE);

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

t.test(
  'a few hundred commands of busybox print what they print natively',
  { skip: busybox === undefined && 'no static busybox for i386 that runs here (LGUEST_TEST_BUSYBOX=path names one)' },
  async (t) => {
    const root = join(scratch, 'root');
    const bin = join(root, 'bin');
    const work = join(scratch, 'work');
    await Promise.all([mkdir(bin, { recursive: true }), mkdir(join(root, 'work'), { recursive: true }), mkdir(work)]);
    await copyFile(busybox ?? '', join(bin, 'busybox'));
    await chmod(join(bin, 'busybox'), 0o755);
    const applets = (await run(join(bin, 'busybox'), ['--list'])).stdout.trim().split('\n');
    for (const applet of applets.filter((name) => name !== 'busybox')) await symlink('busybox', join(bin, applet));
    const commands = (await readFile(join(sources, 'commands.sh'), 'utf8')).trim().split('\n');
    await writeFile(join(root, 'script'), numbered(commands));
    await writeFile(join(root, 'main'), 'cd /\nexec env -i PATH=/bin HOME=/ TERM=linux sh script /work 2>&1 | cat\n');

    const native = spawnSync(join(bin, 'busybox'), ['sh', '-c', 'sh script "$0" 2>&1 | cat', work], {
      cwd: root,
      env: { PATH: bin, HOME: '/', TERM: 'linux' },
      encoding: 'utf8',
    });
    const wanted = split(native.stdout, commands);
    t.ok(wanted.length > 300, `${wanted.length} commands`);
    const printed = split(await guestPrints('run /bin/busybox sh /main', { initrd: root }), commands);
    t.strictSame(printed, wanted);
  },
);

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
