// Routines of the language as functions of JavaScript: a WebAssembly module that exports them, and nothing else.
import { Bug } from '../../lib/errors.js';
import type { Routine } from '../../switcher/language/nodes.js';
import { Emitter } from '../../switcher/wasm/emit.js';
import type { Functions, Setting } from '../../switcher/wasm/setting.js';
import { ModuleWriter } from '../../switcher/wasm/module.js';

type Compiled = (...args: (number | bigint)[]) => unknown;

const notHere = (what: string): never => {
  throw new Bug(`a routine has no ${what}`);
};

const SETTING: Setting = {
  field: () => notHere('fields'),
  register: () => notHere('registers'),
  setRegister: () => notHere('registers'),
  flagsResult: () => notHere('flags'),
  flagsAux: () => notHere('flags'),
  setFlags: () => notHere('flags'),
  condition: () => notHere('flags'),
  mapEntry: () => notHere('Guest memory'),
  leave: () => notHere('exits'),
  jump: () => notHere('jumps'),
  delegate: () => notHere('delegates'),
};

/** Compiles `routines`, and what they call, over `memory`. They keep their names. */
export function compileRoutines(routines: readonly Routine[], memory: WebAssembly.Memory): Record<string, Compiled> {
  const module = new ModuleWriter();
  const indices = new Map<string, number>();
  const pending: Routine[] = [];
  const indexOf = (routine: Routine): number => {
    const known = indices.get(routine.name);
    if (known !== undefined) return known;
    const index = module.declare(routine.takes, routine.gives);
    indices.set(routine.name, index);
    pending.push(routine);
    return index;
  };
  const functions: Functions = {
    routine: indexOf,
    cpu: () => notHere('CPU'),
    slowLoad: () => notHere('Guest memory'),
    slowStore: () => notHere('Guest memory'),
  };
  for (const routine of routines) module.export(routine.name, indexOf(routine));
  for (let routine = pending.pop(); routine; routine = pending.pop()) {
    const emit = new Emitter(SETTING, functions, routine.takes.length);
    emit.body(routine.body());
    if (routine.gives.length > 0) emit.op(0x00 /* unreachable */);
    module.define(indices.get(routine.name) ?? notHere('index'), emit.locals, emit.finish());
  }
  const pages = memory.buffer.byteLength / 65536;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode(pages)), { env: { memory } });
  return instance.exports as Record<string, Compiled>;
}
