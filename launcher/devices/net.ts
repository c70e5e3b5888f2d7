// The network card: a queue of empty buffers for frames to come, a queue of frames to go.
import { PCI_CLASS_NETWORK_ETHERNET } from '../../guest-abi/pci/config-space.js';
import { VIRTIO_RING_F_INDIRECT_DESC } from '../../guest-abi/virtio/virtio-config.js';
import { VIRTIO_ID_NET } from '../../guest-abi/virtio/virtio-ids.js';
import {
  ETH_ALEN,
  VIRTIO_NET_F_MAC,
  sizeof_virtio_net_config,
  sizeof_virtio_net_hdr_v1,
  virtio_net_config,
  virtio_net_hdr_v1,
} from '../../guest-abi/virtio/virtio-net.js';
import type { DriverLink, VirtioDevice } from '../virtio/device.js';
import { gather, scatter, slice, totalLength } from '../virtio/segments.js';
import type { Chain, Virtqueue } from '../virtio/virtqueue.js';
import type { NetBackEnd } from './net-back-end.js';

const RX = 0;
const TX = 1;
const HEADER = sizeof_virtio_net_hdr_v1;
/** The longest frame: 64 KiB of segmentation offload, and an Ethernet header with a VLAN tag. */
const MAX_FRAME = 65536 + 18;
/** Frames that wait for the Guest to post buffers. */
const MAX_WAITING = 256;

interface Active {
  readonly state: 'active';
  readonly link: DriverLink;
  /** A buffer for a frame that has not come. */
  posted: Chain | undefined;
}

/** What went through and what did not. */
interface NetCounters {
  sent: number;
  received: number;
  /** Frames of impossible length, frames too long for the posted buffer, frames for which nobody posted any. */
  dropped: number;
}

export class NetDevice implements VirtioDevice {
  readonly name = 'net';
  readonly id = VIRTIO_ID_NET;
  readonly pciClass = PCI_CLASS_NETWORK_ETHERNET;
  readonly features: readonly number[];
  readonly queues = ['rx', 'tx'];
  readonly config = new Uint8Array(sizeof_virtio_net_config);
  readonly #counters: NetCounters = { sent: 0, received: 0, dropped: 0 };
  readonly #backEnd: NetBackEnd;
  readonly #packet = new Uint8Array(HEADER + MAX_FRAME);
  readonly #waiting: Uint8Array[] = [];
  #life: { readonly state: 'inactive' } | Active = { state: 'inactive' };

  /** Without an address the Guest makes one up. */
  constructor(backEnd: NetBackEnd, mac?: Uint8Array) {
    this.#backEnd = backEnd;
    const always = [VIRTIO_RING_F_INDIRECT_DESC, ...(backEnd.features ?? [])];
    this.features = mac === undefined ? always : [...always, VIRTIO_NET_F_MAC];
    this.config.set(mac?.subarray(0, ETH_ALEN) ?? [], virtio_net_config.mac);
    backEnd.onReceive = (frame, header) => this.#arrived(frame, header);
  }

  activate(link: DriverLink): void {
    this.#life = { state: 'active', link, posted: undefined };
    this.#receive();
    this.#transmit();
  }

  kicked(index: number): void {
    if (index === RX) this.#receive();
    else if (index === TX) this.#transmit();
  }

  reset(): void {
    this.#life = { state: 'inactive' };
    this.#waiting.length = 0;
  }

  counts(): Readonly<Record<string, number>> {
    const { sent, received, dropped } = this.#counters;
    return { 'frames sent': sent, 'frames received': received, 'frames dropped': dropped };
  }

  close(): void {
    this.#backEnd.onReceive = undefined;
    this.#backEnd.close();
  }

  #transmit(): void {
    const queue = this.#queue(TX);
    if (queue === undefined) return;
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      if (chain.writable.length > 0) return queue.badDriver('Input buffers in net output queue?');
      const length = totalLength(chain.readable);
      if (length <= HEADER || length > this.#packet.length) {
        this.#counters.dropped++;
      } else {
        gather(queue.memory, chain.readable, this.#packet);
        this.#backEnd.send(this.#packet.subarray(HEADER, length), this.#packet.subarray(0, HEADER));
        this.#counters.sent++;
      }
      queue.push(chain, 0);
    }
    queue.interrupt();
  }

  /** The back end has a frame. It is kept as a packet, header first, until there is a buffer. */
  #arrived(frame: Uint8Array, header?: Uint8Array): void {
    const listening = this.#queue(RX) !== undefined;
    if (!listening || frame.length > MAX_FRAME || this.#waiting.length >= MAX_WAITING) {
      this.#counters.dropped++;
      return;
    }
    const packet = new Uint8Array(HEADER + frame.length);
    packet.set(header?.subarray(0, HEADER) ?? []);
    // "The device MUST set num_buffers to 1 if VIRTIO_NET_F_MRG_RXBUF has not been negotiated" (5.1.6.4.1).
    new DataView(packet.buffer).setUint16(virtio_net_hdr_v1.num_buffers, 1, true);
    packet.set(frame, HEADER);
    this.#waiting.push(packet);
    this.#receive();
  }

  #receive(): void {
    const life = this.#life;
    const queue = this.#queue(RX);
    if (life.state !== 'active' || queue === undefined) return;
    for (;;) {
      const chain = life.posted ?? queue.pop();
      life.posted = chain;
      if (chain === undefined) break;
      if (chain.readable.length > 0) return queue.badDriver('Output buffers in net input queue?');
      const packet = this.#waiting.shift();
      if (packet === undefined) break;
      if (packet.length > totalLength(chain.writable)) {
        this.#counters.dropped++;
        continue;
      }
      life.posted = undefined;
      scatter(queue.memory, slice(chain.writable, 0), packet);
      queue.push(chain, packet.length);
      this.#counters.received++;
    }
    queue.wantKicks(life.posted === undefined);
    queue.interrupt();
  }

  #queue(index: number): Virtqueue | undefined {
    return this.#life.state === 'active' ? this.#life.link.queues[index] : undefined;
  }
}
