// Windows: the page that an instruction of a loop touched last, in locals.
//
// What is addressed through one register is mostly on the page that was touched through it before. A window holds that page
// and its entry of the flat map, which cannot change while the region runs: an access whose place is inside needs one
// comparison, and its address does not wait for a load. Code that goes round no loop would open windows and never look
// through them: it has none.
import type { Node, RegisterNumber, Value } from '../language/nodes.js';
import type { Emitter } from '../wasm/emit.js';
import type { Window } from '../wasm/setting.js';

/** An address less this is beyond any page. */
const NOWHERE = -0x80000000;
/** Each takes two locals in every loop. */
export const WINDOWS_OF_A_LOOP = 6;

export class Windows {
  readonly #emit: Emitter;
  readonly #largest: number;
  readonly #windows = new Map<string, Window>();

  /** @param largest how many there may be */
  constructor(emit: Emitter, largest: number) {
    this.#emit = emit;
    this.#largest = largest;
  }

  /**
   * The window for what is addressed so; undefined when it has none.
   *
   * @param nameOf what stands for a register of the instruction; undefined for the one that is always zero
   */
  for(address: Value, write: boolean, nameOf: (number: RegisterNumber) => string | undefined): Window | undefined {
    const name = registerOf(address.node, nameOf);
    if (name === undefined) return undefined;
    const key = `${write ? 'write' : 'read'} ${name}`;
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    if (this.#windows.size >= this.#largest) return undefined;
    const window = { page: this.#emit.newLocal('i64'), entry: this.#emit.newLocal('i32') };
    this.#windows.set(key, window);
    return window;
  }

  /** On the way in all are closed. */
  load(): void {
    for (const { page } of this.#windows.values()) {
      this.#emit.const64(NOWHERE);
      this.#emit.localSet(page);
    }
  }
}

/** The register that says where: the first in a sum. */
function registerOf(node: Node, nameOf: (number: RegisterNumber) => string | undefined): string | undefined {
  if (node.kind === 'register' && node.file === 'general') return nameOf(node.number);
  if (node.kind !== 'operator') return undefined;
  for (const arg of node.args) {
    const found = registerOf(arg.node, nameOf);
    if (found !== undefined) return found;
  }
  return undefined;
}
