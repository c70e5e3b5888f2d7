// The counters of Host and CPU under names that people know.
import { lhcallName } from '../guest-abi/hypercalls.js';
import type { CpuCounters, HostCounters } from '../host/device.js';

export type NamedCounts = Readonly<Record<string, number>>;

const HYPERCALL_PREFIX = /^LHCALL_/;

/** Everything that happened at least once. */
export function nameCounters(counters: HostCounters): NamedCounts {
  const counts: Record<string, number> = {
    'cpu entries': counters.entries,
    'page faults fixed': counters.pageFaultsFixed,
    'page faults reflected': counters.pageFaultsReflected,
    'page faults for the Launcher': counters.pageFaultsForLauncher,
    'page directory switches': counters.directorySwitches,
    'page directory misses': counters.directoryMisses,
    'queued hypercalls': counters.queuedHypercalls,
    'folded interrupts': counters.foldedInterrupts,
  };
  for (const [number, count] of counters.hypercalls.entries()) {
    counts[(lhcallName(number) ?? `hypercall ${number}`).replace(HYPERCALL_PREFIX, '')] = count;
  }
  for (const [vector, count] of counters.traps.entries()) counts[`trap ${vector}`] = count;
  for (const [irq, count] of counters.interrupts.entries()) counts[`irq ${irq}`] = count;
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** Under these names `--stats` finds what it computes with. */
export const CPU_COUNTS = {
  instructions: 'instructions',
  translated: 'instructions in translated code',
  milliseconds: 'milliseconds in the CPU',
  jumps: 'jumps',
  lookups: 'code lookups',
  found: 'code lookups that found',
  blocksDecoded: 'blocks decoded',
} as const;
/** Before the reason of each exit. */
export const EXIT_PREFIX = 'exits: ';

export function nameCpuCounters({ jumps, exits, retired, code, translator }: CpuCounters): NamedCounts {
  const counts: Record<string, number> = {
    [CPU_COUNTS.instructions]: retired?.instructions ?? 0,
    [CPU_COUNTS.translated]: retired?.translated ?? 0,
    [CPU_COUNTS.milliseconds]: retired?.milliseconds ?? 0,
    [CPU_COUNTS.jumps]: jumps,
    ...Object.fromEntries(Object.entries(exits).map(([reason, count]) => [EXIT_PREFIX + reason, count])),
    [CPU_COUNTS.lookups]: code.lookups,
    [CPU_COUNTS.found]: code.found,
    [CPU_COUNTS.blocksDecoded]: code.blocksDecoded,
    'instructions decoded': code.instructionsDecoded,
    'pages of code forgotten': code.pagesForgotten,
    'code cache flushes': code.flushes,
    samples: translator?.samples ?? 0,
    'regions translated': translator?.regions ?? 0,
    'regions at the end': translator?.live ?? 0,
    'instructions translated': translator?.instructions ?? 0,
    'bytes of WebAssembly': translator?.bytes ?? 0,
    'milliseconds translating': Math.round(translator?.milliseconds ?? 0),
    'regions made by another thread': translator?.elsewhere ?? 0,
    'milliseconds of that thread': Math.round(translator?.millisecondsElsewhere ?? 0),
    'bytes of WebAssembly at the end': translator?.liveBytes ?? 0,
    'regions reclaimed': translator?.reclaimed ?? 0,
    'regions refused by V8': translator?.refused ?? 0,
    'regions whose pages moved': translator?.stale ?? 0,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

export function addCounts(a: NamedCounts, b: NamedCounts): NamedCounts {
  const sum: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
