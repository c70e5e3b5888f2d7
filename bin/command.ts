// What the command does with its arguments, and how it tells what went wrong.
import { readFileSync } from 'node:fs';
import { compileFile } from '../lib/compile.js';
import { Bug, EXIT_FAILURE, UserError } from '../lib/errors.js';
import { printable } from '../lib/log.js';
import type { ProgramCache } from './program-cache.js';
import type { CreateGuest } from './run.js';
import { heedHints } from './wasm-hints.js';

/** What a run needs first. */
export interface CommandFiles {
  /** The file of the bundle that has `program` in it, and all but the little that `--version` needs; undefined: modules one by one. */
  readonly program?: string;
  /** The interpreter's WebAssembly, which V8 compiles while the program is loaded. */
  readonly interpreter?: string;
}

export interface CommandOptions extends CommandFiles {
  /** Makes the Guest; the library's way, unless a test has one of its own. */
  readonly create?: CreateGuest;
}

/** @returns the exit status */
export async function command(argv: readonly string[], options: CommandOptions = {}): Promise<number> {
  try {
    return await dispatch(argv, options);
  } catch (error) {
    return report(error);
  }
}

async function dispatch(
  argv: readonly string[],
  { create, program: file, interpreter }: CommandOptions,
): Promise<number> {
  // Asked by people in a hurry and by scripts, and known without loading a parser.
  if (argv.length === 1 && argv[0] === '--version') return printVersion();
  if (argv.length === 1 && argv[0] === '--help') return await printHelp();
  if (interpreter !== undefined) compileWithHints(interpreter);
  const code = file === undefined ? undefined : await loadCompiled(file);
  const program = await import('./program.js');
  // V8 has seen by now what is in the interpreter, and begins to compile it when the event loop has turned.
  if (interpreter !== undefined) await new Promise(setImmediate);
  const parsed = program.parseCommandLine(argv, process.env);
  switch (parsed.kind) {
    case 'help':
      return await printHelp();
    case 'version':
      return printVersion();
    case 'run': {
      const status = await program.runCommand(parsed.options, create ?? program.createGuest);
      code?.keep();
      return status;
    }
  }
}

/** V8 sees at the beginning whether it is to heed them. */
function compileWithHints(file: string): void {
  heedHints(true);
  void compileFile(file);
  heedHints(false);
}

async function loadCompiled(program: string): Promise<ProgramCache | undefined> {
  const { ProgramCache, cacheFolder } = await import('./program-cache.js');
  const folder = cacheFolder(process.env);
  if (folder === undefined) return undefined;
  const code = new ProgramCache(program, folder);
  code.load();
  return code;
}

async function printHelp(): Promise<number> {
  const { helpText } = await import('../launcher/help.js');
  process.stdout.write(helpText());
  return 0;
}

function printVersion(): number {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) {
    throw new Bug('package.json has no version');
  }
  process.stdout.write(`lguest ${String(manifest.version)}\n`);
  return 0;
}

/** One line on stderr, whoever is to blame. @returns the exit status */
export function report(error: unknown): number {
  if (process.env['LGUEST_DEBUG'] === '1') {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  } else if (error instanceof UserError) {
    process.stderr.write(`lguest: ${printable(error.message)}\n`);
  } else {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`lguest: a mistake of lguest's own: ${printable(message)} (LGUEST_DEBUG=1 shows where)\n`);
  }
  if (!(error instanceof UserError)) return EXIT_FAILURE;
  return process.env['LGUEST_COMPAT'] === 'c' ? EXIT_FAILURE : error.exitStatus;
}
