// From a job to a module that V8 has compiled.
import * as State from '../cpu/state.js';
import { ROUTINE_PREFIX } from '../interpreter/generate.js';
import type { AccessBytes, Routine } from '../language/nodes.js';
import type { ValueType } from '../language/operators.js';
import { slowLoad, slowStore } from '../language/slow-access.js';
import { ModuleWriter } from '../wasm/module.js';
import { RegionEmitter, type RegionFunctions } from './emit-region.js';
import type { Job } from './job.js';
import { TopIsUncertain, type X87Shape } from './region-x87.js';

/** What a region's function is called in its module. */
export const REGION = 'region';

export interface Made {
  readonly kind: 'made';
  readonly module: WebAssembly.Module;
  /** Bytes of WebAssembly. */
  readonly size: number;
  /** What the region was made for; undefined when the x87's registers stay in memory. */
  readonly shape: X87Shape | undefined;
  /** Since the job was begun. */
  readonly milliseconds: number;
}

/** V8 would not have it, be it for want of room or because the code is no good, which is a mistake of ours. */
export interface Refused {
  readonly kind: 'refused';
  readonly mistake: string | undefined;
}

export type Outcome = Made | Refused;

/** The functions that one module imports, found while its code is written. */
class Imports implements RegionFunctions {
  readonly module = new ModuleWriter();
  readonly #indices = new Map<string, number>();

  #import(space: string, name: string, takes: readonly ValueType[], gives: readonly ValueType[]): number {
    const key = `${space}/${name}`;
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    const index = this.module.importFunction(space, name, takes, gives);
    this.#indices.set(key, index);
    return index;
  }

  routine(routine: Routine): number {
    return this.#import('interpreter', ROUTINE_PREFIX + routine.name, routine.takes, routine.gives);
  }

  cpu(name: string, arity: number): number {
    return this.#import(
      'cpu',
      name,
      Array.from({ length: arity }, (): ValueType => 'i32'),
      ['i32'],
    );
  }

  slowLoad(bytes: AccessBytes, forWrite: boolean): number {
    return this.routine(slowLoad(bytes, forWrite));
  }

  slowStore(bytes: AccessBytes): number {
    return this.routine(slowStore(bytes));
  }

  lookup(): number {
    return this.#import('interpreter', 'lookup', ['i32'], ['i32']);
  }
}

interface Written {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly shape: X87Shape | undefined;
}

function writeFor(job: Job, shape: X87Shape | undefined, isUnhurried: boolean): Written {
  const imports = new Imports();
  const { code, locals } = new RegionEmitter(job, imports, shape).emit();
  const index = imports.module.declare(['i32'], ['i32']);
  imports.module.define(index, locals, code);
  imports.module.export(REGION, index);
  if (isUnhurried) imports.module.compileFirst(index);
  return { bytes: imports.module.encode(State.LEAST_WASM_PAGES), shape };
}

/** The region's code, with the x87's registers in locals if that can be, and with what is known of its tags. */
function write(job: Job, isUnhurried: boolean): Written {
  const shapes = job.shape === undefined ? [] : [job.shape, { ...job.shape, empty: undefined }];
  for (const shape of shapes) {
    try {
      return writeFor(job, shape, isUnhurried);
    } catch (reason) {
      if (!(reason instanceof TopIsUncertain)) throw reason;
    }
  }
  return writeFor(job, undefined, isUnhurried);
}

/** @param isUnhurried nobody waits: V8 may take the time to compile it as well as it can */
export function makeRegion(job: Job, isUnhurried = false): Outcome {
  const began = performance.now();
  const { bytes, shape } = write(job, isUnhurried);
  try {
    const module = new WebAssembly.Module(bytes);
    return { kind: 'made', module, size: bytes.length, shape, milliseconds: performance.now() - began };
  } catch (refusal) {
    return { kind: 'refused', mistake: refusal instanceof RangeError ? undefined : String(refusal) };
  }
}
