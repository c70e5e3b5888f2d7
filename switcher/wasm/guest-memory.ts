// Accesses to the Guest's memory, as code: the flat map says where a page is, or a window does, and what is not on one page or
// has no entry is done by a routine.
import { PAGE_OFFSET_MASK } from '../../guest-abi/addresses.js';
import { EXIT_FAULT } from '../cpu/exits.js';
import * as State from '../cpu/state.js';
import type { AccessBytes, GuestLoad, Value } from '../language/nodes.js';
import type { ValueType } from '../language/operators.js';
import type { Emitter } from './emit.js';
import { WASM } from './opcodes.js';
import type { Setting, Window } from './setting.js';

export class GuestMemory {
  readonly #emit: Emitter;
  readonly #setting: Setting;

  constructor(emit: Emitter, setting: Setting) {
    this.#emit = emit;
    this.#setting = setting;
  }

  /** Leaves the map's entry for the address in local `address` in local `entry`. */
  #lookUp(write: boolean, address: number, entry: number): void {
    this.#setting.mapEntry(this.#emit, write, address);
    this.#emit.localSet(entry);
  }

  #leaveOnFault(): void {
    const emit = this.#emit;
    emit.loadState(State.FAULT);
    emit.seldom();
    emit.ifThen(() => this.#setting.leave(emit, EXIT_FAULT));
  }

  /**
   * One access to Guest memory at `address`: `fast` with the place on the stack, less MAP_BIAS, or `slow` with the address in
   * local `at`.
   */
  #access(bytes: number, write: boolean, address: Value, fast: () => void, slow: (at: number) => void): void {
    const emit = this.#emit;
    const at = emit.scratch('address', 'i32');
    const window = emit.constantOf(address) === undefined ? this.#setting.window?.(address, write) : undefined;
    emit.value(address);
    emit.localSet(at);
    if (window === undefined) this.#accessByMap(bytes, write, at, fast, slow);
    else this.#accessByWindow(bytes, write, at, window, fast, slow);
  }

  #accessByMap(bytes: number, write: boolean, at: number, fast: () => void, slow: (at: number) => void): void {
    const entry = this.#emit.scratch('entry', 'i32');
    this.#lookUp(write, at, entry);
    this.#unlessSlow(
      (isSlow) => {
        this.#branchIfSlow(bytes, at, entry, isSlow);
        this.#pushPlace(at, entry);
        fast();
      },
      () => slow(at),
    );
  }

  /** What is in the window is on its page and ends there, and the page has an entry. */
  #accessByWindow(
    bytes: number,
    write: boolean,
    at: number,
    window: Window,
    fast: () => void,
    slow: (at: number) => void,
  ): void {
    const emit = this.#emit;
    const entry = emit.scratch('entry', 'i32');
    this.#unlessSlow(
      (isSlow) => {
        emit.localGet(at);
        emit.op(WASM.i64ExtendI32U);
        emit.localGet(window.page);
        emit.op(WASM.i64Sub);
        emit.const64(PAGE_OFFSET_MASK + 1 - bytes);
        emit.op(WASM.i64GtU);
        emit.seldom();
        emit.ifThen(() => {
          this.#lookUp(write, at, entry);
          this.#branchIfSlow(bytes, at, entry, isSlow);
          emit.localGet(at);
          emit.const32(~PAGE_OFFSET_MASK);
          emit.op(WASM.i32And, WASM.i64ExtendI32U);
          emit.localSet(window.page);
          emit.localGet(entry);
          emit.localSet(window.entry);
        });
        this.#pushPlace(at, window.entry);
        fast();
      },
      () => slow(at),
    );
  }

  /** `fast`, which may branch to the label that it is given for `slow`, which is out of the way. */
  #unlessSlow(fast: (isSlow: object) => void, slow: () => void): void {
    const emit = this.#emit;
    const isSlow = {};
    const isDone = {};
    emit.labelled('block', isDone, () => {
      emit.labelled('block', isSlow, () => {
        fast(isSlow);
        emit.branch(isDone);
      });
      slow();
    });
  }

  /** When the map has no entry or the access does not end on its page. */
  #branchIfSlow(bytes: number, at: number, entry: number, isSlow: object): void {
    const emit = this.#emit;
    emit.localGet(entry);
    emit.op(WASM.i32Eqz);
    emit.branchSeldom(isSlow);
    if (bytes === 1) return;
    emit.localGet(at);
    emit.const32(PAGE_OFFSET_MASK);
    emit.op(WASM.i32And);
    emit.const32(PAGE_OFFSET_MASK + 1 - bytes);
    emit.op(WASM.i32GtU);
    emit.branchSeldom(isSlow);
  }

  /** Pushes where in the machine's memory the address is, less MAP_BIAS. */
  #pushPlace(at: number, entry: number): void {
    const emit = this.#emit;
    emit.localGet(entry);
    emit.localGet(at);
    emit.op(WASM.i32Add);
  }

  load({ bytes, address, forWrite }: GuestLoad, type: ValueType): void {
    const emit = this.#emit;
    const result = emit.scratch(`loaded ${type}`, type);
    this.#access(
      bytes,
      false,
      address,
      () => {
        emit.load(bytes, State.MAP_BIAS);
        emit.localSet(result);
      },
      (at) => {
        emit.localGet(at);
        emit.call(emit.functions.slowLoad(bytes, forWrite));
        emit.localSet(result);
        this.#leaveOnFault();
      },
    );
    emit.localGet(result);
  }

  store(bytes: AccessBytes, address: Value, value: Value): void {
    const emit = this.#emit;
    this.#access(
      bytes,
      true,
      address,
      () => {
        emit.value(value);
        emit.store(bytes, State.MAP_BIAS);
      },
      (at) => {
        emit.localGet(at);
        emit.value(value);
        emit.call(emit.functions.slowStore(bytes));
        this.#leaveOnFault();
      },
    );
  }

  probe(bytes: number, address: Value, write: boolean): void {
    const emit = this.#emit;
    const at = emit.scratch('address', 'i32');
    const entry = emit.scratch('entry', 'i32');
    emit.value(address);
    emit.localSet(at);
    this.#probeOne(write, at, entry);
    if (bytes === 1) return;
    // The last byte; when it is on the same page this finds the same entry again.
    emit.localGet(at);
    emit.const32(bytes - 1);
    emit.op(WASM.i32Add);
    // A fault on the second page is reported at its first byte.
    emit.localSet(at);
    emit.localGet(at);
    emit.const32(PAGE_OFFSET_MASK);
    emit.op(WASM.i32And);
    emit.const32(bytes - 1);
    // The end is on another page than the beginning.
    emit.op(WASM.i32LtU);
    emit.ifThen(() => {
      emit.localGet(at);
      emit.const32(~PAGE_OFFSET_MASK);
      emit.op(WASM.i32And);
      emit.localSet(at);
      this.#probeOne(write, at, entry);
    });
  }

  #probeOne(write: boolean, at: number, entry: number): void {
    const emit = this.#emit;
    this.#lookUp(write, at, entry);
    emit.localGet(entry);
    emit.op(WASM.i32Eqz);
    emit.seldom();
    emit.ifThen(() => {
      emit.storeState(State.FAULT_ADDRESS, at);
      emit.setStateConstant(State.FAULT_WRITE, write ? 2 : 0);
      emit.setStateConstant(State.FAULT, 1);
      this.#setting.leave(emit, EXIT_FAULT);
    });
  }
}
