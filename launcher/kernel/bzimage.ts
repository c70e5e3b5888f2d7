// Loading a bzImage: 16-bit setup code with a header, then a compressed kernel that brings its own unpacker.
//
// The kernel proper is an ELF file. If gzip packed it, it is unpacked here and loaded as a vmlinux is, which takes milliseconds. If
// not, only the second part is loaded, as in the original, and the Guest unpacks itself: startup_32 of the unpacker asks
// KEEP_SEGMENTS and is content with ring 1. The setup code is for a BIOS and is not run.
import {
  BOOT_FLAG_MAGIC,
  BZIMAGE_LOAD_ADDRESS,
  DEFAULT_INITRD_ADDR_MAX,
  DEFAULT_SETUP_SECTS,
  HDRS_MAGIC,
  KERNEL_ALIGNMENT,
  LOADED_HIGH,
  BOOT_PROTOCOL_VERSION,
  PROTOCOL_WITH_INIT_SIZE,
  PROTOCOL_WITH_PAYLOAD,
  SECTOR_SIZE,
  SETUP_HEADER_END,
  boot_params,
} from '../../guest-abi/linux/boot-params.js';
import { MiB, hex } from '../../lib/bits.js';
import { UserError } from '../../lib/errors.js';
import { type ElfKernel, parseElf } from './elf.js';
import { unpackGzip } from './gzip.js';
import { type KernelImage, kernelImageFromBytes } from './image.js';

export interface BzImage {
  readonly kind: 'bzimage';
  /** Guest-physical address of the unpacker's first instruction. */
  readonly entry: number;
  /** File offset of what goes to BZIMAGE_LOAD_ADDRESS, to the end of the file. */
  readonly offset: number;
  readonly size: number;
  /** First guest-physical address behind what unpacking needs, as far as the header says so. */
  readonly end: number;
  /** What the kernel says it wants for unpacking; 0 in images before protocol 2.10. */
  readonly initSize: number;
  /** The highest address that an initrd may use. */
  readonly initrdAddressMax: number;
  /** `4.12.0 (user@host) #1 …`, if the image has it. */
  readonly version: string | undefined;
  /** File offset and length of the compressed kernel proper. */
  readonly payload: { readonly offset: number; readonly length: number } | undefined;
}

/** The kernel proper. */
export interface UnpackedKernel {
  readonly image: KernelImage;
  readonly elf: ElfKernel;
}

const hdr = boot_params.hdr;

/** A kernel of more than this is not unpacked here. */
const MAX_UNPACKED = 256 * MiB;

/** The text that follows `kernel_version` in the file is at most this long. */
const MAX_VERSION_LENGTH = 128;

const bad = (image: KernelImage, message: string): UserError =>
  new UserError('ERR_LGUEST_BAD_KERNEL', `${image.name}: ${message}`);

export function isBzImage(image: KernelImage): boolean {
  const bytes = image.read(hdr.header, 4);
  return bytes.length === 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === HDRS_MAGIC;
}

/**
 * Reads and checks the setup header; nothing is loaded yet.
 *
 * @throws UserError ERR_LGUEST_BAD_KERNEL when the image is incomplete or its header contradicts itself
 */
export function parseBzImage(image: KernelImage): BzImage {
  const bytes = image.read(0, SETUP_HEADER_END);
  if (bytes.length < SETUP_HEADER_END) throw bad(image, `truncated: a bzImage of ${image.size} bytes; copy it again`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = header.getUint16(hdr.version, true);
  checkHeader(image, header, version);

  const setupSects = header.getUint8(hdr.setup_sects) || DEFAULT_SETUP_SECTS;
  const offset = (setupSects + 1) * SECTOR_SIZE;
  const promised = header.getUint32(hdr.syssize, true) * 16;
  const size = image.size - offset;
  if (size <= 0 || promised > size) {
    const missing = offset + promised - image.size;
    throw bad(image, `truncated: ${missing} bytes are missing at the end; copy or build the kernel again`);
  }
  const entry = header.getUint32(hdr.code32_start, true);
  if (entry < BZIMAGE_LOAD_ADDRESS || entry >= BZIMAGE_LOAD_ADDRESS + size) {
    throw bad(image, `malformed bzImage: its entry point ${hex(entry)} is outside of what is loaded`);
  }
  const initSize = version >= PROTOCOL_WITH_INIT_SIZE ? header.getUint32(hdr.init_size, true) : 0;
  return {
    kind: 'bzimage',
    entry,
    offset,
    size,
    end: Math.max(BZIMAGE_LOAD_ADDRESS + size, KERNEL_ALIGNMENT + initSize),
    initSize,
    initrdAddressMax: header.getUint32(hdr.initrd_addr_max, true) || DEFAULT_INITRD_ADDR_MAX,
    version: versionString(image, header),
    payload: version >= PROTOCOL_WITH_PAYLOAD ? payloadOf(image, header, offset) : undefined,
  };
}

function checkHeader(image: KernelImage, header: DataView, version: number): void {
  if (header.getUint16(hdr.boot_flag, true) !== BOOT_FLAG_MAGIC) {
    throw bad(image, 'malformed bzImage: the boot sector has no signature');
  }
  if (version < BOOT_PROTOCOL_VERSION) {
    const [major, minor] = [version >>> 8, version & 0xff];
    throw bad(
      image,
      `a kernel of boot protocol ${major}.${minor}, from before paravirtual guests (2.07, Linux 2.6.24)`,
    );
  }
  if ((header.getUint8(hdr.loadflags) & LOADED_HIGH) === 0) {
    throw bad(image, 'a zImage, to be loaded below 1M; build the bzImage target instead');
  }
}

function versionString(image: KernelImage, header: DataView): string | undefined {
  const pointer = header.getUint16(hdr.kernel_version, true);
  if (pointer === 0) return undefined;
  const text = Buffer.from(image.read(pointer + SECTOR_SIZE, MAX_VERSION_LENGTH)).toString('latin1');
  const end = text.indexOf('\0');
  const version = end === -1 ? text : text.slice(0, end);
  return /^[\x20-\x7e]+$/.test(version) ? version : undefined;
}

function payloadOf(image: KernelImage, header: DataView, offset: number): BzImage['payload'] {
  const start = offset + header.getUint32(hdr.payload_offset, true);
  const length = header.getUint32(hdr.payload_length, true);
  if (length === 0 || start + length > image.size) return undefined;
  return { offset: start, length };
}

/**
 * Unpacks the kernel proper. A kernel that can be relocated has a table behind its ELF file, for who puts it elsewhere; where it was
 * linked to it needs none.
 *
 * @returns undefined for what gzip did not pack, and what is damaged: the Guest will say so
 */
export async function unpackBzImage(image: KernelImage, { payload }: BzImage): Promise<UnpackedKernel | undefined> {
  if (payload === undefined) return undefined;
  const bytes = await unpackGzip(image.read(payload.offset, payload.length), MAX_UNPACKED);
  if (bytes === undefined) return undefined;
  const unpacked = kernelImageFromBytes(bytes, image.name);
  try {
    return { image: unpacked, elf: parseElf(unpacked) };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Copies the unpacker and what it unpacks to guest-physical memory. */
export function loadBzImage(image: KernelImage, kernel: BzImage, ram: Uint8Array): void {
  if (kernel.end > ram.length) {
    const need = Math.ceil(kernel.end / MiB);
    throw new UserError(
      'ERR_LGUEST_MEMORY',
      `${image.name} needs ${need}M to unpack itself, but the Guest has ${Math.floor(ram.length / MiB)}M: give it more`,
    );
  }
  const place = ram.subarray(BZIMAGE_LOAD_ADDRESS, BZIMAGE_LOAD_ADDRESS + kernel.size);
  if (image.readInto(kernel.offset, place) < kernel.size) {
    throw bad(image, 'the file became shorter while it was read');
  }
}
