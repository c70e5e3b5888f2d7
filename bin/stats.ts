// --stats: what was done, and how often.
import type { ExitInfo } from '../launcher/exit-info.js';
import type { NamedCounts } from '../launcher/host-counters.js';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;

function listed(title: string, counts: NamedCounts): string[] {
  const happened = Object.entries(counts).filter(([, count]) => count > 0);
  return happened.length === 0 ? [] : [`${title}: ${happened.map(([name, count]) => `${name} ${count}`).join(', ')}`];
}

/** One line for each group of numbers, without the `lguest: ` in front. */
export function describeStats(info: ExitInfo): string[] {
  const { stats } = info;
  const first =
    stats.firstOutputMs === undefined ? 'nothing printed' : `first output after ${seconds(stats.firstOutputMs)}`;
  const lines = [
    `ran ${seconds(stats.wallMs)}, ${first}, ${stats.consoleBytes} console bytes, ${stats.restarts} restarts`,
    `exits to the Launcher: ${stats.instructionExits} instructions, ${stats.memoryExits} device memory accesses; ` +
      `${stats.slices} slices ended, slept ${stats.sleeps} times`,
  ];
  return [...lines, ...listed('Host', stats.host), ...listed('CPU', stats.cpu)];
}
