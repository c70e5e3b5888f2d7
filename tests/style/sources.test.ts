// What every source file has and has not. What prettier and the compiler see to is not here.
import { posix } from 'node:path';
import t from 'tap';
import { ROOMS, ROOT, codeOf, filesIn, findInCode, isSource, read, sources } from '../support/sources.js';

const MAX_LINES = 600;
const files = sources();
const typescript = files.filter((path) => path.endsWith('.ts'));
const library = typescript.filter((path) => ROOMS.some((room) => room !== 'bin' && path.startsWith(`${room}/`)));

const found = (paths: readonly string[], pattern: RegExp): string[] =>
  paths.flatMap((path) => findInCode(path, pattern));

t.test('what is code, and what only looks like it', async (t) => {
  t.equal(codeOf("a('any'); // b: any\nc"), "a(''); \nc");
  t.equal(codeOf('x = `any ${f({ a: 1 })} "`; y'), "x = ''; y");
  t.equal(codeOf('/* any\n * any */ z'), '\n z');
  t.equal(codeOf("s.replace(/['\"/]/g, t) / 2 / 'x'"), "s.replace(, t) / 2 / ''");
});

t.test('there are sources in every room', async (t) => {
  for (const room of ROOMS) t.ok(sources([room]).length > 3, room);
});

t.test(`no file has more than ${MAX_LINES} lines`, async (t) => {
  t.same(
    files.filter((path) => read(path).trimEnd().split('\n').length > MAX_LINES),
    [],
  );
});

t.test('the first line of a source file is a comment that says what the file is', async (t) => {
  const comment = (path: string): boolean => /^(#!.*\n)?(\/\/ |\/\*(\n \*)? )\S/.test(read(path));
  t.same(
    files.filter((path) => !comment(path)),
    [],
  );
});

t.test('nothing is `any`', async (t) => {
  t.same(found(typescript, /(?:[:<]\s*|=>\s*|\bas\s+)any\b(?=\s*(?:[;,)>{]|\[\]|=(?!=)|$))|\bany\[\]/), []);
});

t.test('nothing is claimed to be there with a `!`, and no type error is silenced', async (t) => {
  t.same(found(typescript, /[\w)\]]!(?![=\w])/), []);
  t.same(
    typescript.filter(
      (path) => /@ts-(ignore|expect-error|nocheck)/.test(read(path)) && !path.startsWith('tests/style/'),
    ),
    [],
  );
});

t.test('there is no `enum` and no namespace of ours: types vanish when the code is compiled', async (t) => {
  t.same(found(typescript, /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s/), []);
});

t.test('the library prints nothing and does not touch the process it runs in', async (t) => {
  t.same(found(library, /(?<![\w.#])console\.(?:log|error|warn|info|debug|trace|table|dir)\b/), []);
  t.same(found(library, /(?<![\w.#])process\s*[.[]/), []);
  t.same(found(library, /^(?!\s*\*).*\bfrom '';?.*\bprocess\b/), []);
  t.same(
    library.filter((path) => /from 'node:process'/.test(read(path))),
    [],
  );
});

t.test('every folder says in a README what lives there', async (t) => {
  const folders = new Set(files.map((path) => posix.dirname(path)));
  // A folder of tests is explained by the folder whose tests they are.
  const mirrored = (folder: string): boolean => folders.has(folder.replace(/^tests\//, ''));
  const needing = [...folders, 'docs', 'tests/vectors'].filter(
    (folder) => !(folder.startsWith('tests/') && mirrored(folder)),
  );
  t.same(
    needing.filter((folder) => !filesIn(folder).includes(`${folder}/README.md`)),
    [],
  );
});

t.test('no file knows on which machine it was written', async (t) => {
  const texts = [...files, ...['', 'docs', ...ROOMS, 'guest', 'tests', 'bench', '.ci'].flatMap(documents)];
  const machinePath = /(?:^|[\s"'`(=:])\/(?:home|root|Users|work)\/\w/m;
  t.same(
    texts.filter((path) => machinePath.test(read(path))),
    [],
  );
  t.notMatch(
    read('package-lock.json'),
    /"resolved": "(?!https:\/\/registry\.npmjs\.org\/)/,
    'the lock file names no registry but the public one',
  );
});

/** Documents and scripts: of a folder and those below it, or of the root alone. */
function documents(folder: string): string[] {
  const candidates = folder === '' ? ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'package.json'] : filesIn(folder);
  return candidates.filter((path) => !isSource(path) && /\.(?:md|json|sh)$|\/run$/.test(path));
}

t.test('the project is where the tests think it is', async (t) => {
  t.match(read('package.json'), /"name": "lguest"/, ROOT);
});
