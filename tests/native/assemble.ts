// Machine code for assembler text, by GNU as in Intel's syntax and with Intel's mnemonics.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Assembles every text by itself; addresses may only be relative to `.`. One run of as for all of them.
 * A mistake in a text is reported by as, with a line number that is twice the text's index and a few.
 */
export function assemble(texts: readonly string[]): Map<string, Uint8Array> {
  const directory = mkdtempSync(join(tmpdir(), 'lguest-as-'));
  const path = (name: string): string => join(directory, name);
  try {
    const bodies = texts.map((text) => `${text}\n9: .section .ends; .long 9b - start; .text`);
    writeFileSync(path('all.s'), `.intel_syntax noprefix\n.intel_mnemonic\n.text\nstart:\n${bodies.join('\n')}\n`);
    execFileSync('as', ['--32', '-o', path('all.o'), path('all.s')]);
    const section = (name: string): Buffer => {
      execFileSync('objcopy', [
        '-O',
        'binary',
        '-j',
        name,
        '--set-section-flags',
        `${name}=alloc`,
        path('all.o'),
        path('out'),
      ]);
      return readFileSync(path('out'));
    };
    const [code, ends] = [section('.text'), section('.ends')];
    const end = (i: number): number => (i < 0 ? 0 : ends.readUInt32LE(i * 4));
    return new Map(texts.map((text, i) => [text, new Uint8Array(code.subarray(end(i - 1), end(i)))]));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
