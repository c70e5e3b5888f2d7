// Where QEMU does otherwise and a program can see it, a real CPU decides: real-cpu.c asks the one of this machine, by segments
// of an LDT. The answers are those of our CPU in the cases of the same names' kind, and of rules.ts.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';

const SOURCE = join(import.meta.dirname, '../../../tests/privilege/real-cpu.c');
/** What the program ends with when it may not have the pages or segments that it needs. */
const CANNOT = 77;

const RIGHT = [
  'far jump beyond the limit: trap 13, error 0, eip 0',
  'far call beyond the limit: trap 13, error 0, eip 0',
  'iret beyond the limit: trap 13, error 0, eip 8',
  'retf beyond the limit: trap 13, error 0, eip 7',
  'an instruction over the limit: trap 13, error 0, eip 7fd',
  'far call with its stack beyond the limit: trap 12, error 0, eip b',
  'iret with its stack beyond the limit: trap 12, error 0, eip b',
  'push beyond the limit: trap 12, error 0, eip b',
  'iret with VM: trap 6, error 0, eip 20',
  'a stack segment that is not present: trap 12, error c, eip 4',
  'int 1: trap 13, error a, eip 0',
  'a single step over lss: trap 1, error 0, eip 1c',
  'a single step over mov ss: trap 1, error 0, eip e',
  'add out of a read-only page: trap 14, error 6, eip 0, cr2 1fff',
  'add into a read-only page: trap 14, error 6, eip 0, cr2 1000',
  'add on no page: trap 14, error 6, eip 0, cr2 2000',
  'cs is not written to: trap 13, error 0, eip 0',
];

const directory = mkdtempSync(join(tmpdir(), 'lguest-real-cpu-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

/** What the program prints, or undefined where there is no such CPU, compiler or kernel. */
function answers(): string | undefined {
  if (process.platform !== 'linux' || !['x64', 'ia32'].includes(process.arch)) return undefined;
  const executable = join(directory, 'real-cpu');
  try {
    execFileSync('gcc', ['-m32', '-O1', '-fno-pie', '-no-pie', '-o', executable, SOURCE], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const { status, stdout } = spawnSync(executable, { encoding: 'utf8', timeout: 10_000 });
  return status === CANNOT ? undefined : stdout;
}

const found = answers();
const skip = found === undefined ? 'no x86 Linux with gcc -m32 and LDTs' : false;
t.test('a real CPU does what the rules say where QEMU does not', { skip }, async (t) => {
  t.same((found ?? '').trimEnd().split('\n'), RIGHT);
});
