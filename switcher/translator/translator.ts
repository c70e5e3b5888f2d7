// The translator: finds out what is hot, and has it run as WebAssembly of its own.
//
// Heat is sampled. The CPU runs with a small budget of jumps; where it stands when that is spent is a place that is jumped to
// often. A place that is met a few times becomes the entry of a region; the record there then leads to the region's function
// instead of to its form's handler, and whoever comes by goes there, by jump cache, chain or loop.
import { Bug } from '../../lib/errors.js';
import type { CodeCache } from '../cpu/code-cache.js';
import type { Memory } from '../cpu/memory.js';
import type { CpuRoutines } from '../cpu/routines.js';
import * as State from '../cpu/state.js';
import * as Records from '../interpreter/records.js';
import { ROUTINE_PREFIX } from '../interpreter/generate.js';
import type { AccessBytes, Routine } from '../language/nodes.js';
import type { ValueType } from '../language/operators.js';
import { slowLoad, slowStore } from '../language/slow-access.js';
import { ModuleWriter } from '../wasm/module.js';
import { RegionEmitter, type RegionFunctions } from './emit-region.js';
import { type Fetched, findRegion } from './region.js';

const WASM_PAGE = 0x10000;
const SAMPLES_TO_TRANSLATE = 3;
const TABLE_GROWTH = 256;
/** More regions than this at once, and the oldest heat is forgotten: the bound on memory for translations. */
const LARGEST_NUMBER_OF_REGIONS = 4096;

/** The interpreter's instance, as far as translated code needs it. */
export interface InterpreterExports {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly table: WebAssembly.Table;
}

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

  slowLoad(bytes: AccessBytes): number {
    return this.routine(slowLoad(bytes));
  }

  slowStore(bytes: AccessBytes): number {
    return this.routine(slowStore(bytes));
  }

  lookup(): number {
    return this.#import('interpreter', 'lookup', ['i32'], ['i32']);
  }
}

export interface TranslatorCounts {
  regions: number;
  instructions: number;
  bytes: number;
  milliseconds: number;
}

export class Translator {
  readonly #memory: Memory;
  readonly #code: CodeCache;
  readonly #interpreter: InterpreterExports;
  readonly #routines: CpuRoutines;
  /** How often each place was met, by eip and privilege; −1 for what cannot be translated or is. */
  readonly #heat = new Map<number, number>();
  readonly #freeSlots: number[] = [];
  #live = 0;
  readonly counts: TranslatorCounts = { regions: 0, instructions: 0, bytes: 0, milliseconds: 0 };

  constructor(memory: Memory, code: CodeCache, interpreter: InterpreterExports, routines: CpuRoutines) {
    this.#memory = memory;
    this.#code = code;
    this.#interpreter = interpreter;
    this.#routines = routines;
  }

  /**
   * The CPU stood at `eip` when its budget was spent.
   *
   * @returns whether this place is translated already
   */
  sample(eip: number, user: boolean): boolean {
    const key = (eip >>> 0) * 2 + (user ? 1 : 0);
    const heat = (this.#heat.get(key) ?? 0) + 1;
    if (heat <= 0) return true;
    this.#heat.set(key, heat);
    if (heat < SAMPLES_TO_TRANSLATE || this.#live >= LARGEST_NUMBER_OF_REGIONS) return false;
    this.#heat.set(key, Number.NEGATIVE_INFINITY);
    this.#translate(eip, user, key);
    return true;
  }

  #translate(eip: number, user: boolean, key: number): void {
    const { view } = this.#memory;
    let before: number | undefined;
    const region = findRegion(eip, (at): Fetched | undefined => {
      const record = this.#code.fetch(at, user, before);
      before = record;
      if (record === undefined) return undefined;
      return {
        record,
        eip: at,
        nextEip: view.getInt32(record + Records.RECORD_NEXT_EIP, true),
        form: this.#code.formOf(record),
        target: view.getInt32(record + Records.RECORD_IMMEDIATE, true),
      };
    });
    const head = this.#code.fetch(eip, user, undefined);
    if (region === undefined || head === undefined) return;
    const began = performance.now();
    const imports = new Imports();
    const { code, locals } = new RegionEmitter(region, imports, view, user).emit();
    const index = imports.module.declare(['i32'], ['i32']);
    imports.module.define(index, locals, code);
    imports.module.export('region', index);
    const bytes = imports.module.encode(State.GUEST_RAM / WASM_PAGE);
    const slot = this.#install(bytes);
    this.#code.replaceHandler(head, eip, user, slot, () => {
      this.#interpreter.table.set(slot, null);
      this.#freeSlots.push(slot);
      this.#heat.delete(key);
      this.#live--;
    });
    this.#live++;
    this.counts.regions++;
    this.counts.instructions += region.size;
    this.counts.bytes += bytes.length;
    this.counts.milliseconds += performance.now() - began;
  }

  #install(bytes: Uint8Array<ArrayBuffer>): number {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: { memory: this.#memory.wasm },
      cpu: { ...this.#routines },
      interpreter: this.#interpreter.exports as Record<string, WebAssembly.ImportValue>,
    });
    const { region } = instance.exports;
    if (typeof region !== 'function') throw new Bug('a translated module has no region');
    const slot = this.#freeSlots.pop() ?? this.#grow();
    this.#interpreter.table.set(slot, region);
    return slot;
  }

  #grow(): number {
    const first = this.#interpreter.table.grow(TABLE_GROWTH);
    for (let slot = first + TABLE_GROWTH - 1; slot > first; slot--) this.#freeSlots.push(slot);
    return first;
  }
}
