// How often the translator looks where the CPU is, and what a look counts.
import t from 'tap';
import * as State from '../../../switcher/cpu/state.js';
import { Turns } from '../../../switcher/cpu/turns.js';
import { newCpu } from '../../support/translating-cpu.js';
import { atOnce } from '../../../switcher/translator/workshop.js';

const ALL = 1_000_000;

/** Spends turns until it is time to look. @returns after how many jumps */
function untilLook(turns: Turns, spend: (turn: number) => void): number {
  const before = turns.jumps;
  do {
    const turn = turns.begin(ALL);
    spend(turn);
    turns.end(turn);
  } while (!turns.isSampleDue);
  return turns.jumps - before;
}

function newTurns(): { turns: Turns; look: () => number } {
  const { memory } = newCpu(atOnce());
  const turns = new Turns(memory, true);
  return { turns, look: () => untilLook(turns, () => memory.set(State.BUDGET, 0)) };
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
