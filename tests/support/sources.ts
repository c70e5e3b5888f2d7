// The project as the tests that read it see it: which files there are, and what is code in them.
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder; the tests run from dist/tests. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The rooms of the house, in the order in which they may import each other: each only from those before it. */
export const ROOMS = ['lib', 'guest-abi', 'switcher', 'host', 'launcher', 'bin'] as const;
export type Room = (typeof ROOMS)[number];

/** The folders in which sources lie. */
export const SOURCE_FOLDERS: readonly string[] = [...ROOMS, 'guest', 'tests', 'bench'];

const SOURCE_EXTENSIONS = new Set(['.ts', '.cjs', '.js', '.c', '.h', '.S', '.ld']);

/** All files below a folder of the project, by their path from its root, sorted; none if there is no such folder. */
export function filesIn(folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .filter((path) => !path.includes('node_modules/'))
    .sort();
}

export const isSource = (path: string): boolean => SOURCE_EXTENSIONS.has(extname(path));

/** Every source file of these folders. */
export const sources = (folders: readonly string[] = SOURCE_FOLDERS): string[] =>
  folders.flatMap(filesIn).filter(isSource);

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/**
 * A comment, a string, a template, a regular expression (told from a division by what stands before it), or a character
 * of anything else.
 */
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|\$\{(?:[^{}]|\{[^{}]*\})*\}|[^`\\])*`|(?<=[(,=:[!&|?{};\n]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*|[\s\S]/g;

/** TypeScript without what it says in comments, strings and regular expressions. Lines keep their numbers. */
export function codeOf(text: string): string {
  return text.replace(TOKEN, (token) => {
    if (token.length === 1) return token;
    const lines = '\n'.repeat(token.split('\n').length - 1);
    return token.startsWith('/') ? lines : `''${lines}`;
  });
}

/** Where in the code of a TypeScript file something matches: `path:line: the line`. */
export function findInCode(path: string, pattern: RegExp): string[] {
  return codeOf(read(path))
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}
