// A folder as an initramfs: packed in the newc format, without root, the same bytes every time. And is this such an archive?
//
// Everything belongs to root and carries one date, names are sorted, inode numbers count up, so that the archive
// depends only on what is in the folder. Hard links stay links: a busybox with its 300 names is stored once.
import { lstatSync, readFileSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import {
  CRC_MAGIC,
  NEWC_ALIGNMENT,
  NEWC_BLOCK,
  NEWC_FIELDS,
  NEWC_FIELD_DIGITS,
  NEWC_HEADER_SIZE,
  NEWC_MAGIC,
  NEWC_MAX_FILE_SIZE,
  NEWC_MAX_NAME_SIZE,
  NEWC_TRAILER,
  type NewcField,
} from '../../guest-abi/linux/cpio.js';
import { alignUp } from '../../lib/bits.js';
import { UserError } from '../../lib/errors.js';
import { describeFileError } from '../file-errors.js';

export interface PackOptions {
  /** The date of every entry, in seconds since 1970. */
  readonly mtime?: number;
  /** No archive longer than this is made: the Guest's memory is the limit anyway. */
  readonly maxSize?: number;
}

type Fields = Partial<Record<NewcField, number>>;

/** One name in the folder. Names are bytes: Linux does not ask for UTF-8. */
interface Entry {
  readonly name: Buffer;
  readonly path: Buffer;
  readonly stat: Stats;
}

const TRAILER = `${NEWC_TRAILER}\0`;
const SLASH = Buffer.from('/');
const PERMISSIONS = 0o7777;
const TYPE = 0o170000;

/**
 * Packs `folder` as an initramfs archive.
 *
 * @throws UserError ERR_LGUEST_INITRD when a file cannot be read or the whole is too long
 */
export function packFolder(folder: string, options: PackOptions = {}): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  const maxSize = options.maxSize ?? Infinity;
  const write = (name: Buffer, fields: Fields, data: Buffer): void => {
    const entry = newcEntry(name, { mtime: options.mtime ?? 0, nlink: 1, ...fields }, data);
    size += entry.length;
    if (size > maxSize) {
      throw new UserError('ERR_LGUEST_INITRD', `the initrd folder ${folder} does not fit into the Guest's memory`);
    }
    chunks.push(entry);
  };

  const entries = walk(Buffer.from(folder), Buffer.alloc(0)).filter((entry) => !entry.stat.isSocket());
  const links = new HardLinks(entries);
  for (const [index, entry] of entries.entries()) {
    const { stat } = entry;
    const { ino, nlink, last } = links.of(entry, index);
    const mode = (stat.mode & TYPE) | (stat.isSymbolicLink() ? 0o777 : stat.mode & PERMISSIONS);
    const device = stat.isCharacterDevice() || stat.isBlockDevice() ? deviceNumbers(stat.rdev) : {};
    write(entry.name, { ino, mode, nlink, ...device }, last ? contents(entry) : Buffer.alloc(0));
  }
  write(Buffer.from(NEWC_TRAILER), {}, Buffer.alloc(0));
  chunks.push(Buffer.alloc(alignUp(size, NEWC_BLOCK) - size));
  return Buffer.concat(chunks);
}

/** All that is below `path`, each folder before what is in it, names in the order of their bytes. */
function walk(path: Buffer, name: Buffer): Entry[] {
  const entries: Entry[] = [];
  const names = attempt(path, () => readdirSync(path, { encoding: 'buffer' })).toSorted(Buffer.compare);
  for (const child of names) {
    const childPath = Buffer.concat([path, SLASH, child]);
    const childName = name.length === 0 ? child : Buffer.concat([name, SLASH, child]);
    if (childName.length >= NEWC_MAX_NAME_SIZE) {
      throw new UserError(
        'ERR_LGUEST_INITRD',
        `the initrd folder has a path that is too long: ${childPath.toString()}`,
      );
    }
    const stat = attempt(childPath, () => lstatSync(childPath));
    entries.push({ name: childName, path: childPath, stat });
    if (stat.isDirectory()) entries.push(...walk(childPath, childName));
  }
  return entries;
}

function contents(entry: Entry): Buffer {
  return attempt(entry.path, () => {
    if (entry.stat.isSymbolicLink()) return readlinkSync(entry.path, { encoding: 'buffer' });
    if (!entry.stat.isFile()) return Buffer.alloc(0);
    if (entry.stat.size > NEWC_MAX_FILE_SIZE) {
      throw new UserError('ERR_LGUEST_INITRD', `${entry.path.toString()} is too large for an initrd (4G)`);
    }
    return readFileSync(entry.path);
  });
}

function attempt<T>(path: Buffer, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw describeFileError('ERR_LGUEST_INITRD', 'a file of the initrd folder,', path.toString(), error);
  }
}

/** Which entries are the same file. As in GNU cpio, the last name of a file carries its contents. */
class HardLinks {
  readonly #groups = new Map<string, { readonly ino: number; nlink: number; lastIndex: number }>();

  constructor(entries: readonly Entry[]) {
    for (const [index, entry] of entries.entries()) {
      const group = this.#groups.get(HardLinks.#key(entry, index));
      if (group === undefined) {
        this.#groups.set(HardLinks.#key(entry, index), { ino: index + 1, nlink: 1, lastIndex: index });
      } else {
        group.nlink++;
        group.lastIndex = index;
      }
    }
  }

  static #key(entry: Entry, index: number): string {
    const linked = entry.stat.isFile() && entry.stat.nlink > 1;
    return linked ? `${entry.stat.dev}:${entry.stat.ino}` : `#${index}`;
  }

  of(entry: Entry, index: number): { ino: number; nlink: number; last: boolean } {
    const group = this.#groups.get(HardLinks.#key(entry, index));
    if (group === undefined) return { ino: index + 1, nlink: 1, last: true };
    return { ino: group.ino, nlink: group.nlink, last: group.lastIndex === index };
  }
}

/** st_rdev as glibc packs it. */
function deviceNumbers(rdev: number): Fields {
  return { rmaj: (rdev >>> 8) & 0xfff, rmin: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}

/** One entry: header, name and data, padded. */
export function newcEntry(name: Buffer, fields: Fields, data: Buffer): Buffer {
  const all: Fields = { ...fields, filesize: data.length, namesize: name.length + 1 };
  const digits = NEWC_FIELDS.map((field) => (all[field] ?? 0).toString(16).padStart(NEWC_FIELD_DIGITS, '0'));
  const header = Buffer.concat([Buffer.from(NEWC_MAGIC + digits.join('')), name, Buffer.alloc(1)]);
  const dataAt = alignUp(header.length, NEWC_ALIGNMENT);
  const entry = Buffer.alloc(dataAt + alignUp(data.length, NEWC_ALIGNMENT));
  header.copy(entry);
  data.copy(entry, dataAt);
  return entry;
}

/**
 * Whether this is a newc or crc archive from its first byte to its last, with nothing behind its trailer but zeros and
 * further archives. Only then is it the same to Linux whether it comes packed or not.
 */
export function isArchive(bytes: Buffer): boolean {
  let complete = false;
  for (let at = 0; at < bytes.length;) {
    if (complete && bytes[at] === 0) {
      at++;
      continue;
    }
    const magic = bytes.toString('latin1', at, at + NEWC_MAGIC.length);
    if (at % NEWC_ALIGNMENT !== 0 || (magic !== NEWC_MAGIC && magic !== CRC_MAGIC)) return false;
    const nameAt = at + NEWC_HEADER_SIZE;
    const dataAt = alignUp(nameAt + fieldOf(bytes, at, 'namesize'), NEWC_ALIGNMENT);
    complete = bytes.toString('latin1', nameAt, nameAt + TRAILER.length) === TRAILER;
    at = dataAt + alignUp(fieldOf(bytes, at, 'filesize'), NEWC_ALIGNMENT);
    if (!(at <= bytes.length)) return false;
  }
  return complete;
}

/** A number of the entry at this place; NaN if it is none. */
function fieldOf(bytes: Buffer, entry: number, field: NewcField): number {
  const at = entry + NEWC_MAGIC.length + NEWC_FIELDS.indexOf(field) * NEWC_FIELD_DIGITS;
  return Number(`0x${bytes.toString('latin1', at, at + NEWC_FIELD_DIGITS)}`);
}
