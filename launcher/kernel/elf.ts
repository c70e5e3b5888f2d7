// Loading a vmlinux: an ELF file that says for each of its segments where in physical memory it wants to be.
//
// The original believes every number in the file. Here each is checked before it is used, and what is wrong is said
// in the words of somebody who has just tried the wrong file.
import {
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  ELFMAG,
  ELF_MACHINE_NAMES,
  ELF_TYPE_NAMES,
  EI_CLASS,
  EI_DATA,
  EM_386,
  ET_EXEC,
  Elf32_Ehdr,
  Elf32_Phdr,
  MAX_PROGRAM_HEADERS,
  PT_LOAD,
} from '../../guest-abi/linux/elf.js';
import { FIRST_FREE_ADDRESS } from '../../guest-abi/linux/boot-params.js';
import { MiB, hex } from '../../lib/bits.js';
import { UserError } from '../../lib/errors.js';
import type { KernelImage } from './image.js';

export interface ElfSegment {
  /** Where its bytes are in the file, and how many. */
  readonly offset: number;
  readonly fileSize: number;
  /** Where the kernel sees it, and where it goes in guest-physical memory. */
  readonly virtualAddress: number;
  readonly physicalAddress: number;
  /** Bytes it takes in memory; what the file does not fill is zero. */
  readonly memorySize: number;
}

export interface ElfKernel {
  readonly kind: 'elf';
  /** Guest-physical address of the first instruction. */
  readonly entry: number;
  /** In the order of their physical addresses; none overlap. */
  readonly segments: readonly ElfSegment[];
  /** First guest-physical address behind the kernel and its BSS. */
  readonly end: number;
}

const bad = (image: KernelImage, message: string): UserError =>
  new UserError('ERR_LGUEST_BAD_KERNEL', `${image.name}: ${message}`);

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function isElf(image: KernelImage): boolean {
  const magic = image.read(0, 4);
  return magic.length === 4 && view(magic).getUint32(0, true) === ELFMAG;
}

/**
 * Reads and checks the headers; nothing is loaded yet.
 *
 * @throws UserError ERR_LGUEST_BAD_KERNEL when it is not a complete 32-bit x86 executable
 */
export function parseElf(image: KernelImage): ElfKernel {
  const bytes = image.read(0, Elf32_Ehdr.sizeof);
  if (bytes.length < Elf32_Ehdr.sizeof) {
    throw bad(image, `truncated: an ELF file of ${image.size} bytes; copy or build the kernel again`);
  }
  const header = view(bytes);
  checkKind(image, header);
  const segments = readSegments(image, header);
  if (segments.length === 0) throw bad(image, 'malformed ELF: there is nothing to load in this file');
  segments.sort((a, b) => a.physicalAddress - b.physicalAddress);
  for (const [index, segment] of segments.entries()) {
    const before = segments[index - 1];
    if (before !== undefined && before.physicalAddress + before.memorySize > segment.physicalAddress) {
      throw bad(image, `malformed ELF: two segments overlap at ${hex(segment.physicalAddress)}`);
    }
  }
  const end = Math.max(...segments.map((segment) => segment.physicalAddress + segment.memorySize));
  return {
    kind: 'elf',
    entry: physicalEntry(image, header.getUint32(Elf32_Ehdr.e_entry, true), segments),
    segments,
    end,
  };
}

function checkKind(image: KernelImage, header: DataView): void {
  const littleEndian = header.getUint8(EI_DATA) === ELFDATA2LSB;
  const machine = header.getUint16(Elf32_Ehdr.e_machine, littleEndian);
  const machineName = ELF_MACHINE_NAMES[machine] ?? `machine ${machine}`;
  const elfClass = header.getUint8(EI_CLASS);
  const want = 'lguest boots 32-bit x86 kernels (CONFIG_X86_32=y, CONFIG_64BIT=n)';
  if (elfClass === ELFCLASS64) throw bad(image, `a 64-bit ELF file for ${machineName}; ${want}`);
  if (elfClass !== ELFCLASS32) throw bad(image, `malformed ELF: class ${elfClass} is neither 32-bit nor 64-bit`);
  if (!littleEndian) throw bad(image, `a big-endian ELF file for ${machineName}; ${want}`);
  if (machine !== EM_386) throw bad(image, `an ELF file for ${machineName}; ${want}`);
  const type = header.getUint16(Elf32_Ehdr.e_type, true);
  if (type !== ET_EXEC) {
    throw bad(
      image,
      `${ELF_TYPE_NAMES[type] ?? `an ELF file of type ${type}`}, not a kernel; give a vmlinux or bzImage`,
    );
  }
}

function readSegments(image: KernelImage, header: DataView): ElfSegment[] {
  const entrySize = header.getUint16(Elf32_Ehdr.e_phentsize, true);
  const count = header.getUint16(Elf32_Ehdr.e_phnum, true);
  if (entrySize !== Elf32_Phdr.sizeof || count < 1 || count > MAX_PROGRAM_HEADERS) {
    throw bad(image, `malformed ELF: ${count} program headers of ${entrySize} bytes each`);
  }
  const tableOffset = header.getUint32(Elf32_Ehdr.e_phoff, true);
  const bytes = tableOffset < image.size ? image.read(tableOffset, count * Elf32_Phdr.sizeof) : new Uint8Array();
  if (bytes.length < count * Elf32_Phdr.sizeof) {
    throw bad(image, `truncated: its program headers are at ${hex(tableOffset)}, beyond the end of the file`);
  }
  const table = view(bytes);
  const segments: ElfSegment[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * Elf32_Phdr.sizeof;
    if (table.getUint32(at + Elf32_Phdr.p_type, true) !== PT_LOAD) continue;
    const segment: ElfSegment = {
      offset: table.getUint32(at + Elf32_Phdr.p_offset, true),
      fileSize: table.getUint32(at + Elf32_Phdr.p_filesz, true),
      virtualAddress: table.getUint32(at + Elf32_Phdr.p_vaddr, true),
      physicalAddress: table.getUint32(at + Elf32_Phdr.p_paddr, true),
      memorySize: table.getUint32(at + Elf32_Phdr.p_memsz, true),
    };
    checkSegment(image, segment, index);
    if (segment.memorySize > 0) segments.push(segment);
  }
  return segments;
}

function checkSegment(image: KernelImage, segment: ElfSegment, index: number): void {
  if (segment.fileSize > segment.memorySize) {
    throw bad(image, `malformed ELF: segment ${index} has more bytes in the file than in memory`);
  }
  // Sums of two 32-bit numbers: exact in a double, so nothing wraps.
  if (segment.offset + segment.fileSize > image.size) {
    const missing = segment.offset + segment.fileSize - image.size;
    throw bad(image, `truncated: ${missing} bytes of segment ${index} are missing; copy or build the kernel again`);
  }
  if (segment.memorySize > 0 && segment.physicalAddress < FIRST_FREE_ADDRESS) {
    throw bad(image, `segment ${index} wants address ${hex(segment.physicalAddress)}, where the boot parameters are`);
  }
}

/** Linux gives the physical address, as the original demands. A program linked at a virtual one is understood, too. */
function physicalEntry(image: KernelImage, entry: number, segments: readonly ElfSegment[]): number {
  const inside = (address: number, segment: ElfSegment): boolean =>
    entry >= address && entry - address < segment.fileSize;
  if (segments.some((segment) => inside(segment.physicalAddress, segment))) return entry;
  const home = segments.find((segment) => inside(segment.virtualAddress, segment));
  if (home === undefined) throw bad(image, `malformed ELF: the entry point ${hex(entry)} is outside of what is loaded`);
  return entry - home.virtualAddress + home.physicalAddress;
}

/**
 * Reads the segments to where they belong in guest-physical memory, which is fresh: BSS is zero already. A kernel for which
 * there is not enough is read to be looked at.
 *
 * @returns what the file has of each
 */
export function readElf(image: KernelImage, kernel: ElfKernel, ram: Uint8Array): Uint8Array[] {
  const fits = kernel.end <= ram.length;
  return kernel.segments.map(({ offset, fileSize, physicalAddress }) => {
    const bytes = fits ? ram.subarray(physicalAddress, physicalAddress + fileSize) : new Uint8Array(fileSize);
    if (image.readInto(offset, bytes) < fileSize) throw bad(image, 'the file became shorter while it was read');
    return bytes;
  });
}

export function checkRoom(image: KernelImage, kernel: ElfKernel, ram: Uint8Array): void {
  if (kernel.end <= ram.length) return;
  const need = Math.ceil(kernel.end / MiB);
  throw new UserError(
    'ERR_LGUEST_MEMORY',
    `${image.name} needs memory up to ${need}M, but the Guest has ${Math.floor(ram.length / MiB)}M: give it more`,
  );
}
