// Configuration mechanism #1 (PCI 3.0, 3.2.2.3.2): an address goes to one port, data moves through another.
//
// The address register:
//    31  30         24 23    16 15      11 10      8 7        2 1 0
//   +---+-------------+--------+----------+---------+----------+---+
//   | E |  reserved   |  bus   |  device  |function | register |0 0|
//   +---+-------------+--------+----------+---------+----------+---+

/** The address register: four ports, one per byte. */
export const PCI_CONFIG_ADDR = 0xcf8;
/** The data window: four ports, one per byte of the addressed register. */
export const PCI_CONFIG_DATA = 0xcfc;

/** What the address register says. `register` is a byte offset, a multiple of four. */
export interface ConfigAddress {
  readonly enabled: boolean;
  readonly bus: number;
  readonly device: number;
  readonly function: number;
  readonly register: number;
}

export function decodeConfigAddress(word: number): ConfigAddress {
  return {
    enabled: word >>> 31 === 1,
    bus: (word >>> 16) & 0xff,
    device: (word >>> 11) & 0x1f,
    function: (word >>> 8) & 0x7,
    register: word & 0xfc,
  };
}
