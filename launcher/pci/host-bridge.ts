// Slot 0. Linux believes in configuration mechanism #1 only if it finds a host bridge (or one of two other things) on the
// bus; that it has no vendor keeps Linux from looking any further.
import { PCI_CLASS_BRIDGE_HOST } from '../../guest-abi/pci/config-space.js';
import { PCI_CLASS_DEVICE } from '../../guest-abi/pci/config-space.js';
import { ConfigSpace } from './config-space.js';
import type { PciFunction } from './function.js';

/** As long as every function of this bus, so that reads end at the same register. */
export const CONFIG_SPACE_SIZE = 0x98;

export function hostBridge(): PciFunction {
  const space = new ConfigSpace(CONFIG_SPACE_SIZE, 0);
  space.view.setUint16(PCI_CLASS_DEVICE, PCI_CLASS_BRIDGE_HOST, true);
  return {
    readConfig: (register) => space.word(register),
    writeConfig: (register, mask, value, width) => space.writeHeader(register, mask, value, width),
  };
}
