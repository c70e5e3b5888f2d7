// Files as disks. What is in the file is what is on the disk, sector by sector: no format is ever guessed from contents,
// which the Guest can write.
import fs from 'node:fs';
import { VIRTIO_BLK_SECTOR_SIZE } from '../../guest-abi/virtio/virtio-blk.js';
import { UserError } from '../../lib/errors.js';
import type { Logger } from '../../lib/log.js';
import { describeFileError, errorCode } from '../file-errors.js';
import type { DiskError, DiskImage } from './disk-image.js';
import { SnapshotImage } from './snapshot-image.js';

export interface DiskOptions {
  readonly readonly?: boolean;
  /** What the Guest writes is kept in memory and forgotten at the end. */
  readonly snapshot?: boolean;
}

const ERR_BAD_DISK = 'ERR_LGUEST_BAD_DISK';
const SECTOR = VIRTIO_BLK_SECTOR_SIZE;

/** @throws UserError when the file cannot be a disk */
export function openDisk(path: string, options: DiskOptions, log: Logger): DiskImage {
  const { readonly: readOnly = false, snapshot = false } = options;
  const file = new FileImage(path, readOnly || snapshot);
  if (looksLikeQcow2(file)) {
    log.warn(
      `${path} looks like a qcow2 image and is used as it is, raw: "qemu-img convert -O raw" makes a disk of it`,
    );
  }
  return snapshot ? new SnapshotImage(file, readOnly) : file;
}

/** A hint only: the first bytes of a disk are the Guest's to write, so they never decide anything. */
function looksLikeQcow2(image: DiskImage): boolean {
  const magic = new Uint8Array(4);
  return image.read(0, [magic]) === undefined && new TextDecoder('latin1').decode(magic) === 'QFI\xfb';
}

class FileImage implements DiskImage {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly #fd: number;

  constructor(path: string, readOnly: boolean) {
    this.readOnly = readOnly;
    const bytes = sizeOfDisk(path);
    try {
      this.#fd = fs.openSync(path, readOnly ? 'r' : 'r+');
    } catch (error) {
      const writable = !readOnly && ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '');
      if (!writable) throw describeFileError(ERR_BAD_DISK, 'the disk', path, error);
      const hint = `add ",ro" for a read-only disk, or ",snapshot" to forget what is written`;
      throw new UserError(ERR_BAD_DISK, `cannot open the disk ${path} for writing: ${hint}`, { cause: error });
    }
    this.sectors = Math.floor(bytes / SECTOR);
  }

  read(position: number, into: readonly Uint8Array[]): DiskError {
    return transfer(into, position, (views, at) => fs.readvSync(this.#fd, views, at));
  }

  write(position: number, from: readonly Uint8Array[]): DiskError {
    return transfer(from, position, (views, at) => fs.writevSync(this.#fd, views, at));
  }

  flush(): DiskError {
    return attempt(() => fs.fdatasyncSync(this.#fd));
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

/** Bytes of a regular file. Asked before it is opened: opening a FIFO would wait for somebody to write to it. */
function sizeOfDisk(path: string): number {
  let stats: fs.Stats;
  try {
    stats = fs.statSync(path);
  } catch (error) {
    throw describeFileError(ERR_BAD_DISK, 'the disk', path, error);
  }
  if (!stats.isFile()) throw new UserError(ERR_BAD_DISK, `cannot use ${path} as a disk: it is not a regular file`);
  if (stats.size < SECTOR) {
    throw new UserError(ERR_BAD_DISK, `cannot use ${path} as a disk: it is shorter than one sector of ${SECTOR} bytes`);
  }
  return stats.size;
}

/** Repeats a system call that may do less than it was asked to. Nothing done means the file has become shorter. */
function transfer(
  views: readonly Uint8Array[],
  position: number,
  call: (views: Uint8Array[], at: number) => number,
): DiskError {
  let left = [...views];
  let at = position;
  return attempt(() => {
    while (left.length > 0) {
      const done = call(left, at);
      if (done === 0) throw new Error('the file is shorter than it was');
      at += done;
      left = skipBytes(left, done);
    }
  });
}

function skipBytes(views: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  return views.flatMap((view) => {
    const part = view.subarray(Math.min(skip, view.length));
    skip -= view.length - part.length;
    return part.length > 0 ? [part] : [];
  });
}

function attempt(io: () => void): DiskError {
  try {
    io();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
