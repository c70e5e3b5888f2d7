// A serial line (linux/virtio_console.h; virtio 1.0, section 5.3).

/** Feature bits: `cols` and `rows` are valid; `emerg_wr` works before there is a queue. */
export const VIRTIO_CONSOLE_F_SIZE = 0;
export const VIRTIO_CONSOLE_F_EMERG_WRITE = 2;

export const virtio_console_config = { cols: 0, rows: 2, max_nr_ports: 4, emerg_wr: 8 } as const;
export const sizeof_virtio_console_config = 12;
