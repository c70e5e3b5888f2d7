// The one WebAssembly.Memory of a machine, as TypeScript sees it: CPU state, maps, records and the Guest's RAM.
import { PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import type { PhysicalMemory } from '../physical-memory.js';
import * as State from './state.js';

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
  /** One byte for each page of RAM: whether code was decoded from it. */
  readonly hasCode: Uint8Array;

  /** @throws RangeError when there is no such memory to be had */
  constructor(ramBytes: number) {
    this.wasm = new WebAssembly.Memory({ initial: Math.ceil((State.GUEST_RAM + ramBytes) / State.WASM_PAGE) });
    const { buffer } = this.wasm;
    this.all = new Uint8Array(buffer);
    this.state = new Int32Array(buffer, 0, State.MAPS / 4);
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer, State.GUEST_RAM, ramBytes);
    this.words = new Uint32Array(buffer, State.GUEST_RAM, ramBytes / 4);
    this.hasCode = new Uint8Array(ramBytes / PAGE_SIZE);
  }

  onCodeWritten(callback: (pfn: number) => void): void {
    this.#onCodeWritten = callback;
  }

  wrote(address: number, length: number): void {
    if (length <= 0) return;
    const last = (address + length - 1) >>> PAGE_SHIFT;
    for (let pfn = address >>> PAGE_SHIFT; pfn <= last; pfn++) {
      if (this.hasCode[pfn] === 1) this.#onCodeWritten(pfn);
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
