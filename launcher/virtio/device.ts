// What a device is to the virtio transport: an identity, features, queues, a configuration space, and four events.
import type { Width } from '../pci/function.js';
import type { Virtqueue } from './virtqueue.js';

export interface VirtioDevice {
  /** As in `console: bad driver: …`. */
  readonly name: string;
  /** VIRTIO_ID_… */
  readonly id: number;
  /** PCI class << 8 | subclass. */
  readonly pciClass: number;
  /** Numbers of the feature bits offered. The transport adds VIRTIO_F_VERSION_1. */
  readonly features: readonly number[];
  /** The names of the queues, in the order of their numbers. */
  readonly queues: readonly string[];
  /** The device specific configuration, as the driver reads it. May be empty. */
  readonly config: Uint8Array;

  /** The driver set DRIVER_OK: from here to `reset` the device may use its queues. */
  activate(link: DriverLink): void;
  /** The driver rang the doorbell of queue `index`, which is active. */
  kicked(index: number): void;
  /** The driver is gone. Buffers in flight are forgotten, never given back. Also called when nothing was active. */
  reset(): void;
  /** Does what a write to `config` asks for. Answers how wide that register is; nothing when none is written there. */
  writeConfig?(offset: number, value: number): Width | undefined;
  /** What it has done so far, under names that people understand: `disk reads`. */
  counts(): Readonly<Record<string, number>>;
  /** The machine is gone: files and timers go too. */
  close(): void;
}

/** A driver that is live, as a device sees it. */
export interface DriverLink {
  /** Queues that the driver did not enable are missing. */
  readonly queues: readonly (Virtqueue | undefined)[];
  /** Whether the driver accepted feature number `bit`. */
  accepted(bit: number): boolean;
  /** Has the driver read `config` again, by an interrupt. */
  announceConfig(): void;
  /** The same, after `config` has changed: a driver that is just reading it starts over (config_generation). */
  configChanged(): void;
  /** Ends the Guest with `<device>: bad driver: <text>`. */
  badDriver(text: string): void;
}
