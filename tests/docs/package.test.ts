// What `npm pack` puts into the package: what is needed to run, the sources that it was made from, and not a megabyte.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOMS, ROOT, read, sources } from '../support/sources.js';

const MAX_BYTES = 1_000_000;

interface Packed {
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
) as [Packed];
const files = new Set(packed.files.map(({ path }) => path));

t.test('the package is small enough for npx', async (t) => {
  t.ok(packed.size < MAX_BYTES, `${packed.size} bytes`);
});

t.test('everything that runs is in it', async (t) => {
  const { bin, man, exports } = JSON.parse(read('package.json')) as {
    bin: { lguest: string };
    man: string;
    exports: Record<'.' | './host', { types: string; default: string }>;
  };
  const entries = [bin.lguest, man, ...[exports['.'], exports['./host']].flatMap((each) => [each.types, each.default])];
  const needed = [
    ...entries.map((path) => path.replace('./', '')),
    'dist/switcher/interpreter/interpreter.wasm',
    'dist/switcher/interpreter/interpreter.json',
    'guest/reference.img',
    'LICENSE',
    'README.md',
  ];
  t.strictSame(
    needed.filter((path) => !files.has(path) || !existsSync(join(ROOT, path))),
    [],
  );
  const compiled = sources(ROOMS)
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .map((path) => `dist/${path.replace(/\.ts$/, '.js')}`);
  t.strictSame(
    compiled.filter((path) => !files.has(path)),
    [],
  );
});

/** The modules that a compiled file or a file of types names. */
const imports = (path: string): string[] =>
  [...read(path).matchAll(/(?:from |import\()'(\.[^']+)'/g)].map(([, name = '']) => join(path, '..', name));

t.test('types lead to types, and say what they are for', async (t) => {
  const seen = new Set<string>();
  const missing: string[] = [];
  const follow = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    if (!files.has(path) || !existsSync(join(ROOT, path))) missing.push(path);
    else for (const module of imports(path)) follow(module.replace(/\.js$/, '.d.ts'));
  };
  follow('dist/launcher/index.d.ts');
  follow('dist/host/device.d.ts');
  t.strictSame(missing, [], '`npm run build` makes them');
  t.ok(seen.size > 20, `${seen.size} files of types`);
  t.match(read('dist/launcher/guest.d.ts'), '/** Ends the run.');
  t.notMatch(read('dist/launcher/guest.js'), 'Ends the run.', 'the compiled code leaves that to the sources');
});

t.test('the sources are in it, and nothing that only we need', async (t) => {
  t.strictSame(
    sources([...ROOMS, 'guest']).filter((path) => !files.has(path)),
    [],
  );
  t.strictSame(
    [...files].filter((path) => /^(?:dist\/)?(?:tests|bench)\/|\.map$|\.tsbuildinfo$|\.o$/.test(path)),
    [],
  );
});
