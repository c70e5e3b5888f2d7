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
