// The translator: finds out what is hot, and has it run as WebAssembly of its own.
//
// Heat is sampled. The CPU runs with a small budget of jumps; where it stands when that is spent is a place that is jumped to
// often. A place that is met a few times becomes the entry of a region; the record there then leads to the region's function
// instead of to its form's handler, and whoever comes by goes there, by jump cache, chain or loop.
import { PAGE_SHIFT } from '../../guest-abi/addresses.js';
import { type TranslatorCounters, newTranslatorCounters } from '../counters.js';
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
import { isMadeFor, shapeOf, TopIsUncertain, type X87Shape } from './region-x87.js';
import { type Fetched, findRegion, type Region } from './region.js';

const SAMPLES_TO_TRANSLATE = 24;
/** A region may follow jumps and calls to this many pages. */
const PAGES_OF_A_REGION = 4;
/** What the x87 is like where a region begins may change, but not all the time. */
const SHAPES_OF_A_PLACE = 3;
const LARGEST_NUMBER_OF_PLACES = 100_000;
const TABLE_GROWTH = 256;
/**
 * The bound on memory for translations: so many regions, and so many bytes of WebAssembly, at a time; what V8 makes of them is
 * in proportion. Behind it the oldest quarter goes, and what of that is still hot comes back.
 */
const LARGEST_NUMBER_OF_REGIONS = 4096;
const LARGEST_NUMBER_OF_BYTES = 16 * 2 ** 20;
const SHARE_THAT_GOES = 1 / 4;

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

/** A place in the Guest's code at which the CPU was met. */
interface Place {
  state:
    | { readonly kind: 'met'; samples: number }
    | { readonly kind: 'translated'; readonly end: () => void }
    /** Nothing to translate, or no room for it. */
    | { readonly kind: 'refused' };
  /** On how many pages a region from here may lie. */
  pages: number;
  /** How often a region here may still be made for what the x87 is like then. */
  shapes: number;
  /** What the last one was made for. */
  shape: X87Shape | undefined;
}

type Written = { readonly imports: Imports } & ReturnType<RegionEmitter['emit']>;

export class Translator {
  readonly #memory: Memory;
  readonly #code: CodeCache;
  readonly #interpreter: InterpreterExports;
  readonly #routines: CpuRoutines;
  readonly #patience: number;
  readonly #counts: boolean;
  /** What is known of each place that was met, by its record: at the same eip other programs have other code. */
  readonly #places = new Map<number, Place>();
  #generation = 0;
  readonly #freeSlots: number[] = [];
  /** What ends each region, the oldest first. */
  readonly #live = new Set<() => void>();
  readonly counters: TranslatorCounters = newTranslatorCounters();

  /**
   * @param patience how often a place is met before it is translated; 0: at once, wherever code is looked for
   * @param counts whether translated code counts its instructions
   */
  constructor(
    memory: Memory,
    code: CodeCache,
    interpreter: InterpreterExports,
    routines: CpuRoutines,
    patience = SAMPLES_TO_TRANSLATE,
    counts = false,
  ) {
    this.#memory = memory;
    this.#code = code;
    this.#interpreter = interpreter;
    this.#routines = routines;
    this.#patience = patience;
    this.#counts = counts;
  }

  /** The place at `eip`; undefined while nobody has run what is there, and for an instruction that lies on two pages. */
  #place(eip: number, user: boolean): Place | undefined {
    const record = this.#code.fetch(eip, user, undefined, true);
    if (record === undefined) return undefined;
    if (this.#generation !== this.#code.generation) {
      // Records begin anew, and so do places.
      this.#places.clear();
      this.#generation = this.#code.generation;
    }
    const known = this.#places.get(record);
    if (known !== undefined) return known;
    // A Guest that is everywhere is hot nowhere: what was only met is forgotten now and then.
    if (this.#places.size >= LARGEST_NUMBER_OF_PLACES) {
      for (const [old, { state }] of this.#places) if (state.kind !== 'translated') this.#places.delete(old);
    }
    const place: Place = {
      state: { kind: 'met', samples: 0 },
      pages: PAGES_OF_A_REGION,
      shapes: SHAPES_OF_A_PLACE,
      shape: undefined,
    };
    this.#places.set(record, place);
    return place;
  }

  /**
   * The CPU stood at `eip` when its budget was spent.
   *
   * @returns whether this place is settled: translated already, or never to be
   */
  sample(eip: number, user: boolean): boolean {
    this.counters.samples++;
    const place = this.#place(eip, user);
    if (place?.state.kind !== 'met') return true;
    if (++place.state.samples < this.#patience) return false;
    place.state = { kind: 'refused' };
    this.#translate(eip, user, place);
    return true;
  }

  /**
   * The region at `eip` found that the x87 is not what it was made for; or that another page of it has moved: then the next
   * one there keeps to its page.
   */
  stale(eip: number, user: boolean): void {
    this.counters.stale++;
    const place = this.#place(eip, user);
    if (place === undefined) return;
    if (place.shape !== undefined && !isMadeFor(place.shape, shapeOf(this.#memory))) place.shapes--;
    else place.pages = 1;
    if (place.state.kind === 'translated') place.state.end();
    this.found(eip, user);
  }

  /** Code at `eip` was looked for and found: where everything is to be translated, it is translated now. */
  found(eip: number, user: boolean): void {
    if (this.#patience > 0) return;
    const place = this.#place(eip, user);
    if (place === undefined || place.state.kind === 'translated') return;
    place.state = { kind: 'refused' };
    this.#translate(eip, user, place);
  }

  #translate(eip: number, user: boolean, place: Place): void {
    const { view } = this.#memory;
    const { generation } = this.#code;
    let before: number | undefined;
    // What nobody has jumped to is not worth a translation, and may never be.
    const known = this.#patience > 0;
    const fetch = (at: number): Fetched | undefined => {
      const record = this.#code.fetch(at, user, before, known);
      before = record;
      if (record === undefined) return undefined;
      const form = this.#code.formOf(record);
      const isNear = form.operands[0]?.kind === 'target';
      return {
        record,
        eip: at,
        nextEip: view.getInt32(record + Records.RECORD_NEXT_EIP, true),
        form,
        target: view.getInt32(record + (isNear ? Records.RECORD_IMMEDIATE : Records.RECORD_LAST_TARGET), true),
      };
    };
    const region = findRegion(eip, fetch, place.pages);
    const head = this.#code.fetch(eip, user, undefined);
    if (region === undefined || head === undefined) return;
    if (this.#code.generation !== generation) {
      // The room for records was used up on the way, and some of those found may be others by now.
      place.state = { kind: 'met', samples: 0 };
      return;
    }
    const began = performance.now();
    const { imports, code, locals } = this.#write(region, user, place);
    const index = imports.module.declare(['i32'], ['i32']);
    imports.module.define(index, locals, code);
    imports.module.export('region', index);
    const bytes = imports.module.encode(State.LEAST_WASM_PAGES);
    this.#makeRoom();
    const slot = this.#install(bytes);
    this.counters.milliseconds += performance.now() - began;
    if (slot === undefined) return;
    const pages = [eip >>> PAGE_SHIFT, ...region.otherPages];
    const end = this.#code.replaceHandler(head, pages, user, slot, () => {
      this.#interpreter.table.set(slot, null);
      this.#freeSlots.push(slot);
      place.state = { kind: 'met', samples: 0 };
      this.counters.live--;
      this.counters.liveBytes -= bytes.length;
      this.#live.delete(end);
    });
    this.#live.add(end);
    place.state = { kind: 'translated', end };
    this.counters.live++;
    this.counters.liveBytes += bytes.length;
    this.counters.regions++;
    this.counters.instructions += region.size;
    this.counters.bytes += bytes.length;
  }

  /** The region's code, with the x87's registers in locals if that can be, and with what is known of its tags. */
  #write(region: Region, user: boolean, place: Place): Written {
    const now = place.shapes > 0 ? shapeOf(this.#memory) : undefined;
    const shapes = now === undefined ? [] : [now, { ...now, empty: undefined }];
    for (const shape of shapes) {
      try {
        return this.#writeFor(region, user, place, shape);
      } catch (reason) {
        if (!(reason instanceof TopIsUncertain)) throw reason;
      }
    }
    place.shapes = 0;
    return this.#writeFor(region, user, place, undefined);
  }

  #writeFor(region: Region, user: boolean, place: Place, shape: X87Shape | undefined): Written {
    place.shape = shape;
    const imports = new Imports();
    const options = { user, shape, counts: this.#counts };
    return { imports, ...new RegionEmitter(region, imports, this.#memory.view, options).emit() };
  }

  /** The region's place in the table; undefined when the engine below does not want it. */
  #install(bytes: Uint8Array<ArrayBuffer>): number | undefined {
    const region = this.#compile(bytes);
    if (region === undefined) return undefined;
    const slot = this.#freeSlots.pop() ?? this.#grow();
    this.#interpreter.table.set(slot, region);
    return slot;
  }

  /** A refusal, be it for want of room or because the code is no good, is a reason to go on interpreting. */
  #compile(bytes: Uint8Array<ArrayBuffer>): unknown {
    try {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
        env: { memory: this.#memory.wasm },
        cpu: { ...this.#routines },
        interpreter: this.#interpreter.exports as Record<string, WebAssembly.ImportValue>,
      });
      return exports['region'];
    } catch (refusal) {
      this.counters.refused++;
      // Code that is not valid is a mistake of ours, which tests must see.
      if (!(refusal instanceof RangeError)) this.counters.mistakes = [String(refusal)];
      return undefined;
    }
  }

  #makeRoom(): void {
    const { live, liveBytes } = this.counters;
    if (live < LARGEST_NUMBER_OF_REGIONS && liveBytes < LARGEST_NUMBER_OF_BYTES) return;
    const oldest = [...this.#live].slice(0, Math.ceil(live * SHARE_THAT_GOES));
    for (const end of oldest) end();
    this.counters.reclaimed += oldest.length;
  }

  #grow(): number {
    const first = this.#interpreter.table.grow(TABLE_GROWTH);
    for (let slot = first + TABLE_GROWTH - 1; slot > first; slot--) this.#freeSlots.push(slot);
    return first;
  }
}
