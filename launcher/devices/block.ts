// The disk: one queue of requests, each answered before the Guest goes on. Data moves straight between the image and
// Guest memory.
import { PCI_CLASS_STORAGE_OTHER } from '../../guest-abi/pci/config-space.js';
import {
  VIRTIO_BLK_F_BLK_SIZE,
  VIRTIO_BLK_F_FLUSH,
  VIRTIO_BLK_F_RO,
  VIRTIO_BLK_F_SEG_MAX,
  VIRTIO_BLK_F_TOPOLOGY,
  VIRTIO_BLK_ID_BYTES,
  VIRTIO_BLK_SECTOR_SIZE,
  sizeof_virtio_blk_config,
  virtio_blk_config,
} from '../../guest-abi/virtio/virtio-blk.js';
import { VIRTIO_ID_BLOCK } from '../../guest-abi/virtio/virtio-ids.js';
import type { Logger } from '../../lib/log.js';
import type { DriverLink, VirtioDevice } from '../virtio/device.js';
import { VIRTQUEUE_NUM } from '../virtio/layout.js';
import { scatter, slice, totalLength } from '../virtio/segments.js';
import type { Virtqueue } from '../virtio/virtqueue.js';
import { perform, readRequest } from './block-request.js';
import type { DiskError, DiskImage } from './disk-image.js';

/** A chain has two descriptors that are not data: the header and the status. */
const SEG_MAX = VIRTQUEUE_NUM - 2;
/** A disk works best in units of 2^3 sectors: pages, to the Guest as to the file below. */
const PHYSICAL_BLOCK_EXP = 3;
/** Bytes after which others get a turn. */
const TURN = 64 * 1024 * 1024;
/** Errors of the image that are worth a line each. */
const MAX_REPORTS = 16;

interface Active {
  readonly state: 'active';
  readonly link: DriverLink;
  readonly queue: Virtqueue | undefined;
  turn: NodeJS.Immediate | undefined;
}

export class BlockDevice implements VirtioDevice {
  readonly name = 'block';
  readonly id = VIRTIO_ID_BLOCK;
  readonly pciClass = PCI_CLASS_STORAGE_OTHER;
  readonly features: readonly number[];
  readonly queues = ['request'];
  readonly config = new Uint8Array(sizeof_virtio_blk_config);
  readonly #image: DiskImage;
  readonly #serial: Uint8Array;
  readonly #log: Logger;
  #reports = 0;
  #requests = 0;
  #bytes = 0;
  #life: { readonly state: 'inactive' } | Active = { state: 'inactive' };

  /** `serial` is what the Guest sees as the name of the disk; its first 20 bytes count. */
  constructor(image: DiskImage, serial: string, log: Logger) {
    this.#image = image;
    this.#serial = new Uint8Array(VIRTIO_BLK_ID_BYTES);
    new TextEncoder().encodeInto(serial, this.#serial);
    this.#log = log;
    const always = [VIRTIO_BLK_F_SEG_MAX, VIRTIO_BLK_F_BLK_SIZE, VIRTIO_BLK_F_FLUSH, VIRTIO_BLK_F_TOPOLOGY];
    this.features = image.readOnly ? [...always, VIRTIO_BLK_F_RO] : always;
    const view = new DataView(this.config.buffer);
    view.setBigUint64(virtio_blk_config.capacity, BigInt(image.sectors), true);
    view.setUint32(virtio_blk_config.seg_max, SEG_MAX, true);
    view.setUint32(virtio_blk_config.blk_size, VIRTIO_BLK_SECTOR_SIZE, true);
    view.setUint8(virtio_blk_config.physical_block_exp, PHYSICAL_BLOCK_EXP);
    view.setUint16(virtio_blk_config.min_io_size, 2 ** PHYSICAL_BLOCK_EXP, true);
    view.setUint16(virtio_blk_config.num_queues, 1, true);
  }

  activate(link: DriverLink): void {
    this.#life = { state: 'active', link, queue: link.queues[0], turn: undefined };
    this.#serve();
  }

  kicked(): void {
    this.#serve();
  }

  reset(): void {
    if (this.#life.state === 'active') clearImmediate(this.#life.turn);
    this.#life = { state: 'inactive' };
  }

  counts(): Readonly<Record<string, number>> {
    return { 'disk requests': this.#requests, 'disk bytes': this.#bytes, 'disk errors': this.#reports };
  }

  close(): void {
    this.#report(this.#image.readOnly ? undefined : this.#image.flush());
    this.#image.close();
  }

  #serve(): void {
    const life = this.#life;
    if (life.state !== 'active' || life.queue === undefined || life.turn !== undefined) return;
    const { queue, link } = life;
    let moved = 0;
    for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
      const room = totalLength(chain.writable);
      const request = readRequest(queue.memory, chain, room);
      if (request.kind === 'short') return link.badDriver('iovec too short!');
      if (request.kind === 'mute') return queue.badDriver('Bad virtblk cmd with no room for status');
      const { status, written, error } = perform(request, this.#image, this.#serial, queue.memory);
      this.#report(error);
      scatter(queue.memory, slice(chain.writable, room - 1, 1), Uint8Array.of(status));
      queue.push(chain, written + 1);
      moved += totalLength(request.from) + written;
      this.#requests++;
      if (moved < TURN) continue;
      life.turn = setImmediate(() => {
        life.turn = undefined;
        this.#serve();
      });
      break;
    }
    this.#bytes += moved;
    queue.interrupt();
  }

  /** Says what is wrong with the image, but not for ever. */
  #report(error: DiskError): void {
    if (error === undefined) return;
    this.#reports++;
    if (this.#reports <= MAX_REPORTS) this.#log.warn(`block: ${error}`);
  }
}
