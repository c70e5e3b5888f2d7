// README, manual and recipes say what is true: options, statuses, commands and links are held against the code.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { EXIT_FAILURE, EXIT_USAGE } from '../../lib/errors.js';
import { EXIT_CODES } from '../../launcher/exit-info.js';
import * as library from '../../launcher/index.js';
import { parseCommandLine } from '../../launcher/options.js';
import { OPTIONS } from '../../launcher/options-table.js';
import { ROOT, SOURCE_FOLDERS, filesIn, read } from '../support/sources.js';
import { manualPage } from './manual-page.js';

const readme = read('README.md');
const manual = read('docs/lguest.1.md');
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...['docs', ...SOURCE_FOLDERS].flatMap(filesIn).filter((path) => path.endsWith('.md')),
];

t.test('docs/lguest.1 is what `npm run manual` makes', async (t) => {
  t.equal(read('docs/lguest.1'), manualPage(manual));
});

t.test('the manual names every option, every choice, and no other option', async (t) => {
  const named = new Set([...manual.matchAll(/`--([a-z-]+)/g)].map(([, name]) => name));
  t.strictSame(
    Object.keys(OPTIONS).filter((name) => !named.has(name)),
    [],
  );
  t.strictSame(
    [...named].filter((name) => !Object.hasOwn(OPTIONS, name ?? '')),
    [],
  );
  for (const [name, { choices = [] }] of Object.entries(OPTIONS)) {
    const described = new RegExp(`^- .*\`--${name}\`.*\\n`, 'm').exec(manual)?.[0] ?? '';
    t.strictSame(
      choices.filter((choice) => !described.includes(`\`${choice}\``)),
      [],
      name,
    );
  }
});

t.test('README and manual have the statuses that the program has', async (t) => {
  const statuses = new Set([0, EXIT_FAILURE, EXIT_USAGE, ...Object.values(EXIT_CODES)]);
  const inReadme = [...readme.matchAll(/^\| (\d+) +\|/gm)].map(([, status]) => Number(status));
  t.strictSame(new Set(inReadme), statuses);
  const section = /## EXIT STATUS([\s\S]*?)\n## /.exec(manual)?.[1] ?? '';
  const inManual = [...section.matchAll(/^- (\d+):/gm)].map(([, status]) => Number(status));
  t.strictSame(new Set(inManual), statuses);
});

t.test('every command line of the README and the manual can be parsed', async (t) => {
  const lines = `${readme}\n${manual}`.replaceAll('\\\n', ' ').split('\n');
  const commands = lines.flatMap((line) => /^(?:.*\| )?(?:\$ )?(?:npx )?lguest (-.*|\d.*)$/.exec(line)?.[1] ?? []);
  t.ok(commands.length > 5);
  for (const command of commands) {
    // As a shell would: up to a comment or a pipe, quotes taken off.
    const [plain = ''] = command.split(/ +# | \| /);
    const argv = [...plain.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ''));
    t.doesNotThrow(() => parseCommandLine(argv), command);
  }
});

t.test('every npm script that is named exists', async (t) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = documents.flatMap((path) =>
    [...read(path).matchAll(/npm run ([a-z-]+)/g)].map(([, name = '']) => name),
  );
  t.ok(named.length > 2);
  t.strictSame(
    named.filter((name) => scripts[name] === undefined),
    [],
  );
});

t.test('the README imports what there is', async (t) => {
  const names = [...readme.matchAll(/import \{([^}]*)\} from 'lguest'/g)].flatMap(([, list = '']) => list.split(','));
  t.ok(names.length > 0);
  for (const name of names) t.ok(name.trim() in library, name.trim());
});

t.test('links between documents lead somewhere', async (t) => {
  const broken = documents.flatMap((path) =>
    [...read(path).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .filter(([, target = '']) => !existsSync(join(ROOT, dirname(path), target)))
      .map(([link]) => `${path}: ${link}`),
  );
  t.strictSame(broken, []);
});
