// Everything that must be in a Guest's memory before its first instruction: kernel, initrd, zero page.
import { UserError } from '../../lib/errors.js';
import { writeBootParams } from './boot-params.js';
import { type BzImage, isBzImage, loadBzImage, parseBzImage } from './bzimage.js';
import { type ElfKernel, checkRoom, isElf, parseElf, readElf } from './elf.js';
import { type KernelImage, kernelImageFromBytes, openKernelImage } from './image.js';
import { loadInitrd, readInitrd } from './initrd.js';
import { type Inspection, inspectBzImage, inspectElf, refuseHopeless } from './inspect.js';

export interface LoadRequest {
  /** A file's name, or the image itself. */
  readonly kernel: string | Uint8Array;
  /** A file, a folder, or the archive itself. */
  readonly initrd?: string | Uint8Array | undefined;
  readonly commandLine: string;
}

export interface LoadedKernel {
  /** Guest-physical address of the first instruction. */
  readonly entry: number;
  readonly format: 'elf' | 'bzimage';
  readonly inspection: Inspection;
  readonly initrd: { readonly address: number; readonly size: number } | undefined;
}

/**
 * Fills the fresh memory of a Guest.
 *
 * @throws UserError for a kernel or initrd that cannot work, with a sentence for its owner
 */
export async function loadGuest(ram: Uint8Array, request: LoadRequest): Promise<LoadedKernel> {
  const image =
    typeof request.kernel === 'string' ? openKernelImage(request.kernel) : kernelImageFromBytes(request.kernel);
  try {
    const kernel = parseKernel(image);
    // Before its size is looked at: more memory would not help a kernel of the wrong kind.
    const inspection =
      kernel.kind === 'elf' ? inspectElf(readElf(image, kernel, ram)) : await inspectBzImage(image, kernel);
    refuseHopeless(image.name, inspection);
    if (kernel.kind === 'elf') checkRoom(image, kernel, ram);
    else loadBzImage(image, kernel, ram);

    const initrd = placeInitrd(ram, request.initrd, kernel);
    const initSize = kernel.kind === 'bzimage' ? kernel.initSize : 0;
    writeBootParams(ram, { ramSize: ram.length, commandLine: request.commandLine, initrd, initSize });
    return { entry: kernel.entry, format: kernel.kind, inspection, initrd };
  } finally {
    image.close();
  }
}

function parseKernel(image: KernelImage): ElfKernel | BzImage {
  if (isElf(image)) return parseElf(image);
  if (isBzImage(image)) return parseBzImage(image);
  throw new UserError('ERR_LGUEST_BAD_KERNEL', `${image.name}: ${whatItIs(image)}; give a kernel's vmlinux or bzImage`);
}

/** What people give by mistake. */
function whatItIs(image: KernelImage): string {
  if (image.size === 0) return 'an empty file';
  const magic = Buffer.from(image.read(0, 6)).toString('latin1');
  if (magic.startsWith('\x1f\x8b')) return 'a gzip file, not a kernel (a vmlinux.gz must be unpacked first)';
  if (magic.startsWith('070701')) return 'a cpio archive: an initrd, not a kernel';
  if (magic.startsWith('QFI\xfb')) return 'a qcow2 disk image, not a kernel';
  if (magic.startsWith('\x7fELF'.slice(0, Math.min(4, image.size)))) return 'a truncated ELF file';
  return 'neither an ELF file nor a bzImage';
}

function placeInitrd(
  ram: Uint8Array,
  source: string | Uint8Array | undefined,
  kernel: ElfKernel | BzImage,
): LoadedKernel['initrd'] {
  if (source === undefined) return undefined;
  const addressMax = kernel.kind === 'bzimage' ? kernel.initrdAddressMax : ram.length - 1;
  const bytes = readInitrd(source, Math.max(0, ram.length - kernel.end));
  const name = typeof source === 'string' ? source : 'given as bytes';
  return loadInitrd(name, bytes, ram, kernel.end, addressMax);
}
