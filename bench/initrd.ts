// The programs that are measured: built for i386, and added to an initrd that somebody else made.
//
// What comes of it is packed as what was given: in one piece, as initrds are.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { NEWC_ALIGNMENT } from '../guest-abi/linux/cpio.js';
import { packFolder } from '../launcher/kernel/cpio.js';
import { isGzip } from '../launcher/kernel/gzip.js';
import { alignUp } from '../lib/bits.js';
import { SSE2 } from './rows.js';

/** bench/workloads; this file runs from dist/bench. */
const SOURCES = fileURLToPath(new URL('../../bench/workloads/', import.meta.url));
const COMMON_FLAGS = ['-m32', '-static', '-O2', '-s', '-Wall', '-Wextra'];

/** The two builds of all programs: doubles on the x87, and doubles in the registers of SSE2. */
const BUILDS = {
  'workloads-x87': ['-march=i686', '-mno-sse', '-mfpmath=387'],
  'workloads-sse2': ['-march=pentium4', '-msse2', '-mfpmath=sse', `-DBUILD="${SSE2}"`],
} as const;
export type Program = keyof typeof BUILDS;

/** Where init and programs are in the Guest. */
export const INIT = '/bench/init';

/** Builds the programs into `folder`/bench. */
export function buildPrograms(folder: string): void {
  const target = join(folder, 'bench');
  mkdirSync(target, { recursive: true });
  const sources = readdirSync(SOURCES)
    .filter((name) => name.endsWith('.c'))
    .map((name) => join(SOURCES, name));
  for (const [program, flags] of Object.entries(BUILDS)) {
    execFileSync('gcc', [...COMMON_FLAGS, ...flags, '-o', join(target, program), ...sources], { stdio: 'inherit' });
  }
  copyFileSync(join(SOURCES, 'init'), join(target, 'init'));
  chmodSync(join(target, 'init'), 0o755);
}

export const programPath = (folder: string, program: Program): string => join(folder, 'bench', program);

/**
 * The given initrd with what is in `folder` behind it; that alone, if none is given. What gzip did not pack stays as it is, for Linux
 * takes several archives one behind the other, packed or not.
 */
export function addToInitrd(initrd: string | undefined, folder: string): Buffer {
  if (initrd === undefined) return packFolder(folder);
  const given = readFileSync(initrd);
  const packed = isGzip(given);
  const archive = packed ? gunzipSync(given) : given;
  const padding = Buffer.alloc(alignUp(archive.length, NEWC_ALIGNMENT) - archive.length);
  const whole = Buffer.concat([archive, padding, packFolder(folder)]);
  return packed ? gzipSync(whole, { level: 9 }) : whole;
}
