// A disk (linux/virtio_blk.h; virtio 1.0, section 5.2).

/** Feature bits. */
export const VIRTIO_BLK_F_SEG_MAX = 2;
export const VIRTIO_BLK_F_RO = 5;
export const VIRTIO_BLK_F_BLK_SIZE = 6;
export const VIRTIO_BLK_F_FLUSH = 9;
export const VIRTIO_BLK_F_TOPOLOGY = 10;

export const virtio_blk_config = {
  capacity: 0,
  size_max: 8,
  seg_max: 12,
  geometry_cylinders: 16,
  geometry_heads: 18,
  geometry_sectors: 19,
  blk_size: 20,
  physical_block_exp: 24,
  alignment_offset: 25,
  min_io_size: 26,
  opt_io_size: 28,
  wce: 32,
  unused: 33,
  num_queues: 34,
} as const;
export const sizeof_virtio_blk_config = 36;

/** What every request begins with. Data follows, then one status byte. */
export const virtio_blk_outhdr = { type: 0, ioprio: 4, sector: 8 } as const;
export const sizeof_virtio_blk_outhdr = 16;
/** The unit of `capacity` and `sector`, whatever blk_size says. */
export const VIRTIO_BLK_SECTOR_SIZE = 512;

/** Request types: the driver reads, writes, wants what it wrote to be durable, asks for the serial number. */
export const VIRTIO_BLK_T_IN = 0;
export const VIRTIO_BLK_T_OUT = 1;
export const VIRTIO_BLK_T_FLUSH = 4;
export const VIRTIO_BLK_T_GET_ID = 8;
/** Length of the answer to VIRTIO_BLK_T_GET_ID; shorter names are padded with NUL. */
export const VIRTIO_BLK_ID_BYTES = 20;

export const VIRTIO_BLK_S_OK = 0;
export const VIRTIO_BLK_S_IOERR = 1;
export const VIRTIO_BLK_S_UNSUPP = 2;
