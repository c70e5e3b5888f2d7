// The parts that a real machine is built from: the Host behind its device, and the devices of the table.
import { LguestDevice, type MachineOptions, allocateGuestMemory } from '../host/device.js';
import { buildDevices } from './devices/index.js';
import { nameCounters, nameCpuCounters } from './host-counters.js';
import type { Parts } from './machine.js';

export type EngineName = NonNullable<MachineOptions['engine']>;

/**
 * @param engine how the CPU runs; as it thinks best, by default
 * @param countInstructions whether it counts what it executes
 */
export function realParts(engine?: EngineName, countInstructions = false): Parts {
  return {
    allocateMemory: (ramBytes) => allocateGuestMemory(ramBytes, { countInstructions, ...(engine && { engine }) }),
    openHost(memory, log) {
      const device = new LguestDevice(memory, { log });
      return {
        write: (message, cpuId) => device.write(message, cpuId),
        read: (buffer, cpuId) => device.read(buffer, cpuId),
        ready: (signal) => device.ready(signal),
        close: () => device.close(),
        counts: () => (device.counters === undefined ? {} : nameCounters(device.counters)),
        cpuCounts: () => nameCpuCounters(device.cpuCounters),
      };
    },
    buildDevices,
  };
}
