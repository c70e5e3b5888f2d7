// What the main thread of a process did, by V8's sampling profiler (`node --cpu-prof`): how much of a stretch of time was spent
// where, in words of this project.

/** In the order in which they are shown. */
export const TIERS = [
  'translated code',
  'interpreter',
  'CPU in TypeScript',
  'decoding',
  'translating',
  'V8 compiles',
  'Host',
  'Launcher',
  'garbage',
  'start and the rest',
] as const;
export type Tier = (typeof TIERS)[number];

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** As Node writes it. Times are microseconds of the machine's monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const WASM_URL = 'wasm://';
/** Which room of the sources belongs to which tier; the first that fits. */
const ROOMS: readonly (readonly [part: string, tier: Tier])[] = [
  ['/switcher/translator/', 'translating'],
  ['/switcher/wasm/', 'translating'],
  ['/switcher/language/', 'translating'],
  ['/switcher/instructions/', 'translating'],
  ['/switcher/decode/', 'decoding'],
  ['/switcher/cpu/code-cache', 'decoding'],
  ['/switcher/', 'CPU in TypeScript'],
  ['/host/', 'Host'],
  ['/launcher/', 'Launcher'],
];
const SPECIAL: Readonly<Record<string, Tier | 'idle'>> = {
  '(garbage collector)': 'garbage',
  '(idle)': 'idle',
  '(program)': 'start and the rest',
  '(root)': 'start and the rest',
  Module: 'V8 compiles',
  Instance: 'V8 compiles',
};

/** The interpreter is the one module of which more than one function was met in great number. */
function interpreterUrl(nodes: readonly ProfileNode[]): string {
  const names = new Map<string, Set<string>>();
  for (const { callFrame } of nodes) {
    if (!callFrame.url.startsWith(WASM_URL)) continue;
    const known = names.get(callFrame.url) ?? new Set();
    names.set(callFrame.url, known.add(callFrame.functionName));
  }
  const [first] = [...names].toSorted(([, a], [, b]) => b.size - a.size);
  return first?.[0] ?? '';
}

/** The tier of each node: its own, or that of who called it. */
function tiersOf({ nodes }: CpuProfile): Map<number, Tier | 'idle'> {
  const interpreter = interpreterUrl(nodes);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const tiers = new Map<number, Tier | 'idle'>();
  const own = ({ callFrame: { functionName, url } }: ProfileNode): Tier | 'idle' | undefined => {
    if (url.startsWith(WASM_URL)) return url === interpreter ? 'interpreter' : 'translated code';
    if (url === '') return SPECIAL[functionName];
    return ROOMS.find(([part]) => url.includes(part))?.[1];
  };
  const visit = (node: ProfileNode, caller: Tier | 'idle'): void => {
    const tier = own(node) ?? caller;
    tiers.set(node.id, tier);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) visit(child, tier);
    }
  };
  const called = new Set(nodes.flatMap(({ children }) => children ?? []));
  for (const node of nodes) if (!called.has(node.id)) visit(node, 'start and the rest');
  return tiers;
}

export type Shares = Readonly<Record<Tier, number>>;

/**
 * Seconds spent in each tier between two instants, idle time left out.
 *
 * @param from microseconds of the monotonic clock
 */
export function sharesOf(profile: CpuProfile, from: number, to: number): Shares {
  const tiers = tiersOf(profile);
  const shares = Object.fromEntries(TIERS.map((tier) => [tier, 0])) as Record<Tier, number>;
  let now = profile.startTime;
  profile.samples.forEach((id, i) => {
    const delta = profile.timeDeltas[i] ?? 0;
    const next = profile.timeDeltas[i + 1] ?? 0;
    now += delta;
    const tier = tiers.get(id);
    if (now < from || now >= to || tier === undefined || tier === 'idle') return;
    // A sample stands for the time until the next one.
    shares[tier] += next / 1e6;
  });
  return shares;
}
