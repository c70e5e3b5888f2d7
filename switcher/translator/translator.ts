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
import { shapeOf as recordShapeOf } from '../interpreter/load.js';
import * as State from '../cpu/state.js';
import * as Records from '../interpreter/records.js';
import { flatMap, type Job, withItsRecords } from './job.js';
import { type Made, type Outcome, REGION } from './make-region.js';
import { plainDoublesOf } from './region-sse.js';
import { isMadeFor, shapeOf, STRANGE_OFTEN, type X87Shape } from './region-x87.js';
import { type Fetch, findRegion, type Region } from './region.js';
import { betterEntry } from './structure.js';
import type { Workshop } from './workshop.js';

/** A region may follow jumps and calls to this many pages. */
const PAGES_OF_A_REGION = 4;
/** What the x87 is like where a region begins may change, but not all the time. */
const SHAPES_OF_A_PLACE = 3;
const ALL_REGISTERS = 0xff;
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

/** A place in the Guest's code at which the CPU was met. */
interface Place {
  state:
    | { readonly kind: 'met'; samples: number }
    /** Or about to be. */
    | { readonly kind: 'translated'; readonly translation: Translation }
    /** Nothing to translate, or no room for it. */
    | { readonly kind: 'refused' };
  /** On how many pages a region from here may lie. */
  pages: number;
  /** How often a region here may still be made for what the x87 is like then. */
  shapes: number;
  /** Which x87 registers may be taken for plain numbers; undefined when none, nor results (see float/plain). */
  plain: number | undefined;
  /** What the last one was made for. */
  shape: X87Shape | undefined;
  /** It has given way to another place of its loop, or another has to it. */
  hasWaited: boolean;
}

/** A region from when it is ordered until it is gone. */
class Translation {
  readonly #place: Place;
  isOver = false;
  /** Takes it from where it was put. */
  remove = (): void => undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.remove();
    this.#place.state = { kind: 'met', samples: 0 };
  }
}

export class Translator {
  readonly #memory: Memory;
  readonly #code: CodeCache;
  readonly #interpreter: InterpreterExports;
  readonly #routines: CpuRoutines;
  readonly #workshop: Workshop;
  readonly #counts: boolean;
  /** What is known of each place that was met, by its record: at the same eip other programs have other code. */
  readonly #places = new Map<number, Place>();
  #generation = 0;
  readonly #freeSlots: number[] = [];
  /** The oldest first. */
  readonly #live = new Set<Translation>();
  readonly counters: TranslatorCounters = newTranslatorCounters();

  /** @param counts whether translated code counts its instructions */
  constructor(
    memory: Memory,
    code: CodeCache,
    interpreter: InterpreterExports,
    routines: CpuRoutines,
    workshop: Workshop,
    counts: boolean,
  ) {
    this.#memory = memory;
    this.#code = code;
    this.#interpreter = interpreter;
    this.#routines = routines;
    this.#workshop = workshop;
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
      plain: ALL_REGISTERS,
      shape: undefined,
      hasWaited: false,
    };
    this.#places.set(record, place);
    return place;
  }

  /**
   * The CPU stood at `eip` when its budget was spent.
   *
   * @param weight how many times it is to count
   * @returns whether this place is settled: translated already, or never to be
   */
  sample(eip: number, user: boolean, weight: number): boolean {
    this.counters.samples++;
    this.#workshop.collect();
    const place = this.#place(eip, user);
    if (place?.state.kind !== 'met') return true;
    // Where the workshop has its hands full, what is hottest is met soonest when it has not.
    place.state.samples += weight;
    if (place.state.samples < this.#workshop.patience || !this.#workshop.hasRoom) return false;
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
    this.#learn(place);
    if (place.state.kind === 'translated') place.state.translation.end();
    this.found(eip, user);
  }

  /** What a region at the place was made for is not true any more. */
  #learn(place: Place): void {
    const { shape } = place;
    const now = shapeOf(this.#memory);
    if (this.#memory.get(State.X87_STRANGE) > STRANGE_OFTEN) {
      this.#memory.set(State.X87_STRANGE, 0);
      place.plain = undefined;
    } else if (shape !== undefined && !isMadeFor(shape, now)) {
      place.shapes--;
    } else if (shape?.plain !== undefined && (shape.plain & ~(now?.plain ?? 0)) !== 0) {
      place.plain = shape.plain & (now?.plain ?? 0);
    } else {
      place.pages = 1;
    }
  }

  /** Code at `eip` was looked for and found: where everything is to be translated, it is translated now. */
  found(eip: number, user: boolean): void {
    if (this.#workshop.patience > 0) return;
    const place = this.#place(eip, user);
    if (place !== undefined && place.state.kind !== 'translated') this.#translate(eip, user, place);
  }

  /** Has the region at `eip` made, if there is one. */
  #translate(eip: number, user: boolean, place: Place): void {
    place.state = { kind: 'refused' };
    const { generation } = this.#code;
    const region = findRegion(eip, this.#fetcher(user), place.pages);
    const head = this.#code.fetch(eip, user, undefined);
    if (region === undefined || head === undefined) return;
    if (this.#waitsForBetter(region, user, place)) return;
    if (this.#code.generation !== generation) {
      // The room for records was used up on the way, and some of those found may be others by now.
      place.state = { kind: 'met', samples: 0 };
      return;
    }
    const translation = new Translation(place);
    place.state = { kind: 'translated', translation };
    this.#code.watch([eip >>> PAGE_SHIFT, ...region.otherPages], user, () => translation.end());
    let isElsewhere = false;
    this.#workshop.take(this.#jobFor(region, user, place), (outcome) => {
      this.#count(outcome, region.size, isElsewhere);
      // Somebody may have written to the code meanwhile.
      if (translation.isOver) return;
      if (outcome.kind === 'made') this.#install(outcome, head, place, translation);
      else place.state = { kind: 'refused' };
    });
    isElsewhere = true;
  }

  /**
   * The region would have a cycle that is come to from the side, and one from another place of the same loop has none: that has
   * it as the compiler made it, with fewer numbers to carry round. So that place is awaited, once; whether it comes or not,
   * this one is as good as any then.
   */
  #waitsForBetter(region: Region, user: boolean, place: Place): boolean {
    if (this.#workshop.patience === 0 || place.hasWaited) return false;
    const better = betterEntry(region);
    const other = better === undefined ? undefined : this.#place(better, user);
    if (other?.state.kind !== 'met') return false;
    other.state.samples = Math.max(other.state.samples, this.#workshop.patience - 1);
    other.hasWaited = true;
    place.hasWaited = true;
    place.state = { kind: 'met', samples: 0 };
    return true;
  }

  /** How the finder of regions is told of code. */
  #fetcher(user: boolean): Fetch {
    const { view, all } = this.#memory;
    /** By where they lead: records from which one has come to the record behind. */
    const before = new Map<number, number>();
    // Where nobody has come to is not worth a translation, and may never be.
    const known = this.#workshop.patience > 0;
    return (eip) => {
      const record = this.#code.fetch(eip, user, before.get(eip), known);
      if (record === undefined) return undefined;
      const form = this.#code.formOf(record);
      const { flow, isNear } = recordShapeOf(form);
      const nextEip = this.#code.nextEipOf(record);
      if (flow !== 'branch' || !known || all[record + Records.RECORD_FELL] === 1) before.set(nextEip, record);
      const target = view.getInt32(record + (isNear ? Records.RECORD_IMMEDIATE : Records.RECORD_LAST_TARGET), true);
      return { record, eip, nextEip, form, flow, target };
    };
  }

  #jobFor(region: Region, user: boolean, place: Place): Job {
    const map = flatMap(user, false);
    return {
      ...withItsRecords(region, this.#memory.all),
      otherPages: region.otherPages.map((page) => ({ page, entry: this.#memory.view.getInt32(map + page * 4, true) })),
      user,
      shape: place.shapes > 0 ? this.#shapeFor(place) : undefined,
      plainDoubles: plainDoublesOf(this.#memory.view),
      counts: this.#counts,
    };
  }

  /** What the x87 is like, as far as that may be relied upon at the place. */
  #shapeFor({ plain }: Place): X87Shape | undefined {
    const now = shapeOf(this.#memory);
    return now && { ...now, plain: plain === undefined ? undefined : plain & (now.plain ?? 0) };
  }

  #count(outcome: Outcome, instructions: number, isElsewhere: boolean): void {
    const { counters } = this;
    if (outcome.kind === 'refused') {
      counters.refused++;
      // Code that is not valid is a mistake of ours, which tests must see.
      if (outcome.mistake !== undefined) counters.mistakes = [outcome.mistake];
      return;
    }
    counters.regions++;
    counters.instructions += instructions;
    counters.bytes += outcome.size;
    counters.milliseconds += outcome.milliseconds;
    if (!isElsewhere) return;
    counters.elsewhere++;
    counters.millisecondsElsewhere += outcome.milliseconds;
  }

  /** From now on the record `head` leads to the region. */
  #install({ module, size, shape }: Made, head: number, place: Place, translation: Translation): void {
    const region = this.#instantiate(module);
    if (region === undefined) {
      place.state = { kind: 'refused' };
      return;
    }
    this.#makeRoom();
    const { counters } = this;
    const slot = this.#freeSlots.pop() ?? this.#grow();
    this.#interpreter.table.set(slot, region);
    const restore = this.#code.replaceHandler(head, slot);
    translation.remove = () => {
      restore();
      this.#interpreter.table.set(slot, null);
      this.#freeSlots.push(slot);
      this.#live.delete(translation);
      counters.live--;
      counters.liveBytes -= size;
    };
    this.#live.add(translation);
    counters.live++;
    counters.liveBytes += size;
    place.shape = shape;
    if (shape === undefined) place.shapes = 0;
  }

  #instantiate(module: WebAssembly.Module): unknown {
    try {
      const { exports } = new WebAssembly.Instance(module, {
        env: { memory: this.#memory.wasm },
        cpu: { ...this.#routines },
        interpreter: this.#interpreter.exports as Record<string, WebAssembly.ImportValue>,
      });
      return exports[REGION];
    } catch (refusal) {
      this.#count({ kind: 'refused', mistake: refusal instanceof RangeError ? undefined : String(refusal) }, 0, false);
      return undefined;
    }
  }

  #makeRoom(): void {
    const { live, liveBytes } = this.counters;
    if (live < LARGEST_NUMBER_OF_REGIONS && liveBytes < LARGEST_NUMBER_OF_BYTES) return;
    const oldest = [...this.#live].slice(0, Math.ceil(live * SHARE_THAT_GOES));
    for (const translation of oldest) translation.end();
    this.counters.reclaimed += oldest.length;
  }

  #grow(): number {
    const first = this.#interpreter.table.grow(TABLE_GROWTH);
    for (let slot = first + TABLE_GROWTH - 1; slot > first; slot--) this.#freeSlots.push(slot);
    return first;
  }
}
