// Compiled code that is kept between runs: it may only ever make a difference to speed.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { ProgramCache, cacheFolder } from '../../bin/program-cache.js';

const require = createRequire(import.meta.url);
const PROGRAM = `
'use strict';
const path = require('node:path');
exports.sum = (a, b) => a + b;
exports.here = [path.basename(__filename), path.basename(__dirname), module.filename === __filename];
`;

/** Loads a fresh copy of the program with `folder` as its cache, and keeps what has been compiled. */
function load(
  t: Test,
  folder: string,
  source = PROGRAM,
  use = (): void => undefined,
): { sum: (a: number, b: number) => number; here: unknown } {
  const file = join(t.testdirName, 'program.cjs');
  writeFileSync(file, source);
  delete require.cache[file];
  const cache = new ProgramCache(file, folder);
  cache.load();
  const exports = require(file) as ReturnType<typeof load>;
  t.equal(exports.sum(1, 2), 3, 'the program runs');
  use();
  cache.keep();
  return exports;
}

const fileIn = (folder: string): string => join(folder, readdirSync(folder)[0] ?? 'none');
/** Tells files apart: each is written anew and then renamed. */
const identity = (folder: string): number => statSync(fileIn(folder)).ino;

function testFolder(t: Test): string {
  return join(t.testdir({}), 'cache', 'lguest');
}

t.test('the first run leaves the code for the others, and whoever requires the program finds it done', async (t) => {
  const folder = testFolder(t);
  t.strictSame(load(t, folder).here, ['program.cjs', t.testdirName.split('/').at(-1), true]);
  t.equal(readdirSync(folder).length, 1, 'one file, and no unfinished one');
  t.equal(statSync(fileIn(folder)).mode & 0o777, 0o600);
  const first = identity(folder);
  load(t, folder);
  t.equal(identity(folder), first, 'it served');
});

t.test('a run that compiles much more than the first leaves its code for the others', async (t) => {
  const folder = testFolder(t);
  load(t, folder);
  const little = statSync(fileIn(folder)).size;
  const functions = Array.from({ length: 3000 }, (_, i) => `f${i}: (x) => x.map((y) => y + ${i}),`).join('\n');
  const source = `${PROGRAM}\nexports.many = {${functions}};`;
  const calls = (): void => {
    const { many } = require(join(t.testdirName, 'program.cjs')) as { many: Record<string, (x: number[]) => void> };
    for (const each of Object.values(many)) each([1, 2, 3]);
  };
  load(t, folder, source);
  const before = identity(folder);
  load(t, folder, source, calls);
  t.not(identity(folder), before);
  t.ok(statSync(fileIn(folder)).size > little * 2);
  const after = identity(folder);
  load(t, folder, source, calls);
  t.equal(identity(folder), after, 'once');
});

t.test('what is not as it should be is made again', async (t) => {
  const folder = testFolder(t);
  load(t, folder);
  const good = readFileSync(fileIn(folder));
  const broken: Record<string, Buffer> = {
    'one bit': Buffer.from(good.map((byte, i) => (i === good.length >> 1 ? byte ^ 1 : byte))),
    'cut off': good.subarray(0, good.length >> 1),
    'nearly nothing': good.subarray(0, 7),
    nothing: Buffer.alloc(0),
    'something else': Buffer.alloc(1000, 'x'),
  };
  for (const [name, bytes] of Object.entries(broken)) {
    writeFileSync(fileIn(folder), bytes);
    load(t, folder);
    t.ok(existsSync(fileIn(folder)) && readFileSync(fileIn(folder)).length > 1000, name);
    t.notSame(readFileSync(fileIn(folder)), bytes, name);
  }
});

t.test('another program of the same length does not run as the one before', async (t) => {
  const folder = testFolder(t);
  load(t, folder);
  const before = identity(folder);
  const other = PROGRAM.replace('a + b', 'b + a');
  t.equal(other.length, PROGRAM.length);
  t.match(load(t, folder, other).sum.toString(), 'b + a');
  t.not(identity(folder), before);
});

t.test('code that others could have written is not run', { skip: process.geteuid === undefined }, async (t) => {
  const folder = testFolder(t);
  load(t, folder);
  const before = identity(folder);
  chmodSync(fileIn(folder), 0o666);
  load(t, folder);
  t.not(identity(folder), before);
});

t.test('a folder that cannot be had is no trouble', async (t) => {
  const folder = join(t.testdir({ file: 'not a folder' }), 'file', 'lguest');
  load(t, folder);
  mkdirSync(join(t.testdirName, 'empty'));
  const taken = testFolder(t);
  load(t, taken);
  const path = fileIn(taken);
  mkdirSync(join(t.testdirName, 'again', path.split('/').at(-1) ?? ''), { recursive: true });
  load(t, join(t.testdirName, 'again'));
  t.equal(readdirSync(join(t.testdirName, 'again')).length, 1, 'nothing unfinished stays');
});

t.test('where it is kept is the environment’s to say', async (t) => {
  const home = cacheFolder({ XDG_CACHE_HOME: t.testdir({}) });
  t.equal(home, join(t.testdirName, 'lguest'));
  t.equal(cacheFolder({ LGUEST_CACHE: '/somewhere', XDG_CACHE_HOME: '/else' }), '/somewhere');
  t.equal(cacheFolder({ LGUEST_CACHE: 'off' }), undefined);
  t.equal(cacheFolder({ LGUEST_CACHE: '' }), undefined);
  t.match(cacheFolder({ XDG_CACHE_HOME: 'not/absolute' }) ?? homedir(), homedir());
});

t.test('the command keeps its code after a run, and only then', async (t) => {
  const folder = testFolder(t);
  const lguest = (args: readonly string[], input = ''): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [fileURLToPath(new URL('../../../bin/lguest.cjs', import.meta.url)), ...args], {
      env: { LGUEST_CACHE: folder, PATH: process.env['PATH'] },
      input,
    });
  t.equal(lguest(['--version']).status, 0);
  t.equal(lguest(['64', '/no/such/kernel']).status, 1);
  t.notOk(existsSync(folder));
  t.equal(lguest(['--demo'], 'poweroff\n').status, 0);
  const first = identity(folder);
  t.equal(lguest(['--demo'], 'poweroff\n').status, 0);
  t.equal(identity(folder), first);
});
