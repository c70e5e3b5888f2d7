// WebAssembly that V8 compiles beside what else there is to do: whoever knows first that a file will be needed begins, and who
// needs it finds it begun.
import { readFileSync } from 'node:fs';

const begun = new Map<string, Promise<WebAssembly.Module>>();

async function readAndCompile(path: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(readFileSync(path));
}

/** Has V8 compile the module in this file, once. Rejects when there is no such file, or no module in it. */
export function compileFile(path: string): Promise<WebAssembly.Module> {
  const known = begun.get(path);
  if (known !== undefined) return known;
  const compiled = readAndCompile(path);
  // Who waits for it is told; that nobody waits yet is no mistake.
  compiled.catch(() => undefined);
  begun.set(path, compiled);
  return compiled;
}
