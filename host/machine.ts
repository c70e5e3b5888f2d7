// A Guest's memory and the CPU that lives in it are one thing: the Launcher asks for memory, and gets a machine that it
// cannot see. `machineOf` is how the Host finds it again.
import { Bug, UserError } from '../lib/errors.js';
import { type Clock, systemClock } from '../lib/clock.js';
import type { PhysicalMemory } from '../switcher/physical-memory.js';
import { createSwitcher as createEmulator, type EngineName, prepareSwitcher } from '../switcher/guest-cpu.js';
import type { Switcher } from '../switcher/switch.js';
import { PAGE_SIZE } from '../guest-abi/addresses.js';

/** Memory of a Guest, as the Launcher sees it. */
export type LauncherMemory = PhysicalMemory;

/** Makes a CPU with `ramBytes` of memory, whose time-stamp counter counts the clock's nanoseconds. */
export type CreateSwitcher = (ramBytes: number, clock: Clock) => Switcher;

export interface MachineOptions {
  /** How the emulated CPU runs code. */
  readonly engine?: EngineName;
  /** How often the translator meets a place in the code before it translates it; 0: everything at once. For tests. */
  readonly translateAfter?: number;
  /** Instructions are counted, which takes time: see CpuCounters. */
  readonly countInstructions?: boolean;
  /** Another CPU than the emulated one: for tests. */
  readonly createSwitcher?: CreateSwitcher;
  /** What time it is in this machine. Today's, by default. */
  readonly clock?: Clock;
}

export interface Machine {
  readonly switcher: Switcher;
  readonly clock: Clock;
  /** A machine serves one open device at a time. */
  inUse: boolean;
}

const machines = new WeakMap<LauncherMemory, Machine>();

/** The address space of a Guest is 4 GB, and not all of it can be RAM. */
const MAX_RAM = 0xfff00000;

/**
 * What mmap() of /dev/zero is in the original: memory for a Guest, all zero.
 *
 * @param ramBytes a multiple of 4096
 * @throws UserError when there is no such memory to be had
 */
export function allocateGuestMemory(ramBytes: number, options: MachineOptions = {}): LauncherMemory {
  if (!Number.isInteger(ramBytes) || ramBytes <= 0 || ramBytes > MAX_RAM || ramBytes % PAGE_SIZE !== 0) {
    throw new UserError('ERR_LGUEST_MEMORY', `a Guest cannot have ${ramBytes} bytes of memory`);
  }
  const clock = options.clock ?? systemClock();
  const { engine, translateAfter, countInstructions: counts } = options;
  const create =
    options.createSwitcher ?? ((bytes, time) => createEmulator(bytes, time, { engine, translateAfter, counts }));
  const switcher = createSwitcher(ramBytes, clock, create);
  machines.set(switcher.memory, { switcher, clock, inUse: false });
  return switcher.memory;
}

function createSwitcher(ramBytes: number, clock: Clock, create: CreateSwitcher): Switcher {
  try {
    return create(ramBytes, clock);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const message = `there is no room for ${Math.ceil(ramBytes / 2 ** 20)} MB of Guest memory`;
    throw new UserError('ERR_LGUEST_MEMORY', message, { cause });
  }
}

export { prepareSwitcher as prepareMachines };

/** The machine in that memory. */
export function machineOf(memory: LauncherMemory): Machine {
  const machine = machines.get(memory);
  if (machine === undefined) throw new Bug('this memory does not come from allocateGuestMemory');
  return machine;
}
