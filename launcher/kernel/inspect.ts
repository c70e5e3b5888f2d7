// Can this kernel be an lguest Guest at all? The most common mistake is a kernel that was never configured for it, and
// all that the user would see is a silent machine that dies of an unhandled trap.
//
// A Linux with CONFIG_LGUEST_GUEST has lguest_entry, whose first two hypercalls have operands that no compiler
// rearranges, because they are written in assembly. Compressed kernels hide it; those that gzip packed are unpacked
// for the look. What cannot be looked into gets the benefit of the doubt.
import { inflateRaw } from 'node:zlib';
import { promisify } from 'node:util';
import { UserError } from '../../lib/errors.js';
import type { BzImage } from './bzimage.js';
import { parseElf } from './elf.js';
import { type KernelImage, kernelImageFromBytes } from './image.js';

export interface Inspection {
  /**
   * `lguest`: it speaks to this kind of Host. `old-lguest`: it speaks the protocol of before Linux 4.0, without a PCI
   * bus. `other-linux`: a Linux without lguest support. `never`: it has no hypercall anywhere. `unknown`: no way to tell.
   */
  readonly verdict: 'lguest' | 'old-lguest' | 'other-linux' | 'never' | 'unknown';
  /** `4.12.0`, when the kernel says so. */
  readonly version: string | undefined;
}

/** mov $LHCALL_LGUEST_INIT, %eax; mov $…, %ebx; */
const INIT_CALL = Buffer.of(0xb8, 0x01, 0x00, 0x00, 0x00, 0xbb);
/** int $LGUEST_TRAP_ENTRY */
const HYPERCALL = Buffer.of(0xcd, 0x1f);
/** vmcall: how Guests of 2.6.2x and 2.6.3x asked. */
const VMCALL = Buffer.of(0x0f, 0x01, 0xc1);
const OPERAND_SIZE = 4;
/** Messages that the Guests of one era have and those of others have not. */
const PCI_ERA = 'emerg_wr';
const DEVICE_PAGE_ERA = 'Could not register lguest';
const BANNER = 'Linux version ';
/** A kernel of more than this is not unpacked only to be looked at. */
const MAX_UNPACKED = 256 * 1024 * 1024;

/** What the segments of a vmlinux say about it. */
export function inspectElf(segments: readonly Uint8Array[]): Inspection {
  const parts = segments.map(({ buffer, byteOffset, length }) => Buffer.from(buffer, byteOffset, length));
  const has = (needle: string | Buffer): boolean => parts.some((part) => part.includes(needle));
  const banner = parts.map(versionBanner).find((version) => version !== undefined);
  const calls = (how: 'int' | 'vmcall'): boolean => parts.some((part) => initCall(part) === how);
  if (calls('int')) {
    // In this order, since megabytes are searched through for what is not there.
    const old = !has(PCI_ERA) && has(DEVICE_PAGE_ERA);
    return { verdict: old ? 'old-lguest' : 'lguest', version: banner };
  }
  if (calls('vmcall') && has(DEVICE_PAGE_ERA)) return { verdict: 'old-lguest', version: banner };
  if (banner !== undefined) return { verdict: 'other-linux', version: banner };
  return { verdict: has(HYPERCALL) ? 'lguest' : 'never', version: undefined };
}

function versionBanner(part: Buffer): string | undefined {
  for (let at = part.indexOf(BANNER); at !== -1; at = part.indexOf(BANNER, at + 1)) {
    const version = /^\d+\.\d+\S{0,60}/.exec(part.toString('latin1', at + BANNER.length, at + BANNER.length + 64));
    if (version !== null) return version[0];
  }
  return undefined;
}

function initCall(part: Buffer): 'int' | 'vmcall' | undefined {
  const startsWith = (bytes: Uint8Array, at: number): boolean =>
    bytes.every((byte, index) => part[at + index] === byte);
  for (let at = part.indexOf(INIT_CALL); at !== -1; at = part.indexOf(INIT_CALL, at + 1)) {
    const call = at + INIT_CALL.length + OPERAND_SIZE;
    if (startsWith(HYPERCALL, call)) return 'int';
    if (startsWith(VMCALL, call)) return 'vmcall';
  }
  return undefined;
}

/** Looks into the payload of a bzImage, when it is packed with gzip. */
export async function inspectBzImage(image: KernelImage, kernel: BzImage): Promise<Inspection> {
  const version = kernel.version?.split(' ')[0];
  const payload = kernel.payload;
  if (payload === undefined) return { verdict: 'unknown', version };
  const packed = image.read(payload.offset, payload.length);
  const body = gzipBody(packed);
  if (body === undefined) return { verdict: 'unknown', version };
  try {
    const unpacked = kernelImageFromBytes(await promisify(inflateRaw)(body, { maxOutputLength: MAX_UNPACKED }));
    const { segments } = parseElf(unpacked);
    const found = inspectElf(segments.map(({ offset, fileSize }) => unpacked.read(offset, fileSize)));
    return found.verdict === 'never'
      ? { verdict: 'unknown', version }
      : { ...found, version: found.version ?? version };
  } catch {
    // It is the Guest that unpacks the kernel; if the data is damaged, the Guest will say so.
    return { verdict: 'unknown', version };
  }
}

/** RFC 1952: magic, method, flags, six more bytes; then what the flags say. */
const GZIP_HEADER_SIZE = 10;
const GZIP_FEXTRA = 0x04;
const GZIP_FNAME = 0x08;
const GZIP_FCOMMENT = 0x10;

/**
 * The deflated data of a gzip member; undefined if it is none, or has a header that no kernel's has. zlib reads the
 * header, too, but it also reads on behind the member, where a kernel has something else.
 */
function gzipBody(packed: Uint8Array): Uint8Array | undefined {
  const [magic0, magic1, , flags] = packed;
  if (magic0 !== 0x1f || magic1 !== 0x8b || flags === undefined) return undefined;
  if ((flags & (GZIP_FEXTRA | GZIP_FCOMMENT)) !== 0) return undefined;
  const nameEnd = (flags & GZIP_FNAME) === 0 ? GZIP_HEADER_SIZE : packed.indexOf(0, GZIP_HEADER_SIZE) + 1;
  return packed.subarray(Math.max(nameEnd, GZIP_HEADER_SIZE));
}

/** @throws UserError ERR_LGUEST_NOT_A_GUEST for a kernel that is known not to be able to run here */
export function refuseHopeless(name: string, inspection: Inspection): void {
  const linux = inspection.version === undefined ? 'this Linux' : `Linux ${inspection.version}`;
  const want = 'lguest boots Linux 4.2 to 4.12 configured with CONFIG_LGUEST_GUEST=y';
  const refuse = (message: string): never => {
    throw new UserError('ERR_LGUEST_NOT_A_GUEST', `${name}: ${message}`);
  };
  switch (inspection.verdict) {
    case 'old-lguest':
      return refuse(`${linux} is an lguest kernel from before the PCI bus; ${want}`);
    case 'other-linux':
      return refuse(`${linux} was built without lguest support; ${want}`);
    case 'never':
      return refuse(`not an lguest kernel: it contains no hypercall (int $0x1f); ${want}`);
    case 'lguest':
    case 'unknown':
  }
}
