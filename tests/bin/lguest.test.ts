// The command as people and scripts meet it: a process with arguments, three streams, signals, a terminal and a status.
// Where a Guest must run, it is one that plays a script, so that nothing here depends on how fast the CPU is.
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { bzImage, elf, guestSegment } from '../support/kernel-files.js';

const MAIN = fileURLToPath(new URL('../../../bin/lguest.cjs', import.meta.url));
const SCRIPTED = fileURLToPath(new URL('../support/scripted-lguest.js', import.meta.url));
/** A Guest that spins for ever must not survive a test that was killed: the script's player looks after this process. */
const ENV = { PATH: process.env['PATH'], TERM: 'dumb', LGUEST_CACHE: 'off', LGUEST_TEST_PROCESS: `${process.pid}` };
/**
 * Without what the test runner puts into the environment of its children: it makes them slow, and has them write a file of
 * its own at their end, which who has given root away cannot.
 */
const PLAIN = ['-u', 'NODE_OPTIONS', process.execPath];

t.setTimeout(300_000);
const dir = t.testdir({});
const KERNEL = join(dir, 'vmlinux');
writeFileSync(KERNEL, elf([guestSegment()]));

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Extra {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly stdio?: SpawnOptions['stdio'];
}

const POWER_DOWN = { dies: 'CRASH: Power down' };

const start = (file: string, args: readonly string[], extra: Extra = {}): ChildProcess =>
  spawn('env', [...PLAIN, file, ...args], { env: { ...ENV, ...extra.env }, stdio: extra.stdio ?? 'pipe' });

async function result(child: ChildProcess): Promise<Result> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  await once(child, 'close');
  return { status: child.exitCode, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

const run = (file: string, args: readonly string[], extra: Extra = {}): Promise<Result> => {
  const child = start(file, args, extra);
  if (extra.input !== undefined) child.stdin?.end(extra.input);
  return result(child);
};

/** Runs the command with a Guest that plays `script`. */
const play = (script: unknown, args: readonly string[] = [], extra: Extra = {}): Promise<Result> =>
  run(SCRIPTED, [JSON.stringify([script]), '32', KERNEL, ...args], extra);

/** Starts the same, and waits until the Guest has printed `ready`. */
async function playUntilReady(
  script: readonly unknown[],
  args: readonly string[] = [],
): Promise<[ChildProcess, Promise<Result>]> {
  const child = start(SCRIPTED, [JSON.stringify([[{ print: 'ready\n' }, ...script]]), '32', KERNEL, ...args]);
  const end = result(child);
  await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
  return [child, end];
}

t.test('--version and --help', async (t) => {
  const version = await run(MAIN, ['--version']);
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  t.match(manifest, { version: /./ });
  t.match(version, { status: 0, stdout: /^lguest \d+\.\d+\.\d+\n$/, stderr: '' });
  t.match(await run(MAIN, ['--help']), { status: 0, stdout: /^lguest - boot a 32-bit Linux Guest/, stderr: '' });
  t.match(await run(MAIN, ['64', '-h']), { status: 0, stdout: /Usage:/ });
});

const oneLine = (t: Test, got: Result, status: number, message: RegExp): void => {
  t.equal(got.status, status, `status ${status}: ${got.stderr}`);
  t.match(got.stderr, message);
  t.match(got.stderr, /^lguest: [^\n]*\n$/, 'one line');
  t.equal(got.stdout, '');
};

t.test('wrong command lines end with status 2 and one line', async (t) => {
  oneLine(t, await run(MAIN, []), 2, /what shall I boot\?/);
  oneLine(t, await run(MAIN, ['--bock=x', '64', 'k']), 2, /did you mean --block\?/);
  oneLine(t, await run(MAIN, ['0', 'k']), 2, /too little memory/);
  oneLine(t, await run(MAIN, ['lots', 'k']), 2, /is not a memory size/);
  oneLine(t, await run(MAIN, ['--tunnet=10.0.0.1', '64', 'k']), 2, /TAP devices are not supported/);
  oneLine(t, await run(MAIN, ['0', 'k'], { env: { LGUEST_COMPAT: 'c' } }), 1, /too little memory/);
});

t.test('files that cannot be used end with status 1 and one line', async (t) => {
  oneLine(t, await run(SCRIPTED, ['[]', '64', join(dir, 'none')]), 1, /none: no such file/);
  oneLine(t, await run(SCRIPTED, ['[]', '64', dir]), 1, /is a folder/);
  oneLine(t, await play([], ['--initrd=/nowhere']), 1, /cannot open the initrd \/nowhere: no such file/);
  oneLine(t, await play([], ['--console-log=/nowhere/x']), 1, /cannot open the console log/);
  const nobody = await play([], ['--username=nosuchuser']);
  oneLine(t, nobody, 1, process.geteuid?.() === 0 ? /no such user in \/etc\/passwd/ : /only root/);
  const debug = await run(SCRIPTED, ['[]', '64', join(dir, 'none')], { env: { LGUEST_DEBUG: '1' } });
  t.match(debug.stderr, /no such file\n +at /, 'LGUEST_DEBUG=1 shows where');
});

t.test('wrong files, met by the real machine', async (t) => {
  const file = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };
  const kernel = elf([guestSegment()]);
  const long = elf([guestSegment(), { physical: 0x2000000, bytes: Buffer.from('far away') }]);
  const edited = (offset: number, value: number): Buffer => Buffer.from(kernel).fill(value, offset, offset + 1);
  const wrong: [string[], RegExp][] = [
    [['4', join(dir, 'nowhere')], /nowhere: no such file/],
    [['4', dir], /is a folder/],
    [['4', file('elf64', edited(4, 2))], /a 64-bit ELF file/],
    [['4', file('arm', edited(18, 40))], /an ELF file for ARM/],
    [['4', file('short', kernel.subarray(0, kernel.length - 1))], /truncated/],
    [['4', file('shortbz', bzImage().subarray(0, 1600))], /truncated/],
    [
      ['4', file('linux', elf([{ physical: 0x100000, bytes: Buffer.from('Linux version 4.12.0') }]))],
      /without lguest support/,
    ],
    [['4', file('long', long)], /needs memory up to 33M, but the Guest has 4M/],
    [['4', KERNEL, `--initrd=${file('initrd', Buffer.alloc(4 << 20))}`], /give it more memory/],
    [['4', KERNEL, '--block=/nowhere'], /cannot open the disk \/nowhere: no such file/],
    [['4', KERNEL, `--block=${dir}`], /as a disk/],
    [['4', KERNEL, `--block=${file('empty', Buffer.alloc(0))}`], /as a disk/],
  ];
  for (const [args, message] of wrong) oneLine(t, await run(MAIN, args), 1, message);
});

t.test('--username gives root away', { skip: process.geteuid?.() === 0 ? false : 'only root can' }, async (t) => {
  const [child, end] = await playUntilReady([{ spin: true }], ['--username=nobody']);
  t.notMatch(readFileSync(`/proc/${child.pid}/status`, 'utf8'), /^[UG]id:.*\b0\b/m);
  child.kill();
  t.match(await end, { status: 143, stderr: '' });
});

t.test('the end of a Guest is the status of the command', async (t) => {
  t.strictSame(await play([{ print: 'hello\r\n' }, POWER_DOWN]), { status: 0, stdout: 'hello\r\n', stderr: '' });
  const panic = await play([{ print: 'oops' }, { dies: 'CRASH: VFS: \x1b[31mno root' }]);
  t.strictSame(panic, { status: 34, stdout: 'oops', stderr: 'lguest: CRASH: VFS: \\x1b[31mno root\n' });
  oneLine(t, await play([{ dies: 'bad page table entry' }]), 33, /bad page table entry/);
  oneLine(t, await play([{ broken: 'net: bad driver: looped' }, { spin: true }]), 1, /net: bad driver: looped/);
  oneLine(t, await play([{ spin: true }], ['--timeout=50ms']), 124, /still running after 0.05 s/);
  oneLine(t, await play([{ sleep: true }], ['--timeout=50ms']), 124, /still running/);
  oneLine(t, await play([{ restarts: true }], ['--no-reboot']), 32, /asked for a restart/);
  const twice = await run(SCRIPTED, [
    JSON.stringify([
      [{ print: 'one ' }, { restarts: true }],
      [{ print: 'two' }, POWER_DOWN],
    ]),
    '32',
    KERNEL,
  ]);
  t.strictSame(twice, { status: 0, stdout: 'one two', stderr: '' }, 'a restart stays in the process');
  const compatible = { env: { LGUEST_COMPAT: 'c' } };
  oneLine(t, await play([POWER_DOWN], [], compatible), 1, /^lguest: CRASH: Power down\n$/);
});

t.test('--until and --fail-on', async (t) => {
  const script = [{ print: 'log' }, { slice: true }, { print: 'in: ' }, { spin: true }];
  t.match(await play(script, ['--until=login:']), { status: 0, stdout: 'login: ', stderr: '' });
  t.match(await play(script, ['--fail-on=lo+gin', '--until=never']), { status: 1, stdout: 'login: ' });
  t.match(await play([POWER_DOWN], ['--until=never']), { status: 0 });
});

t.test('a mistake of ours is one line, too', async (t) => {
  oneLine(t, await play([{ crash: 'boom' }, { spin: true }]), 1, /a mistake of lguest's own: boom/);
});

t.test('what is piped in is data, and its end is no end', async (t) => {
  const script = [{ echo: 1 }, { slice: true }, { slice: true }, { print: 'still here' }, POWER_DOWN];
  t.match(await play(script, [], { input: 'echo hi\n' }), { status: 0, stdout: /^<"echo hi\\n">still here$/ });
  const interrupts = await play([{ echo: 1 }, POWER_DOWN], [], { input: '\x03\x03\x03\x01x' });
  t.match(interrupts, { status: 0, stdout: '<"\\u0003\\u0003\\u0003\\u0001x">' });
  const controlD = await play([{ echo: 1 }, { echo: 1 }, POWER_DOWN], ['--stdin-eof=ctrl-d'], { input: 'x' });
  t.match(controlD, { status: 0, stdout: '<"x"><"\\u0004">' });
  const twice = [{ echo: 1 }, { print: 'one ' }, { echo: 1 }, { print: 'two ' }, { echo: 1 }, POWER_DOWN];
  const everyTime = await play(twice, ['--stdin-eof=ctrl-d'], { input: 'x' });
  t.equal(everyTime.stdout, '<"x">one <"\\u0004">two <"\\u0004">', 'as an end of file, it is there for whoever asks');
  t.match(await play([{ sleep: true }], ['--stdin-eof=poweroff'], { input: '' }), { status: 0, stderr: '' });
  const work = Array.from({ length: 100 }, () => ({ slice: true }));
  const slow = [...work, { echo: 4 }, ...work, { print: 'done' }, { sleep: true }];
  const done = await play(slow, ['--stdin-eof=poweroff'], { input: 'work' });
  t.match(done, { status: 0, stdout: '<"work">done' }, 'a Guest may finish what it was told to do');
});

t.test('stdin may be /dev/null, a file, or closed', async (t) => {
  const script = JSON.stringify([[{ slice: true }, { print: 'fine' }, POWER_DOWN]]);
  for (const redirect of ['</dev/null', `<${KERNEL}`, '<&-']) {
    const shell = `exec '${process.execPath}' '${SCRIPTED}' '${script}' 32 '${KERNEL}' ${redirect}`;
    const got = spawnSync('sh', ['-c', shell], { env: ENV, encoding: 'utf8' });
    t.match(got, { status: 0, stdout: 'fine', stderr: '' }, redirect);
  }
});

t.test('a megabyte goes in and out without a byte lost', async (t) => {
  const out = await play([{ bytes: 1024 * 1024 }, POWER_DOWN]);
  t.equal(out.stdout, '0123456789abcde\n'.repeat(64 * 1024));
  const child = start(SCRIPTED, [JSON.stringify([[{ echo: 1024 * 1024 }, POWER_DOWN]]), '32', KERNEL]);
  child.stdin?.end(Buffer.alloc(1024 * 1024, 0x79));
  const got = await result(child);
  t.equal(got.stdout.replaceAll(/[^y]/g, '').length, 1024 * 1024);
});

t.test('a reader who has seen enough ends the Guest, and nobody complains', async (t) => {
  const script = JSON.stringify([[{ print: 'first\n' }, { bytes: 1024 * 1024 }, { spin: true }]]);
  const shell = `{ '${process.execPath}' '${SCRIPTED}' '${script}' 32 '${KERNEL}'; echo "status $?" >&2; } | head -1`;
  const got = spawnSync('sh', ['-c', shell], { env: ENV, encoding: 'utf8' });
  t.match(got, { stdout: 'first\n', stderr: 'status 0\n' });
});

t.test('a reader who reads nothing makes the Guest wait, and does not keep us from a signal', async (t) => {
  const script = [{ bytes: 8 * 1024 * 1024 }, POWER_DOWN];
  const child = start(SCRIPTED, [JSON.stringify([script]), '32', KERNEL]);
  await new Promise((resolve) => child.stdout?.once('readable', resolve));
  child.kill('SIGTERM');
  const [status] = await once(child, 'exit');
  t.equal(status, 143);
});

t.test('signals end a busy Guest and a sleeping one', async (t) => {
  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const) {
    const [child, end] = await playUntilReady([signal === 'SIGHUP' ? { sleep: true } : { spin: true }]);
    child.kill(signal);
    t.match(await end, { status, stdout: 'ready\n', stderr: '' }, signal);
  }
});

t.test('--strip-cr, --console-log, --stats, --log-format', async (t) => {
  const log = join(dir, 'console.log');
  writeFileSync(log, 'before|');
  const got = await play(
    [{ print: 'a\r' }, { slice: true }, { print: '\nb\rc\r\r\n\r' }, POWER_DOWN],
    ['--strip-cr', `--console-log=${log}`, '--stats'],
  );
  t.equal(got.stdout, 'a\nb\rc\r\n\r');
  t.equal(readFileSync(log, 'utf8'), 'before|a\r\nb\rc\r\r\n\r');
  t.match(
    got.stderr,
    /^lguest: ran \d+\.\d{3} s, first output after .*, 10 console bytes, 0 restarts\nlguest: exits to/,
  );
  t.match(got.stderr, /Host: cpu entries 1/);
  const verbose = await play([POWER_DOWN], ['-v', 'console=hvc0']);
  t.match(verbose.stderr, /^lguest: memory 32M, kernel elf, .*\nlguest: kernel arguments: console=hvc0\n$/);
  const json = await play([POWER_DOWN], ['-v', '--log-format=json']);
  for (const line of json.stderr.trim().split('\n')) t.match(JSON.parse(line), { level: 30, name: 'lguest', msg: /./ });
});

const hasScript = process.platform === 'linux' && spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;
const onTerminal = { skip: hasScript ? false : 'no script(1) to make a terminal with' };

/** Runs a shell command on a terminal of its own. */
const terminal = (shell: string): ChildProcess =>
  spawn('script', ['-qec', shell, '/dev/null'], { env: { ...ENV, SHELL: '/bin/bash' } });

const quoted = (script: unknown, args: string): string =>
  `'${process.execPath}' '${SCRIPTED}' '${JSON.stringify([script])}' 32 '${KERNEL}' ${args}`;

/** Everything printed so far, and a way to wait for more: who waits for what never comes hears what came instead. */
function listen(child: ChildProcess): { text: () => string; until: (pattern: RegExp) => Promise<void> } {
  let heard = '';
  let isOver = false;
  const waiting = new Set<() => void>();
  const checkAll = (): void => {
    for (const check of waiting) check();
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
    checkAll();
  });
  child.once('close', () => {
    isOver = true;
    checkAll();
  });
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (pattern.test(heard)) resolve();
        else if (isOver) reject(new Error(`${pattern.source} never came, but:\n${heard}`));
        else return;
        waiting.delete(check);
      };
      waiting.add(check);
      check();
    });
  return { text: () => heard, until };
}

t.test('on a terminal every key is the Guest’s, and three ^C lead out', onTerminal, async (t) => {
  const child = terminal(
    `stty -a; ${quoted([{ print: 'ready' }, { echo: 1 }, { echo: 1 }, { echo: 1 }, { spin: true }], '')}; echo "status $?"; stty -a`,
  );
  const console = listen(child);
  await console.until(/ready/);
  t.match(console.text(), /lguest: the console is yours; press \^C three times within a second to quit/);
  child.stdin?.write('\x1a\x03');
  await console.until(/<"\\u001a\\u0003">/);
  child.stdin?.write('\x03');
  await console.until(/<"\\u0003">/);
  child.stdin?.write('\x03');
  await once(child, 'close');
  t.match(console.text(), /<"\\u0003">.*status 130/, 'the Guest got them, too');
  const settings = console.text().match(/^.*\bicanon\b.*$/gm) ?? [];
  t.equal(settings.length, 2);
  t.equal(settings[0], settings[1], 'the terminal is as it was');
  t.notMatch(settings[1], /-icanon/);
});

t.test('the Guest hears of the size of its terminal, and when it changes', onTerminal, async (t) => {
  const guest = quoted([{ columns: 100 }, { print: 'ready' }, { columns: 77 }, { print: 'changed' }, POWER_DOWN], '-q');
  const child = terminal(`stty cols 100 rows 40; tty > '${dir}/tty'; ${guest}; echo "status $?"`);
  const console = listen(child);
  await console.until(/ready/);
  spawnSync('stty', ['-F', readFileSync(join(dir, 'tty'), 'utf8').trim(), 'cols', '77']);
  await once(child, 'close');
  t.match(console.text(), /readychangedstatus 0/);
});

t.test('the terminal is given back by signals and mistakes of ours', onTerminal, async (t) => {
  const ways: [object, RegExp][] = [
    [{ crash: 'boom' }, /boom/],
    [{ dies: 'CRASH: no' }, /CRASH: no/],
  ];
  for (const [step, message] of ways) {
    const child = terminal(`${quoted([{ print: 'ready' }, step, { spin: true }], '-q')}; stty -a`);
    const console = listen(child);
    await once(child, 'close');
    t.match(console.text(), message);
    t.match(console.text(), /\sicanon/, 'line editing is on again');
    t.match(console.text(), /\sisig/);
  }
  const pidFile = join(dir, 'pid');
  const busy = quoted([{ print: 'ready' }, { spin: true }], '-q');
  const killed = terminal(`sh -c 'echo $$ > ${pidFile}; exec "$@"' sh ${busy}; echo "status $?"; stty -a`);
  const console = listen(killed);
  await console.until(/ready/);
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
  await once(killed, 'close');
  t.match(console.text(), /status 143/);
  t.match(console.text(), /\sicanon/);
});

t.test('a stopped lguest gives the terminal back and takes it again', onTerminal, async (t) => {
  const pidFile = join(dir, 'pid');
  const guest = quoted([{ print: 'ready' }, { echo: 1 }, { spin: true }], '-q');
  // The shell has job control, as somebody's own has: it goes on when lguest stops, and brings it back.
  const shell = `tty > '${dir}/tty'; set -m; sh -c 'echo $$ > ${pidFile}; exec "$@"' sh ${guest}; echo stopped; stty -a; fg >/dev/null; echo "status $?"`;
  const child = terminal(shell);
  const console = listen(child);
  await console.until(/ready/);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  process.kill(pid, 'SIGTSTP');
  await console.until(/stopped[^]*\sicanon[^]*echoctl/);
  await untilRaw(readFileSync(join(dir, 'tty'), 'utf8').trim());
  child.stdin?.write('\x1a');
  await console.until(/<"\\u001a">/);
  process.kill(pid, 'SIGTERM');
  await once(child, 'close');
  t.match(console.text(), /status 143/);
});

/** Waits until keys go to the program as they are: before, ^Z would stop it. */
async function untilRaw(tty: string): Promise<void> {
  const isRaw = (): boolean => spawnSync('stty', ['-F', tty, '-a'], { encoding: 'utf8' }).stdout.includes('-isig');
  while (!isRaw()) await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test('an escape key is kept from the Guest', onTerminal, async (t) => {
  const child = terminal(
    `${quoted([{ print: 'ready' }, { echo: 1 }, { spin: true }], '--escape=^A')}; echo "status $?"`,
  );
  const console = listen(child);
  await console.until(/ready/);
  child.stdin?.write('\x01\x01b');
  await console.until(/<"\\u0001b">/);
  child.stdin?.write('\x01i');
  await console.until(/running for/);
  child.stdin?.write('\x01x');
  await once(child, 'close');
  t.match(console.text(), /status 130/);
});
