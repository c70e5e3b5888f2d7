// The one clock of a machine.
import t from 'tap';
import { systemClock, wallTimeAfter } from '../../lib/clock.js';

t.test('a time of day and some nanoseconds make another, carried over where needed', async (t) => {
  const start = { seconds: 100, nanoseconds: 999_999_999 };
  t.same(wallTimeAfter(start, 0), start);
  t.same(wallTimeAfter(start, 1.9), { seconds: 101, nanoseconds: 0 });
  t.same(wallTimeAfter(start, 86400e9 + 5), { seconds: 86501, nanoseconds: 4 });
});

t.test('the system clock goes forward, from about zero and about today', async (t) => {
  const clock = systemClock();
  const first = clock.now();
  t.ok(first >= 0 && first < 1e9);
  const today = Date.now() / 1000;
  const { seconds, nanoseconds } = clock.wall();
  t.ok(Math.abs(seconds + nanoseconds / 1e9 - today) < 1);
  let last = first;
  for (let n = 0; n < 1000; n++) {
    const now = clock.now();
    if (now < last) t.fail('it went back');
    last = now;
  }
  t.ok(last > first);
});
