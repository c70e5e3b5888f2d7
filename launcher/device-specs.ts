// What devices a Guest shall have, as plain data: made by `block(...)`, `rng()`, `net()` or by the command line, and
// built by the device table when the Guest is. The order is the order of the PCI slots, after the console's.
import { EXIT_USAGE, UserError } from '../lib/errors.js';
import type { NetBackEnd } from './devices/net-back-end.js';

export interface BlockSpec {
  readonly kind: 'block';
  /** The disk image: raw, whatever its first bytes look like. */
  readonly file: string;
  readonly readonly: boolean;
  /** Keep what the Guest writes in memory and leave the file as it is. */
  readonly snapshot: boolean;
  /** What the Guest reads as the disk's serial number: 20 bytes at most. */
  readonly id: string | undefined;
}

export interface RngSpec {
  readonly kind: 'rng';
  /** Makes the random numbers the same every time, for runs that must be repeatable. */
  readonly seed: number | string | undefined;
}

export interface NetSpec {
  readonly kind: 'net';
  /** `none`: a network card with no cable in it, what the Guest sends is counted and dropped; or the cable's other end. */
  readonly backend: 'none' | NetBackEnd;
  /** Six bytes; the Guest makes one up when there is none. */
  readonly mac: Uint8Array | undefined;
}

export type DeviceSpec = BlockSpec | RngSpec | NetSpec;

export interface BlockOptions {
  readonly readonly?: boolean;
  readonly snapshot?: boolean;
  readonly id?: string;
}

export const MAX_BLOCK_ID = 20;

/** A disk: /dev/vda, the next one /dev/vdb. */
export function block(file: string, options: BlockOptions = {}): BlockSpec {
  const { id } = options;
  if (id !== undefined && Buffer.byteLength(id) > MAX_BLOCK_ID) {
    throw new UserError('ERR_LGUEST_DISK', `the disk id "${id}" is longer than ${MAX_BLOCK_ID} bytes: shorten it`);
  }
  return { kind: 'block', file, readonly: options.readonly ?? false, snapshot: options.snapshot ?? false, id };
}

/** A source of random numbers: /dev/hwrng. */
export const rng = (options: { readonly seed?: number | string } = {}): RngSpec => ({
  kind: 'rng',
  seed: options.seed,
});

export interface NetOptions {
  /** `02:00:00:12:34:56`; the Guest makes one up when there is none. */
  readonly mac?: string;
  /** What is at the other end of the cable: a program of yours that takes frames and gives frames. Nothing by default. */
  readonly backEnd?: NetBackEnd;
}

/** A network card: eth0. */
export function net(options: NetOptions = {}): NetSpec {
  const mac = options.mac === undefined ? undefined : parseMac(options.mac);
  return { kind: 'net', backend: options.backEnd ?? 'none', mac };
}

function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new UserError('ERR_LGUEST_NET', `failed to parse MAC address '${text}': write it as 02:00:00:12:34:56`, {
      exitStatus: EXIT_USAGE,
    });
  }
  return Uint8Array.from(text.split(':'), (byte) => parseInt(byte, 16));
}
