// Who is compared: this machine itself, ours, and two other emulators, if they are there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { referenceGuest } from '../launcher/index.js';
import { INIT, type Program, programPath } from './initrd.js';
import type { Command } from './measure.js';
import { BOOT, BOOT_PACKED, ROWS, SSE2, isBoot } from './rows.js';

export const PEERS = ['native', 'lguest', 'qemu', 'v86'] as const;
export type Peer = (typeof PEERS)[number];

/** What all of them are given. */
export interface Setting {
  /** For lguest: it may be a bzImage too. Undefined: the reference Guest runs the programs. */
  readonly kernel: string | undefined;
  /** The same kernel for machines that begin in a BIOS. */
  readonly bzImage: string;
  readonly initrd: string;
  /** Where the programs were built. */
  readonly programs: string;
  readonly memoryMB: number;
  /** The folder of the npm package v86, and of the two BIOS images that it needs. */
  readonly v86: string | undefined;
  readonly bios: string;
  /** The command that is ours: another copy's, to compare two versions. */
  readonly command: string | undefined;
  readonly engine: string | undefined;
  readonly nodeFlags: readonly string[];
  /** More options of ours. */
  readonly options?: readonly string[];
  readonly timeoutMs: number;
}

const QEMU = 'qemu-system-i386';
const OURS = fileURLToPath(new URL('../../bin/lguest.cjs', import.meta.url));
const V86_MACHINE = fileURLToPath(new URL('v86-machine.js', import.meta.url));

const commandLine = (rows: readonly string[]): string =>
  `console=hvc0 quiet rdinit=${INIT} bench=${rows.filter((row) => !isBoot(row)).join(',')}`;

/** Which rows are for which build of the programs. */
const builds = (rows: readonly string[]): readonly [x87: string[], sse2: string[]] => [
  rows.filter((name) => !name.endsWith(SSE2)),
  rows.filter((name) => name.endsWith(SSE2)),
];

/** The reference Guest runs programs too; what needs others, or a shell, it has not. */
function referenceCommandLine(rows: readonly string[]): string {
  const [x87, sse2] = builds(
    rows.filter((name) => ROWS.some((row) => row.name === name && row.native && row.kind !== 'system')),
  );
  const run = (program: Program, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`run /bench/${program} ${names.join(' ')}`];
  const code = rows.filter((name) => name.startsWith('code-')).map((name) => `run /bench/code ${name}`);
  return `quiet run="${[...code, ...run('workloads-x87', x87), ...run('workloads-sse2', sse2), 'echo @done', 'poweroff'].join(';')}"`;
}

/** Node with ours, as a user starts it. */
function lguest(setting: Setting, rows: readonly string[]): Command {
  const engine = setting.engine === undefined ? [] : [`--engine=${setting.engine}`];
  const kernel = setting.kernel ?? referenceGuest();
  const options = [
    ...(setting.options ?? []),
    `--initrd=${setting.initrd}`,
    ...engine,
    String(setting.memoryMB),
    kernel,
  ];
  const line = setting.kernel === undefined ? referenceCommandLine(rows) : commandLine(rows);
  return {
    file: process.execPath,
    args: [...setting.nodeFlags, setting.command ?? OURS, ...options, line],
    clock: 'watched',
    timeoutMs: setting.timeoutMs,
  };
}

/** One run for all rows, but for the boot that is another one. */
function lguestRuns(setting: Setting, rows: readonly string[]): Command[] {
  if (!rows.includes(BOOT_PACKED) || setting.kernel === undefined) return [lguest(setting, rows)];
  const packing: Setting = { ...setting, options: [...(setting.options ?? []), '--no-unpack'] };
  const packed: Command = { ...lguest(packing, []), boots: [BOOT_PACKED] };
  const others = rows.filter((row) => row !== BOOT_PACKED);
  return others.length === 0 ? [packed] : [lguest(setting, others), packed];
}

/** QEMU's translator, and the console over the same virtio device that ours has. */
function qemu(setting: Setting, rows: readonly string[]): Command {
  const machine = ['-accel', 'tcg', '-m', String(setting.memoryMB), '-display', 'none', '-nic', 'none', '-no-reboot'];
  const console = ['-chardev', 'stdio,id=c', '-device', 'virtio-serial-pci', '-device', 'virtconsole,chardev=c'];
  const boot = ['-kernel', setting.bzImage, '-initrd', setting.initrd, '-append', commandLine(rows)];
  return {
    file: QEMU,
    args: [...machine, ...console, '-monitor', 'none', '-serial', 'none', ...boot],
    clock: 'watched',
    boots: [BOOT, BOOT_PACKED],
    timeoutMs: setting.timeoutMs,
  };
}

function v86(setting: Setting, rows: readonly string[]): Command {
  const { v86: folder = '', bios, bzImage, initrd, memoryMB } = setting;
  return {
    file: process.execPath,
    args: [V86_MACHINE, folder, bios, bzImage, initrd, String(memoryMB), commandLine(rows)],
    clock: 'watched',
    boots: [BOOT, BOOT_PACKED],
    timeoutMs: setting.timeoutMs,
  };
}

/** The programs themselves, one process for each build. */
function native(setting: Setting, rows: readonly string[]): Command[] {
  const [x87, sse2] = builds(rows.filter((name) => ROWS.some((row) => row.native && row.name === name)));
  const run = (program: Program, args: readonly string[]): Command[] =>
    args.length === 0
      ? []
      : [{ file: programPath(setting.programs, program), args, clock: 'own', timeoutMs: setting.timeoutMs }];
  return [...run('workloads-x87', x87), ...run('workloads-sse2', sse2)];
}

/** The processes that a peer needs for these rows. */
export function commands(peer: Peer, setting: Setting, rows: readonly string[]): Command[] {
  switch (peer) {
    case 'native':
      return native(setting, rows);
    case 'lguest':
      return lguestRuns(setting, rows);
    case 'qemu':
      return [qemu(setting, rows)];
    case 'v86':
      return [v86(setting, rows)];
  }
}

const commit = (): string =>
  firstLine(spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=12'], { encoding: 'utf8' }).stdout);

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

/** What a peer is, with its version; undefined when it is not here. */
export function describePeer(peer: Peer, setting: Setting): string | undefined {
  switch (peer) {
    case 'native':
      return 'the programs on this machine itself';
    case 'lguest': {
      const where = setting.command ?? `commit ${commit()}`;
      return `lguest, ${where}, Node ${process.versions.node}, V8 ${process.versions.v8}`;
    }
    case 'qemu': {
      const version = spawnSync(QEMU, ['--version'], { encoding: 'utf8' });
      return version.status === 0 ? `${firstLine(version.stdout)}, -accel tcg` : undefined;
    }
    case 'v86': {
      const manifest = join(setting.v86 ?? '', 'package.json');
      if (setting.v86 === undefined || !existsSync(manifest)) return undefined;
      const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
      return `v86 ${version}, Node ${process.versions.node}`;
    }
  }
}
