// `npm run bench -- --growth`: how boot time and memory grow with the memory that the Guest is given, and with the size of the
// code that it runs.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runAndMeasure, type Run } from './measure.js';
import { commands, type Setting } from './peers.js';
import { BOOT } from './rows.js';
import { type Counts, readStats } from './stats-lines.js';
import { digits, formatTable } from './table.js';

const SOURCES = fileURLToPath(new URL('../../bench/code-size/', import.meta.url));
const MEGABYTE = 2 ** 20;
const GUEST_MEGABYTES = [32, 128, 512, 2048];
const CODE_KILOBYTES = [16, 64, 256, 1024, 4096, 16_384];
/** Beside the code, whose program is 17 MB. */
const MEGABYTES_FOR_CODE = 128;
/** The row that tells of the end of the boot where no Linux tells of user space. */
const SMALLEST = 'memmove';

/** Adds the program with much code to the others. */
export function buildCode(folder: string): void {
  const sources = ['code.S', 'main.c'].map((name) => join(SOURCES, name));
  execFileSync('gcc', ['-m32', '-static', '-O2', '-s', '-o', join(folder, 'bench', 'code'), ...sources]);
}

async function ours(setting: Setting, rows: readonly string[], toTheEnd: boolean): Promise<Run> {
  const [command] = commands('lguest', setting, rows);
  if (command === undefined) throw new Error('no command of ours');
  return runAndMeasure({ ...command, toTheEnd, ramBytes: setting.memoryMB * MEGABYTE });
}

const megabytes = (bytes: number): string => digits(bytes / MEGABYTE);

async function byGuestMemory(setting: Setting): Promise<string> {
  const lines: string[][] = [];
  for (const memoryMB of GUEST_MEGABYTES) {
    const { rows } = await ours({ ...setting, memoryMB }, setting.kernel === undefined ? [SMALLEST] : [], false);
    const boot = rows.get(BOOT) ?? rows.get(SMALLEST);
    if (boot === undefined) throw new Error(`nothing came of a Guest of ${memoryMB} MB`);
    const { resident, guest } = boot.memory;
    lines.push([
      `${memoryMB} MB`,
      digits(boot.cpu),
      digits(boot.wall),
      megabytes(resident),
      megabytes(guest),
      megabytes(resident - guest),
    ]);
  }
  const head = [
    'Guest memory',
    'boot, processor time, s',
    'wall, s',
    'process, MB',
    "the Guest's own, MB",
    'beyond, MB',
  ];
  return formatTable(head, lines);
}

const CODE_COLUMNS: readonly (readonly [title: string, of: (counts: Counts) => number])[] = [
  ['instructions decoded', (counts) => counts['instructions decoded'] ?? 0],
  ['flushes', (counts) => counts['code cache flushes'] ?? 0],
  ['regions made', (counts) => counts['regions translated'] ?? 0],
  ['at the end', (counts) => counts['regions at the end'] ?? 0],
  ['their WebAssembly, KB', (counts) => Math.round((counts['bytes of WebAssembly at the end'] ?? 0) / 1024)],
];

async function byCode(setting: Setting): Promise<string> {
  const lines: string[][] = [];
  for (const kilobytes of CODE_KILOBYTES) {
    const name = `code-${kilobytes}`;
    const small = { ...setting, memoryMB: MEGABYTES_FOR_CODE };
    const row = (await ours(small, [name], false)).rows.get(name);
    if (row === undefined) throw new Error(`nothing came of ${kilobytes} KB of code`);
    const counts = readStats((await ours({ ...small, options: ['--stats'] }, [name], true)).log);
    const { resident, guest } = row.memory;
    const numbers = CODE_COLUMNS.map(([, of]) => String(of(counts)));
    lines.push([`${kilobytes} KB`, digits(row.cpu), megabytes(resident - guest), ...numbers]);
  }
  const head = [
    'code',
    '4 M calls, processor time, s',
    'memory beyond the Guest’s own, MB',
    ...CODE_COLUMNS.map(([title]) => title),
  ];
  return formatTable(head, lines);
}

/** @param initrd one in which the program with much code is too */
export const growth = async (setting: Setting, initrd: string): Promise<string> =>
  `By the memory of the Guest\n\n${await byGuestMemory(setting)}\n\nBy the size of the code\n\n${await byCode({ ...setting, initrd })}`;
