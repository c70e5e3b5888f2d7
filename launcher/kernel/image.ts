// A kernel file as its loaders see it: something with a size that can be read at an offset.
//
// A vmlinux with debug information is hundreds of megabytes of which a dozen are loaded, so files are read in pieces
// and never as a whole.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../../lib/errors.js';
import { describeFileError } from '../file-errors.js';

export interface KernelImage {
  /** What messages call it. */
  readonly name: string;
  readonly size: number;
  /** The bytes from `offset` on; fewer than `length` only at the end of the image. */
  read(offset: number, length: number): Uint8Array;
  /** Copies them to where they are to be. @returns how many there were */
  readInto(offset: number, bytes: Uint8Array): number;
  close(): void;
}

export function kernelImageFromBytes(bytes: Uint8Array, name = 'kernel'): KernelImage {
  return {
    name,
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, Math.min(offset + length, bytes.length)),
    readInto(offset, into) {
      const found = this.read(offset, into.length);
      into.set(found);
      return found.length;
    },
    close: () => undefined,
  };
}

/** @throws UserError when there is no such file, or it is none that one can seek in. */
export function openKernelImage(path: string): KernelImage {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw describeFileError('ERR_LGUEST_KERNEL_FILE', 'the kernel', path, error);
  }
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    const what = stat.isDirectory() ? 'a folder' : 'not a regular file';
    throw new UserError('ERR_LGUEST_KERNEL_FILE', `${path} is ${what}: give the kernel's vmlinux or bzImage file`);
  }
  return {
    name: path,
    size: stat.size,
    read(offset, length) {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, this.readInto(offset, bytes));
    },
    readInto(offset, bytes) {
      try {
        return readAt(fd, offset, bytes);
      } catch (error) {
        // A bad sector, a share that has gone: whoever owns the file must know, and we have made no mistake.
        throw describeFileError('ERR_LGUEST_KERNEL_FILE', 'the kernel', path, error, 'read');
      }
    },
    close: () => closeSync(fd),
  };
}

function readAt(fd: number, offset: number, bytes: Uint8Array): number {
  let filled = 0;
  while (filled < bytes.length) {
    const got = readSync(fd, bytes, filled, bytes.length - filled, offset + filled);
    if (got === 0) break;
    filled += got;
  }
  return filled;
}
