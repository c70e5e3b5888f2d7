// Every layout again, computed from the C declaration by the compiler's rules.
import t from 'tap';
import {
  PCI_CONFIG_BUS,
  PCI_CONFIG_DEVICE,
  PCI_CONFIG_DEVICE_SHIFT,
  PCI_CONFIG_ENABLE,
  PCI_CONFIG_FUNCTION,
  PCI_CONFIG_REGISTER,
} from '../../guest-abi/pci/mechanism-1.js';
import * as blk from '../../guest-abi/virtio/virtio-blk.js';
import * as con from '../../guest-abi/virtio/virtio-console.js';
import * as net from '../../guest-abi/virtio/virtio-net.js';
import * as pci from '../../guest-abi/virtio/virtio-pci.js';
import * as ring from '../../guest-abi/virtio/virtio-ring.js';

const BYTES: Readonly<Record<string, number>> = { u8: 1, u16: 2, u32: 4, u64: 8 };

/** `u8 mac[6]; u16 status;` → offsets and size, without any padding but what is declared. */
function layout(declaration: string): { readonly offsets: Record<string, number>; readonly size: number } {
  const offsets: Record<string, number> = {};
  let size = 0;
  for (const [, type = '', name = '', count = '1'] of declaration.matchAll(/(u\d+)\s+(\w+)(?:\[(\d+)\])?;/g)) {
    offsets[name] = size;
    size += (BYTES[type] ?? 0) * Number(count);
  }
  return { offsets, size };
}

const CAP = 'u8 cap_vndr; u8 cap_next; u8 cap_len; u8 cfg_type; u8 bar; u8 padding[3]; u32 offset; u32 length;';
const COMMON = `u32 device_feature_select; u32 device_feature; u32 guest_feature_select; u32 guest_feature;
  u16 msix_config; u16 num_queues; u8 device_status; u8 config_generation;
  u16 queue_select; u16 queue_size; u16 queue_msix_vector; u16 queue_enable; u16 queue_notify_off;
  u32 queue_desc_lo; u32 queue_desc_hi; u32 queue_avail_lo; u32 queue_avail_hi; u32 queue_used_lo; u32 queue_used_hi;`;
const BLK = `u64 capacity; u32 size_max; u32 seg_max; u16 geometry_cylinders; u8 geometry_heads; u8 geometry_sectors;
  u32 blk_size; u8 physical_block_exp; u8 alignment_offset; u16 min_io_size; u32 opt_io_size; u8 wce; u8 unused; u16 num_queues;`;
const NET_HDR = 'u8 flags; u8 gso_type; u16 hdr_len; u16 gso_size; u16 csum_start; u16 csum_offset; u16 num_buffers;';

const structures: readonly (readonly [string, Readonly<Record<string, number>>, number, string])[] = [
  ['virtio_pci_cap', pci.virtio_pci_cap, pci.sizeof_virtio_pci_cap, CAP],
  [
    'virtio_pci_notify_cap',
    pci.virtio_pci_notify_cap,
    pci.sizeof_virtio_pci_notify_cap,
    `${CAP} u32 notify_off_multiplier;`,
  ],
  ['virtio_pci_cfg_cap', pci.virtio_pci_cfg_cap, pci.sizeof_virtio_pci_cfg_cap, `${CAP} u32 pci_cfg_data;`],
  ['virtio_pci_common_cfg', pci.virtio_pci_common_cfg, pci.sizeof_virtio_pci_common_cfg, COMMON],
  ['vring_desc', ring.vring_desc, ring.sizeof_vring_desc, 'u64 addr; u32 len; u16 flags; u16 next;'],
  ['vring_avail', ring.vring_avail, ring.vringAvailBytes(256), 'u16 flags; u16 idx; u16 ring[256];'],
  ['vring_used', ring.vring_used, ring.vringUsedBytes(256), 'u16 flags; u16 idx; u64 ring[256];'],
  ['vring_used_elem', ring.vring_used_elem, ring.sizeof_vring_used_elem, 'u32 id; u32 len;'],
  [
    'virtio_console_config',
    con.virtio_console_config,
    con.sizeof_virtio_console_config,
    'u16 cols; u16 rows; u32 max_nr_ports; u32 emerg_wr;',
  ],
  ['virtio_blk_config', blk.virtio_blk_config, blk.sizeof_virtio_blk_config, BLK],
  ['virtio_blk_outhdr', blk.virtio_blk_outhdr, blk.sizeof_virtio_blk_outhdr, 'u32 type; u32 ioprio; u64 sector;'],
  [
    'virtio_net_config',
    net.virtio_net_config,
    net.sizeof_virtio_net_config,
    'u8 mac[6]; u16 status; u16 max_virtqueue_pairs; u16 mtu;',
  ],
  ['virtio_net_hdr_v1', net.virtio_net_hdr_v1, net.sizeof_virtio_net_hdr_v1, NET_HDR],
];

for (const [name, offsets, size, declaration] of structures) {
  t.test(`struct ${name} is laid out as in C`, (t) => {
    const expected = layout(declaration);
    t.match({ ...offsets }, expected.offsets);
    t.match(expected.offsets, { ...offsets });
    t.equal(size, expected.size);
    t.end();
  });
}

t.test('the parts of a configuration address are where they are, and do not overlap', (t) => {
  const address = 0x8001_0b97;
  t.not(address & PCI_CONFIG_ENABLE, 0);
  t.equal((address & PCI_CONFIG_BUS) >>> 16, 1);
  t.equal((address & PCI_CONFIG_DEVICE) >>> PCI_CONFIG_DEVICE_SHIFT, 1);
  t.equal((address & PCI_CONFIG_FUNCTION) >>> 8, 3);
  t.equal(address & PCI_CONFIG_REGISTER, 0x94);
  const parts = [PCI_CONFIG_ENABLE, PCI_CONFIG_BUS, PCI_CONFIG_DEVICE, PCI_CONFIG_FUNCTION, PCI_CONFIG_REGISTER];
  t.equal(
    parts.reduce((sum, part) => sum + part),
    0x80ff_fffc,
  );
  t.end();
});
