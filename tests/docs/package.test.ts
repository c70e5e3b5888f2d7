// What `npm pack` puts into the package: a bundle of what is needed to run, the sources that it was made from, and not a
// megabyte.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type InputOptions, type OutputOptions, rollup } from '@rollup/wasm-node';
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
    'dist/switcher/interpreter/opcodes.bin',
    'dist/switcher/interpreter/templates.bin',
    'dist/bundle/main.cjs',
    'guest/reference.img',
    'LICENSE',
    'README.md',
  ];
  t.strictSame(
    needed.filter((path) => !files.has(path) || !existsSync(join(ROOT, path))),
    [],
  );
  t.strictSame(
    [...files].filter((path) => /^dist\/(?!bundle\/).*\.js$/.test(path)),
    [],
    'what is in the bundle is there once',
  );
});

t.test('what is in the bundle is what was compiled', async (t) => {
  const { default: config } = (await import(pathToFileURL(join(ROOT, 'rollup.config.js')).href)) as {
    default: InputOptions & { output: OutputOptions };
  };
  const bundle = await rollup(config);
  const { output } = await bundle.generate(config.output);
  await bundle.close();
  t.ok(output.length > 3, `${output.length} files`);
  for (const file of output) {
    if (file.type !== 'chunk') continue;
    t.ok(read(`dist/bundle/${file.fileName}`) === file.code, `${file.fileName}: \`npm run build\` makes it`);
  }
});

t.test('the library is found under its names, by import and by require', async (t) => {
  const modules = {
    lguest: await import('../../launcher/index.js'),
    'lguest/host': await import('../../host/device.js'),
  };
  const require = createRequire(import.meta.url);
  /** What Node adds to the exports of a CommonJS module, the second one from version 23 on. */
  const added = ['default', 'module.exports'];
  for (const [name, module] of Object.entries(modules)) {
    const imported = (await import(name)) as object;
    t.strictSame(
      Object.keys(imported)
        .filter((key) => !added.includes(key))
        .sort(),
      Object.keys(module).sort(),
      name,
    );
    t.strictSame(Object.keys(require(name) as object).sort(), Object.keys(module).sort(), `require('${name}')`);
  }
});

t.test('whose code is bundled is said with the licence', async (t) => {
  const bundled = [...files].filter((path) => path.startsWith('dist/bundle/')).map(read);
  t.ok(
    bundled.some((text) => /^\/\*! yargs-parser [\d.]+\n\nCopyright[\s\S]*Permission to use, copy, modify/m.test(text)),
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
  t.strictSame(
    [...files].filter((path) => /^dist\/.*\.d\.ts$/.test(path) && !seen.has(path)),
    [],
    'no others are in it',
  );
  t.match(read('dist/launcher/guest.d.ts'), '/** Ends the run.');
  t.notMatch(read('dist/bundle/program.cjs'), 'Ends the run.', 'the compiled code leaves that to the sources');
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
