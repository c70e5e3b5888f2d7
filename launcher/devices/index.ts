// The device table: what can be plugged into a Guest, and how it is made.
import type { Logger } from '../../lib/log.js';
import { Bus } from '../bus.js';
import type { ConsolePort } from '../console-port.js';
import type { LauncherContext } from '../context.js';
import type { DeviceSpec } from '../device-specs.js';
import type { VirtioDevice } from '../virtio/device.js';
import { BlockDevice } from './block.js';
import { survivesConfigChange } from './console-size.js';
import { ConsoleDevice } from './console.js';
import { LooseEnd } from './net-back-end.js';
import { NetDevice } from './net.js';
import { openDisk } from './open-disk.js';
import { hostRandom, seededRandom } from './random.js';
import { RngDevice } from './rng.js';
import type { Overlay } from './snapshot-image.js';

type Maker<K extends DeviceSpec['kind']> = (
  spec: Extract<DeviceSpec, { kind: K }>,
  log: Logger,
  overlay: Overlay,
) => VirtioDevice;

const table: { readonly [K in DeviceSpec['kind']]: Maker<K> } = {
  block: (spec, log, overlay) => new BlockDevice(openDisk(spec.file, { ...spec, overlay }, log), spec.id ?? '', log),
  net: (spec) => new NetDevice(spec.backend === 'none' ? new LooseEnd() : spec.backend, spec.mac),
  rng: (spec) => new RngDevice(spec.seed === undefined ? hostRandom : seededRandom(spec.seed)),
};

/** @throws UserError when there cannot be such a device: no such file, for instance */
export function createDevice<K extends DeviceSpec['kind']>(
  spec: Extract<DeviceSpec, { kind: K }>,
  log: Logger,
  overlay: Overlay = new Map(),
): VirtioDevice {
  const make: Maker<K> = table[spec.kind];
  return make(spec, log, overlay);
}

/**
 * The bus of a Guest: the console in slot 1, the others after it in the order of their options.
 *
 * @throws UserError when one of them cannot be made, or there are too many; those made before are closed again
 */
export function buildDevices(context: LauncherContext, specs: readonly DeviceSpec[], console: ConsolePort): Bus {
  const bus = new Bus(context);
  bus.add(new ConsoleDevice(console, { tellsSize: survivesConfigChange(context.kernelVersion) }));
  try {
    for (const [index, spec] of specs.entries()) {
      bus.add(createDevice(spec, context.log, context.overlays?.of(index)));
    }
  } catch (error) {
    bus.close();
    throw error;
  }
  return bus;
}
