// Test programs of QEMU and valgrind: what they print natively they print in the reference Guest, under every engine.
//
// They are in the folder that LGUEST_TEST_PROGRAMS names, which prepare.sh beside this file has filled.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { buffer } from 'node:stream/consumers';
import { createGuest, referenceGuest } from '../../launcher/index.js';
import { comparable } from './explained.js';

const PATIENCE = 600_000;
const MEGABYTES = { translate: 160, interpret: 160, evaluate: 24 } as const;
const MOST_OUTPUT = 2 ** 28;

/** So that the libc of a program takes the ways for our CPU natively, too. */
const TUNABLES = 'glibc.cpu.hwcaps=-FMA,-FMA4,-AVX,-AVX2,-SSE4_1,-SSE4_2,-SSSE3';

/** The evaluator is there for comparing, not for speed: some of the short ones. */
const UNDER_THE_EVALUATOR = /^bin\/(insn_mmxext|aad_aam|jcxz)\b/;

t.setTimeout(3 * PATIENCE);

const folder = process.env['LGUEST_TEST_PROGRAMS'];
const skip =
  folder === undefined && 'LGUEST_TEST_PROGRAMS names no folder of programs (tests/external/prepare.sh fills one)';
const runner = fileURLToPath(new URL('../../../tests/programs/each.c', import.meta.url));

/** What was printed, by command. */
function split(printed: Buffer): Map<string, string> {
  const parts = printed.toString('latin1').replaceAll('\r', '').split(/^== /m).slice(1);
  return new Map(
    parts.map((part) => {
      const [command = '', ...lines] = part.split('\n');
      return [command, comparable(/\w[\w-]*(?= |$)/.exec(command)?.[0] ?? '', lines.join('\n'))];
    }),
  );
}

/** A folder with the programs of these commands, and what runs them. */
function prepare(programs: string, commands: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'lguest-external-'));
  for (const [program = ''] of commands.map((command) => command.split(' '))) {
    cpSync(join(programs, program), join(root, program));
  }
  writeFileSync(join(root, 'commands'), `${commands.join('\n')}\n`);
  execFileSync('gcc', ['-m32', '-static', '-O1', '-w', runner, '-o', join(root, 'each')]);
  return root;
}

for (const engine of ['translate', 'interpret', 'evaluate'] as const) {
  t.test(`programs of QEMU and valgrind print what they print natively, ${engine}`, { skip }, async (t) => {
    t.setTimeout(PATIENCE);
    const all = readFileSync(join(folder ?? '', 'commands'), 'utf8')
      .trim()
      .split('\n');
    const commands = all.filter((command) => engine !== 'evaluate' || UNDER_THE_EVALUATOR.test(command));
    const root = prepare(folder ?? '', commands);
    t.teardown(() => rmSync(root, { recursive: true }));
    const native = spawnSync('./each', ['commands'], {
      cwd: root,
      maxBuffer: MOST_OUTPUT,
      env: { GLIBC_TUNABLES: TUNABLES },
    });
    const guest = await createGuest({
      memory: MEGABYTES[engine],
      kernel: referenceGuest(),
      cmdline: 'quiet init=/bin/nothing run="run /each /commands;poweroff"',
      initrd: root,
      engine,
      timeout: PATIENCE,
    });
    t.teardown(() => guest.close());
    const [printed] = await Promise.all([buffer(guest.console), guest.run()]);
    const [wanted, found] = [split(native.stdout), split(printed)];
    t.equal(wanted.size, commands.length, 'all of them run natively');
    for (const [command, text] of wanted) t.equal(found.get(command), text, command);
  });
}
