// The library: `import { createGuest, block, rng } from 'lguest'`.
//
// Nothing here touches the process it runs in: no signals, no terminal, no exit. The command in bin/ is a thin user of
// what this file exports.
import { Guest, type GuestOptions } from './guest.js';
import { realParts } from './parts.js';

/**
 * Makes a Guest: memory, devices, kernel and initrd are in place when the promise resolves, and `run()` starts it.
 *
 * @throws UserError, with a `code` such as ERR_LGUEST_BAD_KERNEL, for what the caller can put right
 */
export function createGuest(options: GuestOptions): Promise<Guest> {
  return Guest.build(realParts(options.engine, options.countInstructions), options);
}

export { referenceGuest } from './reference-guest.js';
export { Guest, type GuestEvents, type GuestOptions } from './guest.js';
export { GuestConsole } from './console-stream.js';
export type { ConsoleSize } from './console-port.js';
export type { WaitOptions } from './output-watch.js';
export type { ExitInfo, ExitReason, GuestStats } from './exit-info.js';
export {
  type BlockOptions,
  type BlockSpec,
  type DeviceSpec,
  type NetOptions,
  type NetSpec,
  type RngSpec,
  block,
  net,
  rng,
} from './device-specs.js';
export type { NetBackEnd } from './devices/net-back-end.js';
export type { Logger } from '../lib/log.js';
export { UserError, UserError as GuestError } from '../lib/errors.js';
