// The library with the real Host, CPU and devices, and Guests of a few instructions.
import t from 'tap';
import { type GuestOptions, createGuest } from '../../launcher/index.js';
import { describeStats } from '../../bin/stats.js';
import { HALT_LOOP, INIT, PORT_LOOP, SPIN, shutdown, tinyGuest } from '../support/tiny-guests.js';

const runGuest = async (kernel: Buffer, options: Partial<GuestOptions> = {}) => {
  const guest = await createGuest({ memory: 4, kernel, ...options });
  try {
    return await guest.run();
  } finally {
    await guest.close();
  }
};

t.test('power-off, panic and restart, each by one hypercall', async (t) => {
  const off = await runGuest(tinyGuest([...INIT, ...shutdown(1)], 'Power down'));
  t.match(off, { reason: 'poweroff', message: 'CRASH: Power down', exitCode: 0 });
  t.match(off.stats.host, { LGUEST_INIT: 1, SHUTDOWN: 1 });
  t.ok((off.stats.cpu['instructions decoded'] ?? 0) > 0);
  t.equal(off.stats.cpu['instructions'], undefined, 'they are not counted');
  const counted = await runGuest(tinyGuest([...INIT, ...shutdown(1)], 'Power down'), { countInstructions: true });
  // Three instructions for INIT, four for shutdown.
  t.equal(counted.stats.cpu['instructions'], 7);
  // The second block is on a page that has code already.
  const lines = describeStats(counted).join('\n');
  for (const line of [
    /^retired 7 instructions, 0 \(0\.0 %\) in translated code, in \d\.\d{3} s: \d+\.\d MIPS$/m,
    /^code: 1 jumps; looked up 4 times, found 0 times \(0\.0 %\), 2 blocks decoded$/m,
    /^exits of the CPU: code not found 3, software interrupt 2$/m,
  ])
    t.match(lines, line);
  const panic = await runGuest(tinyGuest([...INIT, ...shutdown(1)], 'out of tea'));
  t.match(panic, { reason: 'panic', message: 'CRASH: out of tea', exitCode: 34 });
  const restart = await runGuest(tinyGuest([...INIT, ...shutdown(2)]), { noReboot: true });
  t.match(restart, { reason: 'restart', exitCode: 32 });
});

t.test('what no Guest may do kills it with the Host’s reason', async (t) => {
  const early = await runGuest(tinyGuest(shutdown(1), 'Power down'));
  t.match(early, { reason: 'killed', message: 'hypercall 2 before INIT', exitCode: 33 });
  const ud2 = await runGuest(tinyGuest([...INIT, 0x0f, 0x0b]));
  t.match(ud2, { reason: 'killed', message: /^unhandled trap 6 at 0x10000c/ });
});

t.test('a Guest that does not stop is stopped: busy, at a port, asleep', async (t) => {
  for (const [name, code] of Object.entries({ SPIN, PORT_LOOP, HALT_LOOP })) {
    const began = performance.now();
    const info = await runGuest(tinyGuest([...INIT, ...code]), { timeout: 100 });
    t.match(info, { reason: 'timeout', exitCode: 124 }, name);
    // The promise is some tens of milliseconds; a machine that is busy with other things needs more.
    t.ok(performance.now() - began < 5000, `${name} within a few slices`);
  }
});

t.test('restarts go on for as long as nobody stops them', async (t) => {
  const guest = await createGuest({ memory: 4, kernel: tinyGuest([...INIT, ...shutdown(2)]) });
  let restarts = 0;
  guest.on('restart', () => {
    if (++restarts === 3) guest.stop();
  });
  t.match(await guest.run(), { reason: 'aborted', stats: { restarts: 3 } });
  await guest.close();
});

t.test('many Guests in one process do not know of each other', async (t) => {
  const guests = await Promise.all(
    ['one', 'two', 'three'].map((text) =>
      createGuest({ memory: 4, kernel: tinyGuest([...INIT, ...shutdown(1)], text) }),
    ),
  );
  const infos = await Promise.all(guests.map((guest) => guest.run()));
  t.strictSame(
    infos.map((info) => info.message),
    ['CRASH: one', 'CRASH: two', 'CRASH: three'],
  );
  await Promise.all(guests.map((guest) => guest.close()));
});
