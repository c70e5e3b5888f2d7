// From an eip to its record by way of the maps and the block table; and, where the table has none, decoding it. All without
// JavaScript, which is asked when the page is not there, or had no code; when an instruction has no template, or lies on two
// pages; and when there is no more room. It then does all of this itself (cpu/code-cache).
import { PAGE_OFFSET_MASK, PAGE_SHIFT, PAGE_SIZE } from '../../guest-abi/addresses.js';
import * as Table from '../cpu/block-table.js';
import { EXIT_LOOKUP } from '../cpu/exits.js';
import * as State from '../cpu/state.js';
import { LONGEST_INSTRUCTION } from '../decode/decode.js';
import { charge } from '../instructions/budget.js';
import { type Builder, routine } from '../language/builder.js';
import type { Value } from '../language/nodes.js';
import { decodeRun, INSTRUCTIONS_PER_BLOCK, LARGEST_PLAIN_EIP, LAST_BLOCK, RUN_ENDS } from './decode-run.js';
import * as Records from './records.js';

/** How far before an eip a block is looked for of which it is the end, in bytes: what began before is decoded twice. */
const FARTHEST_BACK = 64;
/**
 * What a block costs of the budget. It takes a few microseconds at most, so that whoever does nothing else is looked after within
 * milliseconds (see cpu/lateness), and a boot hardly notices.
 */
const JUMPS_PER_BLOCK = 16;
const CS_BASE = State.SEGMENTS + State.CS * State.SEGMENT_SIZE + State.SEGMENT_BASE;

function askJavaScript(b: Builder, eip: Value): void {
  b.setState(4, State.EIP, eip);
  b.return(b.i32(EXIT_LOOKUP));
}

/** What the map says of the page of a linear address. */
const mapOf = (b: Builder, linear: Value): Value =>
  b.state(4, 0, b.add(b.state(4, State.READ_MAP), b.shl(b.shrU(linear, PAGE_SHIFT), 2)));

const addressOf = (b: Builder, map: Value, linear: Value): Value => b.add(b.add(map, linear), State.MAP_BIAS);

/** How much was left when the page of this address became code. */
const codeLeft = (b: Builder, address: Value): Value =>
  b.state(4, State.CODE_LEFT, b.shl(b.shrU(address, PAGE_SHIFT), 2));

const isForgotten = (b: Builder, record: Value, left: Value): Value => b.gtU(b.sub(State.RECORDS_END, record), left);

/** How many records lie before it. */
const numberOf = (b: Builder, record: Value): Value => b.divU(b.sub(record, State.RECORDS), Records.RECORD_SIZE);

/** (address, kind of code) → the entry there, or the one that it would have: see cpu/block-table. */
function placeOf(b: Builder, address: Value, kind: Value): Value {
  const line = b.shrU(b.mul(b.shrU(address, Table.LINE_SHIFT), Table.SPREAD), Table.LINE_HASH_SHIFT);
  const inLine = b.shl(b.and(address, Table.ENTRY_OF_LINE), Table.ENTRY_OF_LINE_SHIFT);
  const place = b.variable('i32', b.or(b.shl(line, Table.LINE_BYTES_SHIFT), inLine));
  const probes = b.variable('i32', Table.MOST_PROBES);
  b.loop((loop) => {
    const isFree = b.eqz(recordOf(b, b.get(place)));
    b.set(probes, b.sub(b.get(probes), 1));
    b.breakIf(loop, b.or(b.or(isFree, isAt(b, b.get(place), address, kind)), b.eqz(b.get(probes))));
    const next = b.add(b.get(place), State.BLOCK_TABLE_ENTRY_SIZE);
    b.set(place, b.and(next, State.BLOCK_TABLE_SIZE - 1));
  });
  return b.get(place);
}

const isAt = (b: Builder, place: Value, address: Value, kind: Value): Value =>
  b.and(b.eq(b.state(4, State.BLOCK_TABLE, place), address), b.eq(b.and(recordOf(b, place), Table.KIND_MASK), kind));

const recordOf = (b: Builder, place: Value): Value => b.state(4, State.BLOCK_TABLE + State.BLOCK_RECORD, place);

/** What is on one page is known to the jump cache from now on. */
function enterInCache(b: Builder, eip: Value, record: Value, map: Value): void {
  const number = b.and(b.xor(eip, b.shrU(eip, State.JUMP_CACHE_SHIFT)), State.JUMP_CACHE_ENTRIES - 1);
  const entry = b.add(b.state(4, State.JUMP_CACHE), b.shl(number, State.JUMP_CACHE_ENTRY_SHIFT));
  b.setState(4, State.CACHED_EIP, eip, entry);
  b.setState(4, State.CACHED_RECORD, record, entry);
  b.setState(4, State.CACHED_MAP_ENTRY, map, entry);
  b.setState(4, State.JUMP_CACHES_USED, 1);
}

/** (eip; a block that begins before it) → the record there, of which the rest of the block is one, too; 0 if there is none. */
const recordInBlock = routine('recordInBlock', ['i32', 'i32'], ['i32'], (b, eip, block) => {
  const record = b.variable('i32', block);
  const rest = b.variable('i32', b.state(1, State.BLOCK_COUNTS, numberOf(b, block)));
  b.loop((loop) => {
    b.set(rest, b.sub(b.get(rest), 1));
    b.breakIf(loop, b.eqz(b.get(rest)));
    b.set(record, b.add(b.get(record), Records.RECORD_SIZE));
    const ahead = b.sub(eip, b.state(4, Records.RECORD_EIP, b.get(record)));
    b.when(b.eqz(ahead), () => {
      b.setState(1, State.BLOCK_COUNTS, b.get(rest), numberOf(b, b.get(record)));
      b.return(b.get(record));
    });
    b.breakIf(loop, b.ltS(ahead, 0));
  });
  b.return(b.i32(0));
});

/** (eip; its address in memory) → the record there in a block that begins not far before it; 0 if there is none. */
const endOfBlock = routine('endOfBlock', ['i32', 'i32'], ['i32'], (b, eip, address) => {
  const kind = b.state(4, State.CODE_KIND);
  const left = codeLeft(b, address);
  const offset = b.and(address, PAGE_OFFSET_MASK);
  const farthest = b.select(b.gtU(offset, FARTHEST_BACK), FARTHEST_BACK, offset);
  const distance = b.variable('i32', 1);
  b.loop((loop) => {
    b.breakIf(loop, b.gtU(b.get(distance), farthest));
    const before = b.sub(address, b.get(distance));
    const place = placeOf(b, before, kind);
    const block = b.and(recordOf(b, place), ~Table.KIND_MASK);
    const isSame = b.eq(b.state(4, Records.RECORD_EIP, block), b.sub(eip, b.get(distance)));
    const isThere = b.and(isAt(b, place, before, kind), isSame);
    b.when(b.and(isThere, b.eqz(isForgotten(b, block, left))), () => {
      const record = b.call(recordInBlock, eip, block);
      b.when(record, () => b.return(record));
    });
    b.set(distance, b.add(b.get(distance), 1));
  });
  b.return(b.i32(0));
});

/** (eip; its address in memory) → the record of the block that is decoded there. */
const decodeBlock = routine('decodeBlock', ['i32', 'i32'], ['i32'], (b, eip, address) => {
  const top = b.state(4, State.RECORDS_TOP);
  const last = b.sub(b.or(address, PAGE_OFFSET_MASK), LONGEST_INSTRUCTION - 1);
  const run = b.call(decodeRun, address, last, eip, top, INSTRUCTIONS_PER_BLOCK, b.state(4, State.COUNTING));
  const count = b.xor(run, RUN_ENDS);
  // What does not end as it should is JavaScript's, from the beginning.
  b.whenSeldom(b.geU(count, RUN_ENDS), () => b.return(b.i32(0)));
  b.setState(4, State.RECORDS_TOP, b.add(top, b.mul(count, Records.RECORD_SIZE)));
  b.setState(1, State.BLOCK_COUNTS, count, numberOf(b, top));
  b.setState(4, State.BLOCKS_DECODED, b.add(b.state(4, State.BLOCKS_DECODED), 1));
  b.setState(4, State.INSTRUCTIONS_DECODED, b.add(b.state(4, State.INSTRUCTIONS_DECODED), count));
  b.return(top);
});

/** (eip; its address in memory; what the map says of its page) → the record of the block that is made there, or EXIT_LOOKUP. */
const makeBlock = routine('makeBlock', ['i32', 'i32', 'i32'], ['i32'], (b, eip, address, map) => {
  const isElsewhere = b.or(b.eqz(b.state(4, State.DECODES)), b.gtU(eip, LARGEST_PLAIN_EIP));
  const isFull = b.gtU(b.state(4, State.RECORDS_TOP), LAST_BLOCK);
  const isFirst = b.eqz(codeLeft(b, address));
  b.whenSeldom(b.or(b.or(isElsewhere, isFull), isFirst), () => askJavaScript(b, eip));
  charge(b, JUMPS_PER_BLOCK);
  const record = b.variable('i32', b.call(endOfBlock, eip, address));
  b.when(
    b.get(record),
    () => b.setState(4, State.ENDS_FOUND, b.add(b.state(4, State.ENDS_FOUND), 1)),
    () => {
      b.set(record, b.call(decodeBlock, eip, address));
      b.whenSeldom(b.eqz(b.get(record)), () => askJavaScript(b, eip));
    },
  );
  const kind = b.state(4, State.CODE_KIND);
  const place = placeOf(b, address, kind);
  b.setState(4, State.BLOCK_TABLE, address, place);
  b.setState(4, State.BLOCK_TABLE + State.BLOCK_RECORD, b.or(b.get(record), kind), place);
  enterInCache(b, eip, b.get(record), map);
  b.return(b.get(record));
});

/** (eip) → its record, or EXIT_LOOKUP. */
export const findBlock = routine('findBlock', ['i32'], ['i32'], (b, eip) => {
  const linear = b.add(eip, b.state(4, CS_BASE));
  const map = mapOf(b, linear);
  b.whenSeldom(b.eqz(map), () => askJavaScript(b, eip));
  const address = addressOf(b, map, linear);
  const kind = b.state(4, State.CODE_KIND);
  const place = placeOf(b, address, kind);
  const record = b.and(recordOf(b, place), ~Table.KIND_MASK);
  // The same code at another eip is other code.
  const isIt = b.and(isAt(b, place, address, kind), b.eq(b.state(4, Records.RECORD_EIP, record), eip));
  b.whenSeldom(b.or(b.eqz(isIt), isForgotten(b, record, codeLeft(b, address))), () =>
    b.return(b.call(makeBlock, eip, address, map)),
  );
  b.whenSeldom(b.and(b.state(1, Records.RECORD_FLAGS, record), Records.ON_TWO_PAGES), () => {
    // It is what it was if the map says of the second page what it said, and nobody has written there.
    const secondLinear = b.add(linear, PAGE_SIZE);
    const second = mapOf(b, secondLinear);
    const isMoved = b.ne(second, b.state(4, Records.RECORD_SIZE + Records.RECORD_SECOND_PAGE, record));
    const left = codeLeft(b, addressOf(b, second, secondLinear));
    b.when(b.or(isMoved, isForgotten(b, record, left)), () => askJavaScript(b, eip));
    b.return(record);
  });
  enterInCache(b, eip, record, map);
  b.return(record);
});
