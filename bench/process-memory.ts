// How much memory a process of ours has, and how much of that is the Guest's: pages of its RAM that have been touched.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { machineBytes } from '../switcher/cpu/memory.js';
import * as State from '../switcher/cpu/state.js';

const PAGE = 4096;
const ENTRY = 8;
/** The highest bit of an entry of /proc/PID/pagemap: the page is there. */
const PRESENT = 0x80;
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) rw-p/;

export interface ProcessMemory {
  /** Bytes, all in all. */
  readonly resident: number;
  /** Bytes of the Guest's RAM among them; NaN when that cannot be told. */
  readonly guest: number;
}

/** Where the machine's WebAssembly.Memory is: the one mapping that is just as long. */
function memoryAddress(pid: number, bytes: number): number | undefined {
  for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
    const [, from = '', to = ''] = MAPPING.exec(line) ?? [];
    if (parseInt(to, 16) - parseInt(from, 16) === bytes) return parseInt(from, 16);
  }
  return undefined;
}

function presentPages(pid: number, address: number, pages: number): number {
  const entries = Buffer.alloc(pages * ENTRY);
  const file = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    readSync(file, entries, 0, entries.length, (address / PAGE) * ENTRY);
  } finally {
    closeSync(file);
  }
  let present = 0;
  for (let at = ENTRY - 1; at < entries.length; at += ENTRY) if (((entries[at] ?? 0) & PRESENT) !== 0) present++;
  return present;
}

export function processMemory(pid: number, ramBytes: number): ProcessMemory {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const resident = Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1] ?? NaN) * 1024;
    const address = memoryAddress(pid, machineBytes(ramBytes));
    const pages = ramBytes / PAGE;
    const guest = address === undefined ? NaN : presentPages(pid, address + State.GUEST_RAM, pages) * PAGE;
    return { resident, guest };
  } catch {
    return { resident: NaN, guest: NaN };
  }
}
