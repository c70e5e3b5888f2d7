// The registers behind BAR0 of a virtio device: what the driver reads and writes, and what each access sets going.
//
// Offsets must match a register exactly to be written; the original's launcher holds drivers to the specification to the
// letter, and so do we. `#life` says what the device is allowed to do: touch queues only while it is active.
import { hex } from '../../lib/bits.js';
import {
  VIRTIO_CONFIG_S_DRIVER,
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_RING_F_INDIRECT_DESC,
} from '../../guest-abi/virtio/virtio-config.js';
import {
  VIRTIO_PCI_ISR_CONFIG,
  VIRTIO_PCI_ISR_QUEUE,
  virtio_pci_common_cfg as cfg,
} from '../../guest-abi/virtio/virtio-pci.js';
import type { DeviceMemory, Width } from '../pci/function.js';
import type { VirtioDevice } from './device.js';
import { Features } from './features.js';
import type { GuestMemory } from './guest-memory.js';
import { CONFIG_OFFSET, ISR_OFFSET, NOTIFY_OFFSET, PADDING_OFFSET } from './layout.js';
import { QueueRegisters } from './queue-registers.js';
import { statusWrite } from './status.js';
import { Virtqueue } from './virtqueue.js';

/** What the transport asks of the machine around it. */
export interface TransportOwner {
  readonly memory: GuestMemory;
  /** Raises the device's interrupt line. */
  interrupt(): void;
  /** The driver broke a rule: `<device>: bad driver: …`. Called once. */
  broken(reason: string): void;
  /** Where the Guest is executing, for the message. */
  eip(): number;
}

/** What the device may do. */
type Life =
  /** The driver is still setting things up. `reread` is whether it has seen FEATURES_OK stay. */
  | { readonly state: 'inactive'; readonly reread: boolean }
  | { readonly state: 'active'; readonly queues: readonly (Virtqueue | undefined)[] }
  /** The driver gave up and has to reset the device. */
  | { readonly state: 'failed' }
  /** The driver broke a rule, and the Guest is going to end for it. */
  | { readonly state: 'broken' };

/** Bytes of registers that `device` needs. */
export const transportSize = (device: VirtioDevice): number => CONFIG_OFFSET + device.config.length;

const unused: Life = { state: 'inactive', reread: true };

export class VirtioTransport implements DeviceMemory {
  readonly address: number;
  readonly size: number;
  readonly #device: VirtioDevice;
  readonly #owner: TransportOwner;
  /** Registers that are just memory; what the others read is computed. */
  readonly #window: DataView;
  readonly #features: Features;
  readonly #queues: QueueRegisters;
  #life: Life = unused;

  constructor(device: VirtioDevice, address: number, owner: TransportOwner) {
    this.address = address;
    this.size = transportSize(device);
    this.#device = device;
    this.#owner = owner;
    this.#window = new DataView(new ArrayBuffer(CONFIG_OFFSET));
    this.#window.setUint16(cfg.num_queues, device.queues.length, true);
    this.#features = new Features(device.features);
    const badDriver = (text: string, queue?: string): void => this.#badDriver(text, queue);
    this.#queues = new QueueRegisters(this.#window, owner.memory, device.queues, badDriver);
  }

  read(offset: number, width: Width): number {
    if (this.#life.state === 'broken') return 0;
    switch (offset) {
      case cfg.device_feature_select:
      case cfg.device_feature:
      case cfg.guest_feature_select:
      case cfg.guest_feature:
        return this.#readFeature(offset, width);
      case cfg.msix_config:
        return this.#badRead('read of msix_config');
      case cfg.num_queues:
        return this.#readWindow(offset, width, 16);
      case cfg.device_status:
        if (this.#life.state === 'inactive') this.#life = { state: 'inactive', reread: true };
        return this.#readWindow(offset, width, 8);
      case cfg.config_generation:
        return this.#readWindow(offset, width, 8);
      case NOTIFY_OFFSET:
        if (!this.#status(VIRTIO_CONFIG_S_DRIVER_OK)) this.#badRead('notify before VIRTIO_CONFIG_S_DRIVER_OK');
        return this.#readWindow(offset, width, 16);
      case ISR_OFFSET: {
        // "The device MUST reset ISR status to 0 on driver read" (4.1.4.5.1).
        const isr = this.#readWindow(offset, width, 8);
        this.#window.setUint8(ISR_OFFSET, 0);
        return isr;
      }
      case PADDING_OFFSET:
        return this.#badRead(`read from padding (${this.#eip()})`);
      default:
        return this.#readBytes(offset, width);
    }
  }

  write(offset: number, width: Width, value: number): void {
    if (this.#life.state === 'broken') return;
    const expected = this.#writeRegister(offset, width === 32 ? value >>> 0 : value & ((1 << width) - 1));
    if (expected !== undefined && expected !== width) {
      this.#badDriver(`non-${expected}-bit write to offset ${offset} (${this.#eip()})`);
    }
  }

  /** The machine is reset or gone. */
  reset(): void {
    this.#window.setUint8(cfg.device_status, 0);
    this.#window.setUint8(ISR_OFFSET, 0);
    this.#features.reset();
    this.#queues.reset();
    this.#life = unused;
    this.#device.reset();
  }

  /** Does what a write asks for; answers how wide the register is, where that has to be checked. */
  #writeRegister(offset: number, value: number): Width | undefined {
    switch (offset) {
      case cfg.device_feature_select:
      case cfg.guest_feature_select:
      case cfg.guest_feature:
        this.#writeFeature(offset, value);
        return 32;
      case cfg.device_status:
        this.#writeStatus(value);
        return 8;
      case cfg.queue_select:
        this.#queues.select(value);
        return 16;
      case cfg.queue_size:
        this.#queues.writeSize(value);
        return 16;
      case cfg.queue_msix_vector:
        return this.#badWrite(`attempt to set MSIX vector to ${value}`);
      case cfg.queue_enable:
        this.#queues.writeEnable(value, this.#status(VIRTIO_CONFIG_S_DRIVER_OK));
        return 16;
      case cfg.queue_notify_off:
        return this.#badWrite('attempt to write to queue_notify_off');
      case cfg.queue_desc_lo:
      case cfg.queue_desc_hi:
      case cfg.queue_avail_lo:
      case cfg.queue_avail_hi:
      case cfg.queue_used_lo:
      case cfg.queue_used_hi:
        this.#writeQueueAddress(offset, value);
        return 32;
      case NOTIFY_OFFSET:
        this.#kick(value);
        return 16;
      case ISR_OFFSET:
        return this.#badWrite('Unexpected write to isr');
      default:
        return (
          this.#device.writeConfig?.(offset - CONFIG_OFFSET, value) ??
          this.#badWrite(`Unexpected write to offset ${offset}`)
        );
    }
  }

  #readFeature(offset: number, width: Width): number {
    if (!this.#status(VIRTIO_CONFIG_S_DRIVER)) this.#badRead('feature read before VIRTIO_CONFIG_S_DRIVER');
    return this.#readWindow(offset, width, 32);
  }

  #writeFeature(offset: number, value: number): void {
    if (offset === cfg.guest_feature) {
      const text = this.#features.accept(this.#window.getUint32(cfg.guest_feature_select, true), value);
      if (text !== undefined) return this.#badDriver(text);
    }
    if (offset === cfg.guest_feature_select && value > 1) {
      return this.#badDriver(`Unexpected driver select ${value}`);
    }
    if (!this.#status(VIRTIO_CONFIG_S_DRIVER)) return this.#badDriver('feature write before VIRTIO_CONFIG_S_DRIVER');
    if (this.#status(VIRTIO_CONFIG_S_FEATURES_OK)) {
      return this.#badDriver('feature write after VIRTIO_CONFIG_S_FEATURES_OK');
    }
    this.#window.setUint32(offset, value, true);
    if (offset === cfg.device_feature_select) {
      this.#window.setUint32(cfg.device_feature, this.#features.word(value), true);
    }
  }

  #writeStatus(value: number): void {
    const reread = this.#life.state !== 'inactive' || this.#life.reread;
    const asked = statusWrite(this.#window.getUint8(cfg.device_status), value, reread);
    switch (asked.kind) {
      case 'reset':
        return this.reset();
      case 'bad':
        return this.#badDriver(asked.text);
      case 'nothing':
        return;
      case 'step':
        break;
      case 'features chosen':
        this.#life = { state: 'inactive', reread: false };
        break;
      case 'failed':
        this.#life = { state: 'failed' };
        this.#device.reset();
        break;
      case 'go':
        this.#window.setUint8(cfg.device_status, value);
        return this.#activate();
    }
    this.#window.setUint8(cfg.device_status, value);
  }

  #writeQueueAddress(offset: number, value: number): void {
    if (!this.#status(VIRTIO_CONFIG_S_FEATURES_OK)) return this.#badDriver('setting up vq before FEATURES_OK');
    if (this.#life.state === 'inactive' && !this.#life.reread) {
      return this.#badDriver("didn't re-read FEATURES_OK before setup");
    }
    this.#queues.writeAddress(offset, value);
  }

  #activate(): void {
    const owner = {
      indirectAccepted: this.#features.has(VIRTIO_RING_F_INDIRECT_DESC),
      badDriver: (text: string, queue?: string): void => this.#badDriver(text, queue),
      interrupt: (): void => this.#interrupt(VIRTIO_PCI_ISR_QUEUE),
    };
    const queues = this.#device.queues.map((name, index) => {
      const place = this.#queues.place(index);
      return place && new Virtqueue(name, this.#owner.memory, place, owner);
    });
    this.#life = { state: 'active', queues };
    this.#device.activate({
      queues,
      accepted: (bit) => this.#features.has(bit),
      announceConfig: () => this.#interrupt(VIRTIO_PCI_ISR_CONFIG),
      configChanged: () => this.#configChanged(),
      badDriver: owner.badDriver,
    });
  }

  /** Every queue has the one doorbell. A kick of a device that is not active asks for nothing. */
  #kick(index: number): void {
    if (index >= this.#device.queues.length) return this.#badDriver(`Invalid vq notification on ${index}`);
    if (this.#life.state === 'active' && this.#life.queues[index] !== undefined) this.#device.kicked(index);
  }

  #configChanged(): void {
    this.#window.setUint8(cfg.config_generation, this.#window.getUint8(cfg.config_generation) + 1);
    this.#interrupt(VIRTIO_PCI_ISR_CONFIG);
  }

  #interrupt(bit: number): void {
    this.#window.setUint8(ISR_OFFSET, this.#window.getUint8(ISR_OFFSET) | bit);
    this.#owner.interrupt();
  }

  #status(bit: number): boolean {
    return (this.#window.getUint8(cfg.device_status) & bit) !== 0;
  }

  /** A register of `expected` bits. */
  #readWindow(offset: number, width: Width, expected: Width): number {
    if (width !== expected) return this.#badRead(`non-${expected}-bit read to offset ${offset} (${this.#eip()})`);
    if (width === 8) return this.#window.getUint8(offset);
    return width === 16 ? this.#window.getUint16(offset, true) : this.#window.getUint32(offset, true);
  }

  /** Anything that is just bytes: the registers of the selected queue, and the device's configuration. */
  #readBytes(offset: number, width: Width): number {
    const length = width / 8;
    if (offset + length > this.size) return this.#badRead(`read past end (${this.#eip()})`);
    if (!this.#status(VIRTIO_CONFIG_S_DRIVER)) return this.#badRead('config read before VIRTIO_CONFIG_S_DRIVER');
    let value = 0;
    for (let i = length - 1; i >= 0; i--) value = (value << 8) | this.#byte(offset + i);
    return value >>> 0;
  }

  #byte(offset: number): number {
    return offset < CONFIG_OFFSET ? this.#window.getUint8(offset) : (this.#device.config[offset - CONFIG_OFFSET] ?? 0);
  }

  #eip(): string {
    return hex(this.#owner.eip());
  }

  #badRead(text: string): number {
    this.#badDriver(text);
    return 0;
  }

  #badWrite(text: string): undefined {
    this.#badDriver(text);
    return undefined;
  }

  #badDriver(text: string, queue?: string): void {
    if (this.#life.state === 'broken') return;
    this.#life = { state: 'broken' };
    this.#device.reset();
    const who = queue === undefined ? this.#device.name : `${this.#device.name} vq ${queue}`;
    this.#owner.broken(`${who}: bad driver: ${text}`);
  }
}
