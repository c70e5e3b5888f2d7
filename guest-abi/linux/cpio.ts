// The "newc" cpio format, the only one that Linux unpacks an initramfs from; the "crc" format has another magic and a checksum for
// each file. An entry is a header of ASCII hexadecimal
// numbers, the name with its NUL, and the data, the latter two padded to four bytes.
// Source: Documentation/early-userspace/buffer-format.txt.

export const NEWC_MAGIC = '070701';
export const CRC_MAGIC = '070702';
/** The fields behind the magic, each 8 digits, in this order. */
export const NEWC_FIELDS = [
  'ino',
  'mode',
  'uid',
  'gid',
  'nlink',
  'mtime',
  'filesize',
  'maj',
  'min',
  'rmaj',
  'rmin',
  'namesize',
  'chksum',
] as const;
export type NewcField = (typeof NEWC_FIELDS)[number];
export const NEWC_FIELD_DIGITS = 8;
export const NEWC_HEADER_SIZE = NEWC_MAGIC.length + NEWC_FIELDS.length * NEWC_FIELD_DIGITS;
export const NEWC_ALIGNMENT = 4;
/** The name of the entry that ends an archive. */
export const NEWC_TRAILER = 'TRAILER!!!';
/** filesize is a 32-bit number. */
export const NEWC_MAX_FILE_SIZE = 0xffff_ffff;
/** initramfs.c refuses longer names (PATH_MAX), the NUL included. */
export const NEWC_MAX_NAME_SIZE = 4096;
/** An archive's length is a multiple of this, as GNU cpio writes it. */
export const NEWC_BLOCK = 512;
