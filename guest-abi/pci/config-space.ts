// The first 64 bytes of a PCI function's configuration space, named as in linux/pci_regs.h.

/** Byte offsets of the registers of a type 0 header (PCI 3.0, 6.1). */
export const PCI_VENDOR_ID = 0x00;
export const PCI_DEVICE_ID = 0x02;
export const PCI_COMMAND = 0x04;
export const PCI_STATUS = 0x06;
export const PCI_REVISION_ID = 0x08;
export const PCI_CLASS_PROG = 0x09;
export const PCI_CLASS_DEVICE = 0x0a;
export const PCI_CACHE_LINE_SIZE = 0x0c;
export const PCI_LATENCY_TIMER = 0x0d;
export const PCI_HEADER_TYPE = 0x0e;
export const PCI_BIST = 0x0f;
export const PCI_BASE_ADDRESS_0 = 0x10;
export const PCI_BASE_ADDRESS_1 = 0x14;
export const PCI_BASE_ADDRESS_5 = 0x24;
export const PCI_CARDBUS_CIS = 0x28;
export const PCI_SUBSYSTEM_VENDOR_ID = 0x2c;
export const PCI_SUBSYSTEM_ID = 0x2e;
export const PCI_ROM_ADDRESS = 0x30;
export const PCI_CAPABILITY_LIST = 0x34;
export const PCI_INTERRUPT_LINE = 0x3c;
export const PCI_INTERRUPT_PIN = 0x3d;
/** Where the fixed header ends and capabilities may begin. */
export const PCI_STD_HEADER_SIZEOF = 64;

/** In PCI_STATUS: the function has a capability list. */
export const PCI_STATUS_CAP_LIST = 0x10;
/** The capability whose layout the vendor defines: all of virtio's. */
export const PCI_CAP_ID_VNDR = 0x09;

/** Class codes (base class << 8 | subclass), linux/pci_ids.h. */
export const PCI_CLASS_STORAGE_OTHER = 0x0180;
export const PCI_CLASS_NETWORK_ETHERNET = 0x0200;
export const PCI_CLASS_BRIDGE_HOST = 0x0600;
export const PCI_CLASS_COMMUNICATION_SERIAL = 0x0700;
export const PCI_CLASS_OTHERS = 0xff00;

export const PCI_VENDOR_ID_REDHAT_QUMRANET = 0x1af4;
