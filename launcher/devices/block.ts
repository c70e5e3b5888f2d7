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
  VIRTIO_BLK_S_IOERR,
  VIRTIO_BLK_S_OK,
  VIRTIO_BLK_S_UNSUPP,
  VIRTIO_BLK_T_FLUSH,
  VIRTIO_BLK_T_GET_ID,
  VIRTIO_BLK_T_IN,
  VIRTIO_BLK_T_OUT,
  sizeof_virtio_blk_config,
  sizeof_virtio_blk_outhdr,
  virtio_blk_config,
  virtio_blk_outhdr,
} from '../../guest-abi/virtio/virtio-blk.js';
import { VIRTIO_ID_BLOCK } from '../../guest-abi/virtio/virtio-ids.js';
import type { Logger } from '../../lib/log.js';
import type { DriverLink, VirtioDevice } from '../virtio/device.js';
import type { GuestMemory } from '../virtio/guest-memory.js';
import { VIRTQUEUE_NUM } from '../virtio/layout.js';
import { gather, scatter, slice, totalLength } from '../virtio/segments.js';
import type { Segment } from '../virtio/segments.js';
import type { Chain, Virtqueue } from '../virtio/virtqueue.js';
import type { DiskError, DiskImage } from './disk-image.js';

/** A chain has two descriptors that are not data: the header and the status. */
const SEG_MAX = VIRTQUEUE_NUM - 2;
/** A disk works best in units of 2^3 sectors: pages, to the Guest as to the file below. */
const PHYSICAL_BLOCK_EXP = 3;
/** More data than any driver asks for at once. A request for more can only be the same memory many times over. */
const MAX_REQUEST = 32 * 1024 * 1024;
/** Bytes after which others get a turn. */
const TURN = 64 * 1024 * 1024;
/** Errors of the image that are worth a line each. */
const MAX_REPORTS = 16;

interface Request {
  readonly type: number;
  /** In bytes. A double, so that no sector number of 64 bits wraps. */
  readonly position: number;
  /** What a write brings. */
  readonly from: readonly Segment[];
  /** Where a read puts it. */
  readonly into: readonly Segment[];
}

interface Answer {
  readonly status: number;
  /** Bytes stored before the status. */
  readonly written: number;
}

const refused: Answer = { status: VIRTIO_BLK_S_IOERR, written: 0 };

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
  readonly #header = new Uint8Array(sizeof_virtio_blk_outhdr);
  #reports = 0;
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
      const request = this.#read(link, queue, chain, room);
      if (request === undefined) return;
      const { status, written } = this.#perform(request, queue.memory);
      scatter(queue.memory, slice(chain.writable, room - 1, 1), Uint8Array.of(status));
      queue.push(chain, written + 1);
      moved += totalLength(request.from) + written;
      if (moved < TURN) continue;
      life.turn = setImmediate(() => {
        life.turn = undefined;
        this.#serve();
      });
      break;
    }
    queue.interrupt();
  }

  /** Header, data and status may be cut into descriptors in any way (virtio 1.0, 2.4.4). */
  #read(link: DriverLink, queue: Virtqueue, chain: Chain, room: number): Request | undefined {
    if (gather(queue.memory, chain.readable, this.#header) < this.#header.length) {
      link.badDriver('iovec too short!');
      return undefined;
    }
    if (room === 0) return queue.badDriver('Bad virtblk cmd with no room for status');
    const header = new DataView(this.#header.buffer);
    const sector = Number(header.getBigUint64(virtio_blk_outhdr.sector, true));
    return {
      type: header.getUint32(virtio_blk_outhdr.type, true),
      position: sector * VIRTIO_BLK_SECTOR_SIZE,
      from: slice(chain.readable, this.#header.length),
      into: slice(chain.writable, 0, room - 1),
    };
  }

  #perform(request: Request, memory: GuestMemory): Answer {
    switch (request.type) {
      case VIRTIO_BLK_T_IN:
        return this.#transfer(request.position, request.into, memory, 'read');
      case VIRTIO_BLK_T_OUT:
        if (this.#image.readOnly) return refused;
        return this.#transfer(request.position, request.from, memory, 'write');
      case VIRTIO_BLK_T_FLUSH:
        return this.#report(this.#image.flush()) ? { status: VIRTIO_BLK_S_OK, written: 0 } : refused;
      case VIRTIO_BLK_T_GET_ID:
        return { status: VIRTIO_BLK_S_OK, written: scatter(memory, request.into, this.#serial) };
      default:
        return { status: VIRTIO_BLK_S_UNSUPP, written: 0 };
    }
  }

  #transfer(position: number, data: readonly Segment[], memory: GuestMemory, direction: 'read' | 'write'): Answer {
    const length = totalLength(data);
    const end = this.#image.sectors * VIRTIO_BLK_SECTOR_SIZE;
    if (position + length > end || length % VIRTIO_BLK_SECTOR_SIZE !== 0 || length > MAX_REQUEST) return refused;
    const views = data.map((segment) => memory.bytes(segment.address, segment.length));
    if (direction === 'write') {
      return this.#report(this.#image.write(position, views)) ? { status: VIRTIO_BLK_S_OK, written: 0 } : refused;
    }
    const error = this.#image.read(position, views);
    // Even a read that failed may have stored something.
    for (const segment of data) memory.wrote(segment.address, segment.length);
    return this.#report(error) ? { status: VIRTIO_BLK_S_OK, written: length } : refused;
  }

  /** Says once in a while what is wrong with the image; answers whether all is well. */
  #report(error: DiskError): boolean {
    if (error === undefined) return true;
    this.#reports++;
    if (this.#reports <= MAX_REPORTS) this.#log.warn(`block: ${error}`);
    return false;
  }
}
