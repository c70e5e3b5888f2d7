// `npm run bench -- --profile`: where the time of each row goes, and what was done how often.
//
// Two tables. Times come from one run of all rows under V8's profiler, which knows the main thread alone; what the other threads
// (V8's compilers) took is measured beside it. Counts come from runs of one row each with `--stats`, less those of a Guest that
// only boots: counting makes a run slower, and so no time is taken from these.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CpuProfile, sharesOf, TIERS } from './cpu-profile.js';
import { type Run, runAndMeasure } from './measure.js';
import { commands, type Setting } from './peers.js';
import { BOOT, BOOT_PACKED, ROWS } from './rows.js';
import { type Counts, readStats, withoutBeginning } from './stats-lines.js';
import { digits, formatTable } from './table.js';

/** The modules one by one: what is in a bundle has no room any more. */
const UNBUNDLED = fileURLToPath(new URL('unbundled.js', import.meta.url));
const SAMPLING_MICROSECONDS = 500;

const whatIs = (name: string): string => ROWS.find((row) => row.name === name)?.what ?? name;

async function runOurs(setting: Setting, rows: readonly string[]): Promise<Run> {
  const [command] = commands('lguest', setting, rows);
  if (command === undefined) throw new Error('no command of ours');
  const run = await runAndMeasure({ ...command, toTheEnd: true });
  if (run.log.length === 0) throw new Error('the Guest said nothing');
  return run;
}

/** Where the time goes. */
export async function profileTimes(setting: Setting, rows: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'lguest-profile-'));
  try {
    const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${SAMPLING_MICROSECONDS}`];
    const run = await runOurs({ ...setting, command: UNBUNDLED, nodeFlags: [...setting.nodeFlags, ...flags] }, rows);
    const [file = ''] = readdirSync(folder);
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile;
    const lines = rows.flatMap((name) => {
      const measured = run.rows.get(name);
      if (measured === undefined) return [];
      const shares = sharesOf(profile, measured.from, measured.to);
      const whole = TIERS.reduce((sum, tier) => sum + shares[tier], 0);
      const percent = TIERS.map((tier) => ((100 * shares[tier]) / whole).toFixed(1));
      return [[whatIs(name), digits(whole), digits(Math.max(0, measured.otherThreads)), ...percent]];
    });
    return formatTable(['work', 'main thread, s', 'other threads, s', ...TIERS.map((tier) => `${tier}, %`)], lines);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Columns of the second table, each the sum of some counts. */
const COLUMNS: readonly (readonly [title: string, of: (counts: Counts) => number])[] = [
  ['instructions, millions', (counts) => (counts['instructions'] ?? 0) / 1e6],
  ['of them translated, %', (counts) => (100 * (counts['translated'] ?? 0)) / (counts['instructions'] ?? NaN)],
  ['exits: budget', (counts) => counts['budget used up'] ?? 0],
  ['code not found', (counts) => counts['code not found'] ?? 0],
  ['page not granted', (counts) => counts['page not granted'] ?? 0],
  ['exception', (counts) => counts['exception'] ?? 0],
  ['software interrupt', (counts) => counts['software interrupt'] ?? 0],
  [
    'others',
    (counts) =>
      ['other mode', 'stale translation', 'debug interrupt', 'transfer refused'].reduce(
        (sum, name) => sum + (counts[name] ?? 0),
        0,
      ),
  ],
  ['to the Host', (counts) => counts['cpu entries'] ?? 0],
  ['page faults mended', (counts) => counts['page faults fixed'] ?? 0],
  ['hypercalls', (counts) => (counts['trap 31'] ?? 0) + (counts['queued hypercalls'] ?? 0)],
  ['to the Launcher', (counts) => (counts['port exits'] ?? 0) + (counts['device memory exits'] ?? 0)],
  ['instructions decoded', (counts) => counts['instructions decoded'] ?? 0],
  ['regions', (counts) => counts['regions translated'] ?? 0],
  ['WebAssembly, KB', (counts) => (counts['bytes of WebAssembly'] ?? 0) / 1024],
];

const rounded = (value: number): string => (value >= 1000 ? String(Math.round(value)) : digits(value));
const shown = (value: number): string => (Number.isInteger(value) ? String(value) : rounded(value));

/** What was done how often. */
export async function profileCounts(setting: Setting, rows: readonly string[]): Promise<string> {
  const counting: Setting = { ...setting, options: ['--stats'] };
  const boot = readStats((await runOurs(counting, [])).log);
  const lines: string[][] = [];
  for (const name of rows) {
    if (name === BOOT_PACKED) continue;
    const counts = name === BOOT ? boot : withoutBeginning(readStats((await runOurs(counting, [name])).log), boot);
    if ((counts['instructions'] ?? 0) === 0) continue;
    lines.push([whatIs(name), ...COLUMNS.map(([, of]) => shown(of(counts)))]);
  }
  return formatTable(['work', ...COLUMNS.map(([title]) => title)], lines);
}
