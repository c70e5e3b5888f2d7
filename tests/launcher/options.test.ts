// The command line: what people write, and what they are told when it cannot be.
import t, { type Test } from 'tap';
import { MiB } from '../../lib/bits.js';
import { UserError } from '../../lib/errors.js';
import { type DeviceSpec, block } from '../../launcher/device-specs.js';
import { memoryBytes } from '../../launcher/memory.js';
import { helpText } from '../../launcher/help.js';
import { type Environment, type RunOptions, parseCommandLine } from '../../launcher/options.js';
import { OPTIONS } from '../../launcher/options-table.js';
import { editDistance, nearest } from '../../launcher/spelling.js';

const parse = (line: string, env: Environment = {}): RunOptions => {
  const command = parseCommandLine(line.split(' '), env);
  if (command.kind !== 'run') throw new Error(`it is ${command.kind}`);
  return command.options;
};

const refused = (t: Test, line: string, message: RegExp, env: Environment = {}): void => {
  try {
    parseCommandLine(line === '' ? [] : line.split(' '), env);
    t.fail(`${line} was accepted`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    t.equal(error.exitStatus, 2, `${line}: status 2`);
    t.match(error.message, message, line);
    t.notMatch(error.message, /\n/, `${line}: one line`);
  }
};

const names = (devices: readonly DeviceSpec[]): string[] =>
  devices.map((device) => (device.kind === 'block' ? device.file : device.kind));

t.test('the original positional form, options anywhere', (t) => {
  const forms = [
    '--block=disk.img --rng 64 vmlinux root=/dev/vda console=hvc0',
    '64 vmlinux --block=disk.img root=/dev/vda --rng console=hvc0',
    '64 --block disk.img vmlinux root=/dev/vda console=hvc0 --rng',
  ];
  for (const form of forms) {
    const options = parse(form);
    t.equal(options.memory, 64 * MiB, form);
    t.equal(options.kernel, 'vmlinux', form);
    t.equal(options.commandLine, 'root=/dev/vda console=hvc0', form);
    t.strictSame(names(options.devices), ['disk.img', 'rng'], form);
  }
  t.end();
});

t.test('kernel arguments stay as they were written', (t) => {
  const options = parse('64 vmlinux 0x10 007 1.50 a.b=c no-thing camelCase=1 mem=nopentium -- --single -s lguest.x=y');
  t.equal(options.commandLine, '0x10 007 1.50 a.b=c no-thing camelCase=1 mem=nopentium --single -s lguest.x=y');
  t.end();
});

t.test('the order of device options across kinds is the order of devices', (t) => {
  t.strictSame(names(parse('--rng --block=b --net --block=a,ro 64 k').devices), ['rng', 'b', 'net', 'a']);
  t.strictSame(names(parse('--block --rng 64 k').devices), ['--rng'], 'a value is a value, whatever it looks like');
  t.strictSame(names(parse('64 k -- --block=x --rng').devices), [], 'not behind --');
  t.strictSame(names(parse('64 --net k').devices), ['net'], '--net takes no word away');
  t.end();
});

t.test('disks: read-only, snapshot, id', (t) => {
  const disk = (text: string): DeviceSpec | undefined => parse(`--block=${text} 64 k`).devices[0];
  t.strictSame(disk('a.img'), block('a.img'));
  t.strictSame(disk('a.img,ro'), block('a.img', { readonly: true }));
  t.strictSame(disk('a.img,snapshot,id=root'), block('a.img', { snapshot: true, id: 'root' }));
  t.strictSame(disk('a,b.img'), block('a,b.img'), 'a comma may belong to the name');
  t.strictSame(disk('a,b.img,ro'), block('a,b.img', { readonly: true }));
  t.strictSame(parse('--snapshot --block=a --block=b 64 k').devices, [
    block('a', { snapshot: true }),
    block('b', { snapshot: true }),
  ]);
  t.throws(() => parse('--block=a,id=123456789012345678901 64 k'), { code: 'ERR_LGUEST_DISK' });
  refused(t, '--block= 64 k', /needs a disk image/);
  t.end();
});

t.test('memory as people write it', (t) => {
  const sizes: [number | string, number][] = [
    [64, 64],
    ['64', 64],
    ['64M', 64],
    ['64m', 64],
    ['64MiB', 64],
    ['64MB', 64],
    ['1G', 1024],
    ['0.5G', 512],
    ['.5g', 512],
    ['8192K', 8],
    ['3G', 3072],
    ['2', 2],
  ];
  for (const [size, mib] of sizes) t.equal(memoryBytes(size), mib * MiB, String(size));
  t.equal(memoryBytes('4097K'), 4 * MiB, 'whole pages');
  for (const size of ['', 'abc', '64X', '-64', '64,5', '1e9', 'NaN', '0x40', '6 4', Infinity, NaN]) {
    t.throws(() => memoryBytes(size), { message: /is not a memory size/ }, String(size));
  }
  for (const size of ['0', '1', '0.001', '4K', 0]) t.throws(() => memoryBytes(size), { message: /too little/ });
  for (const size of ['4G', '4096', '1000000000', '99999G']) t.throws(() => memoryBytes(size), { message: /too much/ });
  refused(t, 'vmlinux 64', /"vmlinux" is not a memory size/);
  refused(t, '0 vmlinux', /0 is too little memory/);
  refused(t, '99G vmlinux', /99G is too much memory/);
  t.end();
});

t.test('what cannot be understood gets one line that helps', (t) => {
  refused(t, '', /what shall I boot\?/);
  refused(t, '64', /which kernel\?/);
  refused(t, '--bock=x 64 k', /unknown option --bock: did you mean --block\?/);
  refused(t, '--blokc=x 64 k', /did you mean --block\?/);
  refused(t, '--frobnicate 64 k', /unknown option --frobnicate: see lguest --help/);
  refused(t, '64 vmlinux --single', /a kernel argument that starts with a dash goes after --/);
  refused(t, '-x 64 k', /unknown option -x: see lguest --help/);
  refused(t, '-qx=1 64 k', /unknown option -x/);
  refused(t, '64 k --block', /--block needs a value: --block=FILE\[,OPT\]/);
  refused(t, '--tunnet=192.168.19.1 64 k', /TAP devices are not supported; --net=none/);
  refused(t, '--net=user 64 k', /none \(a card without a cable\)/);
  refused(t, '--net=none,zz 64 k', /failed to parse MAC address 'zz'/);
  refused(t, '--chroot=/tmp 64 k', /use "chroot \/tmp lguest/);
  refused(t, '--timeout=soon 64 k', /give a time, such as 90s/);
  refused(t, '--timeout=0s 64 k', /give a time/);
  refused(t, '--until=( 64 k', /--until: .*[Uu]nterminated/);
  refused(t, '--escape=x 64 k', /give a control key, such as \^A/);
  refused(t, '--stdin-eof=explode 64 k', /--stdin-eof=explode: give one of ignore, ctrl-d, poweroff/);
  refused(t, '--engine=warp 64 k', /--engine=warp: give one of translate/);
  refused(t, '--log-format=xml 64 k', /--log-format=xml: give one of text, json/);
  refused(t, '64 k', /LGUEST_LOG=loud: give one of trace/, { LGUEST_LOG: 'loud' });
  t.end();
});

t.test('unique abbreviations work as in getopt_long', (t) => {
  t.equal(parse('--init=x.gz 64 k').initrd, 'x.gz');
  t.equal(parse('--no-u 64 k').noUnpack, true);
  refused(t, '--s=1 64 k', /--s could be --snapshot or --strip-cr or --stdin-eof or --stats/);
  t.end();
});

t.test('everything else that can be asked for', (t) => {
  const plain = parse('64 k');
  t.match(plain, {
    noUnpack: false,
    stripCr: false,
    stdinEof: 'ignore',
    noReboot: false,
    quiet: false,
    stats: false,
    logLevel: 'warn',
  });
  const options = parse(
    '--initrd=a --initrd=b --timeout=5m --until=log.n: --fail-on panic --no-reboot --no-unpack -q --escape=^A --strip-cr ' +
      '--stdin-eof=ctrl-d --console-log=l --stats --engine=evaluate --username=nobody --net=none,02:00:00:00:00:01 64 k',
  );
  t.equal(options.initrd, 'b', 'the last one counts');
  t.equal(options.timeout, 300_000);
  t.ok(options.until?.test('login:'));
  t.ok(options.failOn?.test('kernel panic'));
  t.match(options, {
    noReboot: true,
    noUnpack: true,
    quiet: true,
    escape: 1,
    stripCr: true,
    stdinEof: 'ctrl-d',
    consoleLog: 'l',
  });
  t.match(options, { stats: true, engine: 'evaluate', username: 'nobody', logLevel: 'error' });
  t.strictSame(options.devices, [{ kind: 'net', backend: 'none', mac: Uint8Array.of(2, 0, 0, 0, 0, 1) }]);
  t.equal(parse('--timeout=90 64 k').timeout, 90_000);
  t.equal(parse('--timeout=250ms 64 k').timeout, 250);
  t.equal(parse('-v 64 k').logLevel, 'info');
  t.equal(parse('-vv 64 k').logLevel, 'debug');
  t.equal(parse('-v -v --verbose 64 k').logLevel, 'trace');
  t.equal(parse('--log-level=silent -v 64 k').logLevel, 'silent');
  t.equal(parse('--log-format=json 64 k').logFormat, 'json');
  t.equal(parse('--escape=none 64 k').escape, undefined);
  t.end();
});

t.test('the environment', (t) => {
  t.equal(parse('64', { LGUEST_KERNEL: '/boot/vmlinux' }).kernel, '/boot/vmlinux');
  t.equal(parse('64 k', { LGUEST_KERNEL: '/boot/vmlinux' }).kernel, 'k');
  t.equal(parse('64 k', { LGUEST_LOG: 'debug' }).logLevel, 'debug');
  t.equal(parse('64 k', { LGUEST_LOG_FORMAT: 'json' }).logFormat, 'json');
  t.equal(parse('64 k', { LGUEST_COMPAT: 'c' }).compatible, true);
  t.equal(parse('64 k', { LGUEST_SOMETHING: 'x' }).compatible, false, 'unknown variables are none of our business');
  t.end();
});

t.test('--demo needs no kernel', (t) => {
  t.match(parse('--demo'), { kernel: undefined, memory: 32 * MiB });
  t.match(parse('--demo 16M a b'), { kernel: undefined, memory: 16 * MiB, commandLine: 'a b' });
  t.end();
});

t.test('--help tells about every option and the ways out', (t) => {
  t.strictSame(parseCommandLine(['--help']), { kind: 'help' });
  t.strictSame(parseCommandLine(['-h', '64', 'k']), { kind: 'help' });
  t.strictSame(parseCommandLine(['-V']), { kind: 'version' });
  const help = helpText();
  for (const name of Object.keys(OPTIONS)) t.ok(help.includes(`--${name}`), name);
  t.match(help, /press \^C three times within a second/);
  t.match(help, /lguest \[options\] <memory> <vmlinux\|bzImage>/);
  t.ok(
    help.split('\n').every((line) => line.length <= 110),
    'it fits on a screen',
  );
  t.end();
});

t.test('spelling', (t) => {
  t.equal(editDistance('block', 'block'), 0);
  t.equal(editDistance('bolck', 'block'), 1, 'neighbours swapped');
  t.equal(editDistance('', 'abc'), 3);
  t.equal(editDistance('kitten', 'sitting'), 3);
  t.equal(nearest('initrd', ['block', 'intrd']), 'intrd');
  t.equal(nearest('zzz', ['block']), undefined);
  t.end();
});
