// The Journey knows the tree: every source file of the house has its paragraph, once, and no paragraph is about a file that
// has gone.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOMS, ROOT, read, sources } from '../support/sources.js';

const journey = read('docs/JOURNEY.md');
const CHAPTERS = ['Preparation', 'Guest ABI', 'Launcher', 'Host', 'Switcher', 'Guest', 'Mastery'];

const headings = [...journey.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading ?? '');
/** `**[host/core.ts](../host/core.ts)** The heart …`, a paragraph of its own. */
const paragraphs = [...journey.matchAll(/^\*\*\[([^\]]+)\]\(\.\.\/([^)]+)\)\*\*\s([\s\S]*?)\n\n/gm)].map(
  ([, name = '', target = '', text = '']) => ({ name, target, text }),
);

t.test('the chapters are those of the original, in its order', async (t) => {
  t.strictSame(
    headings,
    CHAPTERS.map((chapter, i) => `${i + 1}. ${chapter}`),
  );
});

t.test('every source file of the rooms and of the Guest has one paragraph', async (t) => {
  const files = sources([...ROOMS, 'guest']);
  t.ok(files.length > 100, 'there are source files');
  const listed = paragraphs.map(({ name }) => name);
  t.strictSame(
    files.filter((file) => !listed.includes(file)),
    [],
    'none is missing',
  );
  t.strictSame(
    listed.filter((name) => !files.includes(name)),
    [],
    'none has gone',
  );
  t.strictSame(
    listed.filter((name, i) => listed.indexOf(name) !== i),
    [],
    'none is told twice',
  );
});

t.test('a paragraph leads to its file, and says something', async (t) => {
  t.strictSame(
    paragraphs.filter(({ name, target, text }) => name !== target || !/[.?!”"]$/.test(text.trim())),
    [],
  );
});

t.test('what the text names exists', async (t) => {
  const named = [...journey.matchAll(/`([a-z-]+(?:\/[a-z0-9-]+)+(?:\.test)?(?:\.ts)?)`/g)].map(([, name = '']) => name);
  const exists = (name: string): boolean =>
    ['', '.ts', '.c'].some((extension) => existsSync(join(ROOT, name + extension)));
  t.ok(named.length > 5);
  t.strictSame(
    named.filter((name) => !name.startsWith('dev/') && !exists(name)),
    [],
  );
});
