// The table that leads from places in RAM to records: what it says is true, however full it is.
import t from 'tap';
import { BlockTable, MOST_PROBES } from '../../../switcher/cpu/block-table.js';
import { Memory } from '../../../switcher/cpu/memory.js';
import * as State from '../../../switcher/cpu/state.js';
import { RECORD_SIZE } from '../../../switcher/interpreter/records.js';

const PAGE = 4096;

/** The record of the code at a place of these tests: another one for each. */
const recordFor = (address: number): number => State.RECORDS + (address % 0x80000) * RECORD_SIZE;

t.test('what was entered is found, for the kind of code that it was entered for', async (t) => {
  const table = new BlockTable(new Memory(PAGE));
  const address = State.GUEST_RAM + 0x123;
  for (const kind of [0, State.USER_CODE, State.SIXTEEN_BIT_CODE]) {
    t.equal(table.get(address, kind), 0);
    table.set(address, kind, State.RECORDS + kind * RECORD_SIZE);
  }
  for (const kind of [0, State.USER_CODE, State.SIXTEEN_BIT_CODE])
    t.equal(table.get(address, kind), State.RECORDS + kind * RECORD_SIZE);
  table.set(address, 0, State.RECORDS + 100 * RECORD_SIZE);
  t.equal(table.get(address, 0), State.RECORDS + 100 * RECORD_SIZE, 'the last one counts');
  table.clear();
  t.equal(table.get(address, 0), 0);
});

t.test('a block at every byte of more code than there are entries: each is found, or is not there', async (t) => {
  const table = new BlockTable(new Memory(PAGE));
  const from = State.GUEST_RAM;
  const to = from + 0x80000;
  let wrong = 0;
  for (let address = from; address < to; address++) {
    table.set(address, 0, recordFor(address));
    if (table.get(address, 0) !== recordFor(address)) wrong++;
  }
  t.equal(wrong, 0, 'what was entered last is there');
  let found = 0;
  for (let address = from; address < to; address++) {
    const record = table.get(address, 0);
    if (record === recordFor(address)) found++;
    else if (record !== 0) wrong++;
  }
  t.equal(wrong, 0);
  t.ok(found > (1 << State.BLOCK_TABLE_ENTRIES_SHIFT) / 2, `${found} are found`);
});

t.test('blocks that would all stand in one place drive each other out, and nobody looks far', async (t) => {
  const table = new BlockTable(new Memory(PAGE));
  const address = State.GUEST_RAM;
  for (let kind = 0; kind < State.CODE_KINDS; kind++)
    for (let byte = 0; byte < 64; byte++) table.set(address + byte, kind, recordFor(address + byte));
  let found = 0;
  for (let kind = 0; kind < State.CODE_KINDS; kind++)
    for (let byte = 0; byte < 64; byte++) if (table.get(address + byte, kind) !== 0) found++;
  t.ok(found < 3 * MOST_PROBES, `${found} of ${64 * State.CODE_KINDS}`);
});
