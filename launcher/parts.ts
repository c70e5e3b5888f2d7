// The parts that a real machine is built from: the Host behind its device, and the devices of the table.
import { LguestDevice, type MachineOptions, allocateGuestMemory, prepareMachines } from '../host/device.js';
import { buildDevices } from './devices/index.js';
import { type NamedCounts, nameCounters, nameCpuCounters } from './host-counters.js';
import type { OpenHost, Parts } from './machine.js';

export type EngineName = NonNullable<MachineOptions['engine']>;

class RealHost extends LguestDevice implements OpenHost {
  counts(): NamedCounts {
    return this.counters === undefined ? {} : nameCounters(this.counters);
  }

  cpuCounts(): NamedCounts {
    return nameCpuCounters(this.cpuCounters);
  }
}

/**
 * @param engine how the CPU runs; as it thinks best, by default
 * @param countInstructions whether it counts what it executes
 */
export function realParts(engine?: EngineName, countInstructions = false): Parts {
  return {
    allocateMemory: (ramBytes) => allocateGuestMemory(ramBytes, { countInstructions, ...(engine && { engine }) }),
    prepare: prepareMachines,
    openHost: (memory, log) => new RealHost(memory, { log }),
    buildDevices,
  };
}
