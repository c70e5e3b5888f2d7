// WebAssembly has no goto: a region's jumps become blocks and loops, by its dominator tree.
//
// The construction is Norman Ramsey's ("Beyond Relooper", ICFP 2022). A block that several others lead to stands behind the
// WebAssembly block that they leave; one that is jumped back to is a WebAssembly loop. An edge into the middle of a cycle,
// which no structure can express, is an exit from the region: the dispatcher finds its target like any other, unless the emitter
// can do with a copy of it.
import type { Region } from './region.js';

export interface Structure {
  /** Blocks in reverse postorder: each before those that it leads forward to. */
  readonly order: readonly number[];
  /** Position of each block in `order`. */
  readonly position: ReadonlyMap<number, number>;
  /** Blocks whose immediate dominator this one is, and that several forward edges lead to; last in order first. */
  mergesUnder(eip: number): readonly number[];
  isMerge(eip: number): boolean;
  isLoop(eip: number): boolean;
  readonly hasLoops: boolean;
  /** How control gets from one block to another. */
  edge(from: number, to: number): 'tree' | 'forward' | 'back' | 'exit';
}

/** What of a region decides about its structure. */
type Graph = Pick<Region, 'entry' | 'blocks'>;

function reversePostorder(region: Graph): number[] {
  const seen = new Set<number>([region.entry]);
  const order: number[] = [];
  // An explicit stack: regions can be deep.
  const stack: { eip: number; next: number }[] = [{ eip: region.entry, next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const successor = region.blocks.get(top.eip)?.successors[top.next++];
    if (successor === undefined) {
      order.push(top.eip);
      stack.pop();
    } else if (!seen.has(successor)) {
      seen.add(successor);
      stack.push({ eip: successor, next: 0 });
    }
  }
  return order.reverse();
}

/** Immediate dominators, as positions: Cooper, Harvey and Kennedy's iteration. */
function dominators(order: readonly number[], position: ReadonlyMap<number, number>, region: Graph): number[] {
  const predecessors = order.map((): number[] => []);
  order.forEach((eip, i) => {
    for (const to of region.blocks.get(eip)?.successors ?? []) predecessors[position.get(to) ?? 0]?.push(i);
  });
  const idom = order.map((_eip, i): number => (i === 0 ? 0 : -1));
  const meet = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      while (x > y) x = idom[x] ?? 0;
      while (y > x) y = idom[y] ?? 0;
    }
    return x;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 1; i < order.length; i++) {
      const known = (predecessors[i] ?? []).filter((p) => idom[p] !== -1);
      const dominator = known.reduce((a, b) => meet(a, b), known[0] ?? 0);
      if (idom[i] !== dominator) {
        idom[i] = dominator;
        changed = true;
      }
    }
  }
  return idom;
}

/** How many blocks are tried, at most, in place of the entry. */
const LARGEST_CHOICE = 4;

/** Whether a cycle of the region is come to from the side, with `entry` as its entry. */
function hasSides({ blocks }: Graph, entry: number): boolean {
  const { order, edge } = structureOf({ blocks, entry });
  return order.some((eip) => blocks.get(eip)?.successors.some((to) => edge(eip, to) === 'exit'));
}

/** Blocks from which the entry is come to again, the nearest first. */
function waysBack({ entry, blocks }: Graph): number[] {
  const seen = new Set([entry]);
  for (const to of seen) {
    for (const { eip, successors } of blocks.values()) if (successors.includes(to)) seen.add(eip);
  }
  seen.delete(entry);
  return [...seen];
}

/**
 * Where the region should rather begin: at the block on a cycle with its entry, and nearest before it, from which no cycle is come
 * to from the side. In most loops of compilers that is the test at the end, where they are entered.
 *
 * @returns undefined if the entry is as good as any
 */
export function betterEntry(region: Graph): number | undefined {
  if (!hasSides(region, region.entry)) return undefined;
  return waysBack(region)
    .slice(0, LARGEST_CHOICE)
    .find((eip) => !hasSides(region, eip));
}

export function structureOf(region: Graph): Structure {
  const order = reversePostorder(region);
  const position = new Map(order.map((eip, i) => [eip, i]));
  const idom = dominators(order, position, region);
  const dominates = (a: number, b: number): boolean => {
    let x = b;
    while (x > a) x = idom[x] ?? 0;
    return x === a;
  };
  const loops = new Set<number>();
  const forwardEdges = order.map(() => 0);
  order.forEach((eip, i) => {
    for (const to of region.blocks.get(eip)?.successors ?? []) {
      const j = position.get(to) ?? 0;
      if (j > i) forwardEdges[j] = (forwardEdges[j] ?? 0) + 1;
      else if (dominates(j, i)) loops.add(j);
    }
  });
  const isMergeAt = (i: number): boolean => (forwardEdges[i] ?? 0) > 1;
  const merges = order.map((): number[] => []);
  order.forEach((eip, i) => {
    if (i > 0 && isMergeAt(i)) merges[idom[i] ?? 0]?.unshift(eip);
  });
  const at = (eip: number): number => position.get(eip) ?? 0;
  return {
    order,
    position,
    mergesUnder: (eip) => merges[at(eip)] ?? [],
    isMerge: (eip) => isMergeAt(at(eip)),
    isLoop: (eip) => loops.has(at(eip)),
    hasLoops: loops.size > 0,
    edge(from, to) {
      const [i, j] = [at(from), at(to)];
      if (j <= i) return dominates(j, i) ? 'back' : 'exit';
      return isMergeAt(j) ? 'forward' : 'tree';
    },
  };
}
