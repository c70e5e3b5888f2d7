// The parts that a real machine is built from: the Host behind its device, and the devices of the table.
import { LguestDevice, type MachineOptions, allocateGuestMemory } from '../host/device.js';
import { UserError } from '../lib/errors.js';
import { buildDevices } from './devices/index.js';
import { nameCounters } from './host-counters.js';
import type { Parts } from './machine.js';

/** Until the CPU is in place, nothing can run; everything up to that point can be tried. */
const createSwitcher: MachineOptions['createSwitcher'] = () => {
  throw new UserError('ERR_LGUEST_NO_CPU', 'this build has no CPU to run a Guest on yet');
};

export const realParts: Parts = {
  allocateMemory: (ramBytes) => allocateGuestMemory(ramBytes, { createSwitcher }),
  openHost(memory, log) {
    const device = new LguestDevice(memory, { log });
    return {
      write: (message, cpuId) => device.write(message, cpuId),
      read: (buffer, cpuId) => device.read(buffer, cpuId),
      ready: (signal) => device.ready(signal),
      close: () => device.close(),
      counts: () => (device.counters === undefined ? {} : nameCounters(device.counters)),
    };
  },
  buildDevices,
};
