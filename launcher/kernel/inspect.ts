// Can this kernel be an lguest Guest at all? The most common mistake is a kernel that was never configured for it, and
// all that the user would see is a silent machine that dies of an unhandled trap.
//
// A Linux with CONFIG_LGUEST_GUEST has lguest_entry, whose first two hypercalls have operands that no compiler
// rearranges, because they are written in assembly. Compressed kernels hide it, unless gzip packed them. What cannot be
// looked into gets the benefit of the doubt.
import { UserError } from '../../lib/errors.js';
import type { BzImage, UnpackedKernel } from './bzimage.js';

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

/** What a bzImage's header and the kernel proper in it, if that can be had, say about it. */
export function inspectBzImage(kernel: BzImage, unpacked: UnpackedKernel | undefined): Inspection {
  const version = kernel.version?.split(' ')[0];
  if (unpacked === undefined) return { verdict: 'unknown', version };
  const { image, elf } = unpacked;
  const found = inspectElf(elf.segments.map(({ offset, fileSize }) => image.read(offset, fileSize)));
  return found.verdict === 'never' ? { verdict: 'unknown', version } : { ...found, version: found.version ?? version };
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
