// The interpreter module as it is found on disk: made once, when the project is built, because making it takes longer than
// booting a Guest should wait. `interpreter.json` says what a decoder of blocks must know of each form, in the order of the
// module's table, so that no meaning has to be made for it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileFile } from '../../lib/compile.js';
import { Bug } from '../../lib/errors.js';
import * as State from '../cpu/state.js';
import { formKey } from '../decode/forms.js';
import type { Form } from '../decode/instruction.js';
import type { Flow } from '../instructions/form-facts.js';
import { useTable } from '../decode/lookup.js';
import { type RecordShape, recordShape } from './record-shape.js';

export const MODULE_FILE = new URL('./interpreter.wasm', import.meta.url);
export const FORMS_FILE = new URL('./interpreter.json', import.meta.url);

/** What is in FORMS_FILE. */
export interface FormsFile {
  /** The keys of all forms. */
  readonly forms: readonly string[];
  /** The keys of those after which a block ends. */
  readonly ends: readonly string[];
  /** How instructions of the forms end, in the order of `forms`. */
  readonly flows: readonly Flow[];
}

/** The decoder's table of opcodes. */
export const OPCODES_FILE = new URL('./opcodes.bin', import.meta.url);

/** What decoding must know of opcodes in WebAssembly (see templates). */
export const TEMPLATES_FILE = new URL('./templates.bin', import.meta.url);

let areOpcodesLoaded = false;
let module: WebAssembly.Module | undefined;
let handlers: ReadonlyMap<string, number> | undefined;
let ends: ReadonlySet<string> | undefined;
let flows: readonly Flow[] = [];
/** shapeOf, by the number that a form has in this process. */
const shapes: RecordShape[] = [];

function read(file: URL): Buffer<ArrayBuffer> {
  try {
    return readFileSync(file);
  } catch (cause) {
    return missing(cause);
  }
}

function missing(cause: unknown): never {
  throw new Bug('the interpreter module is missing: npm run build makes it', { cause });
}

/**
 * Has V8 compile the module beside what else there is to do. Without it, and until it is done, whoever needs the module waits for
 * it.
 */
export async function prepareInterpreter(): Promise<void> {
  if (module !== undefined) return;
  const compiled = await compileFile(fileURLToPath(MODULE_FILE)).catch(missing);
  module ??= compiled;
}

export function interpreterModule(): WebAssembly.Module {
  return (module ??= new WebAssembly.Module(read(MODULE_FILE)));
}

/** Lets the decoder know all opcodes. */
export function loadOpcodes(): void {
  if (!areOpcodesLoaded) useTable(read(OPCODES_FILE));
  areOpcodesLoaded = true;
}

/** Lets WebAssembly know all opcodes. */
export function loadTemplates(memory: Uint8Array): void {
  memory.set(read(TEMPLATES_FILE), State.PREFIX_KINDS);
}

/** What records of this form look like. */
export const shapeOf = (form: Form): RecordShape => shapes[form.index] ?? learn(form);

function learn(form: Form): RecordShape {
  if (handlers === undefined || ends === undefined) {
    const file = JSON.parse(read(FORMS_FILE).toString()) as FormsFile;
    handlers = new Map(file.forms.map((key, i) => [key, i]));
    ends = new Set(file.ends);
    flows = file.flows;
  }
  const key = formKey(form);
  const handler = handlers.get(key);
  if (handler === undefined) throw new Bug(`the interpreter has no handler for ${key}`);
  const shape = recordShape(form, handler, ends.has(key), flows[handler] ?? 'foreign');
  shapes[form.index] = shape;
  return shape;
}
