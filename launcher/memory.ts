// How much memory a Guest gets, as people write it.
import { KiB, MiB } from '../lib/bits.js';
import { EXIT_USAGE, UserError } from '../lib/errors.js';

const PAGE_SIZE = 4096;
const GiB = 1024 * MiB;
const UNITS: Readonly<Record<string, number>> = { '': MiB, k: KiB, m: MiB, g: GiB };

/** The boot parameters and a kernel at 1M have to fit in somehow. */
export const MIN_MEMORY = 2 * MiB;
/** Linux maps its memory from PAGE_OFFSET on, and even with PAGE_OFFSET=1G there are no more than these. */
export const MAX_MEMORY = 3 * GiB;

/**
 * Bytes of RAM, in whole pages. A number without a unit counts megabytes, as in the original.
 *
 * @param size 64, '64', '64M', '0.5G', '8192K'
 * @throws UserError ERR_LGUEST_MEMORY for what is no size, and for sizes that no Guest can have
 */
export function memoryBytes(size: number | string): number {
  const match = /^(\d+(?:\.\d*)?|\.\d+)([kmg]?)(?:i?b)?$/i.exec(String(size).trim());
  const unit = UNITS[(match?.[2] ?? '').toLowerCase()];
  if (match === null || unit === undefined) {
    throw bad(`"${size}" is not a memory size: give megabytes, such as 64, or 64M, 1G, 0.5G`);
  }
  const bytes = Math.floor((Number(match[1]) * unit) / PAGE_SIZE) * PAGE_SIZE;
  if (bytes < MIN_MEMORY) {
    throw bad(`${size} is too little memory: a Guest needs ${MIN_MEMORY / MiB}M at least, Linux 24M or more`);
  }
  if (bytes > MAX_MEMORY) {
    throw bad(`${size} is too much memory: a 32-bit Guest can use ${MAX_MEMORY / GiB}G at most`);
  }
  return bytes;
}

const bad = (message: string): UserError => new UserError('ERR_LGUEST_MEMORY', message, { exitStatus: EXIT_USAGE });
