// The interpreter module as it is found on disk: made once, when the project is built, because making it takes longer than
// booting a Guest should wait. `interpreter.json` lists the forms in the order of the module's table.
import { readFileSync } from 'node:fs';
import { Bug } from '../../lib/errors.js';
import { formKey } from '../decode/forms.js';
import type { Form } from '../decode/instruction.js';

export const MODULE_FILE = new URL('./interpreter.wasm', import.meta.url);
export const FORMS_FILE = new URL('./interpreter.json', import.meta.url);

let module: WebAssembly.Module | undefined;
let handlers: Map<string, number> | undefined;
/** handlerOf, by the number that a form has in this process. */
const known: number[] = [];

function read(file: URL): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Bug('the interpreter module is missing: npm run build makes it', { cause });
  }
}

export function interpreterModule(): WebAssembly.Module {
  return (module ??= new WebAssembly.Module(new Uint8Array(read(MODULE_FILE))));
}

/** The place of a form's handler in the module's table. */
export function handlerOf(form: Form): number {
  const cached = known[form.index];
  if (cached !== undefined) return cached;
  handlers ??= new Map((JSON.parse(read(FORMS_FILE).toString()) as string[]).map((key, i) => [key, i]));
  const handler = handlers.get(formKey(form));
  if (handler === undefined) throw new Bug(`the interpreter has no handler for ${formKey(form)}`);
  known[form.index] = handler;
  return handler;
}
