// Kernel files made on the spot: the smallest that are right, to be made wrong byte by byte.
import {
  BOOT_FLAG_MAGIC,
  HDRS_MAGIC,
  LOADED_HIGH,
  SECTOR_SIZE,
  boot_params,
} from '../../guest-abi/linux/boot-params.js';
import {
  EI_CLASS,
  EI_DATA,
  ELFCLASS32,
  ELFDATA2LSB,
  ELFMAG,
  EM_386,
  ET_EXEC,
  Elf32_Ehdr,
  Elf32_Phdr,
  PT_LOAD,
} from '../../guest-abi/linux/elf.js';

export interface SegmentSpec {
  readonly physical: number;
  readonly virtual?: number;
  readonly bytes: Uint8Array;
  readonly memorySize?: number;
}

/** mov $1, %eax; mov $0x1000, %ebx; int $0x1f; mov $4, %eax; … : how lguest_entry begins. */
export const LGUEST_ENTRY = Uint8Array.of(0xb8, 1, 0, 0, 0, 0xbb, 0, 0x10, 0, 0, 0xcd, 0x1f, 0xb8, 4, 0, 0, 0);

/** A segment at 1M that is a tiny lguest kernel, with `text` behind its code. */
export const guestSegment = (text = ''): SegmentSpec => ({
  physical: 0x100000,
  virtual: 0xc0100000,
  bytes: Buffer.concat([LGUEST_ENTRY, Buffer.from(text)]),
});

export function elf(segments: readonly SegmentSpec[], entry = 0x100000): Buffer {
  const headers = Elf32_Ehdr.sizeof + segments.length * Elf32_Phdr.sizeof;
  const file = Buffer.alloc(headers);
  file.writeUInt32LE(ELFMAG, 0);
  file[EI_CLASS] = ELFCLASS32;
  file[EI_DATA] = ELFDATA2LSB;
  file.writeUInt16LE(ET_EXEC, Elf32_Ehdr.e_type);
  file.writeUInt16LE(EM_386, Elf32_Ehdr.e_machine);
  file.writeUInt32LE(entry, Elf32_Ehdr.e_entry);
  file.writeUInt32LE(Elf32_Ehdr.sizeof, Elf32_Ehdr.e_phoff);
  file.writeUInt16LE(Elf32_Phdr.sizeof, Elf32_Ehdr.e_phentsize);
  file.writeUInt16LE(segments.length, Elf32_Ehdr.e_phnum);
  let offset = headers;
  for (const [index, { physical, virtual, bytes, memorySize }] of segments.entries()) {
    const at = Elf32_Ehdr.sizeof + index * Elf32_Phdr.sizeof;
    file.writeUInt32LE(PT_LOAD, at + Elf32_Phdr.p_type);
    file.writeUInt32LE(offset, at + Elf32_Phdr.p_offset);
    file.writeUInt32LE(virtual ?? physical, at + Elf32_Phdr.p_vaddr);
    file.writeUInt32LE(physical, at + Elf32_Phdr.p_paddr);
    file.writeUInt32LE(bytes.length, at + Elf32_Phdr.p_filesz);
    file.writeUInt32LE(memorySize ?? bytes.length, at + Elf32_Phdr.p_memsz);
    offset += bytes.length;
  }
  return Buffer.concat([file, ...segments.map((segment) => segment.bytes)]);
}

export interface BzImageSpec {
  readonly payload?: Uint8Array;
  readonly version?: string;
  readonly initSize?: number;
  readonly setupSects?: number;
}

/** A bzImage with one 512-byte piece of unpacker, then `payload`. */
export function bzImage(spec: BzImageSpec = {}): Buffer {
  const hdr = boot_params.hdr;
  const setupSects = spec.setupSects ?? 2;
  const setup = Buffer.alloc(((setupSects || 4) + 1) * SECTOR_SIZE);
  const payload = spec.payload ?? Buffer.alloc(64, 0xaa);
  const unpacker = Buffer.alloc(SECTOR_SIZE, 0x90);
  const body = Buffer.concat([unpacker, payload, Buffer.alloc(16 - (payload.length % 16))]);
  setup[hdr.setup_sects] = setupSects;
  setup.writeUInt32LE(body.length / 16, hdr.syssize);
  setup.writeUInt16LE(BOOT_FLAG_MAGIC, hdr.boot_flag);
  setup.writeUInt32LE(HDRS_MAGIC, hdr.header);
  setup.writeUInt16LE(0x020d, hdr.version);
  setup[hdr.loadflags] = LOADED_HIGH;
  setup.writeUInt32LE(0x100000, hdr.code32_start);
  setup.writeUInt32LE(0x7fffffff, hdr.initrd_addr_max);
  setup.writeUInt32LE(unpacker.length, hdr.payload_offset);
  setup.writeUInt32LE(payload.length, hdr.payload_length);
  setup.writeUInt32LE(spec.initSize ?? 0x100000, hdr.init_size);
  if (spec.version !== undefined) {
    setup.writeUInt16LE(0x300, hdr.kernel_version);
    setup.write(`${spec.version}\0`, 0x300 + SECTOR_SIZE, 'latin1');
  }
  return Buffer.concat([setup, body]);
}
