// The reference Guest's image: what it is, and that it is what its sources say.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../../guest/', import.meta.url));
const image = await readFile(join(folder, 'reference.img'));

/** A loaded machine takes its time to compile. */
t.setTimeout(300_000);

const ET_EXEC = 2;
const EM_386 = 3;
const PT_LOAD = 1;
const PAGE_OFFSET = 0xc0000000;
const MAX_IMAGE_BYTES = 192 * 1024;

/** The first line of what a program says about its version, or nothing if there is no such program. */
const version = async (program: string): Promise<string | undefined> => {
  try {
    return (await run(program, ['--version'])).stdout.split('\n')[0];
  } catch {
    return undefined;
  }
};

t.test('the image is an ELF kernel with physical load addresses and a physical entry point', (t) => {
  t.equal(image.toString('latin1', 0, 4), '\x7fELF');
  t.equal(image.readUInt16LE(16), ET_EXEC);
  t.equal(image.readUInt16LE(18), EM_386);
  t.equal(image.readUInt32LE(24), 0x100000, 'e_entry');
  const phoff = image.readUInt32LE(28);
  const phnum = image.readUInt16LE(44);
  t.equal(phnum, 2);
  for (let at = phoff; at < phoff + phnum * 32; at += 32) {
    t.equal(image.readUInt32LE(at), PT_LOAD);
    t.equal(image.readUInt32LE(at + 8) - image.readUInt32LE(at + 12), PAGE_OFFSET, 'p_vaddr above p_paddr');
    t.ok(image.readUInt32LE(at + 4) + image.readUInt32LE(at + 16) <= image.length, 'the segment is in the file');
  }
  t.ok(image.length < MAX_IMAGE_BYTES, `${image.length} bytes`);
  t.end();
});

t.test('the image can be recognised as an lguest kernel by its first two hypercalls', (t) => {
  const LGUEST_INIT = 'b801000000bb........cd1f';
  const NEW_PGTABLE = 'b804000000bb........cd1f';
  t.match(image.toString('hex'), new RegExp(`${LGUEST_INIT}${NEW_PGTABLE}bc........e9`));
  t.end();
});

/** Why the image cannot be compared with a new one here, or false. */
const obstacle = async (): Promise<string | false> => {
  const recorded = JSON.stringify(JSON.parse(await readFile(join(folder, 'reference.json'), 'utf8')));
  const [compiler, linker, make] = await Promise.all([version('gcc'), version('ld'), version('make')]);
  if (compiler === undefined || linker === undefined || make === undefined) return 'no gcc, ld and make here';
  const here = JSON.stringify({ compiler, linker });
  return here === recorded ? false : `the image was made by ${recorded}, and here are ${here}`;
};

t.test('the same compiler makes the same image', { skip: await obstacle() }, async (t) => {
  const out = await mkdtemp(join(tmpdir(), 'lguest-rebuild-'));
  t.teardown(() => rm(out, { recursive: true }));
  await run('make', ['--silent', '-C', folder, `OUT=${out}`]);
  t.ok((await readFile(join(out, 'reference.elf'))).equals(image), 'byte by byte');
});
