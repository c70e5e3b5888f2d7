// What JavaScript has entered in the block table is found there by WebAssembly, wherever it lies.
import t from 'tap';
import { PAGE_SHIFT, PAGE_SIZE } from '../../../guest-abi/addresses.js';
import { CodeCache } from '../../../switcher/cpu/code-cache.js';
import { EXIT_LOOKUP } from '../../../switcher/cpu/exits.js';
import { Memory } from '../../../switcher/cpu/memory.js';
import { CPU_ROUTINES } from '../../../switcher/cpu/routines.js';
import { FlatMaps } from '../../../switcher/cpu/shadow-map.js';
import * as State from '../../../switcher/cpu/state.js';
import { findBlock } from '../../../switcher/interpreter/find-block.js';
import { ROUTINE_PREFIX } from '../../../switcher/interpreter/generate.js';
import { interpreterModule } from '../../../switcher/interpreter/load.js';

const RAM = 3 * 2 ** 30;
const RET = 0xc3;
const PLACES = 5000;
/** Odd, so that places lie everywhere on their pages; never on the last bytes of one. */
const STEP = 0x98765;

t.test('the same entry for the same address, in all of memory', async (t) => {
  const memory = new Memory(RAM);
  const maps = new FlatMaps(memory);
  const code = new CodeCache(memory, maps);
  const cpu = Object.fromEntries(Object.keys(CPU_ROUTINES).map((name) => [name, () => 0]));
  const { exports } = new WebAssembly.Instance(interpreterModule(), { env: { memory: memory.wasm }, cpu });
  const find = exports[ROUTINE_PREFIX + findBlock.name] as (eip: number) => number;
  memory.set(State.READ_MAP, State.KERNEL_READ_MAP);
  memory.set(State.JUMP_CACHE, State.JUMP_CACHES);
  const places = Array.from({ length: PLACES }, (_, i) => (i * STEP) % RAM);
  const wrong: string[] = [];
  for (const place of places) {
    maps.set(place >>> PAGE_SHIFT, place >>> PAGE_SHIFT, true, false);
    memory.bytes[place] = RET;
    if (find(place | 0) !== EXIT_LOOKUP) wrong.push(`${place.toString(16)} before anybody has entered it`);
    const entered = code.lookUp(place | 0, false);
    const record = entered.kind === 'found' ? entered.record : 0;
    if (find(place | 0) !== record) wrong.push(place.toString(16));
  }
  t.same(wrong, []);
  code.forgetPage(Math.trunc((places[1] ?? 0) / PAGE_SIZE));
  t.equal(find(places[1] ?? 0), EXIT_LOOKUP, 'what is forgotten is not found');
});
