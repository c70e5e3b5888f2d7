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

/** The parts of the address register. */
export const PCI_CONFIG_ENABLE = 0x8000_0000;
export const PCI_CONFIG_BUS = 0x00ff_0000;
export const PCI_CONFIG_DEVICE = 0xf800;
export const PCI_CONFIG_DEVICE_SHIFT = 11;
export const PCI_CONFIG_FUNCTION = 0x0700;
/** A byte offset, a multiple of four. */
export const PCI_CONFIG_REGISTER = 0xfc;
