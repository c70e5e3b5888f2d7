// The emulated CPU: state, maps, code, an engine, and what an engine cannot do by itself.
//
// `run` goes until something needs the Host: a trap through a gate that is not direct, a page fault, an empty budget. What
// the CPU can settle alone (looking for code, writes to pages with code, direct gates, single-stepping) it settles.
import { Bug } from '../../lib/errors.js';
import { X86_EFLAGS_AC, X86_EFLAGS_RF, X86_EFLAGS_TF } from '../../guest-abi/x86/eflags.js';
import {
  isDoubleFault,
  PF_USER,
  PF_WRITE,
  X86_TRAP_DB,
  X86_TRAP_DF,
  X86_TRAP_GP,
  X86_TRAP_PF,
} from '../../guest-abi/x86/traps.js';
import { PAGE_SHIFT } from '../../guest-abi/addresses.js';
import type { Clock } from '../../lib/clock.js';
import { LONGEST_INSTRUCTION } from '../decode/decode.js';
import { Evaluator } from '../evaluator/evaluate.js';
import { meaning } from '../instructions/index.js';
import type { Body } from '../language/nodes.js';
import type { Form } from '../decode/instruction.js';
import { countIn } from '../interpreter/count.js';
import { decodeRun, type DecodeRun } from '../interpreter/decode-run.js';
import { ROUTINE_PREFIX } from '../interpreter/generate.js';
import { interpreterModule } from '../interpreter/load.js';
import { CodeCache } from './code-cache.js';
import { cpuid } from './cpuid.js';
import { servedAtTheDoor } from './door.js';
import type { CpuCounters } from '../counters.js';
import type { Doorkeeper, EngineName } from '../switch.js';
import * as Exits from './exits.js';
import { loadEflags, readEflags, writeEflags } from './flags.js';
import { resetFpu } from './fpu.js';
import { GuestAccess } from './guest-access.js';
import type { Lateness } from './lateness.js';
import { Memory } from './memory.js';
import { RetiredCounter } from './retired.js';
import { CPU_ROUTINES, type CpuRoutines } from './routines.js';
import { Segments } from './segments.js';
import { EverydayTransfers } from './everyday-transfers.js';
import { FlatMaps } from './shadow-map.js';
import * as State from './state.js';
import type { CpuTables } from './tables.js';
import { Translator } from '../translator/translator.js';
import { atOnce, type Workshop } from '../translator/workshop.js';
import { ERROR_CODE_EXT, type Gate, gateErrorCode, gateOf, leadsToHost, type Problem, Transfers } from './transfers.js';
import { Turns } from './turns.js';
import { transcendentalRoutines } from './x87-transcendental.js';

export type { EngineName } from '../switch.js';

/** What a run ended with, for the Host. */
export interface Trap {
  /** 0 … 255, or undefined when the budget ran out. */
  vector: number | undefined;
  errorCode: number;
}

const USER_RING = 3;
/** What a change of mode costs of the budget: tables are emptied, which takes as long as so many jumps and more. */
const MODE_CHANGE_JUMPS = 100;
const WHOLE_TURN = 4096;
const ERROR_CODE_NONE = 0;
const SS_OFFSET = State.SS * State.SEGMENT_SIZE;
const ESP_OFFSET = 16;

export class Cpu {
  readonly memory: Memory;
  readonly maps: FlatMaps;
  readonly segments: Segments;
  readonly trap: Trap = { vector: undefined, errorCode: 0 };
  cr2 = 0;
  doorkeeper: Doorkeeper | undefined = undefined;
  readonly #code: CodeCache;
  readonly #transfers: Transfers;
  readonly #everyday: EverydayTransfers;
  readonly #idt: Uint32Array;
  readonly #clock: Clock;
  readonly #evaluator: Evaluator;
  readonly #bodies = new Map<Form, Body>();
  #run: () => number;
  /** Undefined when instructions are not counted. */
  readonly retired: RetiredCounter | undefined;
  readonly #exits: number[] = Exits.EXIT_NAMES.map(() => 0);
  readonly #turns: Turns;
  readonly #translates: boolean;
  /** Made with the interpreter, when the CPU first runs. */
  #translator: Translator | undefined;
  #timeStamp = 0;
  /** What goes with EXIT_REFUSED. */
  #problem: Problem | undefined;
  /** `mov` and `pop` to SS hold the single-step trap back for one instruction; `lss` has no need to. */
  #stackLoaded = false;

  /**
   * @param workshop where translations are made
   * @param counts whether instructions are counted
   */
  constructor(
    ramBytes: number,
    tables: CpuTables,
    clock: Clock,
    engine: EngineName,
    workshop: Workshop = atOnce(),
    counts = false,
  ) {
    this.memory = new Memory(ramBytes);
    this.retired = counts ? new RetiredCounter(this.memory) : undefined;
    this.maps = new FlatMaps(this.memory);
    this.segments = new Segments(this.memory, tables.gdt);
    this.#code = new CodeCache(this.memory, this.maps);
    const access = new GuestAccess(this.memory, (vpn, user) => this.#removeCode(vpn, user));
    this.#transfers = new Transfers(this.memory, this.segments, access, tables.tss);
    this.#everyday = new EverydayTransfers(this.memory, this.segments, this.#transfers, tables);
    this.#idt = tables.idt;
    this.#clock = clock;
    this.#translates = engine === 'translate';
    this.#turns = new Turns(this.memory, this.#translates);
    const routines = this.#routines();
    this.#evaluator = new Evaluator({
      view: this.memory.view,
      routine: (name, args) => callRoutine(routines, name, args),
      checksAlignment: () => this.#checksAlignment(),
    });
    // Made when it first runs: until then V8 may still be compiling the module.
    const interpret = (): number => (this.#run = this.#instantiate(routines, workshop))();
    this.#run = engine === 'evaluate' ? () => this.#evaluateRun() : interpret;
    this.memory.set(State.STRING_TURN, WHOLE_TURN);
    resetFpu(this.memory);
    this.setPrivilege(1);
  }

  #instantiate(routines: CpuRoutines, workshop: Workshop): () => number {
    const imports = { env: { memory: this.memory.wasm }, cpu: { ...routines } };
    const { exports } = new WebAssembly.Instance(interpreterModule(), imports);
    const { run, table } = exports;
    const decode = exports[ROUTINE_PREFIX + decodeRun.name];
    if (typeof run !== 'function' || typeof decode !== 'function' || !(table instanceof WebAssembly.Table))
      throw new Bug('the interpreter module has no run');
    // Where everything is to be translated, the translator is to know of all that is found.
    this.#code.decodeBy(decode as DecodeRun, this.#translates && workshop.patience === 0);
    if (this.retired !== undefined) this.#code.countBy(countIn(table, this.memory.wasm));
    if (this.#translates) {
      const [code, counts] = [this.#code, this.retired !== undefined];
      this.#translator = new Translator(this.memory, code, { exports, table }, routines, workshop, counts);
    }
    return run as () => number;
  }

  get counters(): CpuCounters {
    return {
      jumps: this.#turns.jumps,
      exits: Object.fromEntries(Exits.EXIT_NAMES.map((name, exit) => [name, this.#exits[exit] ?? 0])),
      retired: this.retired,
      code: this.#code.counters,
      translator: this.#translator?.counters,
    };
  }

  setPrivilege(cpl: number): void {
    this.#transfers.setPrivilege(cpl);
  }

  get eflags(): number {
    return readEflags(this.memory);
  }

  set eflags(image: number) {
    writeEflags(this.memory, image);
  }

  /** Loads the kernel's code and stack from outside, if that is done quickly. */
  enterHandler(cs: number, ss: number): boolean {
    return this.#code.isFlat && this.#everyday.enterHandler(cs, ss);
  }

  /** To be called when segment registers were loaded from outside. */
  segmentsChanged(): void {
    const big = (this.segments.attributes(State.CS) & State.SEGMENT_BIG) !== 0;
    const isOther = this.#code.setMode({
      defaultSize: big ? 32 : 16,
      flat: this.segments.isFlat(),
      base: this.segments.base(State.CS),
      limit: this.segments.limit(State.CS),
    });
    // A Guest that does nothing else must not keep the Host waiting.
    if (isOther) this.memory.set(State.BUDGET, this.memory.get(State.BUDGET) - MODE_CHANGE_JUMPS);
  }

  // ---------------------------------------------------------------- the run loop

  /** Runs at most about `budget` jumps, or until it is late; the reason to stop is in `trap`. */
  run(budget: number, late?: Lateness): void {
    const { memory, trap } = this;
    trap.vector = undefined;
    trap.errorCode = 0;
    late?.begin();
    let left = budget;
    let turn = this.#turns.begin(left);
    for (;;) {
      if (this.retired?.isAtLimit === true) return this.#clearResumeFlag();
      const exit = this.#isSlow() ? this.#step() : this.#run();
      this.#exits[exit] = (this.#exits[exit] ?? 0) + 1;
      if (exit !== Exits.EXIT_BUDGET) {
        if (!this.#settle(exit)) {
          this.#turns.end(turn);
          return;
        }
        // What is settled here costs a jump too: a Guest whose handler faults in its first instruction goes round for ever.
        const rest = memory.get(State.BUDGET) - 1;
        memory.set(State.BUDGET, rest);
        if (rest >= 0 && late?.settled() !== true) continue;
      }
      this.#turns.end(turn);
      if (trap.vector !== undefined) return;
      if (this.#turns.isSampleDue) this.#sample();
      left -= turn;
      if (left <= 0 || late?.turned() === true) return this.#clearResumeFlag();
      turn = this.#turns.begin(left);
    }
  }

  #sample(): void {
    const isUser = this.segments.cpl === USER_RING;
    const isSettled = this.#translator?.sample(this.memory.get(State.EIP), isUser, this.#turns.weight) ?? true;
    this.#turns.sampled(isSettled);
  }

  /**
   * Single-stepping and alignment checks are the evaluator's business: they are rare, and then speed is nobody's wish. And
   * translated code does not look at the limit.
   */
  #isSlow(): boolean {
    if (this.#translates && this.retired?.hasLimit === true) return true;
    return (
      (this.memory.get(State.EFLAGS_REST) & (X86_EFLAGS_TF | X86_EFLAGS_AC)) !== 0 &&
      (this.#isStepping() || this.#checksAlignment())
    );
  }

  #isStepping(): boolean {
    return (this.memory.get(State.EFLAGS_REST) & X86_EFLAGS_TF) !== 0;
  }

  #checksAlignment(): boolean {
    return (this.memory.get(State.EFLAGS_REST) & X86_EFLAGS_AC) !== 0 && this.segments.cpl === USER_RING;
  }

  /** @returns whether to go on */
  #settle(exit: number): boolean {
    const { memory } = this;
    switch (exit) {
      case Exits.EXIT_LOOKUP:
        // What would come next is not looked for when it is not to be run: it may fault.
        return this.retired?.isAtLimit === true || this.#findCode();
      case Exits.EXIT_FAULT:
        memory.set(State.FAULT, 0);
        this.retired?.undo();
        return this.#accessFault(memory.get(State.FAULT_ADDRESS), memory.get(State.FAULT_WRITE) !== 0);
      case Exits.EXIT_EXCEPTION:
        this.retired?.undo();
        return this.#exception(memory.get(State.VECTOR), memory.get(State.ERROR_CODE));
      case Exits.EXIT_SOFTWARE_INTERRUPT:
        return this.#softwareInterrupt(memory.get(State.VECTOR));
      case Exits.EXIT_DEBUG_INTERRUPT:
        return this.#enterBehind(gateOf(this.#idt, X86_TRAP_DB), ERROR_CODE_EXT);
      case Exits.EXIT_REFUSED:
        this.retired?.undo();
        return this.#problem === undefined || this.#settleProblem(this.#problem);
      case Exits.EXIT_MODE_CHANGED:
        return true;
      case Exits.EXIT_STALE:
        this.#translator?.stale(memory.get(State.EIP), this.segments.cpl === USER_RING);
        return true;
      default:
        throw new Bug(`an engine ended with ${exit}`);
    }
  }

  #findCode(): boolean {
    const eip = this.memory.get(State.EIP);
    const found = this.#code.lookUp(eip, this.segments.cpl === USER_RING);
    switch (found.kind) {
      case 'found':
        this.#translator?.found(eip, this.segments.cpl === USER_RING);
        return true;
      case 'fault':
        return this.#accessFault(found.address, false);
      case 'not-code':
        return this.#exception(X86_TRAP_GP, 0);
    }
  }

  /** The instruction at EIP could not access memory. */
  #accessFault(address: number, isWrite: boolean): boolean {
    const isUser = this.segments.cpl === USER_RING;
    const page = address >>> PAGE_SHIFT;
    if (!isWrite || !this.#removeCode(page, isUser)) return this.#pageFault(address, isWrite, isUser);
    if (!this.#standsOn(this.maps.readablePage(page, isUser))) return true;
    // It writes to its own page: it is run from a record that does not make that one of code again.
    const exit = this.#isSlow() ? this.#step(true) : this.#evaluateOne(true);
    if (exit === Exits.EXIT_BUDGET) return this.trap.vector === undefined;
    return exit === undefined || this.#settle(exit);
  }

  /** Whether the instruction at EIP may have bytes on the page of RAM. */
  #standsOn(pfn: number): boolean {
    const isUser = this.segments.cpl === USER_RING;
    const first = this.segments.base(State.CS) + this.memory.get(State.EIP);
    const last = first + LONGEST_INSTRUCTION - 1;
    const { maps } = this;
    return (
      maps.readablePage(first >>> PAGE_SHIFT, isUser) === pfn || maps.readablePage(last >>> PAGE_SHIFT, isUser) === pfn
    );
  }

  /** The Guest writes to a page from which it has run code: the code goes. */
  #removeCode(vpn: number, user: boolean): boolean {
    if (!this.maps.isWithheld(vpn, user)) return false;
    this.#code.forgetPage(this.maps.readablePage(vpn, user));
    return true;
  }

  #pageFault(address: number, isWrite: boolean, isUser: boolean): boolean {
    const errorCode = (isWrite ? PF_WRITE : 0) | (isUser ? PF_USER : 0);
    if (this.doorkeeper?.pageFault(address >>> 0, errorCode) === true) return true;
    this.cr2 = address >>> 0;
    this.#setResumeFlag();
    this.#leave(X86_TRAP_PF, errorCode);
    return false;
  }

  /** An instruction that faulted is run again: with RF set in the image, as the hardware pushes it. */
  #setResumeFlag(): void {
    this.memory.set(State.EFLAGS_REST, this.memory.get(State.EFLAGS_REST) | X86_EFLAGS_RF);
  }

  /** It was for one instruction, which is done; the fast engines leave it. */
  #clearResumeFlag(): void {
    this.memory.set(State.EFLAGS_REST, this.memory.get(State.EFLAGS_REST) & ~X86_EFLAGS_RF);
  }

  #leave(vector: number, errorCode: number): void {
    this.trap.vector = vector;
    this.trap.errorCode = errorCode;
  }

  /** A fault of the instruction at EIP. */
  #exception(vector: number, errorCode: number): boolean {
    this.#setResumeFlag();
    return this.#deliver(vector, errorCode === State.NO_ERROR_CODE ? undefined : errorCode);
  }

  /** `vector` happens now, with EIP as the address to return to. */
  #deliver(vector: number, errorCode: number | undefined): boolean {
    if (leadsToHost(this.#idt, vector)) {
      this.#leave(vector, errorCode ?? ERROR_CODE_NONE);
      return false;
    }
    const gate = gateOf(this.#idt, vector);
    const problem = this.#transfers.enterGate(gate, this.memory.get(State.EIP), errorCode, ERROR_CODE_EXT);
    if (problem === undefined) {
      this.segmentsChanged();
      return true;
    }
    // A second fault on the way to the handler of the first. A third one would shut a real machine down: the Host is told of
    // a double fault, which it does not forgive either.
    if (vector === X86_TRAP_DF) {
      this.#leave(X86_TRAP_DF, 0);
      return false;
    }
    if (problem.kind === 'exception' && isDoubleFault(vector, problem.vector)) return this.#exception(X86_TRAP_DF, 0);
    return this.#settleProblem(problem);
  }

  /** int n, int3, into: the gate's DPL decides who may. EIP is the instruction, NEXT_EIP where to return to. */
  #softwareInterrupt(vector: number): boolean {
    const gate = gateOf(this.#idt, vector);
    if (gate.dpl < this.segments.cpl) {
      this.retired?.undo();
      return this.#exception(X86_TRAP_GP, gateErrorCode(vector, 0));
    }
    return this.#enterBehind(gate, 0);
  }

  /** Whether the Host has dealt with `int vector` at the door; then the Guest goes on behind it. */
  #served(vector: number): boolean {
    const { memory } = this;
    if (!servedAtTheDoor(this.doorkeeper, memory, this.#idt, vector, this.segments.cpl)) return false;
    memory.set(State.EIP, memory.get(State.NEXT_EIP));
    this.#clearResumeFlag();
    return true;
  }

  /** Goes through a gate with NEXT_EIP as the address to return to. */
  #enterBehind(gate: Gate, external: number): boolean {
    const { memory } = this;
    const eip = memory.get(State.EIP);
    memory.set(State.EIP, memory.get(State.NEXT_EIP));
    this.#clearResumeFlag();
    if (!gate.isDirect) {
      this.#leave(gate.vector, ERROR_CODE_NONE);
      return false;
    }
    const problem = this.#transfers.enterGate(gate, memory.get(State.EIP), undefined, external);
    if (problem === undefined) {
      this.segmentsChanged();
      return true;
    }
    memory.set(State.EIP, eip);
    this.retired?.undo();
    return this.#settleProblem(problem);
  }

  /** What the instruction at EIP wanted cannot be done. */
  #settleProblem(problem: Problem): boolean {
    return problem.kind === 'exception'
      ? this.#exception(problem.vector, problem.errorCode)
      : this.#pageFault(problem.address, problem.isWrite, problem.isUser);
  }

  // ---------------------------------------------------------------- by the evaluator

  /** Runs blocks until an exit, as the interpreter's `run` does. */
  #evaluateRun(): number {
    for (;;) {
      const exit = this.#evaluateOne();
      if (exit !== undefined) return exit;
      const budget = this.memory.get(State.BUDGET) - 1;
      this.memory.set(State.BUDGET, budget);
      if (budget < 0 || this.retired?.isAtLimit === true) return Exits.EXIT_BUDGET;
    }
  }

  /** Runs the instruction at EIP alone. */
  #evaluateOne(once = false): number | undefined {
    const eip = this.memory.get(State.EIP);
    const user = this.segments.cpl === USER_RING;
    this.retired?.begin();
    const found = once ? this.#code.decodeOnce(eip, user) : this.#code.lookUp(eip, user);
    if (found.kind === 'not-code') return this.#raise(X86_TRAP_GP, 0);
    if (found.kind === 'fault') {
      this.memory.set(State.FAULT_ADDRESS, found.address);
      this.memory.set(State.FAULT_WRITE, 0);
      return Exits.EXIT_FAULT;
    }
    const form = this.#code.formOf(found.record);
    let body = this.#bodies.get(form);
    if (body === undefined) {
      // As the interpreter does not say it: so each way is held against the other.
      body = meaning(form, 'spelled-out');
      this.#bodies.set(form, body);
    }
    const next = this.#code.nextEipOf(found.record);
    const ending = this.#evaluator.run(body, found.record);
    if (ending.kind === 'exit') return ending.exit;
    if (ending.kind === 'again' || next === eip) this.retired?.undo();
    if (ending.kind === 'next') this.memory.set(State.EIP, next);
    return undefined;
  }

  /** One instruction, and the debug trap after it if TF was set before it. */
  #step(once = false): number {
    const { memory } = this;
    const stepping = this.#isStepping();
    memory.set(State.STRING_TURN, stepping ? 1 : WHOLE_TURN);
    this.#stackLoaded = false;
    this.#clearResumeFlag();
    const exit = this.#evaluateOne(once);
    memory.set(State.STRING_TURN, WHOLE_TURN);
    const done = exit === undefined || exit === Exits.EXIT_MODE_CHANGED;
    if (!done) return exit;
    const budget = memory.get(State.BUDGET) - 1;
    memory.set(State.BUDGET, budget);
    if (stepping && !this.#stackLoaded) {
      memory.set(State.VECTOR, X86_TRAP_DB);
      memory.set(State.NEXT_EIP, memory.get(State.EIP));
      return this.#debugTrap();
    }
    return budget < 0 ? Exits.EXIT_BUDGET : Exits.EXIT_MODE_CHANGED;
  }

  #debugTrap(): number {
    // The budget says that the Host has been reached; a direct gate for #DB has been gone through already.
    return this.#deliver(X86_TRAP_DB, undefined) ? Exits.EXIT_MODE_CHANGED : Exits.EXIT_BUDGET;
  }

  // ---------------------------------------------------------------- routines

  #raise(vector: number, errorCode: number): number {
    this.memory.set(State.VECTOR, vector);
    this.memory.set(State.ERROR_CODE, errorCode);
    return Exits.EXIT_EXCEPTION;
  }

  /** The Exit for a transfer that was or was not done. */
  #transferred(problem: Problem | undefined): number {
    if (problem === undefined) {
      this.segmentsChanged();
      return this.#isSlow() ? Exits.EXIT_MODE_CHANGED : 0;
    }
    this.#problem = problem;
    return Exits.EXIT_REFUSED;
  }

  #loadSegment(offset: number, selector: number): number {
    const segment = offset / State.SEGMENT_SIZE;
    // Kernels load the same data segments at every way in and out.
    if (this.segments.isCurrent(segment, selector)) return 0;
    const problem = this.segments.load(segment, selector);
    if (problem) return this.#raise(problem.vector, problem.errorCode);
    if (segment === State.FS || segment === State.GS) return 0;
    const wasFlat = this.#code.isFlat;
    this.segmentsChanged();
    if (this.#code.isFlat === wasFlat) return 0;
    this.memory.set(State.EIP, this.memory.get(State.NEXT_EIP));
    return Exits.EXIT_MODE_CHANGED;
  }

  #loadSegmentAndRegister(offset: number, selector: number, register: number, value: number, bytes: number): number {
    const exit = this.#loadSegment(offset, selector);
    if (exit !== 0 && exit !== Exits.EXIT_MODE_CHANGED) return exit;
    const at = State.REGISTERS + register;
    if (bytes === 2) this.memory.view.setInt16(at, value, true);
    else this.memory.set(at, value);
    return exit;
  }

  #loadFlags(image: number, bytes: number): number {
    loadEflags(this.memory, image, bytes, false);
    if (!this.#isSlow()) return 0;
    this.memory.set(State.EIP, this.memory.get(State.NEXT_EIP));
    return Exits.EXIT_MODE_CHANGED;
  }

  #routines(): CpuRoutines {
    const size = (bytes: number): 2 | 4 => (bytes === 2 ? 2 : 4);
    return {
      timeStampLow: () => {
        this.#timeStamp = Math.floor(this.#clock.now());
        return this.#timeStamp | 0;
      },
      timeStampHigh: () => Math.floor(this.#timeStamp / 2 ** 32) | 0,
      cpuid: () => {
        cpuid(this.memory);
        return 0;
      },
      loadSegment: (segment, selector) => {
        this.#stackLoaded = segment === SS_OFFSET;
        return this.#loadSegment(segment, selector);
      },
      popSegment: (segment, selector, pointer) => {
        this.#stackLoaded = segment === SS_OFFSET;
        return this.#loadSegmentAndRegister(segment, selector, ESP_OFFSET, pointer, 4);
      },
      loadSegmentAndRegister: (segment, selector, register, value, bytes) =>
        this.#loadSegmentAndRegister(segment, selector, register, value, bytes),
      interruptReturn: (bytes) => {
        if (bytes === 4 && this.#code.isFlat && this.#everyday.interruptReturn())
          return this.#isSlow() ? Exits.EXIT_MODE_CHANGED : 0;
        return this.#transferred(this.#transfers.interruptReturn(size(bytes)));
      },
      farJump: (bytes, selector, offset) => this.#transferred(this.#transfers.farJump(size(bytes), selector, offset)),
      farCall: (bytes, selector, offset) => this.#transferred(this.#transfers.farCall(size(bytes), selector, offset)),
      farReturn: (bytes, drop) => this.#transferred(this.#transfers.farReturn(size(bytes), drop)),
      softwareInterrupt: (vector) => {
        // No single-step trap comes behind it.
        if (!this.#isStepping()) {
          if (this.#code.isFlat && this.#everyday.enterKernel(vector)) return 0;
          if (this.#served(vector)) return 0;
        }
        this.memory.set(State.VECTOR, vector);
        return Exits.EXIT_SOFTWARE_INTERRUPT;
      },
      debugInterrupt: () => Exits.EXIT_DEBUG_INTERRUPT,
      loadFlags: (image, bytes) => this.#loadFlags(image, bytes),
      verifyRead: (selector) => (this.segments.canRead(selector) ? 1 : 0),
      verifyWrite: (selector) => (this.segments.canWrite(selector) ? 1 : 0),
      accessRights: (selector) => this.segments.accessRights(selector),
      segmentLimitKnown: (selector) => (this.segments.visibleLimit(selector) === undefined ? 0 : 1),
      segmentLimit: (selector) => this.segments.visibleLimit(selector) ?? 0,
      ...transcendentalRoutines(this.memory.view),
    };
  }
}

function callRoutine(routines: CpuRoutines, name: string, args: readonly number[]): number {
  if (!(name in CPU_ROUTINES)) throw new Bug(`the CPU has no routine ${name}`);
  const routine = routines[name as keyof CpuRoutines] as (...words: number[]) => number;
  return routine(...args);
}
