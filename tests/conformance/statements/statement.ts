// What a statement is, and the tests that are named as proofs, by their files.
import { type Claim, from, type Proof } from '../chapter.js';

export interface Statement extends Claim {
  /** Its number on the checklist; what is promised besides has none. */
  readonly number: number | undefined;
}

export const says = (number: number | undefined, text: string, ...proofs: Proof[]): Statement => ({
  number,
  text,
  proofs,
});

export const guests = {
  protocol: from('abi/protocol'),
  hypercalls: from('abi/hypercalls'),
  interrupts: from('abi/interrupts'),
  traps: from('abi/traps'),
  pages: from('abi/page-tables'),
  devices: from('abi/devices'),
};
/** Rows of the table of kills, which is one test for each kind of Guest. */
export const killed = from('abi/kills')('a Guest that does what it must not is killed');
export const device = from('host/device');
export const hypercalls = from('host/hypercalls');
export const traps = from('host/interrupts-and-traps');
export const segments = from('host/segments');
export const pages = from('host/page-tables');
export const instructions = from('launcher/emulate-insn');
export const pci = from('launcher/pci');
export const virtio = from('launcher/virtio');
export const block = from('launcher/devices/block');
export const terminal = from('launcher/devices/console');
export const kernel = from('launcher/kernel');
export const command = from('bin/lguest');
