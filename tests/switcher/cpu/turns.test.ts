// How often the translator looks where the CPU is, and what a look counts.
import t from 'tap';
import { PAGE_SIZE } from '../../../guest-abi/addresses.js';
import { Memory } from '../../../switcher/cpu/memory.js';
import * as State from '../../../switcher/cpu/state.js';
import { Turns } from '../../../switcher/cpu/turns.js';

const ALL = 1_000_000;

/** `look` spends turns until it is time to, and says after how many jumps. */
function newTurns(): { turns: Turns; look: () => number } {
  const memory = new Memory(PAGE_SIZE);
  const turns = new Turns(memory, true);
  const look = (): number => {
    const before = turns.jumps;
    do {
      const turn = turns.begin(ALL);
      memory.set(State.BUDGET, 0);
      turns.end(turn);
    } while (!turns.isSampleDue);
    return turns.jumps - before;
  };
  return { turns, look };
}

t.test('who sees nothing new looks more seldom, and a look counts for those that were spared', async (t) => {
  const { turns, look } = newTurns();
  const first = look();
  t.equal(turns.weight, 1);
  let last = first;
  const weights: number[] = [];
  for (let i = 0; i < 8; i++) {
    turns.sampled(true);
    weights.push(turns.weight);
    last = look();
  }
  t.ok(last > 20 * first, `${last} jumps in the end, ${first} at first`);
  t.strictSame(
    weights,
    weights.toSorted((a, b) => a - b),
  );
  t.ok(
    weights.every((weight) => weight > 1 && weight <= 3),
    'one look is no proof that a place is hot',
  );
  turns.sampled(false);
  t.equal(turns.weight, 1, 'until there is something');
  t.ok(look() < 2 * first);
});

t.test('intervals differ, lest a loop be met at the same jump every time', async (t) => {
  const { turns, look } = newTurns();
  const intervals = new Set<number>();
  for (let i = 0; i < 8; i++) {
    intervals.add(look());
    turns.sampled(false);
  }
  t.ok(intervals.size > 4, `${intervals.size} of 8`);
});
