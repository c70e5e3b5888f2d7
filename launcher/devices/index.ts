// The device table: what can be plugged into a Guest besides its console.
import { ETH_ALEN } from '../../guest-abi/virtio/virtio-net.js';
import { UserError } from '../../lib/errors.js';
import type { Logger } from '../../lib/log.js';
import type { VirtioDevice } from '../virtio/device.js';
import { BlockDevice } from './block.js';
import type { DiskOptions } from './disk-image.js';
import { openDisk } from './disk-image.js';
import { LooseEnd } from './net-back-end.js';
import type { NetBackEnd } from './net-back-end.js';
import { NetDevice } from './net.js';
import { hostRandom, seededRandom } from './random.js';
import { RngDevice } from './rng.js';

export { ConsoleDevice } from './console.js';
export type { NetBackEnd } from './net-back-end.js';

export interface BlockSpec extends DiskOptions {
  readonly kind: 'block';
  readonly path: string;
  /** What the Guest sees as the disk's serial number. */
  readonly id?: string;
}

export interface NetSpec {
  readonly kind: 'net';
  /** Frames go nowhere without one. */
  readonly backEnd?: NetBackEnd;
  /** `02:00:00:00:00:01`. */
  readonly mac?: string;
}

export interface RngSpec {
  readonly kind: 'rng';
  /** Makes the entropy the same every time. */
  readonly seed?: number | string;
}

export type DeviceSpec = BlockSpec | NetSpec | RngSpec;

type Maker<K extends DeviceSpec['kind']> = (spec: Extract<DeviceSpec, { kind: K }>, log: Logger) => VirtioDevice;

const table: { readonly [K in DeviceSpec['kind']]: Maker<K> } = {
  block: (spec, log) => new BlockDevice(openDisk(spec.path, spec), spec.id ?? '', log),
  net: (spec) => new NetDevice(spec.backEnd ?? new LooseEnd(), parseMac(spec.mac)),
  rng: (spec) => new RngDevice(spec.seed === undefined ? hostRandom : seededRandom(spec.seed)),
};

/** @throws UserError when the specification cannot be met: no such disk, no such address */
export function createDevice<K extends DeviceSpec['kind']>(
  spec: Extract<DeviceSpec, { kind: K }>,
  log: Logger,
): VirtioDevice {
  const make: Maker<K> = table[spec.kind];
  return make(spec, log);
}

export const block = (path: string, options: Omit<BlockSpec, 'kind' | 'path'> = {}): BlockSpec => ({
  kind: 'block',
  path,
  ...options,
});
export const net = (options: Omit<NetSpec, 'kind'> = {}): NetSpec => ({ kind: 'net', ...options });
export const rng = (options: Omit<RngSpec, 'kind'> = {}): RngSpec => ({ kind: 'rng', ...options });

const MULTICAST = 1;

/** @throws UserError when the text is not the address of one card */
export function parseMac(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const bytes = /^([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i.test(text)
    ? Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16))
    : undefined;
  if (bytes?.length !== ETH_ALEN || ((bytes[0] ?? 0) & MULTICAST) !== 0) {
    throw new UserError(
      'ERR_LGUEST_BAD_MAC',
      `Failed to parse mac address '${text}': it is six bytes, such as 02:00:00:00:00:01`,
    );
  }
  return bytes;
}
