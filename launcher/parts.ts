// The parts that a real machine is built from: the Host behind its device, and the devices of the table.
import { LguestDevice, allocateGuestMemory } from '../host/device.js';
import { buildDevices } from './devices/index.js';
import { nameCounters } from './host-counters.js';
import type { Parts } from './machine.js';

export const realParts: Parts = {
  allocateMemory: (ramBytes) => allocateGuestMemory(ramBytes),
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
