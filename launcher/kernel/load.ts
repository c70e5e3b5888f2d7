// Everything that must be in a Guest's memory before its first instruction: kernel, initrd, zero page.
import { NEWC_MAGIC } from '../../guest-abi/linux/cpio.js';
import { UserError } from '../../lib/errors.js';
import { writeBootParams } from './boot-params.js';
import { isBzImage, loadBzImage, parseBzImage, unpackBzImage } from './bzimage.js';
import { checkRoom, isElf, parseElf, readElf } from './elf.js';
import { isGzip } from './gzip.js';
import { type KernelImage, kernelImageFromBytes, openKernelImage } from './image.js';
import { loadInitrd, readInitrd, roomUnpacked, unpackInitrd } from './initrd.js';
import { type Inspection, inspectBzImage, inspectElf, refuseHopeless } from './inspect.js';

export interface LoadRequest {
  /** A file's name, or the image itself. */
  readonly kernel: string | Uint8Array;
  /** A file, a folder, or the archive itself. */
  readonly initrd?: string | Uint8Array | undefined;
  readonly commandLine: string;
  /** Whether kernel and initrd are unpacked here if gzip packed them; they are, by default. */
  readonly unpack?: boolean | undefined;
}

export interface LoadedKernel {
  /** Guest-physical address of the first instruction. */
  readonly entry: number;
  readonly format: 'elf' | 'bzimage';
  /** Whether it was unpacked here. */
  readonly unpacked: boolean;
  readonly inspection: Inspection;
  readonly initrd: LoadedInitrd | undefined;
}

export interface LoadedInitrd {
  readonly address: number;
  /** Bytes, in whole pages. */
  readonly size: number;
  readonly unpacked: boolean;
}

/** A kernel that is where it belongs. */
interface PlacedKernel extends Omit<LoadedKernel, 'initrd'> {
  /** First guest-physical address behind it. */
  readonly end: number;
  /** What its unpacker wants to be told; 0 if there is none. */
  readonly initSize: number;
  /** The highest address that an initrd may use. */
  readonly initrdAddressMax: number;
}

/**
 * Fills the fresh memory of a Guest.
 *
 * @throws UserError for a kernel or initrd that cannot work, with a sentence for its owner
 */
export async function loadGuest(ram: Uint8Array, request: LoadRequest): Promise<LoadedKernel> {
  const unpack = request.unpack ?? true;
  const image =
    typeof request.kernel === 'string' ? openKernelImage(request.kernel) : kernelImageFromBytes(request.kernel);
  try {
    // Another thread is at it while this one reads the kernel.
    const archive = unpack && request.initrd !== undefined ? unpackInitrd(request.initrd, ram.length) : undefined;
    const kernel = await placeKernel(image, ram, unpack);
    const initrd = placeInitrd(ram, request.initrd, await archive, kernel);
    const { entry, format, unpacked, inspection, initSize } = kernel;
    writeBootParams(ram, { ramSize: ram.length, commandLine: request.commandLine, initrd, initSize });
    return { entry, format, unpacked, inspection, initrd };
  } finally {
    image.close();
  }
}

async function placeKernel(image: KernelImage, ram: Uint8Array, unpack: boolean): Promise<PlacedKernel> {
  if (isElf(image)) return placeElf(image, ram);
  if (isBzImage(image)) return placeBzImage(image, ram, unpack);
  throw new UserError('ERR_LGUEST_BAD_KERNEL', `${image.name}: ${whatItIs(image)}; give a kernel's vmlinux or bzImage`);
}

function placeElf(image: KernelImage, ram: Uint8Array): PlacedKernel {
  const kernel = parseElf(image);
  // Before its size is looked at: more memory would not help a kernel of the wrong kind.
  const inspection = inspectElf(readElf(image, kernel, ram));
  refuseHopeless(image.name, inspection);
  checkRoom(image, kernel, ram);
  const { entry, end } = kernel;
  return { entry, format: 'elf', unpacked: false, inspection, end, initSize: 0, initrdAddressMax: ram.length - 1 };
}

async function placeBzImage(image: KernelImage, ram: Uint8Array, unpack: boolean): Promise<PlacedKernel> {
  const kernel = parseBzImage(image);
  const proper = await unpackBzImage(image, kernel);
  const inspection = inspectBzImage(kernel, proper);
  refuseHopeless(image.name, inspection);
  const { initrdAddressMax } = kernel;
  // What looks like no Guest may be one that we do not understand.
  if (unpack && proper !== undefined && inspection.verdict === 'lguest') {
    checkRoom(proper.image, proper.elf, ram);
    readElf(proper.image, proper.elf, ram);
    const { entry, end } = proper.elf;
    return { entry, format: 'bzimage', unpacked: true, inspection, end, initSize: 0, initrdAddressMax };
  }
  loadBzImage(image, kernel, ram);
  const { entry, end, initSize } = kernel;
  return { entry, format: 'bzimage', unpacked: false, inspection, end, initSize, initrdAddressMax };
}

/** What people give by mistake. */
function whatItIs(image: KernelImage): string {
  if (image.size === 0) return 'an empty file';
  const bytes = image.read(0, NEWC_MAGIC.length);
  const magic = Buffer.from(bytes).toString('latin1');
  if (isGzip(bytes)) return 'a gzip file, not a kernel (a vmlinux.gz must be unpacked first)';
  if (magic.startsWith(NEWC_MAGIC)) return 'a cpio archive: an initrd, not a kernel';
  if (magic.startsWith('QFI\xfb')) return 'a qcow2 disk image, not a kernel';
  if (magic.startsWith('\x7fELF'.slice(0, Math.min(4, image.size)))) return 'a truncated ELF file';
  return 'neither an ELF file nor a bzImage';
}

/** @param archive what was unpacked of the source, if anything was */
function placeInitrd(
  ram: Uint8Array,
  source: string | Uint8Array | undefined,
  archive: Uint8Array | undefined,
  { end, initrdAddressMax }: PlacedKernel,
): LoadedInitrd | undefined {
  if (source === undefined) return undefined;
  const room = roomUnpacked(Math.min(ram.length, initrdAddressMax + 1), end);
  const unpacked = archive !== undefined && archive.length <= room;
  const bytes = unpacked ? archive : readInitrd(source, Math.max(0, ram.length - end));
  const name = typeof source === 'string' ? source : 'given as bytes';
  return { ...loadInitrd(name, bytes, ram, end, initrdAddressMax), unpacked };
}
