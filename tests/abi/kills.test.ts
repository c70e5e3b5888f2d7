// Every way for a Guest to end badly, on the real CPU: with and without PAE, under every engine, each with its words.
import t from 'tap';
import { AssemblyGuest, ENGINES } from '../support/assembly-guest.js';
import { KILLS } from './kills/index.js';

/** The message as it should be for this Guest: `{at}` is a label, `{LAB+at}` a label seen at LAB, `{base+n}` a pointer. */
const expected = (message: string, guest: AssemblyGuest): string =>
  message.replace(/\{(?:(\w+)\+)?(\w+)\}/g, (_, base: string | undefined, name: string) => {
    if (base === 'base') return ((guest.memory.base + Number(name)) >>> 0).toString(16).padStart(8, '0');
    const place = guest.labels.get(name) ?? NaN;
    return `0x${(base === undefined ? place : 0xc0100000 + (place & 0xfff)).toString(16)}`;
  });

t.test('there are more than a hundred, no two alike', async (t) => {
  t.ok(KILLS.length > 200, String(KILLS.length));
  t.equal(new Set(KILLS.map(({ says }) => says)).size, KILLS.length);
});

t.test('the translator translates even what runs once', async (t) => {
  const guest = new AssemblyGuest('ud2', { engine: 'translate' });
  t.equal(guest.device.cpuCounters.translator?.regions ?? 0, 0);
  guest.run();
  t.ok((guest.device.cpuCounters.translator?.regions ?? 0) > 0);
});

for (const engine of ENGINES) {
  for (const pae of [false, true]) {
    t.test(
      `a Guest that does what it must not is killed, and told why: ${engine}, ${pae ? 'with' : 'without'} PAE`,
      async (t) => {
        const different = KILLS.flatMap(({ says, text, message, pae: only, ...options }) => {
          if (only !== undefined && only !== pae) return [];
          const guest = new AssemblyGuest(text, { ...options, engine, pae });
          const [is, shouldBe] = [guest.run(), expected(message, guest)];
          return is === shouldBe ? [] : [{ says, is, shouldBe }];
        });
        t.strictSame(different, []);
      },
    );
  }
}
