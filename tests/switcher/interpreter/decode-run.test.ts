// What WebAssembly decodes by templates is what TypeScript decodes: the same records for every opcode with every ModRM byte, and
// whatever follows.
import t, { type Test } from 'tap';
import { PAGE_SIZE } from '../../../guest-abi/addresses.js';
import { CodeCache, type CodeMode } from '../../../switcher/cpu/code-cache.js';
import { Memory } from '../../../switcher/cpu/memory.js';
import { CPU_ROUTINES } from '../../../switcher/cpu/routines.js';
import { FlatMaps } from '../../../switcher/cpu/shadow-map.js';
import * as State from '../../../switcher/cpu/state.js';
import { SLOTS } from '../../../switcher/decode/lookup.js';
import { OPCODES } from '../../../switcher/decode/pattern.js';
import { decodeRun, type DecodeRun, RUN_ENDS } from '../../../switcher/interpreter/decode-run.js';
import { ROUTINE_PREFIX } from '../../../switcher/interpreter/generate.js';
import { interpreterModule } from '../../../switcher/interpreter/load.js';
import { RECORD_SIZE } from '../../../switcher/interpreter/records.js';
import { randomBytes } from '../../support/random-bytes.js';

const MODRMS = 0x100;
/** Room for the longest instruction and some of what follows. */
const SLOT = 32;
const PAGES = (OPCODES * MODRMS * SLOT) / PAGE_SIZE;
const FLAT: CodeMode = { defaultSize: 32, flat: true, base: 0, limit: 0xffffffff };

interface Machine {
  readonly memory: Memory;
  readonly code: CodeCache;
  /** Of so many instructions a template was made use of. */
  quick: number;
}

/** @param first the page to which the linear address 0 … leads */
function machine(bytes: Uint8Array, runs: boolean, firstPage = 0): Machine {
  const memory = new Memory(bytes.length);
  memory.bytes.set(bytes);
  const maps = new FlatMaps(memory);
  for (let page = 0; page < bytes.length / PAGE_SIZE; page++) maps.set(firstPage + page, page, true, false);
  const code = new CodeCache(memory, maps);
  const made: Machine = { memory, code, quick: 0 };
  if (runs) {
    const cpu = Object.fromEntries(Object.keys(CPU_ROUTINES).map((name) => [name, () => 0]));
    const { exports } = new WebAssembly.Instance(interpreterModule(), { env: { memory: memory.wasm }, cpu });
    const run = exports[ROUTINE_PREFIX + decodeRun.name] as DecodeRun;
    code.decodeBy((...args) => {
      const result = run(...args);
      made.quick += result & ~RUN_ENDS;
      return result;
    }, true);
  }
  return made;
}

const records = ({ memory, code }: Machine): Buffer =>
  Buffer.from(memory.all.buffer, State.RECORDS, code.counters.instructionsDecoded * RECORD_SIZE);

/** Every opcode with every ModRM byte behind the prefixes, each followed by something else, which is code too. */
function everyOpcode(prefixes: readonly number[]): Uint8Array {
  const random = randomBytes(1);
  const bytes = Uint8Array.from({ length: PAGES * PAGE_SIZE }, random);
  for (let opcode = 0; opcode < OPCODES; opcode++) {
    for (let modrm = 0; modrm < MODRMS; modrm++) {
      const start = (opcode * MODRMS + modrm) * SLOT;
      bytes.set([...prefixes, ...(opcode < 0x100 ? [opcode] : [0x0f, opcode & 0xff]), modrm], start);
    }
  }
  return bytes;
}

t.test('there is room for every opcode and every record, and no more', async (t) => {
  t.equal(State.BLOCK_COUNTS + State.RECORDS_SIZE / RECORD_SIZE, State.BLOCK_TABLE);
  t.equal(State.TEMPLATE_INDEX + SLOTS * Uint16Array.BYTES_PER_ELEMENT, State.TEMPLATES);
});

/** Those that WebAssembly takes, in the order that it takes them in. */
const TAKEN: readonly (readonly number[])[] = [[], [0x66], [0xf3], [0xf2], [0x64], [0x65], [0x65, 0x66], [0x64, 0xf3]];
const NOT_TAKEN = [[0x66, 0x65], [0x65, 0x64], [0xf3, 0x66], [0xf2, 0xf3], [0xf0], [0x67], [0x2e]];

for (const prefixes of [...TAKEN, ...NOT_TAKEN]) {
  const behind = prefixes.map((byte) => byte.toString(16)).join(' ') || 'no prefix';
  t.test(`every opcode with every ModRM byte has the same records behind ${behind}`, async (t) =>
    everyRecord(t, prefixes),
  );
}

function everyRecord(t: Test, prefixes: readonly number[]): void {
  const bytes = everyOpcode(prefixes);
  const [slow, quick] = [machine(bytes, false), machine(bytes, true)];
  let differences = 0;
  for (let start = 0; start < bytes.length && differences === 0; start += SLOT) {
    const [expected, found] = [slow.code.lookUp(start, false), quick.code.lookUp(start, false)];
    if (JSON.stringify(expected) !== JSON.stringify(found)) differences++;
  }
  t.equal(differences, 0);
  t.ok(records(slow).equals(records(quick)), 'word by word');
  const { instructionsDecoded } = quick.code.counters;
  // What follows is decoded as well, and is anything.
  const least = TAKEN.includes(prefixes) ? 0.85 : 0.15;
  t.ok(quick.quick > instructionsDecoded * least, `${quick.quick} of ${instructionsDecoded} by templates`);
}

t.test('code that is not flat, or not of 32 bits, is none for templates', async (t) => {
  const bytes = new Uint8Array(PAGE_SIZE).fill(0x40);
  const flat = machine(bytes, true);
  flat.code.lookUp(0, false);
  t.ok(flat.quick > 0, 'what is both is');
  for (const mode of [{ defaultSize: 16 }, { flat: false }, { flat: false, base: 0x100 }] as const) {
    const one = machine(bytes, true);
    one.code.setMode({ ...FLAT, ...mode });
    t.equal(one.code.lookUp(0, false).kind, 'found');
    t.equal(one.quick, 0, JSON.stringify(mode));
  }
});

t.test(
  'the last instructions of a page, and of the address space, are read by who looks where bytes end',
  async (t) => {
    // add $1,%eax, five bytes each: the last one of the page has one byte there.
    const bytes = new Uint8Array(PAGE_SIZE);
    for (let at = 0; at < PAGE_SIZE; at++) bytes[at] = at % 5 === 0 ? 0x05 : 1;
    for (const firstPage of [0, 0xfffff]) {
      const [slow, quick] = [machine(bytes, false, firstPage), machine(bytes, true, firstPage)];
      const eips = Array.from({ length: Math.ceil(PAGE_SIZE / 5) }, (_, i) => (firstPage * PAGE_SIZE + 5 * i) | 0);
      t.same(
        eips.map((eip) => quick.code.lookUp(eip, false)),
        eips.map((eip) => slow.code.lookUp(eip, false)),
      );
      t.ok(records(slow).equals(records(quick)));
    }
  },
);
