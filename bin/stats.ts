// --stats: what was done, how often, and how fast.
import type { ExitInfo } from '../launcher/exit-info.js';
import { CPU_COUNTS, EXIT_PREFIX, type NamedCounts } from '../launcher/host-counters.js';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

function listed(title: string, counts: NamedCounts): string[] {
  const happened = Object.entries(counts).filter(([, count]) => count > 0);
  return happened.length === 0 ? [] : [`${title}: ${happened.map(([name, count]) => `${name} ${count}`).join(', ')}`];
}

/** Instructions, and how many of them in a second of the CPU's time. */
function describeRetired(cpu: NamedCounts): string[] {
  const instructions = cpu[CPU_COUNTS.instructions] ?? 0;
  if (instructions === 0) return [];
  const milliseconds = cpu[CPU_COUNTS.milliseconds] ?? 0;
  const mips = (instructions / 1000 / milliseconds).toFixed(1);
  const translated = cpu[CPU_COUNTS.translated] ?? 0;
  return [
    `retired ${instructions} instructions, ${translated} (${percent(translated, instructions)}) in translated code, ` +
      `in ${seconds(milliseconds)}: ${mips} MIPS`,
  ];
}

/** Where jumps found their code: by chains and caches of running code, or in the code cache, or nowhere yet. */
function describeCache(cpu: NamedCounts): string[] {
  const jumps = cpu[CPU_COUNTS.jumps] ?? 0;
  const lookups = cpu[CPU_COUNTS.lookups] ?? 0;
  if (lookups === 0) return [];
  const found = cpu[CPU_COUNTS.found] ?? 0;
  const decoded = cpu[CPU_COUNTS.blocksDecoded] ?? 0;
  return [
    `code: ${jumps} jumps; looked up ${lookups} times, found ${found} times (${percent(found, lookups)}), ${decoded} blocks decoded`,
  ];
}

/** What is in the lines above is not listed again. */
const TOLD: ReadonlySet<string> = new Set(Object.values(CPU_COUNTS));

/** One line for each group of numbers, without the `lguest: ` in front. */
export function describeStats(info: ExitInfo): string[] {
  const { stats } = info;
  const first =
    stats.firstOutputMs === undefined ? 'nothing printed' : `first output after ${seconds(stats.firstOutputMs)}`;
  const entries = Object.entries(stats.cpu).filter(([name]) => !TOLD.has(name));
  const isExit = ([name]: [string, number]): boolean => name.startsWith(EXIT_PREFIX);
  const exits = entries.filter(isExit).map(([name, count]) => [name.slice(EXIT_PREFIX.length), count]);
  return [
    `ran ${seconds(stats.wallMs)}, ${first}, ${stats.consoleBytes} console bytes, ${stats.restarts} restarts`,
    `exits to the Launcher: ${stats.instructionExits} instructions, ${stats.memoryExits} device memory accesses; ` +
      `${stats.slices} slices ended, slept ${stats.sleeps} times`,
    ...describeRetired(stats.cpu),
    ...describeCache(stats.cpu),
    ...listed('exits of the CPU', Object.fromEntries(exits) as NamedCounts),
    ...listed('Host', stats.host),
    ...listed('CPU', Object.fromEntries(entries.filter((entry) => !isExit(entry)))),
  ];
}
