// Whole boots under the engines side by side, and that a difference would be found, to the block.
import t from 'tap';
import { LGUEST_REGS } from '../../../guest-abi/lguest-regs.js';
import { referenceGuest } from '../../../launcher/reference-guest.js';
import { compareBoots, type Wanted } from './lockstep.js';

t.setTimeout(240_000);

const boot = { kernel: referenceGuest(), commandLine: 'console=hvc0', megabytes: 16 };
const TYPED = 'selftest\npoweroff\n';

t.test('the reference Guest’s self-test is the same, block by block, translated and interpreted', async (t) => {
  const { difference, printed, end, instructions, translated, stops, memories } = await compareBoots({
    boot: { ...boot, typed: TYPED },
    engines: ['translate', 'interpret'],
    translateAfter: 2,
  });
  t.equal(difference, undefined);
  t.match(printed, / passed, 0 failed\n/);
  t.match(end, /CRASH: Power down$/);
  t.ok(
    translated > instructions / 2 && stops > 1000 && memories > 2,
    `${translated} of ${instructions}, ${stops} stops`,
  );
});

t.test('its beginning is the same under all three engines, whatever is translated', async (t) => {
  for (const translateAfter of [0, 24]) {
    const { difference, instructions } = await compareBoots({
      boot,
      engines: ['translate', 'interpret', 'evaluate'],
      translateAfter,
      instructions: 400_000,
    });
    t.equal(difference, undefined);
    t.ok(instructions >= 400_000);
  }
});

/** A boot in which the first engine makes a mistake behind this instruction. */
const wrong = (after: number, what: NonNullable<Wanted['spoil']>['what']): Promise<{ difference: unknown }> =>
  compareBoots({
    boot,
    engines: ['translate', 'interpret'],
    translateAfter: 2,
    instructions: 500_000,
    spoil: { after, what },
  });

t.test('a wrong register is found, with the instructions before it', async (t) => {
  const after = 300_000;
  const { difference } = await wrong(after, ({ pages }) => {
    pages.regs[LGUEST_REGS.ebp] = 0xbad;
  });
  const { from, lines, trace } = difference as { from: number; lines: string[]; trace: string[] };
  t.match(lines[0], /^ebp: bad, /);
  t.ok(from <= after && after - from < 5000, `${from}`);
  t.ok(from + trace.length >= after || trace.length === 200, `${from} and ${trace.length}`);
});

t.test('a wrong byte of memory is found, though nobody reads it', async (t) => {
  const after = 400_000;
  const { difference } = await wrong(after, ({ memory }) => {
    memory.bytes[memory.bytes.length - 1] = 77;
  });
  const { from, lines } = difference as { from: number; lines: string[] };
  t.strictSame(lines, ['memory']);
  t.ok(from <= after && after - from < 5000, `${from}`);
});
