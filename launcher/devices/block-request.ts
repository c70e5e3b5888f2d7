// One request to a disk: taken from its buffer, carried out, answered with a status.
import {
  VIRTIO_BLK_SECTOR_SIZE,
  VIRTIO_BLK_S_IOERR,
  VIRTIO_BLK_S_OK,
  VIRTIO_BLK_S_UNSUPP,
  VIRTIO_BLK_T_FLUSH,
  VIRTIO_BLK_T_GET_ID,
  VIRTIO_BLK_T_IN,
  VIRTIO_BLK_T_OUT,
  sizeof_virtio_blk_outhdr,
  virtio_blk_outhdr,
} from '../../guest-abi/virtio/virtio-blk.js';
import type { GuestMemory } from '../virtio/guest-memory.js';
import { gather, scatter, slice, totalLength } from '../virtio/segments.js';
import type { Segment } from '../virtio/segments.js';
import type { Chain } from '../virtio/virtqueue.js';
import type { DiskError, DiskImage } from './disk-image.js';

/** More data than any driver asks for at once. A request for more can only be the same memory many times over. */
const MAX_REQUEST = 32 * 1024 * 1024;

export interface Request {
  readonly kind: 'request';
  readonly type: number;
  /** In bytes. A double, so that no sector number of 64 bits wraps. */
  readonly position: number;
  /** What a write brings. */
  readonly from: readonly Segment[];
  /** Where a read puts it. */
  readonly into: readonly Segment[];
}

/** A header that is not all there; a request whose answer has no place. */
export type NoRequest = { readonly kind: 'short' } | { readonly kind: 'mute' };

export interface Answer {
  readonly status: number;
  /** Bytes stored before the status. */
  readonly written: number;
  /** What the image had to say about it. */
  readonly error?: DiskError;
}

const refused: Answer = { status: VIRTIO_BLK_S_IOERR, written: 0 };

const answer = (error: DiskError, written = 0): Answer =>
  error === undefined ? { status: VIRTIO_BLK_S_OK, written } : { ...refused, error };

/**
 * Header, data and status may be cut into descriptors in any way (virtio 1.0, 2.4.4). `room` is the length of what the
 * device may write, the last byte of which is for the status.
 */
export function readRequest(memory: GuestMemory, chain: Chain, room: number): Request | NoRequest {
  const bytes = new Uint8Array(sizeof_virtio_blk_outhdr);
  if (gather(memory, chain.readable, bytes) < bytes.length) return { kind: 'short' };
  if (room === 0) return { kind: 'mute' };
  const header = new DataView(bytes.buffer);
  return {
    kind: 'request',
    type: header.getUint32(virtio_blk_outhdr.type, true),
    position: Number(header.getBigUint64(virtio_blk_outhdr.sector, true)) * VIRTIO_BLK_SECTOR_SIZE,
    from: slice(chain.readable, bytes.length),
    into: slice(chain.writable, 0, room - 1),
  };
}

export function perform(request: Request, image: DiskImage, serial: Uint8Array, memory: GuestMemory): Answer {
  switch (request.type) {
    case VIRTIO_BLK_T_IN:
      return read(request, image, memory);
    case VIRTIO_BLK_T_OUT:
      return image.readOnly || !possible(request.position, request.from, image)
        ? refused
        : answer(image.write(request.position, viewsOf(request.from, memory)));
    case VIRTIO_BLK_T_FLUSH:
      return answer(image.flush());
    case VIRTIO_BLK_T_GET_ID:
      return answer(undefined, scatter(memory, request.into, serial));
    default:
      return { status: VIRTIO_BLK_S_UNSUPP, written: 0 };
  }
}

function read({ position, into }: Request, image: DiskImage, memory: GuestMemory): Answer {
  if (!possible(position, into, image)) return refused;
  const error = image.read(position, viewsOf(into, memory));
  // Even a read that failed may have stored something.
  for (const { address, length } of into) memory.wrote(address, length);
  return answer(error, totalLength(into));
}

/** Whole sectors, all of them on the disk. */
function possible(position: number, data: readonly Segment[], image: DiskImage): boolean {
  const length = totalLength(data);
  const end = image.sectors * VIRTIO_BLK_SECTOR_SIZE;
  return position + length <= end && length % VIRTIO_BLK_SECTOR_SIZE === 0 && length <= MAX_REQUEST;
}

const viewsOf = (segments: readonly Segment[], memory: GuestMemory): Uint8Array[] =>
  segments.map(({ address, length }) => memory.bytes(address, length));
