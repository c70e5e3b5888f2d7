// The initial ramdisk: a folder packed on the spot, or a file. What gzip has packed is unpacked here, as boot loaders do, if that
// makes no difference but in time; all else goes as it is, since Linux itself recognises gzip and the rest, and says what is wrong.
//
// It goes to the very top of memory, as the original has it: whatever the kernel needs at the bottom, it stays clear.
import { type Stats, closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { MiB, alignUp } from '../../lib/bits.js';
import { UserError } from '../../lib/errors.js';
import { describeFileError } from '../file-errors.js';
import { isArchive, packFolder } from './cpio.js';
import { isGzip, unpackGzip } from './gzip.js';

const PAGE_SIZE = 4096;
/** What a 32-bit Linux maps of its memory, where it wants the initrd to be: it panics at one of more than half of that. */
const LOW_MEMORY = 896 * MiB;
/** Of the memory beside the kernel, a quarter may be an unpacked archive: while Linux makes files of it there is everything twice. */
const SHARE = 1 / 4;

const bad = (message: string): UserError => new UserError('ERR_LGUEST_INITRD', message);

/** How large an archive may be to be handed over unpacked. */
export const roomUnpacked = (top: number, kernelEnd: number): number =>
  Math.max(0, Math.floor((Math.min(top, LOW_MEMORY) - kernelEnd) * SHARE));

/**
 * The archive that gzip has packed, if it is one. Never rejects: whatever is wrong is found again by whoever reads the initrd
 * to hand it over as it is.
 *
 * @param ramBytes of the Guest, who gets nothing larger than `roomUnpacked` in the end
 */
export async function unpackInitrd(source: string | Uint8Array, ramBytes: number): Promise<Buffer | undefined> {
  try {
    const packed = readPacked(source, ramBytes);
    const archive = packed && (await unpackGzip(packed, roomUnpacked(ramBytes, 0)));
    return archive !== undefined && isArchive(archive) ? archive : undefined;
  } catch {
    return undefined;
  }
}

/** A gzip file, or a copy of the caller's bytes: it is read while the caller goes on. */
function readPacked(source: string | Uint8Array, maxSize: number): Uint8Array | undefined {
  if (typeof source !== 'string') return isGzip(source) ? new Uint8Array(source) : undefined;
  const stat = statOf(source);
  if (!stat.isFile() || stat.size > maxSize || !isGzip(readFile(source, 2))) return undefined;
  return readFile(source);
}

/** The initrd's bytes, wherever they come from; never more than `maxSize`, whatever a file claims to be. */
export function readInitrd(source: string | Uint8Array, maxSize: number): Uint8Array {
  if (typeof source !== 'string') return source;
  const stat = statOf(source);
  if (stat.isDirectory()) return packFolder(source, { maxSize });
  if (!stat.isFile()) throw bad(`the initrd ${source} is neither a file nor a folder`);
  if (stat.size === 0) throw bad(`the initrd ${source} is empty`);
  if (stat.size > maxSize) throw tooLarge(source, stat.size, maxSize);
  return readFile(source);
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw describeFileError('ERR_LGUEST_INITRD', 'the initrd', path, error);
  }
}

/** Reads what the file has at the moment of opening: it may be growing, and a kernel would not like half of it. */
function readFile(path: string, most = Infinity): Uint8Array {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const bytes = Buffer.alloc(Math.min(fstatSync(fd).size, most));
    let filled = 0;
    while (filled < bytes.length) {
      const got = readSync(fd, bytes, filled, bytes.length - filled, null);
      if (got === 0) throw bad(`the initrd ${path} became shorter while it was read`);
      filled += got;
    }
    return bytes;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw describeFileError('ERR_LGUEST_INITRD', 'the initrd', path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

const mib = (bytes: number): string => `${(bytes / MiB).toFixed(1)}M`;

function tooLarge(name: string, size: number, room: number): UserError {
  return bad(`the initrd ${name} takes ${mib(size)}, and the Guest has room for ${mib(room)}: give it more memory`);
}

/**
 * Copies the initrd to the top of memory.
 *
 * @param kernelEnd first address behind the kernel, which the initrd may not touch
 * @param addressMax the highest address at which the kernel can use an initrd
 * @returns address and size in whole pages, as Linux is told
 */
export function loadInitrd(
  name: string,
  bytes: Uint8Array,
  ram: Uint8Array,
  kernelEnd: number,
  addressMax: number,
): { address: number; size: number } {
  if (bytes.length === 0) throw bad(`the initrd ${name} is empty`);
  const size = alignUp(bytes.length, PAGE_SIZE);
  const top = Math.floor(Math.min(ram.length, addressMax + 1) / PAGE_SIZE) * PAGE_SIZE;
  const address = top - size;
  if (address < kernelEnd) throw tooLarge(name, bytes.length, Math.max(0, top - kernelEnd));
  ram.set(bytes, address);
  return { address, size };
}
