// The entropy source: fills what the Guest posts.
import { PCI_CLASS_OTHERS } from '../../guest-abi/pci/config-space.js';
import { VIRTIO_ID_RNG } from '../../guest-abi/virtio/virtio-ids.js';
import type { DriverLink, VirtioDevice } from '../virtio/device.js';
import { slice } from '../virtio/segments.js';
import type { Virtqueue } from '../virtio/virtqueue.js';
import type { FillRandom } from './random.js';

/**
 * "The device MUST place one or more random bytes into the buffer, but it MAY use less than the entire buffer length"
 * (5.4.6.2): a Guest that posts all of its memory gets this much at a time.
 */
const MAX_ANSWER = 64 * 1024;

export class RngDevice implements VirtioDevice {
  readonly name = 'rng';
  readonly id = VIRTIO_ID_RNG;
  readonly pciClass = PCI_CLASS_OTHERS;
  readonly features = [];
  readonly queues = ['input'];
  readonly config = new Uint8Array(0);
  readonly #fill: FillRandom;
  #queue: Virtqueue | undefined;
  #bytes = 0;

  constructor(fill: FillRandom) {
    this.#fill = fill;
  }

  activate(link: DriverLink): void {
    this.#queue = link.queues[0];
    this.kicked();
  }

  kicked(): void {
    const queue = this.#queue;
    if (queue === undefined) return;
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      if (chain.readable.length > 0) return queue.badDriver('Output buffers in rng?');
      let filled = 0;
      for (const { address, length } of slice(chain.writable, 0, MAX_ANSWER)) {
        this.#fill(queue.memory.bytes(address, length));
        queue.memory.wrote(address, length);
        filled += length;
      }
      queue.push(chain, filled);
      this.#bytes += filled;
    }
    queue.interrupt();
  }

  reset(): void {
    this.#queue = undefined;
  }

  counts(): Readonly<Record<string, number>> {
    return { 'random bytes': this.#bytes };
  }

  close(): void {
    this.reset();
  }
}
