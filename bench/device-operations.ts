// Operations at devices: Guests in assembly with a console or a disk on their bus, which do what their drivers would. No
// interrupt is asked for: what one costs is another row.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VIRTIO_BLK_T_IN } from '../guest-abi/virtio/virtio-blk.js';
import { virtio_pci_common_cfg as cfg, sizeof_virtio_pci_common_cfg } from '../guest-abi/virtio/virtio-pci.js';
import { VRING_AVAIL_F_NO_INTERRUPT, VRING_DESC_F_NEXT, VRING_DESC_F_WRITE } from '../guest-abi/virtio/virtio-ring.js';
import type { ConsolePort } from '../launcher/console-port.js';
import { ConsoleDevice } from '../launcher/devices/console.js';
import { createDevice } from '../launcher/devices/index.js';
import type { VirtioDevice } from '../launcher/virtio/device.js';
import { silentLogger } from '../lib/log.js';
import { AssemblyGuest } from '../tests/support/assembly-guest.js';
import { RAM } from '../tests/support/guest-layout.js';
import type { Operation } from './operation.js';

/** The first device's registers: 256 pages behind RAM. They are mapped at LAB. */
const REGISTERS = RAM + 0x100000;
const NOTIFY = sizeof_virtio_pci_common_cfg;
/** Where the virtqueue is, and what its descriptors lead to. */
const [DESC, AVAIL, USED, HEADER, STATUS, DATA] = [0x30000, 0x31000, 0x32000, 0x33000, 0x33010, 0x34000];
const DESCRIPTOR = 16;
const BLOCK = 4096;
const SLICES = 1e6;
const TRANSMIT_QUEUE = 1;
const REQUEST_QUEUE = 0;

const store = (offset: number, width: 8 | 16 | 32, value: number): string =>
  `mov $${value}, %eax; mov ${{ 8: '%al', 16: '%ax', 32: '%eax' }[width]}, ${offset}(%ebx)`;

/** A driver's handshake, with one queue. */
const handshake = (queue: number): string =>
  [
    `movl $${REGISTERS | 3}, LAB_PTE; mov $LAB, %ebx`,
    ...[0, 1, 3].map((status) => store(cfg.device_status, 8, status)),
    store(cfg.guest_feature_select, 32, 1),
    store(cfg.guest_feature, 32, 1),
    store(cfg.device_status, 8, 0xb),
    `mov ${cfg.device_status}(%ebx), %al`,
    store(cfg.queue_select, 16, queue),
    store(cfg.queue_desc_lo, 32, DESC),
    store(cfg.queue_avail_lo, 32, AVAIL),
    store(cfg.queue_used_lo, 32, USED),
    store(cfg.queue_enable, 16, 1),
    store(cfg.device_status, 8, 0xf),
  ].join('\n');

/** Makes descriptor 0 available once more, and rings the bell. */
const request = (queue: number): string => `incw KERNEL+${AVAIL}+2; ${store(NOTIFY, 16, queue)}`;

/** The words of a chain of descriptors from 0 on. */
function chain(...parts: readonly (readonly [at: number, length: number, flags: number])[]): Record<number, number> {
  const words: Record<number, number> = { [AVAIL]: VRING_AVAIL_F_NO_INTERRUPT };
  for (const [i, [at, length, flags]] of parts.entries()) {
    const isLast = i === parts.length - 1;
    words[DESC + i * DESCRIPTOR] = at;
    words[DESC + i * DESCRIPTOR + 8] = length;
    words[DESC + i * DESCRIPTOR + 12] = flags | (isLast ? 0 : VRING_DESC_F_NEXT | ((i + 1) << 16));
  }
  return words;
}

interface AtDevice {
  readonly name: string;
  readonly count: number;
  readonly device: () => VirtioDevice;
  readonly queue: number;
  readonly words: Readonly<Record<number, number>>;
  readonly body: string;
  /** Whether what was to be done is done: a device that does nothing is fast. */
  readonly isDone: (guest: AssemblyGuest, count: number) => boolean;
}

const wasUsed = (guest: AssemblyGuest, count: number): boolean => guest.word(USED) >>> 16 === (count & 0xffff);

const atDevice = ({ name, count, device, queue, words, body, isDone }: AtDevice): Operation => ({
  name,
  count,
  trial(times) {
    const loop = times === 0 ? '' : `again: ${body}; dec %esi; jnz again`;
    const text = `${handshake(queue)}\nmov $${times}, %esi\n${loop}\ncrash DONE`;
    const guest = new AssemblyGuest(text, { engine: 'translate', devices: [device()], words });
    return {
      run() {
        const end = guest.run(SLICES);
        if (!end.includes('done') || guest.broken.length > 0 || !isDone(guest, times))
          throw new Error(`${name}: ${end} ${guest.broken.join()}`);
      },
    };
  },
});

/** A terminal that takes everything. */
const sink = (): ConsolePort => ({
  write: () => true,
  read: () => new Uint8Array(0),
  size: { cols: 80, rows: 24 },
  onWritable: undefined,
  onReadable: undefined,
  onResize: undefined,
});

function disk(): VirtioDevice {
  const folder = mkdtempSync(join(tmpdir(), 'lguest-bench-'));
  try {
    const file = join(folder, 'disk');
    writeFileSync(file, Buffer.alloc(16 * BLOCK, 7));
    return createDevice({ kind: 'block', file, readonly: true, snapshot: false, id: undefined }, silentLogger);
  } finally {
    // It is open, which is enough.
    rmSync(folder, { recursive: true });
  }
}

export const DEVICE_OPERATIONS: readonly Operation[] = [
  atDevice({
    name: 'device memory: mov of a status register',
    count: 50_000,
    device: () => new ConsoleDevice(sink()),
    queue: TRANSMIT_QUEUE,
    words: {},
    body: `mov ${cfg.device_status}(%ebx), %al`,
    isDone: () => true,
  }),
  atDevice({
    name: 'virtio-console: one byte, notified and used',
    count: 30_000,
    device: () => new ConsoleDevice(sink()),
    queue: TRANSMIT_QUEUE,
    words: chain([DATA, 1, 0]),
    body: request(TRANSMIT_QUEUE),
    isDone: wasUsed,
  }),
  atDevice({
    name: 'virtio-blk: 4 KiB read from a file, notified and used',
    count: 20_000,
    device: disk,
    queue: REQUEST_QUEUE,
    words: {
      ...chain([HEADER, 16, 0], [DATA, BLOCK, VRING_DESC_F_WRITE], [STATUS, 1, VRING_DESC_F_WRITE]),
      [HEADER]: VIRTIO_BLK_T_IN,
      [STATUS]: 0xff,
    },
    body: request(REQUEST_QUEUE),
    isDone: (guest, count) =>
      wasUsed(guest, count) && (count === 0 || (guest.word(DATA) === 0x07070707 && (guest.word(STATUS) & 0xff) === 0)),
  }),
];
