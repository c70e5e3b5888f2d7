// The lines of `--stats`, read again.

export type Counts = Readonly<Record<string, number>>;

const LISTS = /^lguest: (?:exits of the CPU|Host|CPU): (.*)$/;
const EXITS = /^lguest: exits to the Launcher: (\d+) instructions, (\d+) device memory accesses; (\d+) slices/;
const RETIRED = /^lguest: retired (\d+) instructions, (\d+) /;
const CODE = /^lguest: code: (\d+) jumps; looked up (\d+) times, found (\d+) times \(.*\), (\d+) blocks decoded$/;

const NAMES: readonly (readonly [line: RegExp, names: readonly string[]])[] = [
  [EXITS, ['port exits', 'device memory exits', 'slices']],
  [RETIRED, ['instructions', 'translated']],
  [CODE, ['jumps', 'lookups', 'found', 'blocks decoded']],
];

/** All numbers of a run by their names. */
export function readStats(lines: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    for (const [pattern, names] of NAMES) {
      const match = pattern.exec(line);
      if (match) for (const [i, name] of names.entries()) counts[name] = Number(match[i + 1]);
    }
    for (const item of LISTS.exec(line)?.[1]?.split(', ') ?? []) {
      const [, name = '', count] = /^(.*) ([\d.]+)$/.exec(item) ?? [];
      counts[name] = Number(count);
    }
  }
  return counts;
}

/** What happened in one run and not in the other, which is the beginning of it. */
export function withoutBeginning(counts: Counts, beginning: Counts): Counts {
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [name, Math.max(0, count - (beginning[name] ?? 0))]),
  );
}
