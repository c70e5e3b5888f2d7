// The program as V8 has compiled it, kept from one run to the next in a file of the user's.
//
// V8 compiles a function when it is first called, and a boot calls thousands: that was a tenth of it. Whether the file is there, old,
// broken or somebody else's makes a run slower or faster, and nothing else: whatever is not as it should be counts as not there.
import { isAscii } from 'node:buffer';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { Module, createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { cachedDataVersionTag, getHeapCodeStatistics } from 'node:v8';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/**
 * What the file begins with, as words: a checksum of the source and of all behind it, against accidents; how much bytecode there
 * was in the process that wrote it. V8's code follows.
 */
const CHECKSUM = 0;
const BYTECODE = 4;
const HEADER_BYTES = 8;
/** By so much more, a run has compiled what the one that wrote the file had no use for. */
const WORTH_WRITING = 1.1;
/** Anybody but the owner may write. */
const WRITABLE_BY_OTHERS = 0o022;

type Wrapper = (exports: unknown, require: NodeJS.Require, module: NodeModule, file: string, folder: string) => void;

/** Where the environment wants it; undefined for nowhere. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const wanted = env['LGUEST_CACHE'];
  if (wanted !== undefined) return isAbsolute(wanted) ? wanted : undefined;
  try {
    const base = env['XDG_CACHE_HOME'] ?? '';
    const folder = join(isAbsolute(base) ? base : join(homedir(), '.cache'), 'lguest');
    return isOurs(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it is ours, or would be: who runs us by sudo does not want root's files among his own. */
function isOurs(folder: string): boolean {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat !== undefined) return process.geteuid === undefined || stat.uid === process.geteuid();
  const parent = dirname(folder);
  return parent !== folder && isOurs(parent);
}

/** Sooner than as UTF-8, where that is the same. */
const textOf = (source: Buffer): string => source.toString(isAscii(source) ? 'latin1' : 'utf8');

/** One CommonJS file and its compiled code. */
export class ProgramCache {
  readonly #file: string;
  readonly #folder: string;
  #source = Buffer.alloc(0);
  #script: Script | undefined;
  /** BYTECODE of the file that served. */
  #bytecode = 0;

  constructor(file: string, folder: string) {
    this.#file = file;
    this.#folder = folder;
  }

  /** Does what `require` does with the file, sooner: who requires it afterwards finds it done. */
  load(): void {
    const file = this.#file;
    const require = createRequire(file);
    this.#source = readFileSync(file);
    const kept = this.#read();
    const script = new Script(Module.wrap(textOf(this.#source)), {
      filename: file,
      ...(kept && { cachedData: kept.subarray(HEADER_BYTES) }),
    });
    this.#script = script;
    this.#bytecode = script.cachedDataRejected === false ? (kept?.readUInt32LE(BYTECODE) ?? 0) : 0;
    const module = new Module(file);
    module.filename = file;
    (script.runInThisContext() as Wrapper)(module.exports, require, module, file, dirname(file));
    module.loaded = true;
    require.cache[file] = module;
  }

  /** To be called when all that a run needs has been compiled. Writes the file unless it served well. */
  keep(): void {
    const bytecode = getHeapCodeStatistics().bytecode_and_metadata_size;
    if (this.#script === undefined || bytecode <= this.#bytecode * WORTH_WRITING) return;
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(bytecode, BYTECODE);
    const kept = Buffer.concat([header, this.#script.createCachedData()]);
    kept.writeUInt32LE(this.#checksum(kept), CHECKSUM);
    const path = this.#path();
    const unfinished = `${path}.${process.pid}`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      try {
        writeFileSync(unfinished, kept, { mode: 0o600, flag: 'wx' });
        renameSync(unfinished, path);
      } finally {
        rmSync(unfinished, { force: true });
      }
    } catch {
      // No room, no right, no such place: then not.
    }
  }

  /** Each V8, with its flags, has code of its own. */
  #path(): string {
    return join(this.#folder, `program-${cachedDataVersionTag().toString(16)}.v8`);
  }

  #checksum(kept: Buffer): number {
    return crc32(kept.subarray(BYTECODE), crc32(this.#source));
  }

  #read(): Buffer | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(this.#path(), 'r');
      const { uid, mode } = fstatSync(fd);
      // It is code that we are about to run: nobody else's.
      if (process.geteuid !== undefined && (uid !== process.geteuid() || (mode & WRITABLE_BY_OTHERS) !== 0))
        return undefined;
      const kept = readFileSync(fd);
      return this.#checksum(kept) === kept.readUInt32LE(CHECKSUM) ? kept : undefined;
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}
