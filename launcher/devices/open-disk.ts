// Files as disks. What is in the file is what is on the disk, sector by sector: no format is ever guessed from contents,
// which the Guest can write.
import fs from 'node:fs';
import { VIRTIO_BLK_SECTOR_SIZE } from '../../guest-abi/virtio/virtio-blk.js';
import { UserError } from '../../lib/errors.js';
import type { Logger } from '../../lib/log.js';
import { describeFileError, errorCode } from '../file-errors.js';
import type { DiskError, DiskImage } from './disk-image.js';
import { type Overlay, SnapshotImage } from './snapshot-image.js';

export interface DiskOptions {
  readonly readonly?: boolean;
  /** What the Guest writes is kept in memory and forgotten at the end. */
  readonly snapshot?: boolean;
  /** What a snapshot begins with, and adds to. */
  readonly overlay?: Overlay;
}

const ERR_DISK = 'ERR_LGUEST_DISK';
const SECTOR = VIRTIO_BLK_SECTOR_SIZE;

/** @throws UserError when the file cannot be a disk */
export function openDisk(path: string, options: DiskOptions, log: Logger): DiskImage {
  const { readonly: readOnly = false, snapshot = false } = options;
  const file = openFile(path, readOnly || snapshot);
  if (looksLikeQcow2(file)) {
    const advice = '"qemu-img convert -O raw" makes a disk of it';
    log.warn(`${path} looks like a qcow2 image and is used as it is, raw: ${advice}`);
  }
  return snapshot ? new SnapshotImage(file, readOnly, options.overlay) : file;
}

/** A hint only: the first bytes of a disk are the Guest's to write, so they never decide anything. */
function looksLikeQcow2(image: DiskImage): boolean {
  const magic = Buffer.alloc(4);
  return image.read(0, [magic]) === undefined && magic.equals(Buffer.from('QFI\xfb', 'latin1'));
}

function openFile(path: string, readOnly: boolean): FileImage {
  let fd: number | undefined;
  try {
    // Asked before it is opened: opening a FIFO would wait for somebody to write to it.
    const stats = fs.statSync(path);
    if (!stats.isFile() && !stats.isBlockDevice()) throw unfit(path, 'it is neither a regular file nor a block device');
    fd = fs.openSync(path, readOnly ? 'r' : 'r+');
    const bytes = stats.isFile() ? fs.fstatSync(fd).size : sizeByReading(fd);
    if (bytes < SECTOR) throw unfit(path, `it is shorter than one sector of ${SECTOR} bytes`);
    return new FileImage(fd, Math.floor(bytes / SECTOR), readOnly);
  } catch (error) {
    if (fd !== undefined) fs.closeSync(fd);
    if (error instanceof UserError) throw error;
    const wantsToWrite = !readOnly && ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '');
    if (!wantsToWrite) throw describeFileError(ERR_DISK, 'the disk', path, error);
    const hint = 'add ",ro" for a read-only disk, or ",snapshot" to forget what is written';
    throw new UserError(ERR_DISK, `cannot open the disk ${path} for writing: ${hint}`, { cause: error });
  }
}

const unfit = (path: string, why: string): UserError => new UserError(ERR_DISK, `cannot use ${path} as a disk: ${why}`);

/** How many bytes there are in whole sectors, where no system call says it: as many as can be read. */
export function sizeByReading(fd: number): number {
  const sector = new Uint8Array(SECTOR);
  const there = (number: number): boolean => {
    try {
      return fs.readSync(fd, sector, 0, SECTOR, number * SECTOR) === SECTOR;
    } catch {
      return false;
    }
  };
  if (!there(0)) return 0;
  let present = 0;
  let missing = 1;
  while (there(missing)) [present, missing] = [missing, missing * 2];
  while (missing - present > 1) {
    const middle = Math.floor((present + missing) / 2);
    if (there(middle)) present = middle;
    else missing = middle;
  }
  return missing * SECTOR;
}

class FileImage implements DiskImage {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly #fd: number;

  constructor(fd: number, sectors: number, readOnly: boolean) {
    this.#fd = fd;
    this.sectors = sectors;
    this.readOnly = readOnly;
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
