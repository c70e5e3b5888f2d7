// Where a region should begin, so that its cycles are loops.
import t from 'tap';
import type { Block } from '../../../switcher/translator/region.js';
import { betterEntry } from '../../../switcher/translator/structure.js';

/** What leads where, by name; the first is the entry. */
function graph(edges: Readonly<Record<string, string>>): { entry: number; blocks: ReadonlyMap<number, Block> } {
  const eip = (name: string): number => name.charCodeAt(0);
  const blocks = Object.entries(edges).map(([name, successors]): [number, Block] => [
    eip(name),
    { eip: eip(name), instructions: [], successors: Array.from(successors, eip) },
  ]);
  return { entry: blocks[0]?.[0] ?? 0, blocks: new Map(blocks) };
}

const better = (edges: Readonly<Record<string, string>>): string | undefined => {
  const entry = betterEntry(graph(edges));
  return entry === undefined ? undefined : String.fromCharCode(entry);
};

t.test('a loop that is entered at its test begins there', async (t) => {
  // Body and test, around which there is another loop, come to from both.
  const edges = { b: 'ct', t: 'bd', c: 'o', d: 'o', o: 'pe', p: 't', e: '' };
  t.equal(better(edges), 't');
  t.equal(better({ t: 'bd', b: 'ct', c: 'o', d: 'o', o: 'pe', p: 't', e: '' }), undefined, 'and is as good as any');
});

t.test('what is near is tried before what is far', async (t) => {
  t.equal(better({ b: 'ct', t: 'bd', c: 'o', d: 'q', q: 'o', o: 'p', p: 't' }), 't');
});

t.test('a region that begins with the head of its loops has no better place to', async (t) => {
  for (const edges of [{ a: 'a' }, { a: 'bc', b: 'a', c: 'd', d: 'ca' }, { a: 'b', b: 'c', c: '' }, { a: '' }]) {
    t.equal(better(edges), undefined);
  }
});

t.test(
  'where no place is without a cycle that is come to from the side, the region begins where it was to',
  async (t) => {
    // Two such cycles, one behind the other.
    t.equal(better({ a: 'pq', p: 'm', q: 'n', m: 'n', n: 'mrs', r: 'u', s: 'v', u: 'v', v: 'ua' }), undefined);
  },
);

t.test('a cycle that does not lead back to the entry is none either', async (t) => {
  t.equal(better({ a: 'mn', m: 'n', n: 'm' }), undefined);
});
