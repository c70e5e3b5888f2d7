// A disk under which another one never changes: blocks that were written are here, the others there.
import { VIRTIO_BLK_SECTOR_SIZE } from '../../guest-abi/virtio/virtio-blk.js';
import type { DiskError, DiskImage } from './disk-image.js';

/** What is copied when a part of it is written. */
const BLOCK = 4096;

/** Cuts buffers at block boundaries; stops at the first error. */
function eachBlock(
  position: number,
  views: readonly Uint8Array[],
  visit: (number: number, offset: number, view: Uint8Array) => DiskError,
): DiskError {
  let at = position;
  for (const view of views) {
    for (let done = 0; done < view.length;) {
      const offset = at % BLOCK;
      const length = Math.min(view.length - done, BLOCK - offset);
      const error = visit(Math.floor(at / BLOCK), offset, view.subarray(done, done + length));
      if (error !== undefined) return error;
      at += length;
      done += length;
    }
  }
  return undefined;
}

/** What was written to a snapshot, by block. Kept by whoever wants it to outlive the disk, as a restart does. */
export type Overlay = Map<number, Uint8Array>;

export class SnapshotImage implements DiskImage {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly #base: DiskImage;
  readonly #blocks: Overlay;

  constructor(base: DiskImage, readOnly: boolean, overlay: Overlay = new Map()) {
    this.#base = base;
    this.#blocks = overlay;
    this.sectors = base.sectors;
    this.readOnly = readOnly;
  }

  read(position: number, into: readonly Uint8Array[]): DiskError {
    if (this.#blocks.size === 0) return this.#base.read(position, into);
    return eachBlock(position, into, (number, offset, view) => {
      const block = this.#blocks.get(number);
      if (block === undefined) return this.#base.read(number * BLOCK + offset, [view]);
      view.set(block.subarray(offset, offset + view.length));
      return undefined;
    });
  }

  write(position: number, from: readonly Uint8Array[]): DiskError {
    return eachBlock(position, from, (number, offset, view) => {
      const block = this.#blocks.get(number) ?? new Uint8Array(BLOCK);
      if (!this.#blocks.has(number) && view.length < BLOCK) {
        const error = this.#copyIn(number, block);
        if (error !== undefined) return error;
      }
      block.set(view, offset);
      this.#blocks.set(number, block);
      return undefined;
    });
  }

  /** Nothing here outlives the Guest. */
  flush(): DiskError {
    return undefined;
  }

  close(): void {
    this.#base.close();
  }

  /** The last block of a disk may be shorter than the others. */
  #copyIn(number: number, block: Uint8Array): DiskError {
    const start = number * BLOCK;
    const present = Math.min(BLOCK, this.sectors * VIRTIO_BLK_SECTOR_SIZE - start);
    return this.#base.read(start, [block.subarray(0, present)]);
  }
}
