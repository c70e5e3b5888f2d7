// A WebAssembly module as it is put together: types, imports, functions, one table, exports.
import { Bug } from '../../lib/errors.js';
import type { ValueType } from '../language/operators.js';
import { ByteWriter } from './bytes.js';
import type { FunctionCode } from './code-writer.js';

const TYPE_CODES: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const FUNCTION_TYPE = 0x60;
const FUNCREF = 0x70;
const KIND_FUNCTION = 0;
const KIND_TABLE = 1;
const KIND_MEMORY = 2;
const LIMITS_WITHOUT_MAXIMUM = 0;
const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Strategy 2 (eager), baseline tier 2 and top tier 2 (optimized), two bits each. */
const EAGER_OPTIMIZED = 2 | (2 << 2) | (2 << 4);

interface FunctionEntry {
  type: number;
  locals: readonly ValueType[];
  code: FunctionCode | undefined;
}

/** Sections by id; the order in the module is theirs. */
const SECTION = { custom: 0, type: 1, import: 2, function: 3, table: 4, export: 7, element: 9, code: 10 } as const;

/** A module, and a section of it, while they are written: regions are many, and what they are made in need not be. */
const out = new ByteWriter(1 << 16);
const body = new ByteWriter(1 << 14);

export class ModuleWriter {
  readonly #types: string[] = [];
  readonly #typeBytes: number[][] = [];
  readonly #imports: { module: string; name: string; type: number }[] = [];
  readonly #functions: FunctionEntry[] = [];
  readonly #exports: { name: string; index: number }[] = [];
  #importedTable: { readonly module: string; readonly name: string } | undefined;
  #table: number[] | undefined;
  readonly #compiledFirst = new Set<number>();

  type(takes: readonly ValueType[], gives: readonly ValueType[]): number {
    const key = `${takes.join(',')}>${gives.join(',')}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    const codes = (types: readonly ValueType[]): number[] => [types.length, ...types.map((type) => TYPE_CODES[type])];
    this.#typeBytes.push([FUNCTION_TYPE, ...codes(takes), ...codes(gives)]);
    return this.#types.push(key) - 1;
  }

  /** All imports come before the first function: their indices are the lowest. */
  importFunction(module: string, name: string, takes: readonly ValueType[], gives: readonly ValueType[]): number {
    if (this.#functions.length > 0) throw new Bug('import after a function');
    return this.#imports.push({ module, name, type: this.type(takes, gives) }) - 1;
  }

  /** Has table 0 be another module's. */
  importTable(module: string, name: string): void {
    this.#importedTable = { module, name };
  }

  /** Gives a function its index; its code may come later, so that functions can call each other. */
  declare(takes: readonly ValueType[], gives: readonly ValueType[]): number {
    this.#functions.push({ type: this.type(takes, gives), locals: [], code: undefined });
    return this.#imports.length + this.#functions.length - 1;
  }

  define(index: number, locals: readonly ValueType[], code: FunctionCode): void {
    const entry = this.#functions[index - this.#imports.length];
    if (entry === undefined) throw new Bug(`no function ${index}`);
    entry.locals = locals;
    entry.code = code;
  }

  export(name: string, index: number): void {
    this.#exports.push({ name, index });
  }

  /** The function at `index` is going to run often: V8 should compile it with the module, as well as it can. */
  compileFirst(index: number): void {
    this.#compiledFirst.add(index);
  }

  /** The module's one table, filled with these functions, exported as `table`; it can grow. */
  table(functions: number[]): void {
    this.#table = functions;
  }

  /** @param memoryPages the least size of the imported memory `env.memory`, in 64 KiB pages. */
  encode(memoryPages: number): Uint8Array<ArrayBuffer> {
    out.clear();
    out.bytes(MAGIC_AND_VERSION);
    const section = (id: number, write: (body: ByteWriter) => void): void => {
      body.clear();
      write(body);
      out.byte(id);
      out.unsigned(body.length);
      out.bytes(body.view());
    };
    section(SECTION.type, (body) => {
      body.unsigned(this.#typeBytes.length);
      for (const bytes of this.#typeBytes) body.bytes(bytes);
    });
    section(SECTION.import, (body) => this.#encodeImports(body, memoryPages));
    section(SECTION.function, (body) => {
      body.unsigned(this.#functions.length);
      for (const { type } of this.#functions) body.unsigned(type);
    });
    const table = this.#table;
    if (table) {
      section(SECTION.table, (body) => {
        body.unsigned(1);
        body.bytes([FUNCREF, LIMITS_WITHOUT_MAXIMUM]);
        body.unsigned(table.length);
      });
    }
    section(SECTION.export, (body) => {
      body.unsigned(this.#exports.length + (table ? 1 : 0));
      for (const { name, index } of this.#exports) {
        body.name(name);
        body.byte(KIND_FUNCTION);
        body.unsigned(index);
      }
      if (table) {
        body.name('table');
        body.bytes([KIND_TABLE, 0]);
      }
    });
    if (table) {
      section(SECTION.element, (body) => {
        body.unsigned(1);
        body.bytes([0, 0x41, 0, 0x0b]); // active, table 0, from offset 0
        body.unsigned(table.length);
        for (const index of table) body.unsigned(index);
      });
    }
    section(SECTION.custom, (body) => this.#encodeHints(body));
    if (this.#compiledFirst.size > 0) section(SECTION.custom, (body) => this.#encodeCompilationHints(body));
    section(SECTION.code, (body) => this.#encodeCode(body));
    return out.view().slice();
  }

  #encodeImports(body: ByteWriter, memoryPages: number): void {
    const table = this.#importedTable;
    body.unsigned(this.#imports.length + (table ? 2 : 1));
    for (const { module, name, type } of this.#imports) {
      body.name(module);
      body.name(name);
      body.byte(KIND_FUNCTION);
      body.unsigned(type);
    }
    if (table) {
      body.name(table.module);
      body.name(table.name);
      body.bytes([KIND_TABLE, FUNCREF, LIMITS_WITHOUT_MAXIMUM, 0]);
    }
    body.name('env');
    body.name('memory');
    body.bytes([KIND_MEMORY, LIMITS_WITHOUT_MAXIMUM]);
    body.unsigned(memoryPages);
  }

  /** Which branches are seldom taken (the branch hinting proposal); an engine that does not know the section passes over it. */
  #encodeHints(body: ByteWriter): void {
    const hinted = this.#functions
      .map(({ locals, code }, i) => ({ index: this.#imports.length + i, locals, unlikely: code?.unlikely ?? [] }))
      .filter(({ unlikely }) => unlikely.length > 0);
    body.name('metadata.code.branch_hint');
    body.unsigned(hinted.length);
    for (const { index, locals, unlikely } of hinted) {
      // Counted from where the locals are declared.
      const codeStart = encodedLocals(locals).length;
      body.unsigned(index);
      body.unsigned(unlikely.length);
      for (const at of unlikely) {
        body.unsigned(codeStart + at);
        body.bytes([1, 0]);
      }
    }
  }

  /** V8's own section, an experiment: a byte for each function, 0 for one that is compiled when it first runs. */
  #encodeCompilationHints(body: ByteWriter): void {
    body.name('compilationHints');
    body.unsigned(this.#functions.length);
    this.#functions.forEach((_, i) =>
      body.byte(this.#compiledFirst.has(this.#imports.length + i) ? EAGER_OPTIMIZED : 0),
    );
  }

  #encodeCode(body: ByteWriter): void {
    body.unsigned(this.#functions.length);
    for (const { locals, code } of this.#functions) {
      if (code === undefined) throw new Bug('a declared function has no code');
      const declarations = encodedLocals(locals);
      body.unsigned(declarations.length + code.bytes.length + 1);
      body.bytes(declarations);
      body.bytes(code.bytes);
      body.byte(0x0b);
    }
  }
}

/** The declaration of a function's locals: how many of a type in a row, again and again. */
function encodedLocals(locals: readonly ValueType[]): Uint8Array {
  const runs: [ValueType, number][] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last && last[0] === type) last[1]++;
    else runs.push([type, 1]);
  }
  const out = new ByteWriter(16);
  out.unsigned(runs.length);
  for (const [type, count] of runs) {
    out.unsigned(count);
    out.byte(TYPE_CODES[type]);
  }
  return out.view();
}
