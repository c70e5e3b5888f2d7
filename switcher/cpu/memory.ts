// The one WebAssembly.Memory of a machine, as TypeScript sees it: CPU state, maps, records, the Guest's RAM, and tables by page.
import { PAGE_COUNT, PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import { alignUp } from '../../lib/bits.js';
import type { PhysicalMemory } from '../physical-memory.js';
import * as State from './state.js';

/** As many as FlatMaps and the Host's directories take. */
const TABLES = 10;

/** How long the memory of a machine is, with so much RAM. */
export const machineBytes = (ramBytes: number): number =>
  alignUp(State.GUEST_RAM + ramBytes + TABLES * State.MAP_SIZE, State.WASM_PAGE);

export class Memory implements PhysicalMemory {
  readonly wasm: WebAssembly.Memory;
  /** All of it, from address 0 on. */
  readonly all: Uint8Array;
  readonly state: Int32Array;
  readonly view: DataView;
  readonly base = State.GUEST_RAM;
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** Called for a guest-physical page that holds code and was written to from outside the CPU. */
  #onCodeWritten: (pfn: number) => void = () => undefined;
  /** By page of RAM: what was left for records when code was first decoded from it, 0 when there is none (see State.CODE_LEFT). */
  readonly codeLeft: Int32Array;

  readonly #tables: number;
  #tablesGiven = 0;

  /** @throws RangeError when there is no such memory to be had */
  constructor(ramBytes: number) {
    this.#tables = State.GUEST_RAM + ramBytes;
    this.wasm = new WebAssembly.Memory({ initial: machineBytes(ramBytes) / State.WASM_PAGE });
    const { buffer } = this.wasm;
    this.all = new Uint8Array(buffer);
    this.state = new Int32Array(buffer, 0, State.MAPS / 4);
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer, State.GUEST_RAM, ramBytes);
    this.words = new Uint32Array(buffer, State.GUEST_RAM, ramBytes / 4);
    this.codeLeft = new Int32Array(buffer, State.CODE_LEFT + (State.GUEST_RAM / PAGE_SIZE) * 4, ramBytes / PAGE_SIZE);
  }

  /**
   * A word for each virtual page, all 0, for TypeScript alone. They lie behind RAM: address space, of which the operating system
   * gives only what is touched. To V8 an array of its own is four megabytes more, for which it collects garbage; who asks for more
   * tables than there are gets that.
   */
  newTable(): Int32Array {
    if (this.#tablesGiven === TABLES) return new Int32Array(PAGE_COUNT);
    return new Int32Array(this.wasm.buffer, this.#tables + this.#tablesGiven++ * State.MAP_SIZE, PAGE_COUNT);
  }

  onCodeWritten(callback: (pfn: number) => void): void {
    this.#onCodeWritten = callback;
  }

  /** Whether code was decoded from the page. */
  hasCode(pfn: number): boolean {
    return (this.codeLeft[pfn] ?? 0) !== 0;
  }

  wrote(address: number, length: number): void {
    if (length <= 0) return;
    const last = (address + length - 1) >>> PAGE_SHIFT;
    for (let pfn = address >>> PAGE_SHIFT; pfn <= last; pfn++) {
      if (this.hasCode(pfn)) this.#onCodeWritten(pfn);
    }
  }

  /** A word of the CPU state, by its byte offset; signed. */
  get(offset: number): number {
    return this.state[offset >> 2] ?? 0;
  }

  set(offset: number, value: number): void {
    this.state[offset >> 2] = value;
  }
}
