// What the ABI promises, statement by statement, and the tests that hold each. The numbers are those of the checklist that the
// Host was written against.
//
// A test is named by its file and how its name begins: where there is one for each kind of paging, all of them count.
import { BESIDES } from './statements/besides.js';
import { HYPERCALLS } from './statements/hypercalls.js';
import { INTERRUPTS } from './statements/interrupts.js';
import { LAUNCHER } from './statements/launcher.js';
import { PAGE_TABLES } from './statements/page-tables.js';
import { PROTOCOL } from './statements/protocol.js';
import { TRAPS } from './statements/traps.js';
import type { Statement } from './statements/statement.js';

export type { Statement } from './statements/statement.js';

export const CHECKLIST_LENGTH = 68;

export const STATEMENTS: Readonly<Record<string, readonly Statement[]>> = {
  'The protocol': PROTOCOL,
  Hypercalls: HYPERCALLS,
  Interrupts: INTERRUPTS,
  Traps: TRAPS,
  'Page tables': PAGE_TABLES,
  'The Launcher': LAUNCHER,
  'And besides': BESIDES,
};
