// The zero page: what a boot loader tells Linux about the machine. Whoever loads a kernel fills it, and everything
// that is not mentioned here is zero, which says "there is none": no screen, no APM, no disks of a BIOS.
import {
  BOOT_PARAMS_ADDRESS,
  BOOT_PROTOCOL_VERSION,
  COMMAND_LINE_ADDRESS,
  COMMAND_LINE_SIZE,
  E820_RAM,
  KEEP_SEGMENTS,
  KERNEL_ALIGNMENT,
  LOADER_TYPE_UNDEFINED,
  X86_SUBARCH_LGUEST,
  boot_params,
  e820entry,
} from '../../guest-abi/linux/boot-params.js';
import { UserError } from '../../lib/errors.js';

export interface BootParams {
  /** Bytes of RAM: one region from 0 up, without the holes of a PC. */
  readonly ramSize: number;
  readonly commandLine: string;
  /** Guest-physical address and size of the initrd, the size in whole pages. */
  readonly initrd: { readonly address: number; readonly size: number } | undefined;
  /** What a bzImage's header asks for, so that its unpacker knows how much room to take. */
  readonly initSize: number;
}

/** @throws UserError ERR_LGUEST_COMMAND_LINE when the command line cannot be passed on as it is */
export function writeBootParams(ram: Uint8Array, params: BootParams): void {
  const page = new DataView(ram.buffer, ram.byteOffset + BOOT_PARAMS_ADDRESS);
  const hdr = boot_params.hdr;

  page.setUint8(boot_params.e820_entries, 1);
  page.setBigUint64(boot_params.e820_table + e820entry.addr, 0n, true);
  page.setBigUint64(boot_params.e820_table + e820entry.size, BigInt(params.ramSize), true);
  page.setUint32(boot_params.e820_table + e820entry.type, E820_RAM, true);

  writeCommandLine(ram, params.commandLine);
  page.setUint32(hdr.cmd_line_ptr, COMMAND_LINE_ADDRESS, true);

  // hardware_subarch exists since 2.07; 0 would mean a PC. The alignment is where the unpacker puts the kernel.
  page.setUint16(hdr.version, BOOT_PROTOCOL_VERSION, true);
  page.setUint32(hdr.kernel_alignment, KERNEL_ALIGNMENT, true);
  page.setUint32(hdr.hardware_subarch, X86_SUBARCH_LGUEST, true);
  page.setUint32(hdr.init_size, params.initSize, true);
  // "Do not reload the segments": the Guest is not in ring 0 and its descriptors are the Host's.
  page.setUint8(hdr.loadflags, page.getUint8(hdr.loadflags) | KEEP_SEGMENTS);

  if (params.initrd !== undefined) {
    page.setUint32(hdr.ramdisk_image, params.initrd.address, true);
    page.setUint32(hdr.ramdisk_size, params.initrd.size, true);
    // Linux ignores a ramdisk from a loader that does not say what it is.
    page.setUint8(hdr.type_of_loader, LOADER_TYPE_UNDEFINED);
  }
}

const bad = (message: string): UserError => new UserError('ERR_LGUEST_COMMAND_LINE', `the kernel arguments ${message}`);

function writeCommandLine(ram: Uint8Array, commandLine: string): void {
  const bytes = new TextEncoder().encode(commandLine);
  if (bytes.length >= COMMAND_LINE_SIZE) {
    throw bad(`take ${bytes.length} bytes, and Linux reads no more than ${COMMAND_LINE_SIZE - 1}: shorten them`);
  }
  if (/[\0\n\r]/.test(commandLine)) throw bad('contain a NUL or a line break: leave it out');
  ram.set(bytes, COMMAND_LINE_ADDRESS);
  ram[COMMAND_LINE_ADDRESS + bytes.length] = 0;
}
