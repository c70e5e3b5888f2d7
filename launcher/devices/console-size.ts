// Which Linux may be told the console's size. From 3.17 on, its driver handled a change of the configuration with a pointer
// to the wrong structure (config_work_handler() took control_work for config_work) and died of the first one, until that was
// mended early in 2017: in 4.10 for good, and later in the stable series that were still cared for. The original Launcher
// has no size to tell and never met it.
const VERSION = /^(\d+)\.(\d+)(?:\.(\d+))?/;
type Version = readonly [major: number, minor: number, patch: number];

const FIRST_BROKEN: Version = [3, 17, 0];
const FIRST_GOOD: Version = [4, 10, 0];
/** Stable releases that are known to be mended, and so are those that follow them in their series. */
const MENDED: readonly Version[] = [
  [4, 1, 52],
  [4, 9, 115],
];

const isBefore = (a: Version, b: Version): boolean =>
  a[0] !== b[0] ? a[0] < b[0] : a[1] !== b[1] ? a[1] < b[1] : a[2] < b[2];

/** @param version as in its banner, `4.4.60`; undefined for a kernel that does not say, and may be no Linux at all */
export function survivesConfigChange(version: string | undefined): boolean {
  const match = VERSION.exec(version ?? '');
  if (match === null) return true;
  const ours: Version = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  if (isBefore(ours, FIRST_BROKEN) || !isBefore(ours, FIRST_GOOD)) return true;
  return MENDED.some((good) => good[0] === ours[0] && good[1] === ours[1] && !isBefore(ours, good));
}
