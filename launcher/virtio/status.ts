// The device status handshake of virtio 1.0, 3.1.1: the driver acknowledges, says it can drive the device, settles the
// features, reads back that they were accepted, and only then goes live.
import {
  VIRTIO_CONFIG_S_ACKNOWLEDGE,
  VIRTIO_CONFIG_S_DRIVER,
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FAILED,
  VIRTIO_CONFIG_S_FEATURES_OK,
} from '../../guest-abi/virtio/virtio-config.js';

/** What a write to device_status means. */
export type StatusWrite =
  | { readonly kind: 'reset' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'step' }
  | { readonly kind: 'features chosen' }
  | { readonly kind: 'go' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'bad'; readonly text: string };

/** Which status must have been reached before each bit may be set. */
const before: ReadonlyMap<number, number> = new Map([
  [VIRTIO_CONFIG_S_ACKNOWLEDGE, 0],
  [VIRTIO_CONFIG_S_DRIVER, VIRTIO_CONFIG_S_ACKNOWLEDGE],
  [VIRTIO_CONFIG_S_FEATURES_OK, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER],
  [VIRTIO_CONFIG_S_DRIVER_OK, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK],
]);

const hex = (value: number): string => (value === 0 ? '0' : `0x${value.toString(16)}`);

/**
 * What writing `to` over `from` asks for. `reread` says whether the driver read the status after setting FEATURES_OK.
 * Writing the same value again asks for nothing, and FAILED is the driver's right (the original ended for both).
 */
export function statusWrite(from: number, to: number, reread: boolean): StatusWrite {
  if (to === 0) return { kind: 'reset' };
  const change = `${hex(from)} -> ${hex(to)}`;
  if ((from & ~to) !== 0) return { kind: 'bad', text: `unset of device status bit ${change}` };
  const set = to & ~from;
  if (set === 0) return { kind: 'nothing' };
  if ((set & VIRTIO_CONFIG_S_FAILED) !== 0) return { kind: 'failed' };
  const required = before.get(set);
  if (required === undefined) return { kind: 'bad', text: `unknown device status bit ${change}` };
  if (from !== required) return { kind: 'bad', text: `unexpected status transition ${change}` };
  switch (set) {
    case VIRTIO_CONFIG_S_FEATURES_OK:
      return { kind: 'features chosen' };
    case VIRTIO_CONFIG_S_DRIVER_OK:
      return reread ? { kind: 'go' } : { kind: 'bad', text: 'did not re-read FEATURES_OK' };
    default:
      return { kind: 'step' };
  }
}
