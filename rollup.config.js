// What the package ships, in few files: to find and compile a file for each module takes longer than to run most of them.
// Tests, and those who read, use the modules in dist/ one by one; the bundle is made of these.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, parse, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const BUNDLE = 'dist/bundle';
/** Loaded only when there is something to log; and what yargs has for its texts, which falls away because nobody uses it. */
const NOT_BUNDLED = ['pino', '../lib/platform-shims/esm.mjs'];

/** A module finds the files beside it though its code is elsewhere. */
const atHome = {
  name: 'at-home',
  resolveImportMeta(property, { moduleId }) {
    const path = relative(BUNDLE, moduleId).replaceAll('\\', '/');
    const here = "require('node:url').pathToFileURL(__filename)";
    return property === 'url' ? `new URL('${path}', ${here}).href` : undefined;
  },
};

const packages = {
  name: 'packages',
  resolveId(name, importer) {
    const isPackage = importer !== undefined && /^[^./]/.test(name);
    return isPackage ? fileURLToPath(import.meta.resolve(name)) : undefined;
  },
};

/** Whose code is in a file stands at its end, with the licence. */
const licences = {
  name: 'licences',
  renderChunk(code, { moduleIds }) {
    const folders = moduleIds.map((id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0]);
    const texts = [...new Set(folders)].filter(Boolean).map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      return `\n/*! ${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n*/\n`;
    });
    return { code: code + texts.join(''), map: null };
  },
};

/** One character beyond Latin-1, and V8 would keep all of the source in two bytes for each. */
const ascii = {
  name: 'ascii',
  renderChunk(code) {
    const escape = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    return { code: code.replace(/[^\0-\x7f]/g, escape), map: null };
  },
};

/** What an earlier build has left would go into the package. */
const nothingElse = {
  name: 'nothing-else',
  writeBundle({ dir }, bundle) {
    for (const name of readdirSync(dir)) if (!(name in bundle)) rmSync(join(dir, name), { recursive: true });
  },
};

/** What `--version` and `--help` share with the rest; all else is loaded in one piece, or not at all. */
const SHARED = ['options-table', 'errors', 'log', 'compile', 'loading', 'wasm-hints'];
const ON_ITS_OWN = ['main', 'command', 'program-cache', 'help', 'worker'];

function chunkOf(id) {
  const { name } = parse(id);
  if (ON_ITS_OWN.includes(name)) return undefined;
  return SHARED.includes(name) ? 'shared' : 'program';
}

export default {
  input: {
    main: 'dist/bin/main.js',
    lguest: 'dist/launcher/index.js',
    host: 'dist/host/device.js',
    worker: 'dist/switcher/translator/worker.js',
  },
  external: (name) => isBuiltin(name) || NOT_BUNDLED.includes(name),
  plugins: [atHome, packages, licences, ascii, nothingElse],
  // Of a package what is used is all that there is.
  treeshake: { moduleSideEffects: (id, isExternal) => !isExternal && !/[\\/]node_modules[\\/]/.test(id) },
  output: {
    dir: BUNDLE,
    // Found and compiled sooner than ES modules are; `import` finds the names in it, too.
    format: 'cjs',
    generatedCode: 'es2015',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    manualChunks: chunkOf,
    hoistTransitiveImports: false,
    minifyInternalExports: false,
  },
};
